"""A month of 200 people on ten cards, from the events of their contacts to published scores: half of the cards by command, half over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from scoring.cards.load import find
from scoring.cards.model import Card
from scoring.inputs.requirements import needs
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import RosterEntry
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.roster import Roster
from streams.targets.sheet import read_targets
from streams.targets.taking import take_targets
from tests.acceptance.test_a_month_decided import Asked, Month, Typed
from tests.acceptance.test_first_month import EXAMPLE, typed
from tests.support.month_end import Desk

#: Teams of nine and who leads them. A team's agents are on one card, leaders take turns.
AGENTS = {
    "s2-a-core": 5,
    "s2-b-info-desk": 3,
    "s2-c-returns-specialist": 3,
    "s2-d-tech-support": 3,
    "s3-a-front-line": 6,
}
LEADERS = ("s0-a-core-indicators", "s2-e-supervisor", "s3-b-team-leader", "s4-b-cs-supervisor-scale", "s4-f-aftersales-supervisor-kpi")  # fmt: skip
#: What each contact is about, by the card of who has it.
KINDS = {
    "s2-c-returns-specialist": ("return", "complaint", "纠纷", "return", "complaint") * 5,
    "s2-d-tech-support": ("fault",) * 12,
}


def roster() -> list[RosterEntry]:
    """Two hundred people in twenty teams."""
    made, number = [], count(1)
    for team, card in enumerate(card for card, teams in AGENTS.items() for _ in range(teams)):
        for place in range(10):
            who = LEADERS[team % 5] if place == 0 else card
            id = f"L{team + 1:02}" if place == 0 else f"P{team + 1:02}{place}"
            made.append(RosterEntry(agent_id=id, valid_from=date(2026, 1, 1), hr_number=f"H{next(number):04}", team_id=f"t{team + 1:02}", card=who))  # fmt: skip
    return made


def events(people: list[RosterEntry]) -> Iterator[e.AnyEvent]:
    """What the systems tell of March, a dozen contacts or two of each agent, one customer each."""
    for number, one in enumerate(people):
        if one.agent_id.startswith("L"):
            continue
        tells = {"s2-a-core": chat, "s2-b-info-desk": call, "s3-a-front-line": call}.get(one.card or "", ticket)
        kinds = KINDS.get(one.card or "", ("inquiry",) * 12)
        for contact, kind in enumerate(kinds):
            at = datetime(2026, 3, 2 + contact, 9, number % 60, tzinfo=UTC)
            good = (number + contact) % 9 > 0
            about: dict[str, Any] = {
                "contact_id": f"{one.agent_id}-{contact}", "customer_id": f"{number:03}{contact:02}", "source": "desk",
                "kind": kind, "queue_id": f"q-{one.team_id}", "agent_id": one.agent_id,
            }  # fmt: skip
            yield from tells(about, at, good, 5 if good else 2)


def _told(about: dict[str, Any], at: datetime, *told: tuple[float, type[Any], dict[str, Any]]) -> Iterator[e.AnyEvent]:
    for number, (minutes, event, fields) in enumerate(told):
        id = f"{about['contact_id']}-{number}"
        yield event(id=id, time=at + timedelta(minutes=minutes), **about, **fields)


def chat(about: dict[str, Any], at: datetime, good: bool, score: float) -> Iterator[e.AnyEvent]:
    """Answered after half a minute, and reviewed."""
    return _told(
        about, at, (0, e.ChatStarted, {}), (0, e.ChatMessage, {"sender": "customer"}), (0.4, e.ChatMessage, {"sender": "agent"}),
        (5, e.ChatEnded, {"resolved": good}), (6, e.ChatRated, {"score": score, "scale": "1-5"}),
        (60, e.ChatReviewed, {"score": 90, "passed": good, "items": {"script": good}}),
    )  # fmt: skip


def call(about: dict[str, Any], at: datetime, good: bool, score: float) -> Iterator[e.AnyEvent]:
    """Answered after a quarter or half a minute, and reviewed."""
    return _told(
        about, at, (0, e.CallQueued, {}), (0.25 if good else 0.5, e.CallAnswered, {}),
        (5, e.CallEnded, {"talk_seconds": 280, "wrap_up_seconds": 20, "resolved": good}), (6, e.CallRated, {"score": score, "scale": "1-5"}),
        (60, e.CallReviewed, {"score": 90, "passed": good, "items": {"script": good}}),
    )  # fmt: skip


def ticket(about: dict[str, Any], at: datetime, good: bool, score: float) -> Iterator[e.AnyEvent]:
    """Resolved within the day."""
    return _told(
        about, at, (0, e.TicketCreated, {"due": at + timedelta(hours=48)}), (10, e.TicketReplied, {}),
        (300, e.TicketResolved, {"resolved": good}), (400, e.TicketRated, {"score": score, "scale": "1-5"}), (500, e.TicketClosed, {"resolved": good}),
    )  # fmt: skip


def operation(folder: Path, database: str | None = None) -> Desk:
    """The operation after the month: its events counted, its targets set."""
    people = roster()
    told = sorted(events(people), key=lambda event: event.time)
    made = run(map(encode, told), Policy(), roster=Roster(people))
    assert (made.rejected, len({one.agent_id for one in people}), len({one.card for one in people})) == ([], 200, 10)
    desk = Desk(folder, database=database, facts=made.daily_facts(), entries=people)
    given = [
        one for one in read_targets(EXAMPLE / "targets.csv", "lin", desk.now()) if not one.of.startswith("card|s1-a")
    ]
    take_targets(desk, given, str)
    desk.does("database", "upgrade")
    return desk


def sheet(card: Card, people: list[str]) -> str:
    """What people hand in; ratings of a form with columns are given there."""
    asked = [one for one in needs(card) if not (card.evaluators and card.item(one.item).rated)]
    rows = [f"{who},{one.item},{one.field},{typed(card, one)}\n" for who in people for one in asked]
    return "person,item,field,value\n" + "".join(rows)


def reviewed(month: Month, card: Card, person: str, by: str) -> None:
    """Every column of somebody's sheet is signed, with the ratings of the form where it has columns."""
    for column in [one.id for one in card.evaluators] or ["superior"]:
        given = {one.item: typed(card, one) for one in needs(card) if one.field == column}
        picks = {f"{one.item}.pick": typed(card, one) for one in needs(card) if card.evaluators and one.field == "pick"}
        ratings = {name: rating for name, rating in {**given, **picks}.items() if rating is not None}
        month.signs(person if column == "self" else by, person, column, **ratings)


def month_end(desk: Desk) -> None:
    """The month of all ten cards, from the sheets to the accepted appeals."""
    on: dict[str, list[str]] = {}
    for one in desk.entries:
        on.setdefault(one.card or "", []).append(one.agent_id)
    # Half of the agents' cards and half of the leaders' are done each way.
    months = {
        card: (Typed if place % 2 else Asked)(desk, card, people) for place, (card, people) in enumerate(on.items())
    }
    assert [type(months[card]) for card in ("s4-f-aftersales-supervisor-kpi", "s4-b-cs-supervisor-scale")] == [
        Typed,
        Asked,
    ]
    for id, month in months.items():
        decided(month, find(id))
    assert (len(desk.sent), len({score.key for score in desk.sent})) == (200, 200)
    assert [score.key for score in desk.sent if score.total is None] == []

    for card, item in (("s0-a-core-indicators", "collab"), ("s3-b-team-leader", "coaching")):
        month = months[card]
        who = on[card][0]
        before = _total(desk, who)
        appeal = month.appeals(who, item, "the projects of the second half were not seen")
        assert (who, f"item {item}") in month.would_change(appeal, **{item: 4})
        month.accepts(appeal, "they were not", **{item: 4})
        month.publishes()
        assert _total(desk, who) != before
    assert {type(months[card]) for card in ("s0-a-core-indicators", "s3-b-team-leader")} == {Typed, Asked}
    assert "the trail is whole" in desk.does("audit")


def decided(month: Month, card: Card) -> None:
    """One card: prepared, reviewed, on the forms with columns objected to, approved and given out."""
    month.prepared(sheet(card, list(month.people)))
    first = next(iter(month.people))
    for person in month.people:
        reviewed(month, card, person, "head" if person.startswith("L") else f"L{person[1:3]}")
    objection = {"s4-b-cs-supervisor-scale": {"BH1": 4}, "s4-f-aftersales-supervisor-kpi": {"F5": 1}}.get(card.id)
    if objection:
        month.objects(first, "the customer of the 12th was won back", "ticket 4711")
        assert f"{first}: the customer of the 12th was won back (ticket 4711)" in month.is_refused_approval()
        month.signs("head", first, card.evaluators[-1].id, **objection)
        month.agrees(first)
    seen = month.sees()
    month.approves()
    frozen = month.frozen()
    assert {person: one["score"]["total"] for person, one in seen.items()} == {
        person: one["total"] for person, one in frozen.items()
    }
    assert len(frozen) == len(month.people)
    month.publishes()


def _total(desk: Desk, person: str) -> str | None:
    """What stands on the topic of a person."""
    return {score.person: score.total for score in desk.sent}[person]


def test_a_month_of_two_hundred_people(tmp_path: Path) -> None:
    month_end(operation(tmp_path))
