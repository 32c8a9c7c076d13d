"""What agents do with their time: scripts of states and shifts, and what the KPIs of work come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
import pytest

from streams.contracts import events as e
from streams.contracts.decode import decode_presence, encode
from streams.contracts.events import AnyEvent, PresenceEvent
from streams.contracts.outputs import Figure
from streams.entities.daily_facts import rows
from streams.kpi.catalog import KPIS
from streams.kpi.explained import explain
from streams.kpi.formulas import figures
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, Policies
from streams.pipeline import Run, run
from streams.presence.log import AgentPresence, Shift, Told, Word, dump, load
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.support.desk import DAY, POLICY, Script, moment

HOUR = 3_600_000


class Days:
    """Collects an agent's events in domain words."""

    def __init__(self) -> None:
        self.events: list[PresenceEvent] = []

    def _base(self, when: str, agent: str) -> dict[str, object]:
        return {
            "id": f"e{len(self.events)}", "source": "s", "time": moment(when), "agent_id": agent, "team_id": "t", "site_id": "s"
        }  # fmt: skip

    def state(self, when: str, state: str, agent: str = "a") -> Days:
        self.events.append(e.AgentStateChanged(state=state, **self._base(when, agent)))  # type: ignore[arg-type]
        return self

    def shift(self, starts: str, ends: str, when: str = "00:00:00", agent: str = "a") -> Days:
        base = self._base(when, agent)
        self.events.append(e.AgentScheduled(starts=moment(starts), ends=moment(ends), **base))  # type: ignore[arg-type]
        return self

    def take_back(self, id: str, when: str) -> Days:
        self.events.append(e.AgentRetracted(corrects=id, **self._base(when, "a")))  # type: ignore[arg-type]
        return self

    def correct(self, id: str, when: str, **fields: object) -> Days:
        self.events.append(e.AgentCorrected(corrects=id, **(self._base(when, "a") | {"team_id": None} | fields)))  # type: ignore[arg-type]
        return self

    def until(self, when: str) -> Days:
        """Time goes on: somebody else is heard of."""
        return self.state(when, "offline", "clock")

    def kpis(self, more: Sequence[AnyEvent] = (), *, entity: str = "agent|a", day: date = DAY) -> dict[str, Figure]:
        return of_day(run_all([*self.events, *more]), entity, day)


def run_all(events: Sequence[AnyEvent], policy: AnyPolicy = POLICY) -> Run:
    return run([encode(event) for event in events], policy)


def of_day(result: Run, entity: str = "agent|a", day: date = DAY) -> dict[str, Figure]:
    facts = {fact.key: fact for fact in result.daily_facts()}
    fact = facts.get(f"{entity}|{day.isoformat()}")
    return figures(entity, fact.sums if fact is not None else {}, POLICY)


def times(days: Days, entity: str = "agent|a", day: date = DAY) -> dict[str, float]:
    """Seconds by state."""
    facts = {fact.key: fact.sums for fact in run_all(days.events).daily_facts()}
    sums = facts.get(f"{entity}|{day.isoformat()}", {})
    return {name: amount / 1000 for name, amount in sums.items() if name.endswith("_seconds")}


def test_occupancy_is_of_time_available_and_working_and_has_no_interval() -> None:
    days = Days().state("09:00:00", "available").state("09:20:00", "on_contact").state("09:50:00", "wrap_up")
    days.state("10:00:00", "away").state("10:30:00", "training").state("11:00:00", "offline").until("12:00:00")
    kpis = days.kpis()
    assert kpis["occupancy"] == Figure(40 / 60, 3600), "n: the seconds that it is a share of"
    assert kpis["away_time"].value == 1800
    for entity in ("team|t", "site|s", "all|all"):
        assert days.kpis(entity=entity)["occupancy"] == kpis["occupancy"], entity
    assert days.kpis(entity="agent|nobody")["occupancy"] == Figure()


def test_a_state_that_lasts_grows_until_now() -> None:
    days = Days().state("09:00:00", "available").state("09:20:00", "on_contact").until("09:30:00")
    assert days.kpis()["occupancy"].value == pytest.approx(1 / 3)
    assert days.until("09:50:00").kpis()["occupancy"].value == pytest.approx(3 / 5)


def test_windows_age_without_events_of_the_agent() -> None:
    days = Days().state("09:00:00", "available").state("09:28:00", "on_contact").until("09:30:00")
    windows = run_all(days.events).snapshot("agent|a").windows
    assert windows["5m"]["occupancy"].value == pytest.approx(2 / 4), (
        "the minute that is not over counts as far as it has come"
    )
    assert windows["30m"]["occupancy"].value == pytest.approx(2 / 29)
    later = run_all(days.until("09:40:00").events).snapshot("agent|a").windows
    assert later["5m"]["occupancy"].value == 1


def test_contacts_per_hour() -> None:
    days = Days().state("09:00:00", "available").state("09:30:00", "away").until("12:00:00")
    calls = (
        Script().call("09:05:00", "c1", agent="a").call("09:10:00", "c2", agent="a").call("09:15:00", "c3", agent="a")
    )
    figure = days.kpis(calls.events)["contacts_per_hour"]
    assert (figure.value, figure.n) == (6, 1800)
    assert Days().until("12:00:00").kpis(calls.events)["contacts_per_hour"].value is None, "no states, no data"


def test_a_schedule_makes_utilisation_adherence_and_attendance() -> None:
    days = Days().shift("09:00:00", "11:00:00").state("09:30:00", "available").state("10:00:00", "on_contact")
    days.state("10:30:00", "away").state("10:45:00", "wrap_up").state("11:15:00", "offline").until("12:00:00")
    kpis = days.kpis()
    assert kpis["utilisation_rate"].value == pytest.approx(1 / 2), "work after the shift counts"
    assert kpis["adherence"] == Figure(75 / 120, 7200)
    attendance = kpis["attendance_rate"]
    assert (attendance.value, attendance.n) == (1, 1)
    assert attendance.low is not None, "shifts are things"


@pytest.mark.parametrize(("name", "days", "value", "n"), [
    ("not over yet", Days().shift("09:00:00", "17:00:00").until("16:59:00"), None, 0),
    ("nobody came", Days().shift("09:00:00", "17:00:00").until("17:00:00"), 0, 1),
    ("away all the time", Days().shift("09:00:00", "17:00:00").state("08:00:00", "away").until("18:00:00"), 0, 1),
    ("there since before", Days().shift("09:00:00", "17:00:00").state("08:00:00", "training").until("18:00:00"), 1, 1),
    ("gone before", Days().shift("09:00:00", "17:00:00").state("08:00:00", "available").state("09:00:00", "offline").until("18:00:00"), 0, 1),
    ("there after", Days().shift("09:00:00", "17:00:00").state("17:00:00", "available").until("18:00:00"), 0, 1),
    ("one of two", Days().shift("08:00:00", "10:00:00").shift("12:00:00", "14:00:00").state("12:30:00", "available").until("18:00:00"), 0.5, 2),
    ("a night shift", Days().shift("22:00:00", "+1 06:00:00").state("+1 01:00:00", "available").until("+1 06:00:00"), 1, 1),
    ("told to end later", Days().shift("09:00:00", "10:00:00").shift("09:00:00", "17:00:00", "01:00:00").until("12:00:00"), None, 0),
    ("retracted", Days().shift("09:00:00", "10:00:00").take_back("e0", "11:00:00").until("12:00:00"), None, 0),
])  # fmt: skip
def test_attendance(name: str, days: Days, value: float | None, n: int) -> None:
    figure = days.kpis()["attendance_rate"]
    assert (figure.value, figure.n) == (value, n), name


@pytest.mark.parametrize(("name", "days", "available"), [
    ("told by the next state", Days().state("09:00:00", "available").state("+1 00:30:00", "offline"), 15 * 3600),
    ("nothing more is heard", Days().state("05:00:00", "available").until("+1 09:00:00"), 16 * 3600),
    ("to the full quarter of an hour", Days().state("05:07:00", "available").until("+1 09:00:00"), (16 * 60 + 8) * 60),
    ("of a shift", Days().shift("09:00:00", "12:00:00").state("09:00:00", "available").until("+1 09:00:00"), 5 * 3600),
    ("told again it lasts anew", Days().state("01:00:00", "available").state("05:00:00", "available").until("+1 09:00:00"), 20 * 3600),
    ("of a shift that was not known then", Days().state("09:00:00", "available").shift("09:00:00", "12:00:00", "10:00:00").until("+1 09:00:00"), 5 * 3600),
    ("before his shift, the shift says nothing", Days().shift("09:00:00", "12:00:00").state("07:00:00", "available").until("23:00:00"), 16 * 3600),
])  # fmt: skip
def test_a_log_out_that_got_lost_counts_no_further(name: str, days: Days, available: float) -> None:
    assert times(days)["available_seconds"] == available, name


def test_a_state_over_midnight_is_of_both_days() -> None:
    days = Days().state("22:00:00", "on_contact").state("+1 01:30:00", "offline").until("+1 09:00:00")
    assert times(days) == {"working_seconds": 7200, "on_contact_seconds": 7200}
    assert times(days, day=DAY + timedelta(days=1)) == {"working_seconds": 5400, "on_contact_seconds": 5400}


@pytest.mark.parametrize(("name", "amend", "expected"), [
    ("a correction", lambda days: days.correct("e1", "11:00:00", state="away"), {"available": 1, "away": 1, "training": 1}),
    ("a retraction", lambda days: days.take_back("e1", "11:00:00"), {"available": 2, "training": 1}),
    ("of several the last stands", lambda days: days.take_back("e1", "11:00:00").correct("e1", "11:30:00", state="away"), {"available": 1, "away": 1, "training": 1}),
    ("in the order of their times", lambda days: days.correct("e1", "11:30:00", state="away").take_back("e1", "11:00:00"), {"available": 1, "away": 1, "training": 1}),
    ("a retraction retracted", lambda days: days.take_back("e1", "11:00:00").take_back("e4", "11:30:00"), {"available": 1, "working": 1, "on_contact": 1, "training": 1}),
    ("a correction corrected", lambda days: days.correct("e1", "11:00:00", state="away").correct("e4", "11:30:00", state="wrap_up"), {"available": 1, "working": 1, "training": 1}),
    ("two about each other", lambda days: days.take_back("e5", "11:00:00").take_back("e4", "11:30:00"), {"available": 1, "working": 1, "on_contact": 1, "training": 1}),
    ("of what was never told", lambda days: days.take_back("x", "11:00:00"), {"available": 1, "working": 1, "on_contact": 1, "training": 1}),
])  # fmt: skip
def test_amendments(name: str, amend: object, expected: dict[str, float]) -> None:
    days = (
        Days()
        .state("09:00:00", "available")
        .state("10:00:00", "on_contact")
        .state("11:00:00", "training")
        .state("12:00:00", "offline")
    )
    amend(days).until("13:00:00")  # type: ignore[operator]
    assert times(days) == {f"{name}_seconds": hours * 3600 for name, hours in expected.items()}, name


def test_a_corrected_shift_and_one_that_a_correction_would_leave_without_length() -> None:
    days = Days().shift("09:00:00", "17:00:00").correct("e0", "08:00:00", ends=moment("12:00:00")).until("18:00:00")
    assert times(days) == {"scheduled_seconds": 3 * 3600}
    assert times(days.correct("e0", "08:30:00", ends=moment("08:30:00"))) == {"scheduled_seconds": 3 * 3600}


def test_shifts_that_overlap_are_one_time() -> None:
    days = (
        Days()
        .shift("09:00:00", "12:00:00")
        .shift("11:00:00", "13:00:00")
        .shift("09:30:00", "10:00:00")
        .until("18:00:00")
    )
    assert times(days) == {"scheduled_seconds": 4 * 3600}


def test_teams_share_an_agents_day_by_the_team_of_each_state() -> None:
    days = Days().state("09:00:00", "available").state("10:00:00", "available").until("11:00:00")
    msgspec.structs.force_setattr(days.events[1], "team_id", "u")
    assert times(days, "team|t") == times(days, "team|u") == {"available_seconds": 3600}
    assert times(days)["available_seconds"] == 7200


@pytest.mark.parametrize("turn", [1, -1])
def test_an_agent_is_of_the_team_of_his_newest_state_whatever_is_planned(turn: int) -> None:
    days = Days().shift("+1 09:00:00", "+1 17:00:00").state("09:00:00", "available").state("10:00:00", "on_contact")
    msgspec.structs.force_setattr(days.events[2], "team_id", "u")
    result = run_all(days.events[::turn])
    assert result.snapshot("agent|a").team == "u"


def stage_of(policy: Policy = POLICY) -> tuple[PresenceStage, EventClock]:
    return PresenceStage(policy, Roster()), EventClock()


def test_screens_know_until_when_a_state_is_known() -> None:
    stage, clock = stage_of()
    agents = {"a": AgentPresence()}
    for days, until in (
        (Days().state("09:00:00", "available"), "+1 01:00:00"),
        (Days().shift("09:00:00", "17:00:00", "09:10:00"), "19:00:00"),
    ):
        stage.process([encode(event) for event in days.events], agents, clock, machine=2**52, event_time=True)
        shown = stage.presence("a", agents["a"])
        assert shown is not None
        assert shown.until == moment(until)
    off = Days().state("12:00:00", "offline").events
    msgspec.structs.force_setattr(off[0], "id", "off")
    stage.process([encode(off[0])], agents, clock, machine=2**52, event_time=True)
    shown = stage.presence("a", agents["a"])
    assert shown is not None
    assert shown.until is None


def test_a_shift_keeps_the_states_within_it_until_it_is_over() -> None:
    """Whether he attended must not be asked of half a shift: it would count twice."""
    policy = Policy(time_zone="UTC", allowed_lateness_days=0.125)  # 3 hours
    days = (
        Days()
        .shift("+1 00:00:00", "+3 00:00:00", "20:00:00")
        .state("+1 00:00:00", "available")
        .state("+1 01:00:00", "away")
    )
    for hour in range(2, 72, 2):
        days.state(f"+{1 + hour // 24} {hour % 24:02}:00:00", "away")
    days.state("+2 23:00:00", "available").until("+3 12:00:00")
    in_time = sorted(days.events, key=lambda event: event.time)
    result = run([encode(event) for event in in_time], policy, look_every=1)
    sums = result.facts["agent|a|2026-03-03"].sums
    assert (sums["shifts"], sums["shifts_attended"]) == (1, 1)


def test_a_shift_that_began_before_what_is_remembered_is_too_late_and_not_counted_twice() -> None:
    policy = Policy(time_zone="UTC", allowed_lateness_days=1)
    days = (
        Days()
        .shift("09:00:00", "17:00:00")
        .until("20:00:00")
        .until("+1 10:00:00")
        .until("+2 00:00:00")
        .until("+2 18:00:00")
    )
    days.shift("09:00:00", "17:00:00", "+2 18:00:00")
    result = run_all(days.events, policy)
    assert result.facts["agent|a|2026-03-02"].sums["shifts"] == 1


def test_what_an_earlier_version_stored_begins_to_count_when_the_agent_is_heard_of() -> None:
    at = round(moment("09:00:00").timestamp() * 1000)
    old = AgentPresence(
        log=[Told(at, "e1", "on_contact"), Told(at + HOUR, "r", corrects="x")],
        before=Told(at - HOUR, "e0", "available"),
        plans=[Shift(at, "p", at, at + 4 * HOUR), Shift(at + 1, "r", corrects="x")],
    )
    stage, clock = stage_of()
    agents = {"a": load(dump(old))}
    assert [told.id for told in agents["a"].log] == ["e0", "e1"]
    last = e.AgentStateChanged(id="e2", source="s", time=moment("11:00:00"), agent_id="a", state="offline")
    out = stage.process([encode(last)], agents, clock, machine=2**52, event_time=True)
    (cells, planned) = out.contributions["agent|a"].cells, out.contributions["agent|a"].planned
    total: dict[str, int] = {}
    for part in (*cells, *planned):
        for measure, amount in part.sums.items():
            total[measure] = total.get(measure, 0) + amount
    assert {name: amount / HOUR for name, amount in total.items() if amount} == {
        "available_seconds": 1, "working_seconds": 2, "on_contact_seconds": 2, "adherent_seconds": 2, "scheduled_seconds": 4, "shifts": 1 / HOUR, "shifts_attended": 1 / HOUR,
    }  # fmt: skip


def test_a_shift_of_weeks_is_refused() -> None:
    days = Days().shift("09:00:00", "+20 09:00:00")
    refused = decode_presence(encode(days.events[0]))
    assert getattr(refused, "detail", "") == "shift lasts 480 h, at most 72 are believed"


def test_a_word_is_stored_with_what_it_says() -> None:
    agent = AgentPresence(words=[Word(1, "w", "e", state="away", starts=2, ends=3)], counted=True)
    assert load(dump(agent)) == agent


def away(when: str, reason: str | None, agent: str = "a") -> e.AgentStateChanged:
    return e.AgentStateChanged(
        id=f"{agent}{when}", source="s", time=moment(when), agent_id=agent, team_id="t", state="away", reason=reason
    )


def by_reason(events: Sequence[AnyEvent], policy: AnyPolicy, day: date = DAY) -> dict[str, float | None]:
    """Seconds of a team's day by reason."""
    (fact,) = (f for f in run_all(events, policy).daily_facts() if (f.entity, f.date) == ("team|t", day))
    shown = figures("team|t", fact.sums, Policy())
    return {id.partition("~")[2]: figure.value for id, figure in shown.items() if id.startswith("away_time~")}


def test_a_reason_is_named_by_the_policy_of_the_day_on_which_the_time_away_begins() -> None:
    early, late = POLICY.but(version="1", away_reasons=["lunch"]), POLICY.but(version="2", away_reasons=["night"])
    events = [*Days().state("+1 12:00:00", "offline", "b").events, away("23:00:00", "night"), away("+1 11:00:00", "night", "b")]  # fmt: skip
    events += Days().state("+1 01:00:00", "offline").until("+1 13:00:00").events
    versions = Policies(((None, early), (DAY + timedelta(days=1), late)))
    assert by_reason(events, versions) == {"other": 3600}
    assert by_reason(events, versions, DAY + timedelta(days=1)) == {"night": 3600, "other": 3600}
    assert by_reason(events, POLICY) == {"other": 3600}


def test_a_source_with_a_reason_of_its_own_each_time_makes_no_more_measures() -> None:
    events = [away(f"09:{minute:02}:00", f"reason {minute}") for minute in range(60)]
    (fact,) = (f for f in run_all(events).daily_facts() if f.entity == "agent|a")
    assert {name for name in fact.sums if "~" in name} == {"agents_away_for~other", "away_for_seconds~other"}


def test_time_away_by_reason_is_exported_and_explained() -> None:
    events = [away("09:00:00", "lunch"), away("09:30:00", "smoke"), away("10:00:00", "lunch", "b")]
    facts = run_all([*events, *Days().state("09:40:00", "offline").until("10:10:00").events]).daily_facts()
    a, b = rows([fact for fact in facts if fact.entity in ("agent|a", "agent|b")], "month", POLICY)
    assert a.keys() == b.keys()
    assert [a["away_time"], a["away_time~lunch"], a["away_time~other"]] == [2400, 1800, 600]
    assert [b["away_time"], b["away_time~lunch"], b["away_time~other"]] == [600, 600, 0]
    (own,) = (fact.sums for fact in facts if fact.entity == "agent|a")
    kpi = KPIS["away_time"]
    found = explain(kpi, "agent|a", own, kpi.bound(POLICY, "staff"), "1")
    assert found.apart == {"away_time~lunch": Figure(1800, 1800), "away_time~other": Figure(600, 600)}
    assert [part.amount for part in found.top] == [2_400_000], "the whole, once"
