"""What systems tell wrongly and put right: some events are told as somebody else's and corrected, some never happened and are retracted."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from msgspec.structs import replace

from streams.contracts import events as e
from streams.contracts.events import AnyEvent, ContactEvent

#: One event in so many of those that name an agent is told wrongly, and one in so many is told that never happened.
_EVERY = 100
#: Agent and team.
_WHO = "agent_id", "team_id"
_Who: TypeAlias = tuple[str, str | None]
_NOTICED_AFTER = timedelta(minutes=10)
_CORRECTED: dict[str, type[e.Corrected]] = {
    "calls": e.CallCorrected,
    "chats": e.ChatCorrected,
    "tickets": e.TicketCorrected,
}
_RETRACTED: dict[str, type[e.Retracted]] = {
    "calls": e.CallRetracted,
    "chats": e.ChatRetracted,
    "tickets": e.TicketRetracted,
}


def mistold(events: Sequence[AnyEvent], seed: int) -> Iterator[AnyEvent]:
    """The events, of which some are told wrongly; what puts that right comes behind each."""
    dice = random.Random(seed)
    # With their own team: of which team an agent is, the last event says that comes, whatever becomes of it.
    whos = sorted(set(_whos(events)), key=str)
    for event in events:
        if not isinstance(event, ContactEvent) or event.agent_id is None:
            yield event
            continue
        match dice.randrange(_EVERY):
            case 0:
                yield replace(event, **_as(dice.choice(whos)))
                # With the team: a correction that names an agent leaves the team of the one before.
                right = {name: told for name in _WHO if (told := getattr(event, name)) is not None}
                yield _word(_CORRECTED[event.carrier], event, event.id, **right)
            case 1:
                never = replace(event, id=f"{event.id}-never", **_as(dice.choice(whos)))
                yield never
                yield _word(_RETRACTED[event.carrier], event, never.id)
                yield event
            case _:
                yield event


def _whos(events: Iterable[AnyEvent]) -> Iterator[_Who]:
    for event in events:
        if isinstance(event, ContactEvent) and event.agent_id is not None:
            yield event.agent_id, event.team_id


def _as(who: _Who) -> dict[str, Any]:
    return dict(zip(_WHO, who, strict=True))


def _word(kind: type[e.Corrected] | type[e.Retracted], about: ContactEvent, corrects: str, **fields: str) -> AnyEvent:
    return kind(
        id=f"{corrects}-again",
        source=about.source,
        time=about.time + _NOTICED_AFTER,
        contact_id=about.contact_id,
        customer_id=about.customer_id,
        sequence=about.sequence,
        corrects=corrects,
        **fields,
    )  # type: ignore[return-value]
