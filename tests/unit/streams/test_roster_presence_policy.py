"""Teams as of a day, states in order, policies that are wrong."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import RosterEntry
from streams.kpi.policy.model import Policy
from streams.operator_files import load_policy
from streams.people.roster_sheet import read_roster
from streams.pipeline import run
from streams.presence.log import AgentPresence, dump, load
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.windows.clock import Days, EventClock
from tests.support.desk import POLICY, Script, moment, sums

ROSTER = Roster(
    [
        RosterEntry(agent_id="a", valid_from=date(2026, 3, 3), team_id="new", site_id="s"),
        RosterEntry(agent_id="a", valid_from=date(2020, 1, 1), team_id="old"),
    ]
)


def test_the_team_is_the_one_of_the_events_day_and_the_sources_word_goes_first() -> None:
    script = Script().call("09:00:00", "c1", agent="a").call("+1 09:00:00", "c2", agent="a")
    script.call("09:00:00", "c3", agent="a", team_id="told").call("09:00:00", "c4", agent="stranger")
    result = run([encode(event) for event in script.events], POLICY, roster=ROSTER)
    assert sums(result, "team|old")["calls_answered"] == 1
    assert sums(result, "team|new", date(2026, 3, 3))["calls_answered"] == 1
    assert sums(result, "site|s", date(2026, 3, 3))["calls_answered"] == 1
    assert sums(result, "team|told")["calls_answered"] == 1
    assert sums(result, "agent|stranger")["calls_answered"] == 1


def test_a_roster_file_is_read_and_every_wrong_line_named(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("agent_id,valid_from,team_id\na,2026-03-01,t\na,,old\n", encoding="utf-8-sig")
    assert [entry.team_id for entry in read_roster(path)["a"]] == ["old", "t"]
    path.write_text("agent_id,valid_from\na,01.03.2026\n,2026-03-01\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"row 2, valid_from: .*date.*\nroster.csv, row 3, agent_id: is empty"):
        read_roster(path)
    path.write_text("agent_id,team\na,t\n", encoding="utf-8")
    with pytest.raises(ValueError, match="row 1: unknown columns team; known: 坐席工号 agent_id"):
        read_roster(path)


def state(id: str, when: str, name: str, reason: str | None = None) -> bytes:
    return encode(e.AgentStateChanged(id=id, source="s", time=moment(when), agent_id="a", state=name, reason=reason))  # type: ignore[arg-type]


def test_the_newest_state_counts_whatever_the_order_and_lasts_since_it_began() -> None:
    stage, agents, clock = PresenceStage(POLICY, ROSTER), {"a": AgentPresence()}, EventClock()
    raws = [
        state("2", "10:00:00", "away", "lunch"), state("1", "09:00:00", "available"), state("3", "10:05:00", "away", "lunch"),
        state("1", "09:00:00", "available"),
    ]  # fmt: skip
    out = stage.process(raws, agents, clock, machine=2**52, event_time=True)
    assert (out.admitted, out.duplicates, out.late) == (3, 1, 1)
    shown = stage.presence("a", load(dump(agents["a"])))
    assert shown is not None
    assert (shown.state, shown.reason, shown.since, shown.team) == ("away", "lunch", moment("10:00:00"), "old")


def test_old_states_are_folded_and_the_last_one_stays_known() -> None:
    stage, agents, clock = PresenceStage(POLICY, ROSTER), {"a": AgentPresence()}, EventClock()
    raws = [
        state("1", "09:00:00", "available"),
        state("2", "+1 09:00:00", "offline"),
        state("3", "+9 09:00:00", "offline"),
    ]
    stage.process(raws, agents, clock, machine=2**52, event_time=True)
    assert [told.id for told in agents["a"].log] == ["2", "3"]
    shown = stage.presence("a", agents["a"])
    assert shown is not None
    assert shown.since == moment("+1 09:00:00")


def test_shifts_are_kept_and_the_last_word_stands() -> None:
    stage, agents, clock = PresenceStage(POLICY, ROSTER), {"a": AgentPresence()}, EventClock()
    raws = [
        encode(
            e.AgentScheduled(
                id=id, source="s", time=moment(when), agent_id="a", starts=moment("09:00:00"), ends=moment(ends)
            )
        )
        for id, when, ends in (("1", "08:00:00", "17:00:00"), ("2", "08:30:00", "18:00:00"))
    ]
    stage.process(raws, agents, clock, machine=2**52, event_time=True)
    (shift,) = agents["a"].shifts()
    assert shift == (round(moment("09:00:00").timestamp() * 1000), round(moment("18:00:00").timestamp() * 1000))


def test_a_shift_planned_long_ahead_is_kept_and_a_retracted_one_does_not_come_back() -> None:
    stage, agents, clock = PresenceStage(POLICY, ROSTER), {"a": AgentPresence()}, EventClock()

    def plan(id: str, ahead: str) -> bytes:
        starts, ends = moment(f"+{ahead} 09:00:00"), moment(f"+{ahead} 17:00:00")
        return encode(
            e.AgentScheduled(id=id, source="s", time=moment("08:00:00"), agent_id="a", starts=starts, ends=ends)
        )

    back = e.AgentRetracted(id="r", source="s", time=moment("09:00:00"), agent_id="a", corrects="p2")
    states = [state(f"s{day}", f"+{day} 09:00:00", "available") for day in range(1, 12)]
    stage.process(
        [plan("p1", "20"), plan("p2", "21"), plan("p3", "1"), encode(back), *states],
        agents,
        clock,
        machine=2**52,
        event_time=True,
    )
    assert agents["a"].shifts() == [
        tuple(round(moment(f"+20 {time}").timestamp() * 1000) for time in ("09:00:00", "17:00:00"))
    ]
    # What can still be joined by something late, and the last state before that.
    assert [told.id for told in agents["a"].log] == ["s7", "s8", "s9", "s10", "s11"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time_zone: Shanghai", "'Shanghai' is no time zone"),
        ("service_level: 20", "service_level: no such value; did you mean service_level_seconds?"),
        ("service_level_denominator: all", "service_level_denominator: Input should be 'offered'"),
        ("repeat_days: 0", "repeat_days: Input should be greater than 0"),
        ("satisfied_from: {1-5: 9}", "9 is not on the scale 1-5"),
        ("a: [", "cannot read the policy"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_entry(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="polic") as refused:
        load_policy(path)
    assert says in str(refused.value)


def test_days_follow_the_zone_over_a_change_of_clocks() -> None:
    days = Days(Policy(time_zone="Europe/Berlin").zone)
    for text, day in (
        ("2026-03-28T22:59:59+00:00", 28), ("2026-03-28T23:00:00+00:00", 29), ("2026-03-29T21:59:59+00:00", 29), ("2026-03-29T22:00:00+00:00", 30),
    ):  # fmt: skip
        assert date.fromordinal(days.of(round(datetime.fromisoformat(text).timestamp() * 1000))).day == day
