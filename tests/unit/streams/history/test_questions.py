"""Which contacts are behind a figure: they add up to it, and what is left out has a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from streams.contracts import topics
from streams.contracts.outputs import Figure
from streams.history import tables
from streams.history.questions import Question, Questions, UnanswerableError
from streams.history.store import Part, Told
from streams.history.timeline import Gap, gaps, steps
from streams.kpi.catalog import KPIS
from streams.pipeline import Run
from tests.support.desk import Script, moment
from tests.support.histories import figures_of, messages, take
from tests.support.morning import DAY, NOW, POLICY, a_morning, morning


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Questions]:
    with morning(tmp_path_factory.mktemp("morning")) as history:
        yield Questions(history.database, POLICY)


def of(kpi: str, entity: str, **more: object) -> Question:
    return Question(kpi, entity, DAY, DAY, **more)  # type: ignore[arg-type]


def read_so_far() -> dict[Part, int]:
    """How far the morning's topics have been read."""
    return {(topic, 0): len(own) for topic, own in messages(a_morning()).items()}


def ids(records: list[str]) -> list[str]:
    return [record.split("|")[1] for record in records]


def test_the_contacts_of_every_figure_add_up_to_it(asked: Questions) -> None:
    figures = figures_of(a_morning().daily_facts(), lambda fact: str(fact.date), POLICY, NOW)
    assert len(figures) > 120
    for (entity, _, kpi), figure in figures.items():
        if KPIS[kpi.partition("~")[0]].live or kpi == "backlog_age_p90":
            continue
        answer = asked.behind(of(kpi, entity))
        assert (answer.figure, answer.adds_up, answer.facts) == (figure, True, True), (entity, kpi)
        if KPIS[kpi.partition("~")[0]].kind in ("rate", "mean") and figure.value is not None:
            top, bottom = (
                sum(getattr(item, name) for item in answer.items if not item.pending) for name in ("top", "bottom")
            )
            assert figure.value == top * answer.up / (bottom * answer.down)


def test_a_share_has_those_it_counts_and_the_rest(asked: Questions) -> None:
    answer = asked.behind(of("csat", "agent|A1"))
    assert [(item.record.split("|")[1], item.part, item.value) for item in answer.items] == [
        ("c1", "rest", 0.0), ("c2", "numerator", 1.0),
    ]  # fmt: skip


def test_hours_outcomes_and_windows_narrow_the_list(asked: Questions) -> None:
    hour = asked.behind(of("offered_calls", "queue|orders", hours=("09:15", "09:30")))
    assert ids([item.record for item in hour.items]) == ["c4", "c5", "c6", "c7"]
    assert (hour.figure.value, hour.adds_up, hour.facts) == (4, True, False)
    lost = asked.behind(of("offered_calls", "all|all", outcome="abandoned"))
    assert ids([item.record for item in lost.items]) == ["lost"]
    window = (round(moment("09:31:00").timestamp() * 1000), round(moment("09:36:00").timestamp() * 1000))
    assert len(asked.behind(of("offered_calls", "all|all", moments=window)).items) == 4  # the quarter hour of 9:30


def test_what_is_left_out_has_a_reason(asked: Questions) -> None:
    left = asked.left_out(of("csat", "team|T1"))
    assert {one.reason for one in left} == {"not_rated"}
    assert len(left) == 7
    unsolved = {one.record.split("|")[1]: one.reason for one in asked.left_out(of("resolution_rate", "queue|orders"))}
    assert (unsolved["c11"], unsolved["lost"]) == ("unresolved", "unserved")
    handed_on = asked.left_out(of("fcr", "agent|A1"))
    assert ("passed", "elsewhere") in {(one.record.split("|")[1], one.reason) for one in handed_on}
    assert {one.reason for one in asked.left_out(of("first_response_30s_rate", "queue|orders"))} == {"channel"}
    assert "not_followed_up" in {one.reason for one in asked.left_out(of("confirmed_resolution_rate", "agent|A1"))}
    assert asked.left_out(of("occupancy", "agent|A1")) == []
    early = asked.left_out(of("offered_calls", "queue|orders", hours=("09:00", "09:15")))
    assert early == []


def test_what_has_not_matured_is_apart(tmp_path: Path) -> None:
    policy = POLICY.model_copy(update={"fcr_days": 3})
    with morning(tmp_path) as history:
        answer = Questions(history.database, policy).behind(of("fcr", "team|T1"))
    assert answer.figure.value is None
    assert {item.part for item in answer.items} == {"pending"}
    assert answer.figure.pending == len(answer.items)
    assert answer.adds_up


@pytest.mark.parametrize(
    ("kpi", "entity", "more", "said"),
    [
        ("longest_wait", "queue|orders", {}, "of the present moment"),
        ("backlog_age_p90", "queue|orders", {}, "of the present moment"),
        ("csatt", "queue|orders", {}, "nearest: csat"),
        ("csat~vip", "queue|orders", {}, "ask for csat"),
        ("open_backlog", "all|all", {"hours": ("09:00", "10:00")}, "ask for whole days"),
    ],
)
def test_what_cannot_be_answered_says_what_can(
    asked: Questions, kpi: str, entity: str, more: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        asked.behind(of(kpi, entity, **more))


def test_a_history_that_has_read_nothing_says_so(tmp_path: Path) -> None:
    with morning(tmp_path) as history:
        with history.database.write() as connection:
            connection.execute(delete(tables.clock))
        with pytest.raises(UnanswerableError, match="has read nothing yet"):
            Questions(history.database, POLICY).behind(of("csat", "all|all"))


def test_a_contact_is_told_step_by_step_with_what_it_counts_for(asked: Questions) -> None:
    (record,) = asked.records_of("passed", "calls")
    found = asked.contact(record)
    assert found is not None
    contact, counts = found
    assert [(step.kind, step.agent, step.ms) for step in steps(contact)] == [
        ("arrived", None, None), ("queued", None, None), ("answered", "A1", 10_000), ("ended", "A1", 50_000),
        ("queued", None, None), ("answered", "A2", 20_000), ("ended", "A2", 120_000), ("closed", "A2", 200_000),
        ("heard", None, None),
    ]  # fmt: skip
    assert {row["agent"]: row["staff"]["handle_seconds"] for row in counts} == {"A1": 50_000, "A2": 120_000}
    assert asked.contact("calls|none|2026-03-02|x") is None
    assert asked.contact("nothing") is None
    (lost,) = asked.records_of("lost")
    told = asked.contact(lost)
    assert told is not None
    assert [(step.kind, step.ms) for step in steps(told[0])][2:3] == [("left_queue", 30_000)]


def test_an_agents_day_has_states_contacts_and_gaps(asked: Questions) -> None:
    begin, end, now, intervals, contacts = asked.day_of("A1", DAY)
    assert (end - begin, now) == (86_400_000, NOW)
    assert [one["state"] for one in intervals if one["kind"] == "state"] == [
        "available",
        "away",
        "available",
        "offline",
    ]
    assert ids([one["record"] for one in contacts]) == ["c1", "c2", "c4", "c5", "c7", "c8", "c10", "c11", "passed"]

    def at(when: str) -> int:
        return round(moment(f"{when}:00").timestamp() * 1000)

    assert gaps(intervals, begin, min(end, now)) == [
        Gap(at("08:30"), at("08:50"), offline=False),
        Gap(at("10:00"), at("10:30"), offline=True),
    ]
    assert asked.day_of("nobody", DAY)[3:] == ([], [])
    assert asked.team_of("A1", DAY, DAY) == "T1"
    assert asked.team_of("A1", DAY + timedelta(days=1), DAY + timedelta(days=1)) is None


def weeks(waits: list[float]) -> Run:
    """A call at 9:05 every Monday, the last on the day; each waits so long."""
    script = Script()
    for number, wait in enumerate(waits):
        script.call(f"+{7 * number} 09:05:00", f"w{number}", agent="A1", team_id="T1", queue="weekly", wait=wait)
    return script.run(POLICY, records=True)


def test_the_course_of_a_day_stands_beside_the_usual_one(tmp_path: Path) -> None:
    run = weeks([99, 10, 20, 30, 40, 50, 60, 70, 80, 5])
    with morning(tmp_path) as history:
        take(history, messages(run), NOW + 70 * 86_400_000, read_so_far())
        asked = Questions(history.database, POLICY)
        _, quarters = asked.course("average_speed_of_answer", "queue|weekly", DAY + timedelta(weeks=9))
        (quarter,) = quarters
        assert (quarter.starts, quarter.figure.value) == ("09:00", 5)
        assert (quarter.usual, quarter.low, quarter.high, quarter.days) == (
            45,
            27.5,
            62.5,
            8,
        )  # the oldest is no part of it
        _, first = asked.course("average_speed_of_answer", "queue|weekly", DAY)
        assert (first[0].usual, first[0].low, first[0].days) == (None, None, 0)
        assert asked.course("average_speed_of_answer", "queue|weekly", DAY + timedelta(days=1))[1] == []
        with pytest.raises(UnanswerableError, match="whole days"):
            asked.course("open_backlog", "all|all", DAY)


def test_a_contact_that_is_gone_from_the_topic_is_behind_nothing(tmp_path: Path) -> None:
    with morning(tmp_path) as history:
        key = next(record for record in a_morning().records if "|lost|" in record)
        take(history, {topics.CONTACT_RECORDS: [Told(key, None)]}, None, read_so_far())
        answer = Questions(history.database, POLICY).behind(of("abandonment_rate", "queue|orders"))
    assert "lost" not in ids([item.record for item in answer.items])
    assert not answer.adds_up  # the daily facts have not been told anew
    assert answer.figure != Figure()
