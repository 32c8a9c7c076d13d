"""Runs workers as processes on a Kafka and a Redis of its own while faults happen, and compares what they made with an undisturbed run.

``python -m tests.faults`` runs a long one.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path
from threading import Lock, Thread
from zlib import crc32

import httpx
import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from msgspec.structs import replace
from redis import Redis

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from deploy.local.redis import LocalRedis
from scoring.cards.load import find
from scoring.period import Month
from scoring.reports.csv_report import to_csv
from scoring.runs.run import run as score
from streams.contacts.customer import Customer
from streams.contracts import redis_keys, topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, ContactEvent
from streams.contracts.outputs import Alert, Figure, Snapshot, entity_id, entity_kind
from streams.entities.day_parts import decode_day
from streams.entities.entity import load as load_entity
from streams.entities.snapshot import Snapshots
from streams.kafka.connection import kafka_python_options
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.kpi.formulas import formulas
from streams.kpi.spec import side_of
from streams.operation import KafkaOperation
from streams.pipeline import Run, run
from streams.settings import Settings, environment
from streams.sources.producer import EventProducer
from streams.sources.simulated import simulate
from streams.worker.dead_letters import HEAD_BYTES
from streams.worker.state.own_partition import is_mark
from streams.worker.state.restore import STATE
from tests.faults.histories import Histories
from tests.faults.mistold import mistold
from tests.faults.plan import LEAST, Fault
from tests.support.operation import facts, http_get, messages
from tests.support.partitioners import OtherPartitioner
from tests.support.partly_told import with_every_customer
from tests.support.records import comparable, decode_record, proven
from tests.support.states import differences, latest, of_customers, of_entities, stored_customers, whole_days
from tests.support.warm import WarmProcess

_START = datetime(2026, 3, 2, 1, tzinfo=UTC)
_RATHER_LATE, _TWICE = 400, 0.05
_CLOCKS_FROM = 3000
_HUGE_BYTES = 20_000_000
_LONGEST_STORED_BYTES = 1_000_000
_FRONT_DESK = "front desk"
#: For how long workers may go on with what they are behind by when all is sent: on a busy machine that is much.
_SETTLED_SECONDS = 900.0
_READY_SECONDS = 60.0
_REDIS_AWAY_SECONDS = 3.0
_AWAY_SECONDS = 60.0
#: A frozen worker's partitions go to others when its session is over.
_FROZEN_SECONDS = 13.0


def true_desk(count: int, seed: int, agents: int = 60) -> list[AnyEvent]:
    """The first events of a simulated desk, as they happened. One contact in thirty comes by a line whose callers all have one id."""
    return [_by_the_same_line(event) for event in islice(simulate(seed, _START, agents=agents), count)]


def shuffled(desk: Sequence[AnyEvent], seed: int) -> list[AnyEvent]:
    """The desk as its systems tell it: some events up to 400 places late, one in twenty sent twice, some contacts by a clock of whole
    minutes or seconds, one in ten by a system that tells the customer now and then, seldom another one; some told wrongly, and corrected
    or retracted.
    """
    dice = random.Random(seed)
    placed = [
        (number + dice.uniform(0, _RATHER_LATE), event)
        for number, event in enumerate(mistold([_partly_told(event) for event in _by_coarse_clocks(desk)], seed))
    ]
    placed += [(place + dice.choice((3, 5 * _RATHER_LATE)), event) for place, event in placed if dice.random() < _TWICE]
    return [event for _, event in sorted(placed, key=lambda one: one[0])]


def _by_the_same_line(event: AnyEvent) -> AnyEvent:
    if isinstance(event, ContactEvent) and event.customer_id is not None and crc32(event.contact_id.encode()) % 30 == 0:
        return replace(event, customer_id=_FRONT_DESK)
    return event


def _by_coarse_clocks(desk: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
    """One contact in ten is told by whole minutes, with the order in which things happened; one in ten by whole seconds, without, and by ids
    that say nothing.
    """
    told: Counter[str] = Counter()
    for event in desk:
        if isinstance(event, ContactEvent):
            told[event.contact_id] += 1
            match crc32(event.contact_id.encode()) % 10:
                case 1:
                    event = replace(
                        event, time=event.time.replace(second=0, microsecond=0), sequence=told[event.contact_id]
                    )
                case 2:
                    id = sha256(event.id.encode()).hexdigest()
                    event = replace(event, time=event.time.replace(microsecond=0), id=id)
        yield event


def _partly_told(event: AnyEvent) -> AnyEvent:
    if not isinstance(event, ContactEvent) or crc32(event.contact_id.encode()) % 10 != 3:
        return event
    number = crc32(f"{event.contact_id} {event.id}".encode())
    named = "another" if number % 100 == 7 else event.customer_id
    return replace(event, source="partly", customer_id=named if number % 3 == 1 else None)


@dataclass(frozen=True)
class Refused:
    """A message that is to be refused: it goes to ``topic`` under ``key``, and to dead-letters for ``reason``, once."""

    topic: str
    key: bytes
    value: bytes
    reason: str


#: What is sent: an event, or what is none.
Sent = AnyEvent | Refused


def with_refused(events: Sequence[AnyEvent], seed: int, every: int = 150) -> list[Sent]:
    """The events, and among them one in so many that is to be refused: broken ones, old ones, ones from the future, and events sent again
    long after, when what would know them by their ids may be forgotten; and one of 20 MB. None among the first, as nothing is old before a partition has a clock.
    """
    dice, out = random.Random(seed), list[Sent]()
    for number, event in enumerate(events):
        out.append(event)
        if number == len(events) // 2:
            out.append(Refused(event.carrier, b"?", b"{broken " + b"x" * _HUGE_BYTES, "too_large"))
        if number < _CLOCKS_FROM or dice.randrange(every):
            continue
        whole = msgspec.json.decode(encode(event))
        match dice.choice(("not json", "no id", "old", "future", "again")):
            case "not json":
                out.append(Refused(event.carrier, b"?", b"{broken %d" % number, "not_json"))
            case "no id":
                lacking = {name: value for name, value in whole.items() if name != "id"} | {"n": number}
                out.append(Refused(event.carrier, event.key.encode(), msgspec.json.encode(lacking), "missing_field"))
            case "old":
                old = whole | {"id": f"old{number}", "time": (event.time - timedelta(days=40)).isoformat()}
                out.append(Refused(event.carrier, event.key.encode(), msgspec.json.encode(old), "too_late"))
            case "future":
                ahead = whole | {"id": f"ahead{number}", "time": "2190-01-01T00:00:00Z"}
                out.append(Refused(event.carrier, event.key.encode(), msgspec.json.encode(ahead), "future"))
            case "again":
                once = events[dice.randrange(number)]
                if event.time - once.time > timedelta(days=4):
                    out.append(Refused(once.carrier, once.key.encode(), encode(once), "too_late"))
    return out


@dataclass
class Told:
    """What a run came to. ``wrong``: what differs, in words; empty where nothing was lost and nothing counted twice."""

    events: int
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Desk:
    """The operation under test: brokers, and workers by name."""

    def __init__(
        self, directory: Path, say: Callable[[str], None], partitions: int, away_seconds: float, histories: bool
    ) -> None:
        self._directory, self._say, self._away_seconds = directory, say, away_seconds
        self.kafka = LocalKafka(directory / "kafka")
        self.redis = LocalRedis(directory / "redis")
        self.kafka.start()
        self.redis.start()
        policy = directory / "policy.yaml"
        policy.write_text("time_zone: UTC\n", encoding="utf-8")
        self.settings = Settings(
            broker=self.kafka.address, redis=self.redis.address, prefix="f.", partitions=partitions, clock="event",
            data_dir=directory, policy_file=policy,
        )  # fmt: skip
        ensure_topics(self.settings)
        self.histories = Histories(self.settings, directory) if histories else None
        self.workers: dict[str, ServerProcess] = {}
        #: Worker → port of its metrics and health.
        self.ports: dict[str, int] = {}
        #: Held while something is sent, or while nothing may be; does somebody wait for that?
        self.sending, self.pausing = Lock(), False
        self._started = 0
        self._names = iter(range(1_000_000))

    def start(self, name: str | None = None) -> None:
        """Start a worker; every other one is known to Kafka by name, as in a StatefulSet; the others come as strangers, and
        stand by for the rest.
        """
        if name is None:
            number = next(self._names)
            name = f"named-{number}" if number % 2 == 0 else f"worker-{number}"
        self._started += 1
        self.ports[name] = free_port()
        process = WarmProcess(
            *("worker", "--metrics-port", str(self.ports[name]), "--no-declare"),
            directory=self._directory,
            log=self._directory / f"{name}.{self._started}.log",
            environment=environment(self.settings)
            | ({"DESKPULSE_INSTANCE": name} if name.startswith("named") else {"DESKPULSE_STANDBY": "true"}),
        )
        process.start()
        self.workers[name] = process

    def do(self, fault: Fault) -> None:
        """Make it happen. Raises AssertionError where a worker had ended by itself."""
        self.look_after()
        names = sorted(self.workers)
        name = names[int(fault.whom * len(names))]
        match fault.kind:
            case "kill":
                self.workers.pop(name).kill()
                self.start(name)
            case "freeze":
                pid = self.workers[name].pid
                assert pid is not None
                os.kill(pid, signal.SIGSTOP)
                time.sleep(_FROZEN_SECONDS)
                os.kill(pid, signal.SIGCONT)
            case "join":
                self.start()
            case "leave":
                process = self.workers.pop(name)
                process.stop()
                assert process.exit_code != -signal.SIGKILL, f"{name} did not end in order:\n{process.last_words(60)}"
            case "broker":
                self.kafka.kill()
                self.kafka.restart()
                self.look_after()
            case "away":
                self.kafka.kill()
                time.sleep(self._away_seconds)
                self.kafka.restart()
                self.look_after()
            case "recreate":
                # What was not read would be lost, whoever reads: all of it is, before the topic goes.
                self.pausing = True
                with self.sending:
                    wait_until_processed(self.settings, _SETTLED_SECONDS)
                    self.make_anew(topics.CHATS.name)
                    self.pausing = False
            case "redis":
                self.redis.kill()
                time.sleep(_REDIS_AWAY_SECONDS)
                self.redis.restart()
            case "history" | "database":
                assert self.histories is not None, "there is no history in this run"
                self.histories.do(fault)

    def make_anew(self, topic: str) -> None:
        """Delete a topic, and make one of the same name."""
        name = self.settings.prefix + topic
        with KafkaAdminClient(**kafka_python_options(self.settings)) as admin:
            admin.delete_topics([name])
            while name in admin.list_topics():
                time.sleep(0.1)
        ensure_topics(self.settings)

    def unwell(self, seconds: float = 60.0) -> dict[str, str]:
        """Workers that do not come to say that they work, and what they say."""
        deadline, said = time.monotonic() + seconds, dict[str, str]()
        while time.monotonic() < deadline:
            said = {}
            for name in self.workers:
                try:
                    answer = http_get(f"http://127.0.0.1:{self.ports[name]}/readyz", timeout=5)
                    state = answer.json()["state"]
                except httpx.HTTPError as error:
                    state = repr(error)
                if state != "working":
                    said[name] = state
            if not said:
                break
            time.sleep(0.5)
        return said

    def look_after(self) -> None:
        """A worker whose Kafka went away while it started is started again, as by Kubernetes; any other is to stay alive."""
        for name, process in list(self.workers.items()):
            if process.exit_code is not None:
                words = process.last_words(60)
                assert "Unable to bootstrap" in words, f"{name} ended by itself:\n{words}"
                self._say(f"          {name} had found no Kafka; started again")
                self.start(name)
        if self.histories is not None:
            self.histories.look_after()

    def stop(self) -> None:
        """End everything."""
        for process in self.workers.values():
            process.stop()
        if self.histories is not None:
            self.histories.stop()
        self.redis.stop()
        self.kafka.stop()


def disturbed(
    directory: Path,
    desk: Sequence[AnyEvent],
    sent: Sequence[Sent],
    faults: Iterable[Fault],
    *,
    partitions: int = 4,
    rate: float = 2000.0,
    away_seconds: float = _AWAY_SECONDS,
    histories: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Told:
    """Send all of ``sent`` at ``rate`` a second while ``faults`` happen; when both are through and all is processed, compare: all that came
    out with what a run without faults makes of the same, and what was counted with what truly happened at the ``desk``. ``histories``: two
    follow, into SQLite and into PostgreSQL, and are compared, too.

    Raises TimeoutError where the workers do not come to the end, AssertionError where one ended by itself.
    """
    told, began = Told(len(sent)), time.monotonic()
    under_test = Desk(directory, say, partitions, away_seconds, histories)
    try:
        for _ in range(LEAST):
            under_test.start()
        failures: list[BaseException] = []
        feed = Thread(target=_feed, args=(under_test, sent, rate, failures), daemon=True)
        feed.start()
        for number, fault in enumerate(faults):
            time.sleep(fault.after)
            say(f"{time.monotonic() - began:6.1f} s  {number + 1}: {fault.kind}")
            under_test.do(fault)
            told.faults[fault.kind] += 1
            if failures:
                raise failures[0]
        feed.join()
        under_test.look_after()
        if failures:
            raise failures[0]
        say(f"{time.monotonic() - began:6.1f} s  all sent, all faults done; waiting until all is processed")
        wait_until_processed(under_test.settings, _SETTLED_SECONDS)
        say(f"{time.monotonic() - began:6.1f} s  processed; comparing")
        told.wrong = [f"{name} says {state}" for name, state in under_test.unwell().items()]
        told.wrong += _wrong(under_test.settings, sent, under_test.histories)
        told.wrong += _untrue(under_test.settings, desk)
    finally:
        under_test.stop()
    told.seconds = time.monotonic() - began
    return told


def _feed(desk: Desk, sent: Sequence[Sent], rate: float, failures: list[BaseException]) -> None:
    """Chats go, as another system might send them, to the partitions of another partitioner."""
    options = kafka_python_options(desk.settings) | {
        "acks": "all", "compression_type": "gzip", "max_request_size": 2 * _HUGE_BYTES,
        "delivery_timeout_ms": 600_000, "max_block_ms": 600_000, "reconnect_backoff_max_ms": 1000,
    }  # fmt: skip
    try:
        with (
            EventProducer(desk.settings) as producer,
            closing(KafkaProducer(**options)) as plain,
            closing(KafkaProducer(**options, partitioner=OtherPartitioner())) as other,
        ):
            began = time.monotonic()
            for first in range(0, len(sent), 100):
                if (ahead := began + first / rate - time.monotonic()) > 0:
                    time.sleep(ahead)
                with desk.sending:
                    for one in sent[first : first + 100]:
                        if isinstance(one, Refused):
                            if (
                                one.reason == "too_late"
                            ):  # by the clock of what was sent before it, wherever that still waits
                                for each in (producer, other):
                                    each.flush()
                            plain.send(desk.settings.prefix + one.topic, key=one.key, value=one.value)
                        elif one.carrier == topics.CHATS.name:
                            other.send(desk.settings.topic(topics.CHATS), key=one.key.encode(), value=encode(one))
                        else:
                            producer.send(one)
                    if desk.pausing:
                        for each in (producer, plain, other):
                            each.flush()
    except BaseException as error:
        failures.append(error)


# -- what must be so ----------------------------------------------------------------------------------------------------


def _wrong(settings: Settings, sent: Sequence[Sent], histories: Histories | None) -> Iterator[str]:
    events = [one for one in sent if not isinstance(one, Refused)]
    yield from _dead_letters(settings, [one for one in sent if isinstance(one, Refused)])
    yield from _positions(settings)
    plain = run(with_every_customer(events), settings.policy, records=True)
    assert plain.now is not None
    assert not plain.rejected
    since = plain.now - 30 * 86_400_000
    undisturbed = whole_days({fact.key: fact.sums for fact in plain.daily_facts() if fact.sums})
    if found := differences(undisturbed, whole_days(facts(settings))):
        yield f"daily facts: {found}"
    entities = {key: load_entity(raw) for key, raw in latest(settings, topics.ENTITIES.name).items()}
    if found := differences(
        of_entities(plain.entities, settings, plain.now), of_entities(entities, settings, plain.now)
    ):
        yield f"panes, plans, waiting: {found}"
    if found := differences(
        _contacts(plain.customers, since), _contacts(stored_customers(settings, topics.CUSTOMERS.name), since)
    ):
        yield f"contacts: {found}"
    yield from _records(settings, plain, since)
    if histories is not None:
        yield from histories.wrong(plain, since)
    yield from _scores(settings, plain)
    yield from _alerts(settings, {key: entity.alerts for key, entity in entities.items()})
    yield from _screens(settings, plain)


#: What is counted whatever the clock and the order in which it is told.
_COUNTED = (
    "calls_offered", "calls_answered", "calls_abandoned", "calls_missed", "calls_handled", "calls_transferred",
    "tickets_created", "tickets_resolved", "tickets_closed", "tickets_escalated", "contacts_handled",
)  # fmt: skip


def _untrue(settings: Settings, desk: Sequence[AnyEvent]) -> Iterator[str]:
    """What must be so whatever the pure path says, as that could be as wrong."""
    true, made = run([encode(event) for event in desk], settings.policy), whole_days(facts(settings))
    wanted, found = (
        {
            key: counts
            for key, sums in days.items()
            if (counts := {name: sums[name] for name in _COUNTED if name in sums})
        }
        for days in ({fact.key: fact.sums for fact in true.daily_facts()}, made)
    )
    if differing := differences(wanted, found):
        yield f"counts that are not what happened: {differing}"
    customers = {
        (event.time.astimezone(UTC).date(), event.contact_id)
        for event in desk if isinstance(event, ContactEvent) and event.customer_id == _FRONT_DESK
    }  # fmt: skip
    most = max(Counter(day for day, _ in customers).values(), default=0)
    shared = sum(sums.get("contacts_shared", 0) for key, sums in made.items() if entity_kind(key) == "all")
    if most > settings.policy.max_customer_contacts_per_day and not shared:
        yield f"{most} contacts of one id in a day, and it is not known to be shared"
    for topic in STATE:
        longest = max((len(record.value or b"") for record in messages(settings, topic.name)), default=0)
        if longest > _LONGEST_STORED_BYTES:
            yield f"{topic.name}: a value of {longest:,} bytes"


def _dead_letters(settings: Settings, refused: Iterable[Refused]) -> Iterator[str]:
    """Each refused message stands there once, for its reason; nothing else does; and no record's place stands there twice."""
    wanted = Counter((one.topic, one.value[:HEAD_BYTES], one.reason) for one in refused)
    letters = messages(settings, topics.DEAD_LETTERS.name)
    told = [({name: value.decode() for name, value in letter.headers}, letter.value) for letter in letters]
    found = Counter(
        (headers["topic"].removeprefix(settings.prefix), value, headers["reason"]) for headers, value in told
    )
    if wanted != found:
        more, less = (
            [(topic, value[:80], reason) for topic, value, reason in part.elements()]
            for part in (found - wanted, wanted - found)
        )
        yield f"dead letters: {len(more)} too many, first {more[:2]}; {len(less)} not there, first {less[:2]}"
    # A topic that was made anew has the same places for other messages.
    places = Counter(tuple(headers[name] for name in ("topic", "partition", "offset", "sha256")) for headers, _ in told)
    if twice := [place for place, count in places.items() if count > 1]:
        yield f"refused twice: {len(twice)} records, first {twice[:3]}"


def _positions(settings: Settings) -> Iterator[str]:
    """What is stored of how far each source was taken in is its end."""
    marks = latest(settings, topics.PROGRESS.name)
    stored = {key: msgspec.json.decode(raw)[0] for key, raw in marks.items() if not is_mark(key.encode())}
    with closing(KafkaConsumer(**kafka_python_options(settings))) as consumer:
        for topic in (*topics.CONTACT_TOPICS, topics.AGENTS, topics.REKEYED):
            name = settings.topic(topic)
            parts = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
            for part, end in consumer.end_offsets(parts).items():
                if (position := stored.get(f"{part.topic}|{part.partition}", 0)) != end:
                    yield f"{part.topic}[{part.partition}] was taken in up to {position}, and ends at {end}"


def _records(settings: Settings, plain: Run, since: int) -> Iterator[str]:
    """Records come to the facts, and those of contacts that arrived ``since`` (ms) are those of the undisturbed run: an older one may have
    been written before it was forgotten, or linked to one that was. How often each was written is chance.
    """
    found = latest(settings, topics.CONTACT_RECORDS.name)
    of_agents = latest(settings, topics.PRESENCE_RECORDS.name)
    days = {key: decode_day(raw) for key, raw in latest(settings, topics.DAILY_FACTS.name).items()}
    try:
        proven(found | of_agents, days)
    except AssertionError as error:
        yield f"records do not come to the facts: {str(error)[:2000]}"
    wanted, written = (
        {key: comparable(raw) for key, raw in records.items() if decode_record(raw).arrived_at >= since}
        for records in (plain.records, found)
    )
    if differing := differences(wanted, written):
        yield f"contact records: {differing}"


def _scores(settings: Settings, plain: Run) -> Iterator[str]:
    """Every month ends in the same score sheet."""
    card, operation = find("s2-a-core"), KafkaOperation(settings)
    undisturbed = [fact for fact in plain.daily_facts() if fact.entity.startswith("agent|")]
    for month in sorted({Month.of(fact.date) for fact in undisturbed}):
        wanted, found = (
            to_csv(
                score(
                    card, month, [fact for fact in facts if month.first <= fact.date <= month.last], settings.policy, {}
                )
            )
            for facts in (undisturbed, list(operation.daily_facts(month.first, month.last, "agent")))
        )
        if wanted != found:
            yield f"scores of {month} differ"


def _contacts(customers: dict[str, Customer], since: int) -> dict[str, dict[str, object]]:
    """Those that arrived ``since`` (ms): older ones may have been forgotten. Without the ids of the events that may still be corrected:
    what is folded for good depends on the clock of the partition.
    """
    found = of_customers(customers)
    return {key: {**contact, "events": None} for key, contact in found.items() if contact["at"] >= since}


#: Step of an alert → those that may follow it.
_NEXT = {"firing": ("no_data", "resolved"), "no_data": ("firing", "resolved"), "resolved": ("firing",)}


def _alerts(settings: Settings, states: dict[str, dict[str, object]]) -> Iterator[str]:
    """Each alert takes its steps in turn, each once, and stands at the end where the entity's state says."""
    steps: dict[str, list[Alert]] = {}
    for record in messages(settings, topics.ALERTS.name):
        steps.setdefault(record.key.decode(), []).append(msgspec.json.decode(record.value, type=Alert))
    for key, told in sorted(steps.items()):
        kinds = [step.status for step in told if not step.update]
        if kinds[0] != "firing" or any(one not in _NEXT[before] for before, one in pairwise(kinds)):
            yield f"alert {key}: {kinds}"
    fires = {key for key, told in steps.items() if told[-1].status != "resolved"}
    stored = {
        f"{rule}|{entity}"
        for entity, alerts in states.items()
        for rule, state in alerts.items()
        if state.status != "pending"  # type: ignore[attr-defined]
    }
    if fires != stored:
        yield f"alerts that fire: told {sorted(fires - stored)}, in the state {sorted(stored - fires)}"
    redis = Redis.from_url(settings.redis)
    shown = {key.decode() for key in redis.hkeys(settings.redis_key("alerts"))}
    if shown != stored:
        yield f"open alerts: shown {sorted(shown - stored)}, not shown {sorted(stored - shown)}"


def _still(snapshot: Snapshot, settings: Settings) -> dict[str, Figure]:
    """The day's figures, those left out that grow by themselves: a screen may have them of some seconds ago."""
    bound = formulas(settings.policy)[side_of(entity_kind(snapshot.entity))].by_id
    return {id: figure for id, figure in snapshot.windows["today"].items() if not bound[id.partition("~")[0]].moves}


def _screens(settings: Settings, plain: Run, seconds: float = 30.0) -> Iterator[str]:
    """In the end, screens have every entity of the day, with the day's figures."""
    redis, last, shown = Redis.from_url(settings.redis), "", Snapshots(settings.policy)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        last = ""
        for key in plain.entities:
            raw = redis.hget(settings.redis_key(redis_keys.now(entity_kind(key))), entity_id(key))
            found = None if raw is None else _still(shown.read(raw), settings)
            if found != (wanted := _still(plain.snapshot(key), settings)):
                last = f"screen of {key}: {found} is not {wanted}"
                break
        if not last:
            return
        time.sleep(0.5)
    yield last
