"""The main job on a living, simulated desk: brokers, worker, wallboard, history, the desk, events on the event clock, a month-end score."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as day_time
from itertools import chain, takewhile
from pathlib import Path

import httpx
from redis import Redis
from redis.exceptions import RedisError

from deploy import demo_desk, demo_month
from deploy.local.brokers import open_kafka, open_redis
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.addresses import HOST, is_free
from streams.contracts import redis_keys as keys
from streams.contracts.events import AgentScheduled, AgentStateChanged
from streams.contracts.outputs import Figure, RosterEntry
from streams.contracts.topics import TOPICS
from streams.entities.snapshot import Snapshots
from streams.kafka.connection import kafka_python_options
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.operation import KafkaOperation
from streams.settings import Settings, environment
from streams.sources.producer import EventProducer
from streams.sources.replay import paced
from streams.sources.simulated import roster, simulate

Say = Callable[[str], None]

#: The simulated morning before the desk is shown, sent at full speed, so that no window is empty.
_MORNING_FROM, _SHOWN_FROM = day_time(9, 0), day_time(11, 55)
_STARTS_WITHIN_SECONDS = 90
_LINE_EVERY_SECONDS = 3.0
#: A whole day that long before, sent first: what has to wait some days until it can be told, such as first contact resolution, is told.
_DAY_BEFORE = timedelta(days=10)
#: What a demo leaves in its directory.
_OWN = frozenset(
    {"faust", "kafka", "redis", "logs", "people.csv", "inputs.csv"}
    | {f"{name}.db{more}" for name in ("scores", "history") for more in ("", "-wal", "-shm")}
)


@dataclass(frozen=True)
class Plan:
    """What the demo is to do. ``seconds``: None runs until interrupted. ``day``: the simulated date."""

    settings: Settings
    own_kafka: str | None
    own_redis: str | None
    seed: int
    speed: float
    seconds: float | None
    port: int
    day: date
    scores: Path


def run(plan: Plan, say: Say) -> None:
    """Run the demo until its time is up or KeyboardInterrupt; stops all that it started.

    Raises RuntimeError where a part does not start, with its last words.
    """
    began = time.monotonic()
    data = plan.settings.data_dir.absolute()
    _clear(data)
    with ExitStack() as stack:
        kafka = stack.enter_context(
            open_kafka(
                data / "kafka",
                say,
                plan.own_kafka,
                connection=kafka_python_options(plan.settings),
                topics=[plan.settings.topic(topic) for topic in TOPICS],
            )
        )
        redis = stack.enter_context(open_redis(data / "redis", say, plan.own_redis))
        settings = plan.settings.model_copy(
            update={
                "broker": kafka.address,
                "redis": redis.address,
                "broker_version": kafka.broker_version or plan.settings.broker_version,
                "partitions": kafka.partitions or plan.settings.partitions,
                "clock": "event",
                "data_dir": data,
            }
        )
        desk_port, secret = free_port(), demo_desk.password()
        desk_address = f"http://127.0.0.1:{desk_port}"
        settings = settings.model_copy(update={"web_url": desk_address})
        if kafka.durable:
            ensure_topics(settings)
        people = demo_month.on_card(roster(plan.seed))
        KafkaOperation(settings).publish_roster(_by_agent(people))
        metrics_port = free_port()
        declare = "--declare" if kafka.durable else "--no-declare"
        worker = stack.enter_context(
            _running(
                settings,
                data,
                "worker",
                ["worker", "--metrics-host", HOST, "--metrics-port", str(metrics_port), declare],
            )
        )
        incidents_port = free_port()
        incidents = stack.enter_context(
            _running(
                settings,
                data,
                "incidents",
                ["incidents", "--metrics-host", HOST, "--metrics-port", str(incidents_port), declare],
            )
        )
        stack.enter_context(_running(settings, data, "history", ["history", "--metrics-port", "0"]))
        port = plan.port if plan.port and is_free(plan.port) else free_port()
        board = stack.enter_context(_running(settings, data, "wallboard", ["wallboard", "--port", str(port)]))
        demo_desk.make(settings, people, secret, data / "people.csv")
        desk = stack.enter_context(_running(settings, data, "web", ["web", "--port", str(desk_port)]))
        address = f"http://127.0.0.1:{port}/"
        _wait_for(f"{address}healthz", board, say)
        _wait_for(f"http://127.0.0.1:{metrics_port}/metrics", worker, say)
        _wait_for(f"http://127.0.0.1:{incidents_port}/metrics", incidents, say)
        _wait_for(f"{desk_address}/healthz", desk, say)
        say(f"wallboard  {address}")
        names = ", ".join(one.name for one in demo_desk.everybody(people))
        say(f"the desk   {desk_address}/  log in as {names}; password {secret}")
        say(f"metrics    http://127.0.0.1:{metrics_port}/metrics")
        say(f"incidents  deskpulse alert list --broker {settings.broker}")
        say(f"logs       {data / 'logs'}")
        say(
            f"ready in {time.monotonic() - began:.0f} s; the simulated {plan.day}, {plan.speed:g}× real time; Ctrl-C ends it"
        )
        interrupted = False
        try:
            _live(plan, settings, worker, say)
        except KeyboardInterrupt:
            interrupted = True
            say("ending")
        if not interrupted:
            _score(plan, settings, data, say)


def _clear(data: Path) -> None:
    """Take away what an earlier demo has left. Raises ValueError where something else lies there."""
    if others := sorted(file.name for file in data.iterdir() if file.name not in _OWN) if data.is_dir() else ():
        raise ValueError(
            f"{data} has files of somebody else ({others[0]}); give another DESKPULSE_DATA_DIR, or move them"
        )
    shutil.rmtree(data, ignore_errors=True)


def _by_agent(entries: list[RosterEntry]) -> dict[str, list[RosterEntry]]:
    out: dict[str, list[RosterEntry]] = {}
    for entry in entries:
        out.setdefault(entry.agent_id, []).append(entry)
    return out


@contextmanager
def _running(settings: Settings, data: Path, name: str, arguments: list[str]) -> Iterator[ServerProcess]:
    process = ServerProcess(
        [sys.executable, "-m", "streams", *arguments],
        directory=data,
        log=data / "logs" / f"{name}.log",
        environment=environment(settings),
    )
    process.start()
    try:
        yield process
    finally:
        process.stop()


def _wait_for(url: str, process: ServerProcess, say: Say) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if process.exit_code is not None:
            break
        try:
            if httpx.get(url, timeout=2, trust_env=False).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} does not answer. The last words of {process.log}:\n{process.last_words()}")


def _live(plan: Plan, settings: Settings, worker: ServerProcess, say: Say) -> None:
    zone = settings.policy.zone
    opening = datetime.combine(plan.day, _MORNING_FROM, zone)
    shown = datetime.combine(plan.day, _SHOWN_FROM, zone)
    events = simulate(plan.seed, opening)
    with EventProducer(settings) as producer:
        say(f"sent a day of the weeks before: {_day_before(plan, producer, opening - _DAY_BEFORE):,} events")
        wait_until_processed(settings, 300)  # so that nobody is shown that day
        count = 0
        following = None
        for event in events:
            if event.time >= shown:
                following = event
                break
            producer.send(event)
            count += 1
        producer.flush()
        say(f"sent the morning: {count:,} events from {opening:%H:%M} to {shown:%H:%M}")
        screen = _Screen(settings, say)
        end = None if plan.seconds is None else time.monotonic() + plan.seconds

        def look() -> None:
            screen.line()
            if worker.exit_code is not None:
                raise RuntimeError(f"the worker has ended. The last words of {worker.log}:\n{worker.last_words()}")

        for event in paced(chain([following] if following else [], events), plan.speed, look):
            if end is not None and time.monotonic() >= end:
                break
            producer.send(event)


def _day_before(plan: Plan, producer: EventProducer, opening: datetime) -> int:
    """Send the contacts of a whole day; how many events they have."""
    end = datetime.combine(opening.date() + timedelta(days=1), day_time(), opening.tzinfo)
    count = 0
    for event in takewhile(lambda event: event.time < end, simulate(plan.seed, opening)):
        if not isinstance(event, AgentStateChanged | AgentScheduled):
            producer.send(event)
            count += 1
    producer.flush()
    return count


class _Screen:
    """A line of the operation's figures every few seconds, from what screens read."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._key = settings.redis_key
        self._redis = Redis.from_url(settings.redis, socket_timeout=2)
        self._snapshots = Snapshots(settings.policy)
        self._zone = settings.policy.zone
        self._say = say
        self._next = time.monotonic() + _LINE_EVERY_SECONDS

    def line(self) -> None:
        """Say the line when it is time for one."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LINE_EVERY_SECONDS
        try:
            raw = self._redis.hget(self._key(keys.now("all")), "all")
            alerts = self._redis.hlen(self._key(keys.ALERTS))
        except RedisError as error:
            self._say(f"Redis does not answer: {error}")
            return
        if raw is None:
            self._say("no figures yet")
            return
        shown = self._snapshots.read(raw)
        figure = shown.figure
        self._say(
            f"{shown.as_of.astimezone(self._zone):%H:%M:%S}  offered today {figure('today', 'offered_calls').n}  "
            f"answered in 20 s {_percent(figure('5m', 'service_level_20s'))}  waiting {shown.waiting} "
            f"(longest {shown.longest_wait or 0:.0f} s)  first response in 30 s {_percent(figure('5m', 'first_response_30s_rate'))}  "
            f"satisfied {_percent(figure('30m', 'csat'))}  alerts open {alerts}"
        )


def _percent(figure: Figure) -> str:
    return "—" if figure.value is None else f"{figure.value * 100:.0f} % of {figure.n}"


def _score(plan: Plan, settings: Settings, data: Path, say: Say) -> None:
    say("waiting until every event is counted")
    wait_until_processed(settings, 120)
    score = ServerProcess(
        [
            sys.executable,
            "-m",
            "deploy.demo_month",
            f"{plan.day:%Y-%m}",
            str(plan.scores.absolute()),
            str(plan.seed),
        ],
        directory=data,
        log=data / "logs" / "score.log",
        environment=environment(settings),
    )
    score.start()
    deadline = time.monotonic() + 120
    while score.exit_code is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if score.exit_code != 0:
        score.stop()
        raise RuntimeError(f"the month-end score was not made:\n{score.last_words()}")
    say(score.last_words(200))
    score.stop()
