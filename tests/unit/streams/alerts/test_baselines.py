"""Rules that go by what is usual: what that is, when they fire, what they say, and that without it they have no data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from streams.alerts.baselines import Baselines, Courses, Hours, OfHour, middle
from streams.alerts.evaluate import look, watches
from streams.alerts.lifecycle import AlertState
from streams.alerts.rules import Rule, read_rules, rules_schema
from streams.contracts.outputs import Baseline, EntityKind, Sums
from streams.kpi.formulas import formulas
from streams.kpi.policy.model import Policy
from streams.windows.rolling import Plain
from tests.support.desk import POLICY

_FORMULAS = formulas(POLICY)
#: A Monday.
DAY = date(2026, 3, 2)
FEWER = {"kpi": "csat", "window": "30m", "below": "usual", "by": 0.1, "min_n": 5}
USUAL = Baseline(
    against="usual", kpi="csat", kind="queue", id="q", weekday=1, hour="09:00", middle=0.86, low=0.8, high=0.9, n=8, through=date(2026, 2, 23)
)  # fmt: skip


def rule(**fields: Any) -> Rule:
    return Rule.model_validate({"id": "r", "zh": "某", "en": "some", "scope": ["queue"]} | fields)


def ratings(good: int, of: int) -> Sums:
    return {"csat_satisfied": good, "csat_ratings": of}


class Desk:
    """A queue and the state of its alert; what it is held against is given at each look."""

    def __init__(self, rule: Rule) -> None:
        self.watched = watches((rule,), _FORMULAS, POLICY)["queue"]
        self.states: dict[str, AlertState] = {}

    def look(self, second: int, sums: Sums, beside: Baseline | None) -> list[tuple[str, str, str]]:
        plain = Plain({"5m": sums, "30m": sums, "today": {}}, None, second * 1000)
        told = look(self.watched, "queue|q", self.states, plain, (0, None), second * 1000, lambda _: beside)
        return [(alert.status, alert.reason_en, alert.reason_zh) for alert in told if not alert.update]


def test_it_fires_beyond_the_middle_half_and_is_over_within_it() -> None:
    desk = Desk(rule(**FEWER))
    assert desk.look(0, ratings(7, 10), USUAL) == []  # 0.7 is not below 0.8 - 0.1
    ((status, english, chinese),) = desk.look(1, ratings(6, 10), USUAL)
    assert status == "firing"
    assert english == (
        "Customer satisfaction, queue q, in the last 30 min: 60.0 % (n=10), below 70.0 % for 0 s. "
        "Its own usual: 86.0 %, mostly 80.0 % to 90.0 % (8 Mondays at 09:00)."
    )
    assert "低于告警线 70.0%" in chinese
    assert "近 8 个周一 09:00 时段，中位数 86.0%，多在 80.0% 至 90.0% 之间" in chinese
    assert desk.look(2, ratings(15, 20), USUAL) == []  # back over the threshold, not yet in the middle half
    ((status, english, _),) = desk.look(3, ratings(8, 10), USUAL)
    assert (status, english) == (
        "resolved",
        "Customer satisfaction, queue q, in the last 30 min: back at 80.0 % (n=10).",
    )


def test_each_hour_has_its_own_threshold() -> None:
    desk = Desk(rule(**FEWER))
    assert desk.look(0, ratings(6, 10), replace(USUAL, hour="13:00", low=0.55, middle=0.6, high=0.7)) == []
    assert [step[0] for step in desk.look(1, ratings(6, 10), USUAL)] == ["firing"]


def test_where_nothing_usual_is_known_there_are_no_data() -> None:
    desk = Desk(rule(**FEWER, no_data_for=60))
    assert desk.look(0, ratings(0, 10), None) == []
    assert [step[0] for step in desk.look(1, ratings(0, 10), USUAL)] == ["firing"]
    assert desk.look(2, ratings(0, 10), None) == []
    ((status, english, _),) = desk.look(62, ratings(0, 10), None)
    assert status == "no_data"
    assert english == "Customer satisfaction, queue q, in the last 30 min: no data for 1 min, last 0.0 % (n=10)."
    assert [step[0] for step in desk.look(63, ratings(0, 10), USUAL)] == ["firing"]


def test_a_count_is_held_against_its_share_of_the_hour() -> None:
    more = rule(kpi="offered_calls", window="30m", above="usual", by=20)
    hour = replace(USUAL, kpi="offered_calls", low=90.0, middle=100.0, high=110.0)
    desk = Desk(more)
    assert desk.look(0, {"calls_offered": 75}, hour) == []  # 55 and 20 more
    ((status, english, _),) = desk.look(1, {"calls_offered": 76}, hour)
    assert status == "firing"
    assert english.endswith("above 75 for 0 s. Its own usual: 50, mostly 45 to 55 (8 Mondays at 09:00).")
    ((status, english, _),) = desk.look(2, {"calls_offered": 76}, None)
    assert (status, english.rpartition(": ")[2]) == ("resolved", "nothing usual is known of this hour, resolved.")


def test_those_alike_are_named_as_such() -> None:
    desk = Desk(rule(**{**FEWER, "below": "peers"}))
    ((_, english, chinese),) = desk.look(0, ratings(1, 10), replace(USUAL, against="peers", id="all", n=6))
    assert english.endswith("Those alike: 86.0 %, mostly 80.0 % to 90.0 % (6 of them, Mondays at 09:00, 8 weeks).")
    assert "6 个同类对象" in chinese


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"by": None}, "`usual` needs `by`: how far beyond that it must be, such as `by: 0.1`"),
        ({"by": 10}, "`by: 10`: csat is a share, from 0 to 1; did you mean 0.1?"),
        ({"by": -0.1}, "greater than 0"),
        ({"below": 0.8}, "`by` goes with `usual` and `peers`"),
        ({"clear": 0.9}, "resolves when it is back in the middle half"),
        ({"window": "today"}, "`usual` is known by the hour: `window: 5m` or `window: 30m`"),
        ({"kpi": "longest_wait", "window": "now"}, "`usual` is known by the hour"),
        ({"kpi": "occupancy"}, "no figure of contacts that have come"),
        ({"kpi": "repeat_contact_rate"}, "known only later"),
        ({"below": "peers", "scope": ["queue", "all"]}, "nobody is like the whole operation"),
        ({"above": "usual"}, "exactly one"),
        ({"test": "cusum", "window": None}, "`test: cusum`"),
    ],
)
def test_what_cannot_be_usual_is_refused(changes: dict[str, Any], says: str) -> None:
    fields = {name: value for name, value in ({**FEWER, **changes}).items() if value is not None}
    with pytest.raises(ValueError, match=says):
        read_rules({"rules": [{"id": "r", "zh": "某", "en": "some", "scope": ["queue"], **fields}]})


def test_editors_know_the_words() -> None:
    properties = rules_schema()["$defs"]["Rule"]["properties"]
    assert properties["below"]["anyOf"][1]["enum"] == ["target", "usual", "peers"]
    assert "by" in properties


# -- what is usual


def test_the_middle_of_values() -> None:
    assert middle([]) is None
    assert middle([0.7]) == (0.7, None, None)
    assert middle([8, 1, 2, 7, 3, 6, 4, 5]) == (4.5, 2.75, 6.25)


def hours(kind: EntityKind, id: str, by_week: Sequence[tuple[int, int]], hour: str = "09:00") -> Iterator[OfHour]:
    """Mondays, the last first: so many good ratings of so many."""
    for week, (good, of) in enumerate(by_week, 1):
        yield kind, id, DAY - timedelta(weeks=week), hour, {**ratings(good, of), "calls_offered": 3}


def made(rules: Sequence[Rule], *own: Iterator[OfHour], **teams: str) -> dict[str, Baseline]:
    found = sorted((each for one in own for each in one), key=lambda each: each[:2])
    return {each.key: each for each in Courses(rules, POLICY).of(found, teams.get)}


def test_the_usual_course_is_that_of_the_weeks_with_data() -> None:
    found = made([rule(**FEWER)], hours("queue", "q", [(9, 10), (8, 10), (0, 0), (7, 10), (10, 10)]))
    assert list(found) == ["usual|csat|1|09:00|queue|q"]
    of = found["usual|csat|1|09:00|queue|q"]
    assert (of.middle, of.n, of.through) == (pytest.approx(0.85), 4, DAY - timedelta(weeks=1))
    assert (of.low, of.high) == (pytest.approx(0.775), pytest.approx(0.925))


def test_of_three_weeks_nothing_is_usual() -> None:
    assert made([rule(**FEWER)], hours("queue", "q", [(9, 10)] * 3)) == {}


def test_only_what_rules_ask_for_is_made() -> None:
    some = rule(**FEWER, select=("queue:o*",))
    found = made(
        [some], hours("queue", "orders", [(9, 10)] * 4), hours("queue", "q", [(9, 10)] * 4), hours("team", "t", [(9, 10)] * 4)
    )  # fmt: skip
    assert list(found) == ["usual|csat|1|09:00|queue|orders"]
    assert Courses([rule(kpi="csat", window="30m", below=0.8)], POLICY).kinds == []


def test_agents_are_like_those_of_their_team_each_with_all_its_weeks() -> None:
    peers = rule(kpi="csat", window="30m", below="peers", by=0.1, scope=["agent"])
    own = [hours("agent", f"a{good}", [(good, 10), (good, 30)]) for good in (2, 4, 6, 8)]
    other = hours("agent", "b", [(1, 10)] * 8)
    found = made([peers], *own, other, a2="t", a4="t", a6="t", a8="t", b="u")
    assert list(found) == ["peers|csat|1|09:00|agent|t"]  # of team u there is one alone
    of = found["peers|csat|1|09:00|agent|t"]
    assert (of.n, of.middle) == (4, pytest.approx(0.25))  # 4, 8, 12 and 16 of 40


def test_queues_are_all_alike() -> None:
    peers = rule(kpi="csat", window="30m", below="peers", by=0.1)
    found = made([peers], *(hours("queue", f"q{n}", [(n, 10)]) for n in range(5)))
    assert [(of.id, of.middle, of.n) for of in found.values()] == [("all", pytest.approx(0.2), 5)]


# -- looking it up


def at(text: str, policy: Policy = POLICY) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=policy.zone).timestamp() * 1000)


def book(*found: Baseline, policy: Policy = POLICY) -> Baselines:
    made = Baselines(policy)
    made.take(found)
    return made


@pytest.mark.parametrize(
    ("moment", "window", "known"),
    [
        ("2026-03-02T09:15:00", "30m", True), ("2026-03-02T09:14:59", "30m", False), ("2026-03-02T10:14:59", "30m", True),
        ("2026-03-02T10:15:00", "30m", False), ("2026-03-02T09:02:30", "5m", True), ("2026-03-03T09:30:00", "30m", False),
    ],
)  # fmt: skip
def test_the_hour_is_that_of_the_middle_of_the_window(moment: str, window: str, known: bool) -> None:
    found = book(USUAL).find(rule(**{**FEWER, "window": window}), "queue|q", None, at(moment))
    assert found == (USUAL if known else None)


def test_agents_are_held_against_their_team_others_against_all() -> None:
    of_team, of_all = replace(USUAL, against="peers", kind="agent", id="t"), replace(USUAL, against="peers", id="all")
    known, peers = book(of_team, of_all), rule(kpi="csat", window="30m", below="peers", by=0.1)
    moment = at("2026-03-02T09:30:00")
    assert known.find(peers, "agent|a", "t", moment) == of_team
    assert known.find(peers, "agent|a", None, moment) is None
    assert known.find(peers, "queue|q", None, moment) == of_all


def test_a_day_that_begins_at_four_keeps_its_night() -> None:
    policy = Policy(time_zone="Asia/Shanghai", day_starts="04:30")
    of = Hours(policy).of
    assert of(at("2026-03-03T02:10:00", policy)) == (DAY.toordinal(), "01:30")
    assert of(at("2026-03-03T04:30:00", policy)) == (DAY.toordinal() + 1, "04:30")


def test_what_cannot_be_read_leaves_what_was_known() -> None:
    known = book(USUAL)
    unread = known.load({USUAL.key: b"{", "x": b'{"against":"usual"}'})
    assert set(unread) == {USUAL.key, "x"}
    assert known.find(rule(**FEWER), "queue|q", None, at("2026-03-02T09:30:00")) == USUAL
    assert known.knows(rule(**FEWER))
    assert known.load({USUAL.key: None}) == {}
    assert not known.knows(rule(**FEWER))
