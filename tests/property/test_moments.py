"""What is folded at once, because it comes last of its moment, stands where a second reading of the moment would put it."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contacts.contact import Contact
from streams.contacts.fold import step
from streams.contacts.rules import rules_of
from streams.contacts.story import TALK, goes_last, in_turn, order
from streams.contracts import events as e
from tests.property.found import check
from tests.property.test_order import Told, plain, typed
from tests.support.desk import POLICY, moment

RULES = rules_of(POLICY)
STORIES: list[list[type[Any]]] = [
    [
        e.CallArrived, e.CallQueued, e.CallOffered, e.CallMissed, e.CallAnswered, e.CallAbandoned, e.CallLeftQueue,
        e.CallTransferred, e.CallEnded, e.CallRated, e.CallInvited,
    ],
    [e.ChatStarted, e.ChatHandedOver, e.ChatAssigned, e.ChatTransferred, e.ChatMessage, e.ChatEnded, e.ChatRated],
    [e.ChatStarted, e.ChatMessage],
    [
        e.TicketCreated, e.TicketAssigned, e.TicketEscalated, e.TicketReplied, e.TicketResolved, e.TicketClosed,
        e.TicketReopened, e.TicketMerged, e.TicketRated,
    ],
]  # fmt: skip
OWN: dict[type[Any], dict[str, list[Any]]] = {
    e.CallRated: {"score": [3], "scale": ["1-5"]},
    e.ChatRated: {"score": [3], "scale": ["1-5"]},
    e.TicketRated: {"score": [3], "scale": ["1-5"]},
    e.ChatMessage: {"sender": ["customer", "agent", "bot"]},
    e.ChatTransferred: {"to_agent_id": [None, "a", "b"]},
    e.TicketMerged: {"into": ["x"]},
}


def in_order(before: list[Any], of_the_moment: list[Any]) -> list[str]:
    """Ids of the moment's events, after those before it."""
    contact, ids = Contact(), []
    for event in before:
        step(contact, event, event.at, RULES)
    for event in in_turn(contact, of_the_moment):
        step(contact, event, event.at, RULES)
        ids.append(event.id)
    return ids


@settings(max_examples=2500, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_what_goes_last_goes_last(seed: int) -> None:
    pick = random.Random(seed)
    types, numbered = pick.choice(STORIES), pick.choice([0.0, 0.5, 1.0, 1.0])

    def some(id: str, when: str) -> Any:
        type_ = pick.choice(types)
        own = {name: pick.choice(values) for name, values in OWN.get(type_, {}).items()}
        own |= {"agent_id": pick.choice([None, "a", "b"]), "queue_id": pick.choice([None, "q", "r"])}
        sequence = pick.randrange(3) if pick.random() < numbered else None
        return type_(id=id, source="s", time=moment(when), contact_id="c", sequence=sequence, **own)

    before = [some(f"p{n}", f"08:00:0{n}") for n in range(pick.randrange(5))]
    ids = pick.sample(range(5, 15), pick.randrange(2, 6))
    of_the_moment = [some(f"e{id}", "09:00:00") for id in ids]
    the_last_comes_last(before=plain(before), of_the_moment=plain(of_the_moment))


@check
def the_last_comes_last(before: list[Told], of_the_moment: list[Told]) -> None:
    """The last event of the moment as it comes, if it is said to go last."""
    *others, event = typed(of_the_moment)
    last = max(others, key=order)  # type: ignore[arg-type]
    sequenced, talk = sum(other.sequence is not None for other in others), sum(type(other) in TALK for other in others)
    if goes_last(event, last, len(others), sequenced, talk):  # type: ignore[arg-type]
        assert in_order(typed(before), [*others, event]) == [*in_order(typed(before), others), event.id]
