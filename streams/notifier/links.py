"""Links in messages: those that acknowledge, signed, for one incident, for a while, and once; and to the contacts behind an incident."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from streams.contact_links import contacts_address
from streams.contracts.outputs import Incident
from streams.kpi.policy.versions import AnyPolicy

_SALT = "deskpulse.acknowledge"
PATH = "/acknowledge/"
#: A key that is shorter can be guessed.
_SHORTEST_KEY = 16
#: Robots take 4,096 bytes and more: of a longer address too little would be left to the message.
_LONGEST_ADDRESS = 1_024


class BadLinkError(ValueError):
    """No link of ours, or one that has expired."""


@dataclass(frozen=True)
class Ticket:
    """What a link is good for. ``nonce``: it can be used once; ``until``: ms."""

    incident: str
    nonce: str
    until: int


class Links:
    """Makes and reads links. ``url``: how browsers reach the server; ``lasts``: ms. Raises ValueError for a key that is too short."""

    def __init__(self, url: str, key: str, lasts: int) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ValueError(
                f"the key of acknowledge links has {len(key)} characters; make one of {_SHORTEST_KEY} or more"
            )
        self._url, self._lasts = url.rstrip("/"), lasts
        self._signer = URLSafeSerializer(key, salt=_SALT)

    def make(self, incident: str, now: int) -> str:
        """A new link."""
        token: Any = self._signer.dumps([incident, secrets.token_urlsafe(9), (now + self._lasts) // 1000])
        return f"{self._url}{PATH}{token}"

    def read(self, token: str, now: int) -> Ticket:
        """What a link is good for. Raises BadLinkError."""
        try:
            incident, nonce, until = self._signer.loads(token)
            ticket = Ticket(str(incident), str(nonce), int(until) * 1000)
        except (BadData, ValueError, TypeError) as error:
            raise BadLinkError("this is no link of ours; open the one in the message again") from error
        if ticket.until < now:
            raise BadLinkError(
                "this link has expired; acknowledge the incident on the wallboard or by `deskpulse alert`"
            )
        return ticket


def contacts_behind(desk: str | None, policy: AnyPolicy, incident: Incident) -> str | None:
    """Where the contacts behind an incident are, at its widest place: now while it fires there, else as it fired.

    ``desk``: how browsers reach it. None where there is no desk, the KPI has no contacts, or the address is too long for messages.
    """
    main = incident.members[0] if incident.members else None
    at = incident.changed if main is None else main.changed if main.status == "firing" else main.fired
    address = contacts_address(desk, policy, incident.kpi, incident.entity, at, incident.window)
    return None if address is None or len(address) > _LONGEST_ADDRESS else address
