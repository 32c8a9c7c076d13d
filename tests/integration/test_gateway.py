"""The gateway before a real Kafka: webhooks doubled and shuffled, a burst, and kill -9 in it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams import pipeline
from streams.contracts.decode import encode
from streams.settings import Settings
from streams.system_clock import machine_ms
from tests.support.operation import answers, facts, http_get, messages, program, settled, worker
from tests.support.webhooks import as_body, day_of, signed
from tests.unit.streams.gateway.test_vendors import plain

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]
FILE = "sources: {chatwoot: {vendor: chatwoot, secret: $CHATWOOT_SECRET}, ivr: {token: $IVR_TOKEN}}\n"
#: A request: where to, what, and with which headers.
Sent = tuple[str, bytes, dict[str, str]]


@contextmanager
def gateway(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, ServerProcess]]:
    """A gateway that takes events; its address, and its process."""
    for name, value in (("CHATWOOT_SECRET", "s"), ("IVR_TOKEN", "t"), ("DESKPULSE_PSEUDONYM_KEY", "key")):
        monkeypatch.setenv(name, value)
    file, port = tmp_path / "gateway.yaml", free_port()
    file.write_text(FILE)
    with program(settings, f"gateway-{port}", "gateway", "--config", str(file), "--port", str(port)) as process:
        address = f"http://127.0.0.1:{port}"
        answers(f"{address}/healthz", process)
        deadline = time.monotonic() + 60
        while http_get(f"{address}/readyz").status_code != 200:
            assert time.monotonic() < deadline, process.last_words()
            time.sleep(0.1)
        yield address, process


async def send(
    address: str, requests: Sequence[Sent], at_once: int, then: Callable[[int], Awaitable[None]] | None = None
) -> list[tuple[int, float]]:
    """Each request's status (0: it was cut off) and seconds, so many at once; ``then`` is told how many are through."""
    results: list[tuple[int, float]] = [(0, 0.0)] * len(requests)
    waiting, done = iter(enumerate(requests)), 0
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=10, trust_env=False) as http:

        async def one_after_the_other() -> None:
            nonlocal done
            for number, (path, body, headers) in waiting:
                began = time.perf_counter()
                try:
                    status = (await http.post(path, content=body, headers=headers)).status_code
                except httpx.HTTPError:
                    status = 0
                results[number] = status, time.perf_counter() - began
                done += 1
                if then is not None:
                    await then(done)

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return results


def webhook(payload: dict[str, Any]) -> Sent:
    body = as_body(payload)
    return "/events/chatwoot", body, signed("s", body, machine_ms() // 1000)


def event(number: int) -> Sent:
    at = datetime.fromtimestamp(machine_ms() // 1000, UTC).isoformat()
    told = {"type": "call.queued", "id": f"C{number}-queued", "time": at, "contact_id": f"C{number}"}
    return "/events/ivr", msgspec.json.encode(told), {"Authorization": "Bearer t", "Content-Type": "application/json"}


def disturbed(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """5 % twice, and 10 % at another place."""
    dice, few = random.Random(7), len(payloads)
    again = [*payloads, *dice.sample(payloads, few // 20)]
    for _ in range(len(again) // 10):
        again.insert(dice.randrange(few), again.pop(dice.randrange(few)))
    return again


def test_webhooks_doubled_and_shuffled_are_counted_once(
    operation: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    began = machine_ms() // 1000 - 3600
    payloads = [payload for number in range(1, 9) for payload in day_of(number, began + number * 7)]
    with gateway(operation, monkeypatch, tmp_path) as (address, _), worker(operation):
        results = asyncio.run(send(address, [webhook(payload) for payload in disturbed(payloads)], 8))
        assert {status for status, _ in results} == {200}
        settled(operation)
        counted = facts(operation, "queue", "agent")
        told = http_get(f"{address}/deliveries").json()["sources"]["chatwoot"]
    events = [
        encode(one)
        for payload in payloads
        for one in plain("chatwoot").read(as_body(payload), "", {}, machine_ms()).events
    ]
    right = {fact.key: fact.sums for fact in pipeline.run(events, operation.policy).daily_facts() if fact.sums}
    assert counted
    assert counted == {key: sums for key, sums in right.items() if not key.startswith("all|")}
    assert (told["requests"], told["refused"]) == ({"200": len(results)}, {})


def test_every_2xx_of_a_burst_is_in_kafka_though_it_is_killed_in_it(
    operation: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requests = [event(number) for number in range(400)]
    with gateway(operation, monkeypatch, tmp_path) as (address, process):

        async def kill(done: int) -> None:
            if done == len(requests) // 2:
                process.kill()

        results = asyncio.run(send(address, requests, 64, kill))
    good = {f"C{number}-queued" for number, (status, _) in enumerate(results) if status == 200}
    there = [msgspec.json.decode(record.value)["id"] for record in messages(operation, "calls")]
    assert {status for status, _ in results} <= {0, 200, 503}
    assert len(good) >= len(requests) // 4
    assert good <= set(there)
    assert set(there) <= {f"C{number}-queued" for number in range(len(requests))}
