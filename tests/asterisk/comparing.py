"""What was counted, against the complete log; and what AMI added, against what it should have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.settings import Settings
from streams.sources.asterisk.files import read_queue_log
from streams.sources.asterisk.lines import QueueLog
from streams.sources.asterisk.names import Names, load
from streams.sources.table.rows import RejectedRow
from streams.sources.vendors.reader import pseudonym_by
from tests.asterisk.driving import Driver
from tests.asterisk.following import Breaks
from tests.asterisk.switch import LONGEST_WAIT, QUEUES
from tests.support.operation import facts, messages
from tests.unit.streams.sources.test_asterisk import MEASURES, of_log

Say = Callable[[str], None]
#: So long after a change of state is looked how the agent stands, where the log has none until then: by then both have told. Seconds.
_SETTLED = 2.5
_event: Callable[[bytes], AnyEvent] = msgspec.json.Decoder(AnyEvent).decode


@dataclass
class Evidence:
    """All that a run has left. ``since``: when the callers began, seconds since 1970."""

    settings: Settings
    file: Path
    whole: Path
    health: dict[str, Any]
    driver: Driver
    breaks: Breaks
    since: float


def compare(run: Evidence, say: Say) -> list[str]:
    """What is wrong; empty where nothing is."""
    wrong: list[str] = []
    if run.health.get("lost") or run.health["refused"]:
        wrong.append(f"lost or refused: {run.health.get('lost')} {run.health['refused']}")
    if dead := messages(run.settings, "dead-letters"):
        wrong.append(f"{len(dead)} dead letters: {dead[0].value!r}")
    wrong += _queues(run, say)
    log = _events_of(run)
    had = {record.value for topic in ("calls", "agents") for record in messages(run.settings, topic)}
    by_ami = {raw for raw in had if b'"id":"ami-' in raw or b'"type":"call.corrected"' in raw}
    say(f"{len(log):,} events by the log; Kafka has {len(had) - len(by_ami):,}, and {len(by_ami):,} that AMI added")
    right = {encode(event) for event in log}
    for what, of in (("not in Kafka", right - had), ("in Kafka only", had - by_ami - right)):
        if of:
            wrong.append(f"{len(of)} events {what}: {sorted(of)[0].decode()}")
    told = sorted((_event(raw) for raw in had), key=lambda event: (event.at, event.sequence or 0))
    wrong += _states(run, log, [event for event in told if isinstance(event, e.AgentStateChanged)], say)
    wrong += _holds(run, [event for event in told if isinstance(event, e.CallCorrected)], log, say)
    return wrong + _differences(run, say)


def _queues(run: Evidence, say: Say) -> list[str]:
    """Counts, waits and talk of each queue; what AMI told to be hold is talk by the log."""
    right, counted = of_log(run.whole), Counter[tuple[str, str]]()
    for key, sums in facts(run.settings, "queue").items():
        _, queue, _ = key.split("|")
        counted.update({(queue, name): value for name, value in sums.items()})
    wrong = []
    for queue in QUEUES:
        counted[queue, "talk_seconds"] += (hold := counted[queue, "hold_seconds"])
        say(
            f"{queue}: "
            + ", ".join(f"{name.removeprefix('calls_')} {right[queue, name]:,}" for name in MEASURES)
            + f"; hold {hold:,}"
        )
        wrong += [
            f"{queue}: {name}: log {right[queue, name]}, counted {counted[queue, name]}"
            for name in MEASURES
            if counted[queue, name] != right[queue, name]
        ]
    return wrong


def _events_of(run: Evidence) -> list[AnyEvent]:
    config = load(run.file)
    log = QueueLog(config.source, pseudonym_by(None), Names(config))
    found: list[AnyEvent] = []
    for row in read_queue_log(run.whole, lambda: log):
        assert not isinstance(row, RejectedRow), row
        found += row.events
    return found


def _states(run: Evidence, log: list[AnyEvent], told: list[e.AgentStateChanged], say: Say) -> list[str]:
    """Where the log has an agent for some seconds, there they are; save for what only AMI knows of."""
    wrong, looks, wraps, covered, timelines = [], 0, 0, 0, defaultdict[str, list[e.AgentStateChanged]](list)
    for event in told:
        timelines[event.agent_id].append(event)
    by_log = defaultdict[str, list[e.AgentStateChanged]](list)
    for event in log:
        if isinstance(event, e.AgentStateChanged):
            by_log[event.agent_id].append(event)
    for agent, changes in by_log.items():
        for change, after in zip(changes, [*changes[1:], None], strict=True):
            at = change.at + round(_SETTLED * 1000)
            if after is not None and after.at <= at:
                continue
            looks += 1
            stands = [event for event in timelines[agent] if event.at <= at][-1]
            wraps += stands.state == "wrap_up"
            allowed = (
                stands.state == change.state
                or (change.state == "available" and stands.state == "wrap_up")
                or stands.reason == "outside_queues"
            )
            # AMI's last word before a break may hide the log's of the same second, until AMI is back.
            hidden = change.at <= stands.at < change.at + 1000 and run.breaks.touch(change.at / 1000, at / 1000)
            if not allowed and not hidden:
                wrong.append(
                    f"{agent} at {change.time.isoformat()} + {_SETTLED:g} s: log {change.state}, told {stands.state} by {stands.id}"
                )
            covered += not allowed and hidden
    members = {member for of, _ in QUEUES.values() for member in of}
    early = {agent for agent in members if timelines[agent] and timelines[agent][0].at / 1000 < run.since}
    say(
        f"states: {looks:,} looks, {wraps:,} of them wrap-up, {covered:,} behind a word of AMI before a break; known before the first call: {len(early)} of {len(members)} members"
    )
    if early != members:
        wrong.append(f"not known before the first call: {sorted(members - early)}")
    return [*wrong, *_wrap_ups(run, timelines, say)]


def _wrap_ups(run: Evidence, timelines: dict[str, list[e.AgentStateChanged]], say: Say) -> list[str]:
    """After a call of a queue with wrap-up the agent wraps up, for that long unless something else comes."""
    wrong, seen, missed = [], 0, 0
    for line in run.whole.read_text().splitlines():
        second, call, queue, agent, verb, *_ = line.split("|")
        if not verb.startswith("COMPLETE") or not QUEUES[queue][1]:
            continue
        since, lasts = float(second), QUEUES[queue][1]
        near = [event for event in timelines[agent] if since - 0.1 <= event.at / 1000 <= since + 1.6]
        if any(event.state == "wrap_up" for event in near):
            seen += 1
        elif run.breaks.touch(since - 1, since + lasts + 1):
            missed += 1
        elif not any(event.state in ("away", "offline", "on_contact") for event in near):
            wrong.append(f"{agent} has no wrap-up after call {call} at {second}")
    for agent, timeline in timelines.items():
        for one, after in pairwise(timeline):
            lasted = (after.at - one.at) / 1000
            if one.state == "wrap_up" and lasted > 2.1 and not run.breaks.touch(one.at / 1000, after.at / 1000):
                wrong.append(f"{agent}: wrap-up of {lasted:.1f} s at {one.time.isoformat()}")
    say(f"wrap-ups: {seen:,} told, {missed:,} fell into a break")
    return wrong


def _holds(run: Evidence, told: list[e.CallCorrected], log: list[AnyEvent], say: Say) -> list[str]:
    """Each call that was held, and for how long, by whoever listened to the whole run."""
    wrong, missed, ended = [], 0, defaultdict[str, float](float)
    for event in log:
        if isinstance(event, e.CallEnded):
            ended[event.contact_id] = event.at / 1000
    by_call = Counter[str]()
    for correction in told:
        by_call[correction.contact_id] += round(1000 * (correction.hold_seconds or 0))
    for call, (since, held) in run.driver.held.items():
        if abs(by_call.pop(call, 0) - held) <= 2:
            continue
        if run.breaks.touch(since - 60, ended[call] + 1) and call not in {each.contact_id for each in told}:
            missed += 1
        else:
            wrong.append(f"call {call} was held for {held} ms, told otherwise")
    wrong += [f"call {call} was not held, told {held} ms" for call, held in by_call.items() if held > 0]
    say(f"holds: {len(run.driver.held):,}, of which {missed:,} were of calls that a break fell into")
    return wrong


def _differences(run: Evidence, say: Say) -> list[str]:
    """Each call that left a queue before its time was up and is no abandonment to the log: its caller hung up, says AMI."""
    named = defaultdict[str, set[str]](set)
    kept = run.settings.data_dir / "sources" / "asterisk.differs"
    for line in kept.read_text().splitlines() if kept.exists() else ():
        found = msgspec.json.decode(line)
        named[found["what"]].add(found["call"])
    joined: dict[str, float] = {}
    expected: dict[str, tuple[float, float]] = {}
    for line in run.whole.read_text().splitlines():
        second, call, queue, _, verb, *data = line.split("|")
        if verb == "ENTERQUEUE":
            joined[call] = float(second)
        if verb == "EXITWITHTIMEOUT" and float(data[2]) < LONGEST_WAIT[queue] - 1:
            expected[call] = joined[call], float(second)
    missed = {call for call, span in expected.items() if run.breaks.touch(*span)} - named["outcome"]
    say(
        f"log and AMI differ on {len(expected):,} calls by the complete log: {len(expected.keys() & named['outcome']):,} named, {len(missed):,} "
        f"fell into a break; others named: { {what: len(calls) for what, calls in named.items() if what != 'outcome'} }; "
        f"compared since the last start: {run.health['ami']['compared']:,}"
    )
    wrong = [
        f"log and AMI differ on {call}, which is not named" for call in expected.keys() - named["outcome"] - missed
    ]
    return wrong + [
        f"{what}: {call} is named"
        for what, calls in named.items()
        for call in calls
        if what != "outcome" or call not in expected
    ]


def iso(second: float) -> str:
    """As the health page writes a whole second since 1970."""
    return datetime.fromtimestamp(second, UTC).isoformat()
