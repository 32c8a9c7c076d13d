"""How many people one process of the desk serves: `deskpulse web` alone on a core, its viewers on the other, an update a second.

    python -m tests.bench.viewers                      # 2,000 viewers for 60 s
    python -m tests.bench.viewers --viewers 200 --seconds 10

Each viewer has a session of their own and holds the board's stream open, as a browser does. They are of 20 teams' supervisors, who see
different parts of a floor of 400 agents on 30 queues. Each second everything that a worker would tell of it is written to Redis: the whole
operation, every team and queue, a twentieth of the agents. Twenty of the viewers are measured: how long after the writing began they
had read the new figure. CPU and memory are those of the desk's process. Needs Java for Kafka (which the desk asks for its topics), and Redis.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from deploy.local.redis import LocalRedis
from streams.contracts.outputs import Presence, Totals
from streams.settings import Settings, environment
from streams.system_clock import machine_ms
from streams.web.access import session_cookie
from streams.web.sessions import begin
from streams.web.store import desk_database
from streams.web.users import By, add
from streams.windows.clock import instant
from streams.worker.screen_writer import Screens
from tests.bench.setting import on_core
from tests.support.board import calls, target, told

_TEAMS, _AGENTS, _QUEUES = 20, 400, 30
_CLIENT_CORE, _DESK_CORE = 0, 1
#: Calls of the whole operation before the first update; the n-th update has n more, by which it is known again.
_BASE = 10_000
_CELL = re.compile(rb'"all\|all":\{"cells":\{[^{}]*"service_level_20s@30m":\[[^,\]]+,(\d+)')
_PAGE_BYTES, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """What came of the updates. ``began``: update → when its writing began; ``took``: seconds until a measured viewer had read it."""

    began: dict[int, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    received: int = 0
    open: int = 0
    cut: int = 0


class Viewer(asyncio.Protocol):
    """Holds a stream open. ``measured``: reads the figures of it; else it only takes what comes."""

    def __init__(self, tally: Tally, cookie: str, port: int, measured: bool) -> None:
        self._tally, self._measured, self._rest = tally, measured, b""
        self._head: bytes | None = b""
        self._request = (
            f"GET /api/board/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
            "Accept: text/event-stream\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Some of the stream."""
        self._tally.received += len(data)
        if self._head is not None:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            head, _, data = self._head.partition(b"\r\n\r\n")
            assert b" 200 " in head.split(b"\r\n", 1)[0], head.decode()
            assert b"content-encoding" not in head.lower(), "the stream is compressed: read it so"
            self._head = None
            self._tally.open += 1
        if not self._measured:
            return
        now = time.monotonic()
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        for event in whole:
            if (found := _CELL.search(event)) and (began := self._tally.began.get(int(found[1]) - _BASE)) is not None:
                self._tally.took.append(now - began)

    def connection_lost(self, _: Exception | None) -> None:
        """The desk has let it go."""
        self._tally.cut += 1

    def close(self) -> None:
        """Look no more."""
        self._transport.abort()


@dataclass(frozen=True)
class Usage:
    """CPU seconds and bytes of a process so far."""

    cpu: float
    resident: int

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Of a process that runs."""
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return cls((int(told[11]) + int(told[12])) / _TICKS, int(told[21]) * _PAGE_BYTES)


def _values(number: int) -> list[Totals | Presence]:
    now = instant(machine_ms())
    some = range(number % 20, _AGENTS, 20)
    return [
        calls("all|all", _BASE + number, _BASE // 2 + number % 50, now=now),
        *(calls(f"queue|q{n:02}", 50 + (number + n) % 9, 40, now=now, waiting=(number + n) % 3, waits_seconds=20) for n in range(_QUEUES)),
        *(calls(f"team|T{n:02}", 50 + (number + n) % 9, 40, now=now) for n in range(_TEAMS)),
        *(calls(f"agent|A{n:03}", 20 + number % 9, 15, f"T{n % _TEAMS:02}", now) for n in some),
        *(
            Presence(
                agent_id=f"A{n:03}", state=("available", "on_contact", "wrap_up")[(number + n) % 3], team=f"T{n % _TEAMS:02}",  # type: ignore[arg-type]
                since=now,
            )
            for n in some
        ),
    ]  # fmt: skip


async def _write(screens: Screens, values: list[Totals | Presence]) -> None:
    machine = machine_ms()
    await screens.emptied(machine)
    taken = await screens.write(
        {one.entity: msgspec.json.encode(one) for one in values if isinstance(one, Totals)},
        [one for one in values if isinstance(one, Presence)], [], now=machine, machine=machine, behind={},
    )  # fmt: skip
    assert taken, "Redis does not take what the workers write"


async def _watched(
    settings: Settings, port: int, pid: int, cookies: list[str], measured: int, seconds: int
) -> tuple[Tally, Usage, Usage, float]:
    screens = Screens(settings, told(target("service_level_20s", "all|all", "0.8")))
    # Everybody is there before somebody looks.
    for number in range(-20, 0):
        await _write(screens, _values(number))
    tally, loop, viewers = Tally(), asyncio.get_running_loop(), []
    every = max(1, len(cookies) // measured)
    for number, cookie in enumerate(cookies):
        viewer = Viewer(tally, cookie, port, number % every == 0)
        viewers.append(viewer)
        await loop.create_connection(lambda viewer=viewer: viewer, "127.0.0.1", port)  # type: ignore[misc]
        if number % 50 == 49:
            await asyncio.sleep(0.2)
            await _write(screens, _values(-1))
            print(f"  {tally.open} of {len(cookies)} look", flush=True)
    deadline = time.monotonic() + 300
    while tally.open < len(cookies):
        assert time.monotonic() < deadline, f"only {tally.open} of {len(cookies)} viewers were let in"
        await _write(screens, _values(-1))
        await asyncio.sleep(0.5)
    before, began, own = Usage.of(pid), time.monotonic(), time.process_time()
    for number in range(seconds):
        await asyncio.sleep(max(0.0, began + number - time.monotonic()))
        tally.began[number] = time.monotonic()
        await _write(screens, _values(number))
    await asyncio.sleep(2)
    after, whole = Usage.of(pid), time.monotonic() - began
    cut = tally.cut
    client = (time.process_time() - own) / whole
    for viewer in viewers:
        viewer.close()
    await screens.close()
    tally.cut = cut
    print(f"the viewers themselves took {client:.0%} of their core")
    return tally, before, after, whole


@contextmanager
def _desk(settings: Settings, port: int) -> Iterator[ServerProcess]:
    command = [sys.executable, "-m", "streams", "web", "--port", str(port)]
    process = ServerProcess(
        command, directory=settings.data_dir, log=settings.data_dir / "web.log", environment=environment(settings)
    )
    with on_core(_DESK_CORE):
        process.start()
    try:
        yield process
    finally:
        process.stop()


def _sessions(settings: Settings, viewers: int) -> list[str]:
    """A cookie for each viewer: a session of their own, of a supervisor of one of the teams."""
    now = machine_ms()
    name = session_cookie(https=False)
    with desk_database(None, settings.data_dir) as database, database.write() as connection:
        for team in range(_TEAMS):
            add(
                connection,
                f"lead{team:02}",
                "correct horse battery",
                ["supervisor"],
                f"S{team:02}",
                [f"T{team:02}"],
                By("setup", now),
            )
        return [f"{name}={begin(connection, f'lead{n % _TEAMS:02}', now, 'bench')}" for n in range(viewers)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.viewers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=2_000, help="who look at one time (default 2,000)")
    parser.add_argument("--measured", type=int, default=20, help="of them are measured (default 20)")
    parser.add_argument("--seconds", type=int, default=60, help="with an update each (default 60)")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch, on_core(_CLIENT_CORE):
        folder = Path(scratch)
        with LocalKafka(folder / "kafka") as kafka, LocalRedis(folder / "redis") as redis:
            settings = Settings(
                broker=kafka.address, redis=redis.address, data_dir=folder, prefix="viewers.", partitions=1
            )
            cookies = _sessions(settings, options.viewers)
            port = free_port()
            with _desk(settings, port) as desk:
                _answers(port, desk)
                pid = desk.pid
                assert pid is not None
                tally, before, after, whole = asyncio.run(
                    _watched(settings, port, pid, cookies, options.measured, options.seconds)
                )
    took = sorted(tally.took)
    due = options.seconds * len(range(0, options.viewers, max(1, options.viewers // options.measured)))
    if not took:
        sys.exit("no measured viewer has read an update")

    def at(share: float) -> float:
        return took[min(len(took) - 1, int(share * len(took)))] * 1000

    print(f"{options.viewers} viewers, an update a second, {options.seconds} s; {tally.cut} were cut off")
    print(f"desk: CPU {(after.cpu - before.cpu) / whole:.0%} of a core, memory {after.resident / 2**20:.0f} MiB")
    print(f"sent: {tally.received / 2**20:.0f} MiB in all")
    print(
        f"update -> received, {len(took)} of {due} readings: p50 {at(0.5):.0f}, p99 {at(0.99):.0f}, longest {took[-1] * 1000:.0f} ms"
    )
    if tally.cut or len(took) < 0.99 * due:
        sys.exit(
            "MISSED: viewers were cut off, or updates did not come (those that came in one go with the next count as missed)"
        )


def _answers(port: int, desk: ServerProcess) -> None:
    import httpx

    deadline = time.monotonic() + 180
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            if desk.exit_code is not None or time.monotonic() > deadline:
                sys.exit(f"the desk does not answer: {desk.last_words()}")
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    main()
