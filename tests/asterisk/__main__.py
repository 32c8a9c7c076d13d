"""``make asterisk``: real calls through a real Asterisk, followed under kills and cuts, and compared with its complete log; exit code 1 where
anything differs.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from deploy.local.kafka import LocalKafka
from deploy.local.redis import LocalRedis
from streams.addresses import HOST
from streams.kafka.topics import ensure_topics
from streams.settings import Settings
from streams.system_clock import machine_ms
from tests.asterisk.comparing import Evidence, compare, iso
from tests.asterisk.driving import Driver
from tests.asterisk.following import EDGE_SECONDS, Following, disturb, until
from tests.asterisk.proxy import Proxy
from tests.asterisk.root import CACHE, asterisk_root
from tests.asterisk.switch import QUEUES, SECRET, USER, Switch
from tests.asterisk.telephones import agents, callers
from tests.support.operation import policy_file, settled, worker

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is done in a run."""

    calls: int
    kills: int
    cuts: int
    rotations: int
    rate: float
    seed: int

    def moments(self, chance: random.Random) -> list[tuple[float, str]]:
        """When what happens to the follower, seconds from the first call."""
        lasts = self.calls / self.rate
        return sorted(
            [(chance.uniform(0.02, 1.0) * lasts, "kill") for _ in range(self.kills)]
            + [(chance.uniform(0.02, 1.0) * lasts, "cut") for _ in range(self.cuts)]
            + [((number + 0.5) / self.rotations * lasts, "rotate") for number in range(self.rotations)]
        )


def main(
    calls: Annotated[int, typer.Option(help="SIP calls; the heavy form has 2000")] = 200,
    kills: Annotated[int, typer.Option(help="How often the follower is killed")] = 10,
    cuts: Annotated[int, typer.Option(help="How often it is cut off from AMI")] = 5,
    rotations: Annotated[int, typer.Option(help="How often the log is rotated")] = 3,
    rate: Annotated[float, typer.Option(help="Calls a second")] = 1.6,
    seed: Annotated[int, typer.Option(help="Of the callers and of what happens to them")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the run's files where they are, and say where")] = False,
) -> None:
    """Run real calls through a real Asterisk and a follower that is killed, and compare all that is counted with the complete log."""
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    os.environ.setdefault("DESKPULSE_PSEUDONYM_KEY", "make asterisk")
    os.environ["AMI_SECRET"] = SECRET
    root = asterisk_root(say)
    place = Path(mkdtemp(prefix="run-", dir=CACHE))
    switch = Switch(root, place.name)
    try:
        with ExitStack() as opened:
            settings = _brokers(opened, place)
            opened.callback(switch.stop)
            switch.start(say)
            proxy = Proxy(switch.port)
            opened.callback(proxy.close)
            wrong = compare(
                _run(switch, proxy, settings, place, Plan(calls, kills, cuts, rotations, rate, seed), say), say
            )
    finally:
        if keep:
            say(f"kept: {place} and {switch.place}")
        else:
            switch.remove()
            shutil.rmtree(place, ignore_errors=True)
    for line in wrong:
        say(f"WRONG {line}")
    say("all is as the complete log has it" if not wrong else f"{len(wrong)} differences")
    raise typer.Exit(1 if wrong else 0)


def _brokers(opened: ExitStack, place: Path) -> Settings:
    for server in (kafka := LocalKafka(place / "kafka"), redis := LocalRedis(place / "redis")):
        server.start()
        opened.callback(server.kill)
    settings = Settings(
        broker=kafka.address, redis=redis.address, prefix="asterisk.", partitions=4, data_dir=place / "data",
        policy_file=policy_file(place, time_zone="UTC"),
    )  # fmt: skip
    ensure_topics(settings)
    return settings


def _run(switch: Switch, proxy: Proxy, settings: Settings, place: Path, plan: Plan, say: Say) -> Evidence:
    chance, file = random.Random(plan.seed), place / "asterisk.yaml"
    wrap_ups = {queue: wrap_up for queue, (_, wrap_up) in QUEUES.items() if wrap_up}
    file.write_text(
        f"queue_log: {switch.queue_log}\n"
        f"ami: {{host: {HOST}, port: {proxy.port}, user: {USER}, secret: $AMI_SECRET, wrap_up_seconds: {wrap_ups}}}\n"
    )
    following = Following(settings, file)
    with worker(settings), _telephones(switch, place), Driver(switch, plan.seed, place / "ami.txt") as driver:
        following.start()
        until("the follower is connected", following.connected)
        since = machine_ms() / 1000
        coming = callers(switch, place, plan.calls, plan.rate, plan.seed)
        say(
            f"{plan.calls:,} callers, {plan.rate:g} a second; {plan.kills} kills, {plan.cuts} cuts, {plan.rotations} rotations"
        )
        breaks = disturb(plan.moments(chance), following, driver, proxy, chance)
        breaks.spans.append((0.0, since + EDGE_SECONDS))  # before it was connected first
        until("the callers have gone", lambda: coming.exit_code is not None, 3600)
        driver.calm()
        until("no call is left", lambda: _open_calls(switch) == 0)
        if driver.failed is not None:
            raise driver.failed
        say(f"done to the calls: {dict(driver.did)}")
        time.sleep(35.0)  # until what one side alone has told is named
        whole = _complete(switch, place)
        last = iso(int(whole.read_text().splitlines()[-1].split("|")[0]))
        for _ in range(2):  # a line of the last second may have come behind what was read
            until("the follower has read all", lambda: _has_read(following, last))
            time.sleep(2.0)
        health = following.health()
        following.stop()
        settled(settings)
        say(f"the worker has taken in everything; {breaks.kills} kills, {breaks.cuts} cuts")
    return Evidence(settings, file, whole, health, driver, breaks, since)


@contextmanager
def _telephones(switch: Switch, place: Path) -> Iterator[None]:
    running = agents(switch, place)
    try:
        yield
    finally:
        for process in running:
            process.stop(2)


def _open_calls(switch: Switch) -> int:
    with switch.driven() as link:
        link.send("CoreStatus", ActionID="open")
        while True:
            for message in link.receive(5.0):
                if message.get("ActionID") == "open":
                    return int(message["CoreCurrentCalls"])


def _has_read(following: Following, last: str) -> bool:
    said = following.health()
    return said.get("unread_bytes") == 0 and str(said.get("last_line", "")) >= last


def _complete(switch: Switch, place: Path) -> Path:
    """The whole log, what it was rotated to first."""
    parts = sorted(switch.queue_log.parent.glob("queue_log.*"), key=lambda path: -int(path.suffix[1:]))
    whole = place / "whole"
    whole.write_text("".join(path.read_text() for path in (*parts, switch.queue_log)))
    return whole


if __name__ == "__main__":
    typer.run(main)
