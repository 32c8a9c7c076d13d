"""The notifier is killed again and again, half of the times between a robot's 200 and its own journal: counted from the robots' own logs.

``DESKPULSE_TEST_KILLS`` says how often (2; ``make killed`` takes 20).
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Lock, Thread

import httpx
import pytest

from deploy.local.ports import free_port
from streams.contracts.outputs import Incident
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.integration.test_notifier import put
from tests.integration.test_screens import eventually
from tests.support.notifying import incident
from tests.support.operation import answers, http_get, program
from tests.support.robots import FakeRobot

_KILLS = int(os.environ.get("DESKPULSE_TEST_KILLS", "2"))

pytestmark = [pytest.mark.services, pytest.mark.timeout(120 + 90 * _KILLS)]

_CONFIG = """
language: zh
channels:
  floor: {type: dingtalk, url: $FLOOR}
  hook: {type: webhook, url: $HOOK}
routes:
  all: {to: [floor, hook]}
digest: {messages: 20, seconds: 1}
"""
_COPY = "可能重复"


@contextmanager
def _served(robots: dict[str, FakeRobot], taken: Callable[[str], None]) -> Iterator[str]:
    """Robots behind HTTP. ``taken``: called when one has taken a message, before its answer leaves."""
    one_at_a_time = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body, name = self.rfile.read(int(self.headers["Content-Length"])), self.path.split("/")[1]
            asked = httpx.Request("POST", f"http://robot{self.path}", headers=dict(self.headers), content=body)
            with one_at_a_time:
                answer = robots[name].answer(asked)
                if answer.is_success:
                    taken(name)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # who asked has been killed
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _seconds() -> float:
    return machine_ms() / 1000


def _new(number: int) -> Incident:
    """An incident of its own, which its text says."""
    now = instant(machine_ms())
    return incident(f"i{number:02}", at=now, name_zh=f"第{number:02}号告警", name_en=f"Alert {number:02}")


def test_killed_again_and_again_every_step_is_told_and_copies_say_so(
    operation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, file, rng = free_port(), tmp_path / "notify.yaml", Random(5)
    file.write_text(_CONFIG, encoding="utf-8")
    here = operation.model_copy(update={"clock": "wall", "notify_file": file})
    floor, hook = FakeRobot("dingtalk", _seconds), FakeRobot("webhook", _seconds)
    armed: list[Callable[[], None]] = []
    in_flight = 0

    def taken(name: str) -> None:
        if name == "floor" and armed:
            armed.pop()()

    with _served({"floor": floor, "hook": hook}, taken) as address:
        for name, value in {"FLOOR": f"{address}/floor", "HOOK": f"{address}/hook", "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        for kill in range(_KILLS):
            with program(here, f"notifier-{kill}", "notifier", "--port", str(port)) as process:
                answers(f"http://127.0.0.1:{port}/healthz", process)
                eventually(lambda: http_get(f"http://127.0.0.1:{port}/readyz").status_code == 200, 60)
                if kill % 2:  # between the robot's 200 and our journal
                    armed.append(process.kill)
                    put(here, _new(kill))
                    eventually(lambda: not armed, 90)
                    in_flight += 1
                else:  # at any moment
                    put(here, _new(kill))
                    time.sleep(rng.uniform(0, 1.5))
                    process.kill()
        with program(here, "notifier-last", "notifier", "--port", str(port)) as process:
            answers(f"http://127.0.0.1:{port}/healthz", process)
            steps = [f"第{kill:02}号告警" for kill in range(_KILLS)]
            eventually(lambda: all(any(step in one.text for one in floor.seen) for step in steps), 120)
            eventually(lambda: len({one.headers["webhook-id"] for one in hook.seen}) == _KILLS, 120)
            eventually(lambda: sum(_COPY in one.text for one in floor.seen) >= in_flight, 120)
            process.stop()
            assert process.exit_code == 0
    _holds(floor, hook, steps, in_flight)


def _holds(floor: FakeRobot, hook: FakeRobot, steps: list[str], in_flight: int) -> None:
    first = Counter(step for one in floor.seen for step in steps if step in one.text and _COPY not in one.text)
    copies = Counter(step for one in floor.seen for step in steps if step in one.text and _COPY in one.text)
    seen = f"first {dict(first)}, copies {dict(copies)}"
    print(
        f"{len(steps)} kills: {first.total()} messages, {copies.total()} said to be copies maybe; {len(hook.seen)} calls of the webhook"
    )
    assert set(first | copies) == set(steps), seen
    assert max(first.values()) == 1, seen
    assert in_flight <= copies.total() <= len(steps), seen
    assert (floor.mutes, floor.refused) == (0, [])
    by_key = Counter(one.headers["webhook-id"] for one in hook.seen)
    bodies = {key: {one.text for one in hook.seen if one.headers["webhook-id"] == key} for key in by_key}
    assert len(by_key) == len(steps)
    assert all(len({_about(text) for text in told}) == 1 for told in bodies.values())
    assert by_key.total() - len(by_key) <= len(steps)


def _about(text: str) -> str:
    """Which incident a call of the webhook is about."""
    return str(httpx.Response(200, text=text).json()["incident"]["id"])
