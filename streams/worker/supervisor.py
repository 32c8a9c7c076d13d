"""``deskpulse worker --workers N``: N worker processes of one group on this machine, kept at work until they are told to stop.

Each is ``deskpulse worker`` once more, by subprocess and not by multiprocessing: a Faust worker wants a process to itself (it
installs signal handlers, owns the event loop and leaves by SystemExit), so one that is started from a command line is the same
process alone and among others, and there is one way in which it ends. Nothing on disk is shared: tables live in memory and in
Kafka, and Faust makes empty directories only under ``data_dir``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from streams import die_with_parent
from streams.addresses import HOST, is_free
from streams.log_format import of_child
from streams.settings import Settings, environment

log = logging.getLogger(__name__)

_LINE_BYTES = 1_000_000
_LAST_LINES = 15
#: A worker that is told to stop before it can listen to signals ends by the signal itself; it has nothing in hand yet.
_ORDERLY = (0, -signal.SIGTERM)


@dataclass(frozen=True)
class Patience:
    """How long to bear with workers: the pause before one starts again, the deaths of one within a time that end all, and
    how long they may take to stop before they are killed. More than a worker needs to write its state (app.HAND_OVER_SECONDS).
    """

    pause_seconds: float = 3.0
    deaths: int = 3
    within_seconds: float = 60.0
    stop_seconds: float = 13.0


@dataclass(frozen=True)
class Member:
    """One process of a crew. ``about``: what is worth knowing of it when it starts; ``environment``: variables of its own."""

    name: str
    command: Sequence[str]
    about: str
    environment: Mapping[str, str] = field(default_factory=dict)


def how_many(wanted: str, partitions: int) -> int:
    """The number of workers of ``--workers``: as written, or for ``auto`` one per core that this process may use, as far as
    there are partitions. Raises ValueError where it is no number, or more than can have work.
    """
    if wanted == "auto":
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        count = min(cores, partitions)
        log.info("--workers auto: %d, as there are %d cores and %d partitions", count, cores, partitions)
        return count
    if not (wanted.isascii() and wanted.isdigit() and int(wanted)):
        raise ValueError(f"--workers {wanted}: give a whole number from 1, or auto for one per core")
    count = int(wanted)
    if count > partitions:
        raise ValueError(
            f"--workers {count}: there are {partitions} partitions, so {count - partitions} of them would have no work; give "
            f"--workers {partitions} or fewer, or start an operation whose topics have more partitions from the beginning "
            f"(--partitions {count}, with another --prefix where topics exist)"
        )
    return count


def metrics_ports(first: int, count: int, host: str = HOST) -> list[int]:
    """The port of each worker's metrics: ``first`` and those that follow; 0 for all where it is 0.

    Raises ValueError where one of them is taken or is none.
    """
    if first == 0:
        return [0] * count
    ports = list(range(first, first + count))
    wrong = [port for port in ports if port > 65_535 or not is_free(port, host)]
    if wrong:
        raise ValueError(
            f"{count} workers need the ports {ports[0]} to {ports[-1]} for /metrics; taken or none: "
            f"{', '.join(map(str, wrong))}; give another --metrics-port, or 0"
        )
    return ports


def run_workers(settings: Settings, count: int, *, metrics_port: int, declare: bool, metrics_host: str = HOST) -> bool:
    """Run so many workers until SIGINT or SIGTERM. True if all of them ended in order then; False if one had to be killed, or
    if all were stopped because one kept dying. Raises ValueError as ``metrics_ports``.
    """
    members = [
        Member(
            f"worker {number}",
            [
                *(sys.executable, "-m", "streams", "worker", "--workers", "1", "--metrics-port", str(port)),
                *("--metrics-host", metrics_host),
                "--declare" if declare else "--no-declare",
            ],
            f"metrics on port {port}" if port else "no metrics",
            # Kafka knows two of one name for one that was started again, and ends the first.
            {"DESKPULSE_INSTANCE": f"{settings.instance}-{number}"} if settings.instance else {},
        )
        for number, port in enumerate(metrics_ports(metrics_port, count, metrics_host), start=1)
    ]
    return asyncio.run(Crew(members, environment(settings)).run())


class Crew:
    """Processes that belong together: they start together, each that ends by itself is started again, and a signal ends all.

    What they write to their error streams goes to this one's, each line under the name of who wrote it. Every process has its
    own session: a Ctrl-C at the terminal reaches this process only, which then tells each of them once. On Linux the kernel
    kills them when this process is killed.
    """

    def __init__(
        self, members: Sequence[Member], environment: Mapping[str, str], patience: Patience | None = None
    ) -> None:
        """``environment``: variables set over those of this process."""
        self._members = members
        self._environment = {**os.environ, **environment}
        self._patience = patience or Patience()
        self._stopping = asyncio.Event()
        self._in_order = True

    async def run(self) -> bool:
        """Run until told to stop; in order or not, as ``run_workers`` says it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told, number)
        async with asyncio.TaskGroup() as group:
            for member in self._members:
                group.create_task(self._keep(member))
        log.info("all workers have ended")
        return self._in_order

    def _told(self, number: signal.Signals) -> None:
        if not self._stopping.is_set():
            log.info("%s: all workers are told to stop", number.name)
        self._stopping.set()

    async def _keep(self, member: Member) -> None:
        """Run a member, again and again, until all stop."""
        patience = self._patience
        deaths: deque[float] = deque(maxlen=patience.deaths)
        while not self._stopping.is_set():
            last_lines: deque[str] = deque(maxlen=_LAST_LINES)
            code = await self._run(member, last_lines)
            if self._stopping.is_set():
                if code not in _ORDERLY:
                    self._in_order = False
                    log.error("%s was told to stop and ended with %s", member.name, _spoken(code))
                return
            deaths.append(time.monotonic())
            if len(deaths) == patience.deaths and deaths[-1] - deaths[0] <= patience.within_seconds:
                self._in_order = False
                log.critical(
                    "%s has ended by itself %d times within %.0f s, now with %s; this is given up, and all workers stop. "
                    "Its log is the lines that begin with '%s |', of which the last are:\n%s",
                    *(member.name, len(deaths), deaths[-1] - deaths[0], _spoken(code), member.name),
                    "\n".join(last_lines) or "(it said nothing)",
                )
                self._stopping.set()
                return
            log.error(
                "%s ended by itself with %s; it starts again in %g s. Its log is the lines above that begin with '%s |'",
                *(member.name, _spoken(code), patience.pause_seconds, member.name),
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), patience.pause_seconds)

    async def _run(self, member: Member, last_lines: deque[str]) -> int:
        """Run a member once; its exit code, negative: by that signal."""
        try:
            process = await asyncio.create_subprocess_exec(
                *die_with_parent.bound(member.command),
                env={**self._environment, **member.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,  # Faust leaves its spinner's control characters there, and nothing else
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE_BYTES,
                start_new_session=True,
            )
        except OSError as error:  # no memory, no more processes: it may be there at the next try
            log.error("%s could not be started: %s", member.name, error)
            return os.EX_OSERR
        log.info("%s is process %d; %s", member.name, process.pid, member.about)
        ending = asyncio.create_task(self._end_when_told(member, process))
        try:
            await _pass_on(member.name, process, last_lines)
            return await process.wait()
        finally:
            ending.cancel()
            if process.returncode is None:
                process.kill()

    async def _end_when_told(self, member: Member, process: asyncio.subprocess.Process) -> None:
        await self._stopping.wait()
        with suppress(ProcessLookupError):
            process.terminate()
            await asyncio.sleep(self._patience.stop_seconds)  # cancelled as soon as it has ended
            log.error("%s has not stopped within %g s and is killed", member.name, self._patience.stop_seconds)
            process.kill()


async def _pass_on(name: str, process: asyncio.subprocess.Process, last_lines: deque[str]) -> None:
    """Write what a process writes to its error stream under its name, until it closes it."""
    assert process.stderr is not None
    while True:
        try:
            raw = await process.stderr.readline()
        except ValueError:
            raw = b"(a line of more than %d bytes is left out)" % _LINE_BYTES
        if not raw:
            return
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        last_lines.append(line)
        with suppress(OSError):  # nobody reads any more: no reason to stop work
            print(of_child(name, line), file=sys.stderr, flush=True)


def _spoken(code: int) -> str:
    names = {number.value: number.name for number in signal.Signals}
    return f"exit code {code}" + (f" ({names.get(-code, 'a signal')})" if code < 0 else "")
