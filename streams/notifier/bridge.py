"""The bridge to an Alertmanager: what stands is told again and again, and what is silenced there becomes a silence here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import sha256

from streams.contracts.outputs import AlertAction, Incident
from streams.languages import Language
from streams.notifier.channels.alertmanager import Alertmanager, alerts
from streams.notifier.channels.channel import Parcel
from streams.notifier.journal import Journal
from streams.notifier.message import Message
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Who acts, where Alertmanager does not say.
_BY = "alertmanager"


class Bridge:
    """One Alertmanager. ``act``: writes an action, raises ConnectionError where it cannot; ``behind``: an incident → where the contacts
    behind it are.
    """

    def __init__(
        self,
        name: str,
        channel: Alertmanager,
        journal: Journal,
        act: Callable[[AlertAction], None],
        language: Language,
        page: str | None,
        behind: Callable[[Incident], str | None] = lambda _: None,
    ) -> None:
        self._name, self._channel, self._journal, self._act = name, channel, journal, act
        self._language, self._page, self._behind = language, page, behind

    def keep(self, now: int) -> None:
        """Tell what stands, and take over what was silenced or is no longer. Raises StoreError, ConnectionError."""
        standing = self._journal.standing(self._name)
        if standing:
            self._again(standing, now)
        ids = {incident.id for incident in standing}
        known = self._journal.silenced(self._name)
        held: set[tuple[str, str]] = set()
        for one in self._channel.silenced():
            until = round(one.until.timestamp() * 1000)
            held.add((one.id, one.incident))
            if one.incident in ids and known.get((one.id, one.incident)) != until:
                action = AlertAction(
                    id=_action(one.id, one.incident, until),
                    at=instant(now),
                    by=(one.by or _BY)[:256],
                    kind="silence",
                    incident=one.incident,
                    note=one.note[:2000],
                    until=one.until,
                )
                self._act(action)
                self._journal.silence(self._name, one.id, one.incident, until)
        for (id, incident), until in known.items():
            if (id, incident) not in held:
                if incident in ids and until > now:
                    ended = _action(id, incident, until)
                    self._act(AlertAction(id=f"{ended}-end", at=instant(now), by=_BY, kind="unsilence", silence=ended))
                self._journal.silence(self._name, id, incident, None)

    def _again(self, standing: list[Incident], now: int) -> None:
        data = alerts(standing, instant(now), self._language, self._page, self._behind)
        message = Message(language=self._language, severity="info", title="")
        outcome = self._channel.send(Parcel("again", message, data, instant(now)))
        if outcome.result != "told":
            _LOG.warning("channel %s: it was not told again what stands: %s", self._name, outcome.said)


def _action(silence: str, incident: str, until: int) -> str:
    """The same for the same silence: to act twice is to act once."""
    return f"am-{silence[:64]}-{sha256(f'{incident} {until}'.encode()).hexdigest()[:16]}"
