"""Records of agents' intervals and shifts: what stands in them, and what becomes of it."""

from __future__ import annotations

import msgspec

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import PresenceEvent
from streams.contracts.outputs import PresenceRecord
from streams.pipeline import run
from tests.support.desk import POLICY, moment
from tests.support.records import proven


def state(id: str, when: str, state: str, **fields: object) -> PresenceEvent:
    return e.AgentStateChanged(id=id, source="s", time=moment(when), agent_id="a", state=state, **fields)  # type: ignore[arg-type]


def shift(id: str, starts: str, ends: str) -> PresenceEvent:
    return e.AgentScheduled(
        id=id, source="s", time=moment("07:00:00"), agent_id="a", starts=moment(starts), ends=moment(ends)
    )


def records(*events: PresenceEvent) -> dict[str, PresenceRecord]:
    """Kind and beginning (ms of the day) → record, made after every event; they are the same that are made at the end."""
    at_once, one_by_one = (
        run(list(map(encode, events)), POLICY, look_every=every, records=True) for every in (1000, 1)
    )
    found = []
    for result in (at_once, one_by_one):
        proven(result.presence_records, result.facts)
        made = [msgspec.json.decode(raw, type=PresenceRecord) for raw in result.presence_records.values()]
        found.append({f"{each.kind} {each.since % 86_400_000 // 60_000}": each for each in made})
    once, each_time = found
    for record in (*once.values(), *each_time.values()):
        record.version = 0
    assert once == each_time
    return once


def test_an_interval_lasts_until_the_next_and_the_last_until_nothing_is_heard() -> None:
    made = records(
        state("1", "09:00:00", "available", team_id="t"), state("2", "09:30:00", "away", reason="lunch", team_id="t")
    )
    first, second = made["state 540"], made["state 570"]
    assert (first.state, first.team, first.until - first.since) == ("available", "t", 30 * 60_000)
    assert {measure: sum(slot.staff.get(measure, 0) for slot in first.counts.values()) for measure in ("available_seconds",)} == {
        "available_seconds": 30 * 60_000
    }  # fmt: skip
    assert (second.state, second.reason) == ("away", "lunch")
    assert second.until > second.since


def test_a_shift_has_the_time_at_the_post_and_whether_it_was_attended() -> None:
    made = records(
        shift("p", "08:00:00", "10:00:00"),
        state("1", "08:30:00", "available"),
        state("2", "08:45:00", "on_contact"),
        state("3", "09:00:00", "away"),
        state("4", "12:00:00", "offline"),
    )
    whole = made["shift 480"]
    sums = dict.fromkeys(("adherent_seconds", "scheduled_seconds", "shifts", "shifts_attended"), 0)
    for slot in whole.counts.values():
        for name in sums:
            sums[name] += slot.staff.get(name, 0)
    assert sums == {
        "adherent_seconds": 30 * 60_000, "scheduled_seconds": 120 * 60_000, "shifts": 1, "shifts_attended": 1
    }  # fmt: skip
    assert whole.attended is True
    assert made["state 720"].counts == {}


def test_what_never_was_leaves_no_record() -> None:
    took_back = e.AgentRetracted(id="w", source="s", time=moment("09:40:00"), agent_id="a", corrects="2")
    made = records(state("1", "09:00:00", "available"), state("2", "09:30:00", "away"), took_back)
    assert list(made) == ["state 540"]
