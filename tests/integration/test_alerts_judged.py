"""The steps of a live run's alerts, and those of ``deskpulse alert try --as-judged``: the same, one for one, figure for figure.

Ratings come late, are corrected and taken back; in the middle more comes at once than workers keep up with; one is killed by -9 in it, and
later another hands over what it has. Days by ``DESKPULSE_TEST_DAYS``, four where it is not set: 31 are a month (``make judged``).
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.archive.process import run_once
from streams.archive.store import Store
from streams.back_test.judged import Partitions, of_archive, of_topic, run_as_judged
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import Alert
from streams.kafka.topics import ensure_topics
from streams.operator_files import load_rules
from streams.pipeline import Run
from streams.settings import Settings
from streams.sources.producer import EventProducer
from tests.support.late_ratings import days
from tests.support.operation import answers, http_get, messages, metric, policy_file, program, run_cli, send, settled

DAYS = int(os.environ.get("DESKPULSE_TEST_DAYS", "4"))
pytestmark = [pytest.mark.services, pytest.mark.timeout(600 + 60 * DAYS)]

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
#: Events that are sent at once, and a pause of so many seconds after; in the middle third there is none.
AT_ONCE, PAUSE = 5, 0.1
RULES = """
rules:
  - {id: low, zh: 满意度低, en: Low satisfaction, kpi: csat, window: 30m, below: 0.8, clear: 0.85, min_n: 1, for: 60, scope: [agent, team, all]}
  - {id: wait, zh: 等待过久, en: Long wait, kpi: longest_wait, window: now, above: 30, clear: 10, for: 5, scope: [queue, all]}
  - {id: slow, zh: 接起慢, en: Slow, kpi: service_level_20s, window: 30m, below: 0.8, min_n: 2, scope: [queue, all], no_data_for: 600}
  - {id: away, zh: 小休多, en: Away, kpi: away_time, window: 30m, above: 1200, scope: [agent]}
  - {id: day, zh: 今日满意度, en: Satisfaction today, kpi: csat, window: today, below: 0.8, min_n: 3, scope: [team, all]}
  - {id: fell, zh: 满意度下降, en: Satisfaction has fallen, kpi: csat, test: cusum, from: 0.85, to: 0.6, false_per_week: 5, min_n: 4, scope: [agent, team, all]}
"""


@contextmanager
def worker(settings: Settings, name: str) -> Iterator[tuple[ServerProcess, str]]:
    port = free_port()
    with program(settings, name, "worker", "--metrics-port", str(port)) as process:
        address = f"http://127.0.0.1:{port}/metrics"
        answers(address, process)
        yield process, address


def works(address: str) -> bool:
    try:
        return bool(http_get(address.replace("metrics", "readyz"), timeout=5).json()["partitions"])
    except (httpx.HTTPError, KeyError, ValueError):
        return False


def until(what: object, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.2)


def steps(partitions: Partitions, settings: Settings) -> list[Alert]:
    """Of a trial, as the topic would have them."""
    rules = load_rules(settings.rules_file)
    told = (step for _, found in run_as_judged(partitions, settings.policy, rules, Run()) for step in found)
    return [msgspec.json.decode(msgspec.json.encode(step), type=Alert) for step in told]


def differing(tried: list[Alert], live: list[Alert]) -> list[str]:
    """What only one of them has, in words."""
    by = [
        (
            name,
            Counter(
                f"{one.at} {one.rule} {one.entity} {one.status} {one.update} {one.value} {one.n} {one.since}"
                for one in told
            ),
        )
        for name, told in (("tried", tried), ("live", live))
    ]
    return sorted(
        f"{what} only {name}" for (name, own), (_, other) in (by, by[::-1]) for what in (own - other).elements()
    )


def in_order(told: list[Alert]) -> list[Alert]:
    return sorted(told, key=lambda step: (step.at, step.entity, step.rule, step.update, step.status))


def test_the_trial_gives_the_steps_of_the_live_run(settings: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    operation = settings.model_copy(
        update={
            "policy_file": policy_file(tmp_path, time_zone="UTC"),
            "rules_file": rules,
            "archive": str(tmp_path / "archive"),
        }
    )
    ensure_topics(operation)
    events = [event for _, event in days(random.Random(5), START, DAYS, calls=60, every=600)]
    thirds = [
        events[: len(events) // 3],
        events[len(events) // 3 : 2 * len(events) // 3],
        events[2 * len(events) // 3 :],
    ]
    lagged = 0.0
    with ExitStack() as running:
        running.enter_context(program(operation, "incidents", "incidents", "--metrics-port", str(free_port())))
        first, first_at = running.enter_context(worker(operation, "first"))
        second = running.enter_context(worker(operation, "second"))
        until(lambda: works(first_at))
        paced(operation, thirds[0])
        send(operation, thirds[1][: len(thirds[1]) // 2])
        lagged = metric(first_at, "deskpulse_lag")
        first.kill()  # in the middle of it
        send(operation, thirds[1][len(thirds[1]) // 2 :])
        third_process, _ = running.enter_context(worker(operation, "third"))
        until(lambda: works(second[1]))
        paced(operation, thirds[2][: len(thirds[2]) // 2])
        second[0].stop()  # gives all it has to the third
        assert second[0].exit_code == 0
        paced(operation, thirds[2][len(thirds[2]) // 2 :])
        settled(operation)
        time.sleep(3)  # all is quiet: what came last is judged once more
        settled(operation)
        assert third_process.exit_code is None
    live = in_order(
        [msgspec.json.decode(record.value, type=Alert) for record in messages(operation, "alerts") if record.value]
    )
    tried = in_order(steps(of_topic(operation), operation))
    of = Counter(f"{step.rule} {'update' if step.update else step.status}" for step in live)
    print(
        f"{len(events):,} events, lag at the kill {lagged:,.0f}; {len(live):,} steps live, {len(tried):,} tried: {dict(of)}"
    )
    assert sum(not step.update for step in live) > 3 * DAYS
    # A wait is seen where a second that is judged falls into one, which is the worker's pace.
    assert {step.rule for step in live} >= {"low", "slow", "day"}
    assert not differing(tried, live)
    assert tried == live

    run_once(operation, Store(str(operation.archive)), contributions=True)
    assert in_order(steps(of_archive(Store(str(operation.archive)), operation.prefix, None), operation)) == live
    told = json.loads(run_cli(operation, "alert", "try", str(rules), "--as-judged", "topic", "--json"))
    assert lagged > 0
    assert {each["rule"]: each["steps"] for each in told} == {
        rule.id: sum(step.rule == rule.id and not step.update for step in live) for rule in load_rules(rules)
    }


def paced(settings: Settings, events: list[AnyEvent]) -> None:
    """Send so many events a second that workers keep up."""
    with EventProducer(settings) as producer:
        for number, event in enumerate(events):
            producer.send(event)
            if number % AT_ONCE == 0:
                time.sleep(PAUSE)
