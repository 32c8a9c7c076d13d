"""First contact resolution, and figures that are known only after days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from scoring.period import Month
from scoring.reports.sheets import LANGUAGES, Context, pages
from scoring.runs.messages import to_messages
from scoring.runs.run import run as score
from streams.contracts import events as e
from streams.contracts.outputs import DailyFacts, Figure
from streams.entities.daily_facts import rows
from streams.kpi.catalog import KPIS
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.policy.model import Policy
from tests.support import cards
from tests.support.cards import item, section
from tests.support.desk import DAY, POLICY, Script, figures, run_events, sums

KNOWN = {"customer_id": "k"}
A, B = {"agent_id": "a"}, {"agent_id": "b"}


def call(**fields: Any) -> Script:
    return Script().call("09:00:00", "c1", agent="a", **{**KNOWN, **fields})


def handed_on() -> Script:
    script = Script().at("09:00:00", e.CallQueued, queue_id="q", **KNOWN).at("09:00:05", e.CallAnswered, **A, **KNOWN)
    script.at("09:05:00", e.CallTransferred, **A, **KNOWN).at("09:05:00", e.CallEnded, **A, **KNOWN)
    return script.at("09:05:01", e.CallAnswered, **B, **KNOWN).at("09:10:00", e.CallEnded, **B, **KNOWN)


def chat(*, to: str | None = None) -> Script:
    script = Script().at("09:00:00", e.ChatStarted, **A, **KNOWN)
    if to is not None:
        script.at("09:01:00", e.ChatTransferred, to_agent_id=to, **KNOWN)
    return script.at("09:10:00", e.ChatEnded, **KNOWN)


def ticket(*, again: bool = False) -> Script:
    script = Script().at("09:00:00", e.TicketCreated, **A, **KNOWN).at("10:00:00", e.TicketResolved, **A, **KNOWN)
    if again:
        script.at("11:00:00", e.TicketReopened, **KNOWN).at("12:00:00", e.TicketResolved, **A, **KNOWN)
    return script


@pytest.mark.parametrize(
    ("script", "missed", "known", "unknown"),
    [
        (call(), 0, 1, 0),
        (call().call("10:00:00", "c2", **KNOWN), 1, 1, 0),
        (call().at("+7 09:00:00", e.ChatStarted, "c2", **KNOWN), 1, 1, 0),
        (call().at("+7 09:00:00.001", e.ChatStarted, "c2", **KNOWN), 0, 1, 0),
        (call(topic="card").at("10:00:00", e.CallArrived, "c2", topic="loan", **KNOWN), 0, 1, 0),
        (Script().call("09:00:00", "c1", agent="a").call("10:00:00", "c2"), 0, 0, 1),
        (handed_on(), 1, 1, 0),
        (handed_on().call("12:00:00", "c2", **KNOWN), 1, 1, 0),
        (chat(), 0, 1, 0),
        (chat(to="b"), 1, 1, 0),
        (ticket(), 0, 1, 0),
        (ticket(again=True), 1, 1, 0),
        (ticket(again=True).call("12:30:00", "c2", **KNOWN), 1, 1, 0),
        (Script().call("09:00:00", "c1", **KNOWN), 0, 0, 0),
    ],
    ids=[
        "once and for all", "came back", "after exactly seven days", "after more", "about something else", "unknown customers cannot repeat",
        "transferred", "transferred and came back is one", "a chat", "a chat handed on", "a ticket", "reopened", "reopened and came back is one",
        "nobody handled it",
    ],
)  # fmt: skip
def test_what_is_resolved_at_once(script: Script, missed: int, known: int, unknown: int) -> None:
    patient = Policy(time_zone="UTC", allowed_lateness_days=10)
    for events in (script.events, script.events[::-1]):
        held = sums(run_events(events, patient))
        assert (held.get("fcr_missed", 0), held.get("contacts_handled_known", 0), held.get("fcr_unknown", 0)) == (
            missed,
            known,
            unknown,
        )
    figure = figures(script.run())["fcr"]
    assert (figure.value, figure.n) == ((known - missed) / known if known else None, known)


def test_it_is_charged_to_the_agent_at_the_end_of_the_contact() -> None:
    assert figures(handed_on().run(), "agent|b")["fcr"].value == 0
    assert figures(handed_on().run(), "agent|a")["fcr"].value is None
    assert figures(call().call("10:00:00", "c2", agent="b", **KNOWN).run(), "agent|a")["fcr"].value == 0


def test_a_retracted_transfer_was_none() -> None:
    script = handed_on()
    script.at("12:00:00", e.CallRetracted, corrects=script.events[2].id, **KNOWN)
    assert figures(script.run())["fcr"].value == 1


@pytest.mark.parametrize(
    ("fcr_days", "repeat_days", "missed", "repeats"), [(1, 7, 0, 1), (7, 1, 1, 0), (2, 2, 1, 1), (1, 1, 0, 0)]
)
def test_its_days_are_its_own(fcr_days: float, repeat_days: float, missed: int, repeats: int) -> None:
    policy = Policy(time_zone="UTC", fcr_days=fcr_days, repeat_days=repeat_days)
    script = call().at("+2 08:00:00", e.CallArrived, "c2", **KNOWN)
    held = sums(script.run(policy))
    assert (held.get("fcr_missed", 0), held.get("repeat_contacts", 0)) == (missed, repeats)


SHANGHAI = Policy()


@pytest.mark.parametrize(
    ("policy", "now", "young"),
    [
        (POLICY, "2026-03-09T23:59:59.999+00:00", True),
        (POLICY, "2026-03-10T00:00:00+00:00", False),
        (SHANGHAI, "2026-03-09T15:59:59.999+00:00", True),
        (SHANGHAI, "2026-03-09T16:00:00+00:00", False),
        (SHANGHAI, "2026-03-10T00:00:00+08:00", False),
        (Policy(time_zone="UTC", fcr_days=0.5), "2026-03-03T11:59:59+00:00", True),
        (Policy(time_zone="UTC", fcr_days=0.5), "2026-03-03T12:00:00+00:00", False),
        (POLICY, None, False),
    ],
    ids=["a moment before", "seven days after its end", "in its zone", "ended", "however the moment is written", "half a day", "over", "as if all had"],
)  # fmt: skip
def test_when_a_day_has_matured(policy: Policy, now: str | None, young: bool) -> None:
    """2 March 2026 and seven days."""
    maturity = Maturity(policy, None if now is None else datetime.fromisoformat(now))
    assert ("fcr_days" in maturity.young(DAY)) == young


def month() -> list[DailyFacts]:
    """Ten handled contacts of agent a on each of the 30 days of June; on odd days two were not resolved at once, one was repeated."""
    return [
        DailyFacts(
            entity="agent|a",
            date=date(2026, 6, day),
            sums={"contacts_handled_known": 10, **({"fcr_missed": 2, "repeat_contacts": 1} if day % 2 else {})},
        )
        for day in range(1, 31)
    ]


@pytest.mark.parametrize(
    ("now", "fcr", "repeats"),
    [
        (datetime(2026, 7, 8, tzinfo=UTC), Figure(0.9, 300), (1 / 20, 300, 0)),
        (datetime(2026, 7, 1, tzinfo=UTC), Figure(1 - 24 / 230, 230, pending=70), (1 / 20, 300, 70)),
        (datetime(2026, 6, 9, tzinfo=UTC), Figure(0.8, 10, pending=290), (1 / 20, 300, 290)),
        (datetime(2026, 6, 8, tzinfo=UTC), Figure(None, 0, pending=300), (1 / 20, 300, 300)),
    ],
    ids=["all have", "the last seven days have not", "the first day has", "none has"],
)
def test_only_matured_days_count_for_fcr_and_repeats_say_how_many_are_pending(
    now: datetime, fcr: Figure, repeats: tuple[float, int, int]
) -> None:
    period, maturity = Ripening(), Maturity(POLICY, now)
    for fact in month():
        period.add(fact.sums, maturity.young(fact.date))
    found = KPIS["fcr"].bound(POLICY, "staff").figure(period.sums, period.unripe)
    assert (found.value and pytest.approx(found.value), found.n, found.pending) == (fcr.value, fcr.n, fcr.pending)
    again = KPIS["repeat_contact_rate"].bound(POLICY, "staff").figure(period.sums, period.unripe)
    assert (pytest.approx(again.value), again.n, again.pending) == repeats
    (row,) = rows(month(), "month", POLICY, now)
    assert (row["fcr"], row["fcr.n"], row["fcr.pending"]) == (found.value, found.n, found.pending)
    assert (row["repeat_contact_rate"], row["repeat_contact_rate.pending"]) == (again.value, again.pending)


def test_a_window_has_none_yet_and_says_how_many_are_pending() -> None:
    shown = call().call("10:00:00", "c2", agent="a", **KNOWN).run().snapshot("agent|a")
    assert shown.figure("today", "fcr") == Figure(None, 0, pending=2)
    assert (
        shown.figure("today", "repeat_contact_rate").value,
        shown.figure("today", "repeat_contact_rate").pending,
    ) == (0.5, 2)


@pytest.mark.parametrize(
    ("as_of", "points", "says"),
    [
        (None, 100, ("（样本 300，95%置信区间", "(n = 300, 95 % interval")),
        (datetime(2026, 7, 8, tzinfo=UTC), 100, ("（样本 300，", "(n = 300, ")),
        (datetime(2026, 7, 1, tzinfo=UTC), 99.52, ("，观察期未满 70）", ", 70 pending)")),
        (
            datetime(2026, 6, 2, tzinfo=UTC),
            None,
            ("300 件的观察期均未满", "all 300 are pending: their days have not matured"),
        ),
    ],
)
def test_a_sheet_says_how_many_have_not_matured(
    tmp_path: Path, as_of: datetime | None, points: float | None, says: tuple[str, str]
) -> None:
    target, rule = {"op": ">=", "value": 90}, {"type": "ratio", "form": "actual_over_target"}
    card = cards.card(section("s", item("fcr", 100, kpi="fcr", unit="pct", target=target, rule=rule)), folder=tmp_path)
    made = score(card, Month(2026, 6), month(), POLICY, as_of=as_of)
    (got,) = made.people[0].items
    assert (None if got.points is None else float(got.points)) == (points and pytest.approx(points, abs=0.005))
    assert says[0] in got.reason_zh
    assert says[1] in got.reason_en
    pending = {
        None: 0,
        datetime(2026, 7, 8, tzinfo=UTC): 0,
        datetime(2026, 7, 1, tzinfo=UTC): 70,
        datetime(2026, 6, 2, tzinfo=UTC): 300,
    }[as_of]
    assert got.figure.pending == pending
    (told,) = to_messages(made)[0].items
    assert told.get("pending", 0) == pending
    shown = [page.blocks[0].rows[0].tags for page in pages(Context(made, {}), "a", LANGUAGES)]
    assert shown == ([(f"观察期未满 {pending}",), (f"pending {pending}",)] if pending else [(), ()])
