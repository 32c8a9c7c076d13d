"""One scripted day, from the first call to the month's sheet, in the words of the people who work there. No services."""

from __future__ import annotations

from datetime import date

import pytest

from scoring.cards.load import find
from scoring.period import Month
from scoring.runs.run import run
from streams.contracts import events as e
from streams.operator_files import load_rules
from streams.pipeline import Run
from tests.support.desk import POLICY, Script, figures, shown, sums

ANNA, BERT = {"agent_id": "anna", "team_id": "cards"}, {"agent_id": "bert", "team_id": "cards"}


@pytest.fixture(scope="module")
def day() -> Run:
    script = Script()
    # 09:00 A quiet start: Anna answers five calls at once, all satisfied.
    for minute in range(5):
        script.call(
            f"09:{minute * 4:02}:00",
            f"m{minute}",
            wait=4,
            talk=120,
            resolved=True,
            queue="cards",
            agent="anna",
            team_id="cards",
        )
        script.at(f"09:{minute * 4 + 3:02}:00", e.CallRated, f"m{minute}", score=5, scale="1-5")
    # 10:00 A chat: the customer waits 12 seconds for Bert; a ticket is answered by Anna within ten minutes.
    script.at("10:00:00", e.ChatStarted, "chat", queue_id="web").at("10:00:01", e.ChatAssigned, "chat", **BERT)
    script.at("10:00:02", e.ChatMessage, "chat", sender="customer").at("10:00:03", e.ChatMessage, "chat", sender="bot")
    script.at("10:00:14", e.ChatMessage, "chat", sender="agent", **BERT).at(
        "10:05:00", e.ChatEnded, "chat", resolved=True
    )
    script.at("10:10:00", e.TicketCreated, "mail", kind="refund").at("10:11:00", e.TicketAssigned, "mail", **ANNA)
    script.at("10:20:00", e.TicketReplied, "mail", **ANNA).at("10:30:00", e.TicketResolved, "mail", **ANNA)
    # 12:00 Lunch: Bert is alone; twelve callers, half of them hang up, the others wait a minute and are cross.
    for number in range(12):
        at, contact = f"12:{number:02}:00", f"l{number}"
        if number % 2:
            script.call(at, contact, wait=50, queue="cards")
        else:
            script.call(
                at, contact, wait=60, talk=30, resolved=number % 4 == 0, queue="cards", agent="bert", team_id="cards"
            )
            script.at(f"12:{number + 1:02}:45", e.CallRated, contact, score=2, scale="1-5")
    # 12:15 to 13:15 Nobody calls: nothing is better for want of data.
    for time in ("12:13", "12:14", "12:20", "12:45", "12:59", "13:15"):
        script.at(f"{time}:30", e.CallArrived, f"menu{time}")
    return script.run(rules=load_rules(None), look_every=1)


def test_six_cross_customers_ring_no_bell_and_eleven_do() -> None:
    """Nobody is called for a few ratings, and never for an agent's; a queue with eleven bad ones in a row has fallen."""
    script = Script()
    for number in range(11):
        script.call(f"12:{number:02}:00", f"l{number}", talk=10, queue="cards", agent="bert", team_id="cards")
        script.at(f"12:{number:02}:30", e.CallRated, f"l{number}", score=2, scale="1-5")
    script.at("12:12:00", e.CallArrived, "menu").at("12:45:00", e.CallArrived, "menu2")
    told = [
        (alert.rule, alert.entity, alert.status, alert.n, alert.value)
        for alert in script.run(rules=load_rules(None), look_every=1).alerts
        if not alert.update
    ]
    assert {entity for _, entity, *_ in told} == {"queue|cards", "team|cards", "all|all"}
    assert all(rule == "low_satisfaction" and n >= 8 and not value for rule, _, _, n, value in told)


def test_the_lunch_hour_calls_nobody(day: Run) -> None:
    told = [
        (f"{alert.at:%H:%M}", alert.rule, alert.entity, alert.status)
        for alert in day.alerts
        if alert.entity in ("queue|cards", "agent|bert", "agent|anna") and not alert.update
    ]
    # Six cross ratings and twelve calls are too few to tell a bad hour from chance.
    assert told == []


def test_the_days_figures(day: Run) -> None:
    desk, anna, bert = (figures(day, entity) for entity in ("queue|cards", "agent|anna", "agent|bert"))
    assert (desk["offered_calls"].value, desk["answer_rate"].value, desk["service_level_20s"].value) == (
        17,
        11 / 17,
        5 / 17,
    )
    assert (anna["service_level_20s"].value, bert["service_level_20s"].value) == (1, 0)
    assert (anna["csat"].value, bert["csat"].value) == (1, 0)
    assert (bert["first_response_30s_rate"].value, bert["first_response_time"].value) == (1, 12)
    assert anna["first_response_time"].value is None  # tickets are not held to the seconds of a chat
    assert bert["resolution_rate"].value == pytest.approx(4 / 7)
    assert figures(day, "queue|web")["answer_rate"].value is None


def test_what_the_screen_shows_is_what_the_day_holds(day: Run) -> None:
    for entity in ("all|all", "team|cards", "agent|anna", "agent|bert", "queue|cards", "queue|web"):
        assert day.snapshot(entity).windows["today"] == shown(entity, sums(day, entity)), entity


def test_the_months_sheet(day: Run) -> None:
    card, march = find("s2-a-core"), Month.of(date(2026, 3, 1))
    few = run(card, march, day.facts.values(), POLICY).people[1]
    assert {item.item.id for item in few.items if item.undecided} == {
        "frt",
        "art",
        "resolution",
    }  # of csat there are six
    sheet = run(card.model_copy(update={"min_n": None}), march, day.facts.values(), POLICY)
    anna, bert = sheet.people
    points = {item.item.id: item.points for item in bert.items}
    assert points["fcr"] is None
    assert float(points["frt"] or -1) == 20  # 12 s against 30
    assert float(points["resolution"] or -1) == pytest.approx(20 * (4 / 7) / 0.85)
    assert float(points["csat"] or -1) == pytest.approx(15 * 2 / 4.5)
    assert not bert.tally.complete
    assert {item.item.id: item.figure.value for item in anna.items if item.points is not None} == {
        "resolution": 1, "csat": 5,
    }  # fmt: skip
