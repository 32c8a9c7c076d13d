"""What an operation still accepts: how far its partitions' clocks have come, and events that lie too far behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from streams.contracts import topics
from streams.contracts.decode import Rejected, decode_contact, decode_presence
from streams.contracts.events import AnyEvent, PresenceEvent
from streams.contracts.records import Place
from streams.kafka import reading
from streams.kafka.transactions import partition_of
from streams.kpi.policy.versions import AnyPolicy
from streams.settings import Settings
from streams.windows.admission import check_lateness
from streams.windows.clock import EventClock, instant
from streams.worker.state.progress import Progress

#: Keys whose partition is remembered: to hash one takes longer than all else that is done here for an event.
_KEYS = 100_000
#: Places that a refusal names.
_NAMED = 8


@dataclass
class _Early:
    """Events of a place that lie before what it accepts: how many, and the first of them (ms since 1970)."""

    events: int
    first: int


class TooEarlyError(ValueError):
    """Events would be refused as too late: says how many, by which partitions' clocks, and what can be done."""


class Look:
    """Looks at events before they are sent: would the operation still accept them? Implements ``streams.sources.replay.Look``."""

    def __init__(self, settings: Settings, machine: int) -> None:
        """Reads how far the operation is; ``machine`` is the machine's clock, ms since 1970.

        Raises ConnectionError where no Kafka answers, ValueError where what is stored cannot be read.
        """
        policy = settings.policy
        self._settings, self._zone, self._lateness = settings, policy.zone, policy.allowed_lateness_ms
        self._names = {topic.name: settings.topic(topic) for topic in topics.EVENT_TOPICS}
        with reading.answering(settings):
            ends = reading.ends(settings, *self._names.values())
            clocks = event_clocks(settings, policy, machine)
        #: Now, as each partition has it.
        self.clocks: dict[Place, int] = {place: clock.now for place, clock in clocks.items() if clock.now is not None}
        if settings.clock == "wall" and "clock" in settings.model_fields_set:
            self.clocks = {(part.topic, part.partition): machine for part in ends}
        self._partition = {
            name: _partitioner(sum(part.topic == topic for part in ends)) for name, topic in self._names.items()
        }
        #: What happened since is accepted everywhere: no need to ask where it goes.
        self._accepted = max(self.clocks.values()) - self._lateness if self.clocks else None
        self._early: dict[Place, _Early] = {}
        self._seen = 0

    def see(self, event: AnyEvent) -> None:
        """This one is to be sent."""
        self._seen += 1
        if self._accepted is None or event.at >= self._accepted:
            return
        place = self._names[event.carrier], self._partition[event.carrier](event.key)
        now = self.clocks.get(place)
        if now is None or event.at >= now - self._lateness:
            return
        early = self._early.setdefault(place, _Early(0, event.at))
        early.events += 1
        early.first = min(early.first, event.at)

    def decide(self) -> None:
        """All have been seen. Raises TooEarlyError where some of them would be refused."""
        if not self._early:
            return
        count, days = sum(early.events for early in self._early.values()), self._lateness / 86_400_000
        places = sorted(self._early)
        lines = [
            f"  {topic}[{number}] has come to {_when(self.clocks[topic, number], self._zone)} and accepts nothing before "
            f"{_when(self.clocks[topic, number] - self._lateness, self._zone)}: {self._early[topic, number].events:,} events, "
            f"the first of {_when(self._early[topic, number].first, self._zone)}"
            for topic, number in places[:_NAMED]
        ]
        if len(places) > _NAMED:
            lines.append(f"  and {len(places) - _NAMED} more partitions")
        raise TooEarlyError(
            f"nothing was sent: {count:,} of {self._seen:,} events lie more than {days:g} days (allowed_lateness_days of the "
            f"policy) before what the operation has taken in, and would be refused as too_late.\n"
            + "\n".join(lines)
            + "\nSend older files before newer ones, or all in one command, into an operation that has not come so far (--prefix "
            "NAME begins a new one). Or send these nevertheless (--late-too): what is too late goes to dead-letters."
        )


def event_clocks(settings: Settings, policy: AnyPolicy, machine: int, decided: bool = False) -> dict[Place, EventClock]:
    """The event clock of each partition of events as it will be once the workers have taken in all that is there: as they stored it,
    and what has come since; ``decided``: without what is being written and all behind it, which need not be waited for then.

    Raises KafkaError or ConnectionError where no Kafka answers, ValueError where a stored place cannot be read.
    """
    names = {settings.topic(topic) for topic in topics.EVENT_TOPICS}
    with closing(reading.reader(settings)) as consumer:
        stored = reading.ends(settings, settings.topic(topics.PROGRESS), decided=decided)
        progress = _stored(reading.read(consumer, stored))
        ends = reading.ends(settings, *names, decided=decided)
        taken = {part: progress.taken.get((part.topic, part.partition), 0) for part in ends}
        # A topic that was made anew ends before what was read of the one before it.
        begins = {part: offset if offset <= ends[part] else 0 for part, offset in taken.items()}
        agents = settings.topic(topics.AGENTS)
        for record in reading.read(consumer, ends, begins):
            decode = decode_presence if record.topic == agents else decode_contact
            event = decode(record.value)
            if not isinstance(event, Rejected):
                _advance(progress.clock((record.topic, record.partition)), event, policy, machine)
    return {place: clock for place, clock in progress.clocks.items() if place[0] in names}


def _stored(records: Iterable[Any]) -> Progress:
    """How far workers are, as they stored it."""
    progress = Progress()
    for record in records:
        if record.key is not None and record.value is not None:
            try:
                progress.load(record.key, record.value)
            except ValueError as error:
                raise ValueError(f"how far {record.key!r} is cannot be read: {error}") from error
    return progress


def _advance(clock: EventClock, event: AnyEvent, policy: AnyPolicy, machine: int) -> None:
    """As a worker does on the event clock."""
    at = event.at
    if check_lateness(at, at if clock.now is None else clock.now, machine, policy) is None:
        who = event.agent_id if isinstance(event, PresenceEvent) else event.contact_id
        clock.advance(at, who, policy.allowed_lateness_ms)


def _partitioner(partitions: int) -> Callable[[str], int]:
    return lru_cache(_KEYS)(lambda key: partition_of(key.encode(), partitions) if partitions else 0)


def _when(ms: int, zone: ZoneInfo) -> str:
    return f"{instant(ms).astimezone(zone):%Y-%m-%d %H:%M}"
