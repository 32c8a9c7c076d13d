"""A FreeSWITCH through a real Kafka: followed while it runs, killed again and again, and equal to what happened there."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from deploy.local.ports import free_port
from streams.settings import Settings
from streams.system_clock import machine_ms
from tests.support.freeswitch import PASSWORD, Switch
from tests.support.operation import PATIENCE_SECONDS, answers, facts, http_get, program, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(1800)]
#: Times that the follower is killed; more with `DESKPULSE_KILLS=20`.
KILLS = int(os.environ.get("DESKPULSE_KILLS", "4"))
#: How long anybody may wait, s: by it, what is looked up says why somebody left.
LONGEST = 20
MEASURES = (
    *("calls_offered", "calls_answered", "calls_handled", "calls_abandoned", "calls_flowed_out"),
    *("wait_seconds", "talk_seconds"),
)
AGENTS, QUEUES = [f"a{number}@desk" for number in range(6)], ("support", "sales")


def now_seconds() -> float:
    return machine_ms() / 1000


def play(switch: Switch, stop: Event) -> None:
    """Calls as time goes by, until ``stop``; those that have begun then come to their end."""
    chance, agenda, order = random.Random(7), list[tuple[float, int, Callable[[float], None]]](), count()
    free, number = set(AGENTS), count(1)

    def later(seconds: float, what: Callable[[float], None], at: float) -> None:
        heappush(agenda, (at + seconds, next(order), what))

    def arrives(at: float) -> None:
        if stop.is_set():
            return
        call = switch.join(chance.choice(QUEUES), f"0207946{next(number):04}", at)
        later(chance.uniform(0.2, 0.6), arrives, at)
        kind = chance.random()
        if kind < 0.3 or not free:
            reason = chance.choice(("BREAK_OUT", "NONE", "EXIT_WITH_KEY", "TIMEOUT"))
            waits = LONGEST + 0.1 if reason == "TIMEOUT" else chance.uniform(0.3, 4)
            later(waits, lambda now: switch.leave(call, now, reason), at)
            return
        agent = chance.choice(sorted(free))
        free.discard(agent)

        def rings(now: float) -> None:
            switch.ring(call, agent, now)
            later(chance.uniform(0.1, 1.5), lambda then: answered(then), now)

        def answered(now: float) -> None:
            switch.answer(call, now)
            later(chance.uniform(1, 5), over, now)

        def over(now: float) -> None:
            switch.end(call, now)
            free.add(agent)

        later(chance.uniform(0.1, 2), rings, at)

    heappush(agenda, (now_seconds(), next(order), arrives))
    beats = now_seconds()
    while agenda:
        at, _, what = agenda[0]
        if (wait := at - now_seconds()) > 0:
            time.sleep(min(wait, 0.2))
        else:
            heappop(agenda)
            what(now_seconds())
        if now_seconds() - beats > 1:
            beats = now_seconds()
            switch.fire(beats, "HEARTBEAT")


def test_killed_again_and_again_it_tells_what_happened(
    operation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "key")
    monkeypatch.setenv("FS", PASSWORD)
    records = tmp_path / "cdr"
    records.mkdir()
    switch = Switch(records)
    for queue in QUEUES:
        switch.queue(queue, longest=LONGEST)
    for agent in AGENTS:
        switch.agent(agent, now_seconds())
    file = tmp_path / "freeswitch.yaml"
    file.write_text(f"system: freeswitch\nport: {switch.port}\npassword: $FS\ncdr: cdr\n")
    port, stop = free_port(), Event()
    health = f"http://127.0.0.1:{port}/healthz"
    arguments = ("source", "freeswitch", str(file), "--metrics-port", str(port))
    chance = random.Random(11)

    def differing() -> dict[str, tuple[int, int]]:
        settled(operation)
        counted, found = facts(operation, "queue"), {}
        for queue in QUEUES:
            for name in MEASURES:
                have = sum(sums.get(name, 0) for key, sums in counted.items() if key.startswith(f"queue|{queue}|"))
                if have != switch.truth[queue, name]:
                    found[f"{queue} {name}"] = (switch.truth[queue, name], have)
        return found

    with worker(operation):
        player = Thread(target=play, args=(switch, stop), daemon=True)
        for kill in range(KILLS + 1):
            with program(operation, f"follower-{kill}", *arguments) as process:
                answers(health, process, PATIENCE_SECONDS)
                deadline = time.monotonic() + PATIENCE_SECONDS
                while (told := http_get(health).json())["state"] != "following":
                    assert time.monotonic() < deadline, told
                    time.sleep(0.1)
                if kill == 0:
                    player.start()
                time.sleep(chance.uniform(1, 5))
                if kill < KILLS:
                    process.kill()
                    continue
                stop.set()
                player.join(PATIENCE_SECONDS)
                deadline = time.monotonic() + PATIENCE_SECONDS
                while differs := differing():
                    assert time.monotonic() < deadline, (differs, http_get(health).json())
                    time.sleep(2)
                told = http_get(health).json()
        assert [cut["not_known"] for cut in told["breaks"]] == [[]]
        assert switch.truth["support", "calls_answered"] > KILLS
    switch.close()
