"""An agent's events of one moment: by their sequence, else by their ids as people read them."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import msgspec
import pytest

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import Presence
from streams.pipeline import AgentsPresence
from streams.presence.log import AgentPresence, dump, load
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.windows.clock import EventClock
from tests.support.desk import POLICY, in_any_order, later, moment, run_events, sums


def told(state: str, id: str, when: str = "09:00:00", **fields: Any) -> Any:
    return e.AgentStateChanged(id=id, source="s", time=moment(when), agent_id="a", state=state, **fields)  # type: ignore[arg-type]


def now(*events: Any) -> Presence | None:
    """The agent's state, which must be the same in every order of arrival."""
    stage, found = PresenceStage(POLICY, Roster()), list[Presence | None]()
    for order in permutations(events):
        agents = AgentsPresence()
        stage.process([encode(event) for event in order], agents, EventClock(), machine=2**52, event_time=True)
        found.append(stage.presence("a", agents["a"]))
    assert all(other == found[0] for other in found)
    return found[0]


def test_ids_of_one_second_are_read_as_numbers() -> None:
    """Wrap-up (9) came before the break (10)."""
    shown = now(told("on_contact", "8", "08:50:00"), told("wrap_up", "9"), told("away", "10", reason="lunch"))
    assert shown is not None
    assert (shown.state, shown.reason) == ("away", "lunch")


def test_the_sequence_is_stronger_than_the_id() -> None:
    shown = now(told("away", "1", sequence=5), told("available", "2", sequence=4), told("offline", "0", sequence=3))
    assert shown is not None
    assert shown.state == "away"


def test_times_are_those_of_the_last_state_of_the_second() -> None:
    events = [told("wrap_up", "9"), told("available", "10"), told("offline", "11", "09:30:00")]
    in_any_order(events)
    assert sums(run_events([*events, *later(1)]), "agent|a") == {"available_seconds": 1_800_000}


def test_the_last_word_on_a_shift_of_one_second_stands() -> None:
    shifts = [
        e.AgentScheduled(
            id=id,
            source="s",
            time=moment("07:00:00"),
            agent_id="a",
            starts=moment("09:00:00"),
            ends=moment(f"1{id[-1]}:00:00"),
        )
        for id in ("s9", "s10")
    ]
    in_any_order(shifts)
    assert sums(run_events([*shifts, *later(1)]), "agent|a")["scheduled_seconds"] == 3_600_000


def test_presence_that_an_earlier_release_has_stored_is_read_and_goes_on() -> None:
    """Its records have no sequence, and ids of one moment stand in the order of their text."""
    at = int(moment("09:00:00").timestamp() * 1000)
    kept = [[at, "10", "away", "lunch", None, None, None, None], [at, "9", "wrap_up", None, None, None, None, None]]
    raw = msgspec.msgpack.encode([kept, None, [], [], [], True])
    agent = load(raw)
    assert [told.id for told in agent.log] == ["10", "9"]
    assert load(dump(agent)) == agent
    agents = AgentsPresence()
    agents["a"] = agent
    stage = PresenceStage(POLICY, Roster())
    out = stage.process(
        [encode(told("offline", "11", "09:10:00"))], agents, EventClock(), machine=2**52, event_time=True
    )
    assert (out.admitted, out.duplicates) == (1, 0)
    out = stage.process(
        [encode(told("away", "10", reason="lunch"))], agents, EventClock(), machine=2**52, event_time=True
    )
    assert (out.admitted, out.duplicates) == (0, 1)
    assert isinstance(agents["a"], AgentPresence)


@pytest.mark.parametrize(
    ("again", "refused"),
    [
        (told("away", "1", reason="lunch"), 0),
        (told("away", "1", reason="lunch", sequence=4, team_id="t"), 0),
        (told("away", "1", reason="training"), 1),
        (told("offline", "1"), 1),
    ],
)
@pytest.mark.parametrize("corrected", [False, True])
def test_a_state_that_comes_again_and_is_another_is_no_duplicate(again: Any, refused: int, corrected: bool) -> None:
    agents, clock, stage = AgentsPresence(), EventClock(), PresenceStage(POLICY, Roster())
    events: list[Any] = [told("away", "1", reason="lunch")]
    if corrected:
        events.append(e.AgentCorrected(id="2", source="s", time=moment("09:05:00"), agent_id="a", corrects="1"))
    raws = [encode(event) for event in [*events, again]]
    out = stage.process(raws, agents, clock, machine=2**52, event_time=True)
    assert [why.reason for _, why in out.rejected] == ["differs"] * (0 if corrected else refused)
    assert out.duplicates == 1 - len(out.rejected)
