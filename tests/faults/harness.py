"""Runs workers as processes on a Kafka and a Redis of its own while faults happen, and compares what they made with an undisturbed run.

``python -m tests.faults`` runs a long one.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Thread

import msgspec
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
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import Alert, Figure, Snapshot, entity_id, entity_kind
from streams.entities.entity import load as load_entity
from streams.entities.snapshot import Snapshots
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.kpi.formulas import formulas
from streams.kpi.spec import side_of
from streams.operation import KafkaOperation
from streams.pipeline import Run, run
from streams.settings import Settings, environment
from streams.sources.producer import EventProducer
from streams.sources.simulated import simulate
from tests.faults.plan import LEAST, Fault
from tests.support.operation import facts, messages
from tests.support.states import differences, latest, of_customers, of_entities, stored_customers

_START = datetime(2026, 3, 2, 1, tzinfo=UTC)
_RATHER_LATE, _TWICE = 400, 0.05
_SETTLED_SECONDS = 300.0
_READY_SECONDS = 60.0
_REDIS_AWAY_SECONDS = 3.0
_AWAY_SECONDS = 60.0
#: A frozen worker's partitions go to others when its session is over.
_FROZEN_SECONDS = 13.0


def shuffled(count: int, seed: int, agents: int = 60) -> list[AnyEvent]:
    """The first events of a simulated desk, some of them up to 400 places late, one in twenty sent twice."""
    dice = random.Random(seed)
    desk = islice(simulate(seed, _START, agents=agents), count)
    placed = [(number + dice.uniform(0, _RATHER_LATE), event) for number, event in enumerate(desk)]
    placed += [(place + dice.choice((3, 5 * _RATHER_LATE)), event) for place, event in placed if dice.random() < _TWICE]
    return [event for _, event in sorted(placed, key=lambda one: one[0])]


@dataclass
class Told:
    """What a run came to. ``wrong``: what differs, in words; empty where nothing was lost and nothing counted twice."""

    events: int
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Desk:
    """The operation under test: brokers, and workers by name."""

    def __init__(self, directory: Path, say: Callable[[str], None], partitions: int) -> None:
        self._directory, self._say = directory, say
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
        self.workers: dict[str, ServerProcess] = {}
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
        process = ServerProcess(
            [sys.executable, "-m", "streams", "worker", "--metrics-port", str(free_port()), "--no-declare"],
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
                time.sleep(_AWAY_SECONDS)
                self.kafka.restart()
                self.look_after()
            case "redis":
                self.redis.kill()
                time.sleep(_REDIS_AWAY_SECONDS)
                self.redis.restart()

    def look_after(self) -> None:
        """A worker whose Kafka went away while it started is started again, as by Kubernetes; any other is to stay alive."""
        for name, process in list(self.workers.items()):
            if process.exit_code is not None:
                words = process.last_words(60)
                assert "Unable to bootstrap" in words, f"{name} ended by itself:\n{words}"
                self._say(f"          {name} had found no Kafka; started again")
                self.start(name)

    def stop(self) -> None:
        """End everything."""
        for process in self.workers.values():
            process.stop()
        self.redis.stop()
        self.kafka.stop()


def disturbed(
    directory: Path,
    events: Sequence[AnyEvent],
    faults: Iterable[Fault],
    *,
    partitions: int = 4,
    rate: float = 2000.0,
    say: Callable[[str], None] = lambda _: None,
) -> Told:
    """Send ``events`` at ``rate`` a second while ``faults`` happen; when both are through and all is processed, compare.

    Raises TimeoutError where the workers do not come to the end, AssertionError where one ended by itself.
    """
    told, began = Told(len(events)), time.monotonic()
    desk = Desk(directory, say, partitions)
    try:
        for _ in range(LEAST):
            desk.start()
        failures: list[BaseException] = []
        feed = Thread(target=_feed, args=(desk.settings, events, rate, failures))
        feed.start()
        for number, fault in enumerate(faults):
            time.sleep(fault.after)
            say(f"{time.monotonic() - began:6.1f} s  {number + 1}: {fault.kind}")
            desk.do(fault)
            told.faults[fault.kind] += 1
            if failures:
                raise failures[0]
        feed.join()
        desk.look_after()
        if failures:
            raise failures[0]
        say(f"{time.monotonic() - began:6.1f} s  all sent, all faults done; waiting until all is processed")
        wait_until_processed(desk.settings, _SETTLED_SECONDS)
        say(f"{time.monotonic() - began:6.1f} s  processed; comparing")
        told.wrong = list(_wrong(desk.settings, events))
    finally:
        desk.stop()
    told.seconds = time.monotonic() - began
    return told


def _feed(settings: Settings, events: Sequence[AnyEvent], rate: float, failures: list[BaseException]) -> None:
    try:
        with EventProducer(settings) as producer:
            began = time.monotonic()
            for number, event in enumerate(events):
                if number % 100 == 0 and (ahead := began + number / rate - time.monotonic()) > 0:
                    time.sleep(ahead)
                producer.send(event)
    except BaseException as error:
        failures.append(error)


# -- what must be so ----------------------------------------------------------------------------------------------------


def _wrong(settings: Settings, events: Sequence[AnyEvent]) -> Iterator[str]:
    plain = run([encode(event) for event in events], settings.policy)
    assert plain.now is not None
    assert not plain.rejected
    since = plain.now - 30 * 86_400_000
    if found := differences({fact.key: fact.sums for fact in plain.daily_facts() if fact.sums}, facts(settings)):
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
    yield from _scores(settings, plain)
    yield from _alerts(settings, {key: entity.alerts for key, entity in entities.items()})
    yield from _screens(settings, plain)


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


def _alerts(settings: Settings, states: dict[str, dict[str, object]]) -> Iterator[str]:
    """Each alert fires once and is resolved once, in turn, and stands at the end where the entity's state says."""
    steps: dict[str, list[Alert]] = {}
    for record in messages(settings, topics.ALERTS.name):
        steps.setdefault(record.key.decode(), []).append(msgspec.json.decode(record.value, type=Alert))
    for key, told in sorted(steps.items()):
        kinds = [step.status for step in told]
        if kinds != [("firing", "resolved")[number % 2] for number in range(len(kinds))]:
            yield f"alert {key}: {kinds}"
    fires = {key for key, told in steps.items() if told[-1].status == "firing"}
    stored = {
        f"{rule}|{entity}"
        for entity, alerts in states.items()
        for rule, state in alerts.items()
        if state.status == "firing"  # type: ignore[attr-defined]
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
