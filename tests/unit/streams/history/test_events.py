"""A contact's events one by one: what each changed, what was ignored and why; at the end its record is what the whole run makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from streams.archive.replaying import Told
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.history.events import Course, EventLine, course
from streams.kpi.policy.model import Policy
from streams.roster import Roster
from tests.support.desk import Script, moment, run_events
from tests.support.records import comparable

POLICY = Policy(time_zone="UTC", allowed_lateness_days=3)


def came(events: Sequence[AnyEvent | bytes], partition: int = 0) -> list[Told]:
    """Messages that came a second after they happened, in this order."""
    found, at = [], 0
    for offset, event in enumerate(events):
        at = at + 1000 if isinstance(event, bytes) else max(at, round(event.time.timestamp() * 1000) + 1000)
        found.append(Told(at, ("calls", partition), offset, None, event if isinstance(event, bytes) else encode(event)))
    return found


def course_of(
    told: Sequence[Told], contact: str = "calls:c1", customer: str | None = "k", clock: str = "event"
) -> Course:
    return course(told, POLICY, Roster(), contact, customer, event_time=clock == "event")


def verdicts(lines: Sequence[EventLine]) -> list[tuple[str, str, str | None]]:
    return [(line.type, line.verdict, line.reason) for line in lines]


def a_course() -> list[AnyEvent | bytes]:
    """A call that is answered, rated, told twice, put right, and whose customer comes back; one event of it is ten days late."""
    script = Script().call("09:00:00", "c1", agent="A1", team_id="T1", customer_id="k", talk=60)
    script.at("09:05:00", e.CallRated, agent_id="A1", score=2, scale="1-5", customer_id="k")
    (rated,) = (event for event in script.events if isinstance(event, e.CallRated))
    own: list[AnyEvent | bytes] = [*script.events, rated]
    script = Script()
    script.events = [event for event in own if not isinstance(event, bytes)]
    script.at("10:00:00", e.CallCorrected, corrects=rated.id, score=5, scale="1-5", customer_id="k")
    script.call("11:00:00", "c2", agent="A2", customer_id="k")
    script.call("12:00:00", "other", agent="A2", customer_id="stranger")
    late = e.CallRated(
        id="late", source="script", time=moment("09:05:00") - timedelta(days=10), contact_id="c1", agent_id="A1", score=1, scale="1-5",
        customer_id="k",
    )  # fmt: skip
    return [*script.events, late, b'{"type":"call.rated","id":"broken","contact_id":"c1"}']


@pytest.mark.parametrize("clock", ["event", "wall"])
def test_each_event_says_what_it_changed_or_why_it_did_not(clock: str) -> None:
    found = course_of(came(a_course()), clock=clock)
    assert verdicts(found.lines) == [
        ("call.queued", "counted", None), ("call.answered", "counted", None), ("call.ended", "counted", None),
        ("call.rated", "counted", None), ("call.rated", "repeated", None), ("call.corrected", "counted", None),
        ("call.queued", "counted", None), ("call.rated", "refused", "too_late"), ("call.rated", "refused", "missing_field"),
    ]  # fmt: skip
    rated, corrected, back = found.lines[3], found.lines[5], found.lines[6]
    assert rated.fields["csat_score"] == (None, 2000)
    assert corrected.fields["csat_score"] == (2000, 5000)
    assert ("agent|A1", moment("09:00:00").date(), "csat_satisfied", 0, 1) in corrected.counts
    assert back.contact == "calls:c2"
    assert back.fields == {"repeated_by": (None, "calls:c2")}
    assert "days late, at most 3 are allowed" in str(found.lines[7].detail)


def test_at_the_end_the_record_is_what_all_events_make_of_it() -> None:
    events = [event for event in a_course() if not isinstance(event, bytes)]
    whole = run_events(events, POLICY, records=True)
    wanted = {key: comparable(raw) for key, raw in whole.records.items() if "|c1|" in key}
    found = course_of(came(events))
    assert {key: comparable(msgspec.json.encode(record)) for key, record in found.records.items()} == wanted


def test_of_a_contact_without_a_customer_its_own_events_are_told() -> None:
    script = Script().call("09:00:00", "c1", agent="A1").call("09:30:00", "c2", agent="A1")
    found = course_of(came(script.events), customer=None)
    assert verdicts(found.lines) == [(f"call.{what}", "counted", None) for what in ("queued", "answered", "ended")]


def test_an_id_that_json_has_escaped_is_found() -> None:
    script = Script().call("09:00:00", 'c1/ü"', agent="A1", customer_id="k")
    told = came([encode(event).replace("ü".encode(), b"\\u00fc") for event in script.events if encode(event)])
    assert len(course_of(told, 'calls:c1/ü"', clock="wall").lines) == 3
