"""``worker --workers N``: how many there may be, and what becomes of processes that end, keep ending, or will not end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from time import monotonic, sleep

import pytest

from streams.addresses import HOST
from streams.settings import Settings
from streams.worker import supervisor
from streams.worker.supervisor import Crew, Member, Patience, how_many, metrics_ports

AT_WORK = "import sys, time; print('at work', file=sys.stderr); time.sleep(60)"
#: Listens to SIGTERM, and takes its leave: a process that stops in order.
ORDERLY = """
import signal, sys
def leave(*_):
    print("state written", file=sys.stderr)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("at work", file=sys.stderr)
signal.pause()
"""
BRIEF = Patience(pause_seconds=0.1, deaths=3, within_seconds=30, stop_seconds=1)


@pytest.mark.parametrize(
    ("wanted", "partitions", "expected"),
    [
        ("1", 8, 1),
        ("8", 8, 8),
        ("auto", 1, 1),
        ("auto", 10_000, len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()),
    ],
)
def test_so_many_workers(wanted: str, partitions: int, expected: int) -> None:
    assert how_many(wanted, partitions) == expected


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("9", "there are 8 partitions, so 1 of them would have no work; give --workers 8 or fewer"),
        ("0", "a whole number from 1, or auto"),
        ("-1", "a whole number from 1, or auto"),
        ("2.5", "a whole number from 1, or auto"),
        ("many", "a whole number from 1, or auto"),
        ("", "a whole number from 1, or auto"),
    ],
)
def test_numbers_that_are_refused(wanted: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        how_many(wanted, 8)


def test_each_worker_has_the_next_port_for_its_metrics() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"taken or none: {port};"):
            metrics_ports(port, 1)
    assert metrics_ports(0, 3) == [0, 0, 0]
    with pytest.raises(ValueError, match=r"the ports 65535 to 65537 .* 65536, 65537;"):
        metrics_ports(65_535, 3)


def crew(*programs: str, patience: Patience = BRIEF) -> Crew:
    """A crew of Python programs, ``one``, ``two``, …"""
    names = ("one", "two", "three")
    return Crew(
        [Member(name, [sys.executable, "-c", text], "a test's") for name, text in zip(names, programs, strict=False)],
        {},
        patience,
    )


def run_until(the_crew: Crew, reached: Callable[[], bool], number: signal.Signals = signal.SIGTERM) -> bool:
    """Run a crew, and send this process a signal once ``reached``; in order or not."""

    async def tell() -> None:
        while not reached():
            await asyncio.sleep(0.02)
        os.kill(os.getpid(), number)

    async def both() -> bool:
        telling = asyncio.create_task(tell())
        try:
            async with asyncio.timeout(30):
                return await the_crew.run()
        finally:
            telling.cancel()

    return asyncio.run(both())


class Written:
    """What the crew and its members have written so far."""

    def __init__(self, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
        self._capfd, self._caplog = capfd, caplog
        self._lines = ""
        caplog.set_level("INFO", "streams.worker.supervisor")

    @property
    def lines(self) -> str:
        self._lines += self._capfd.readouterr().err
        return self._lines

    @property
    def log(self) -> str:
        return self._caplog.text


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Written:
    return Written(capfd, caplog)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_stops_all_in_order(written: Written, number: signal.Signals) -> None:
    assert run_until(crew(ORDERLY, ORDERLY), lambda: written.lines.count("at work") == 2, number)
    assert sorted(written.lines.splitlines()) == [
        "one | at work",
        "one | state written",
        "two | at work",
        "two | state written",
    ]


def test_one_that_ends_is_named_and_started_again(written: Written, tmp_path: Path) -> None:
    once = tmp_path / "once"
    fails_once = (
        f"import pathlib, sys; p = pathlib.Path({str(once)!r}); p.exists() or (p.touch(), sys.exit(7)); {AT_WORK}"
    )
    assert run_until(crew(AT_WORK, fails_once), lambda: "two | at work" in written.lines)
    assert "two ended by itself with exit code 7; it starts again in 0.1 s" in written.log
    assert "one ended" not in written.log
    assert len(re.findall(r"two is process \d+; a test's", written.log)) == 2


def test_one_that_is_killed_is_named_with_the_signal(written: Written) -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert not run_until(crew(killed), lambda: False)
    assert "one ended by itself with exit code -9 (SIGKILL)" in written.log


def test_one_that_keeps_ending_stops_all(written: Written) -> None:
    """The one left stops in order; the last words of the other are told, one's own lines apart from its."""
    assert not run_until(
        crew(AT_WORK, "import sys; print('roster is broken', file=sys.stderr); sys.exit(3)"), lambda: False
    )
    given_up = written.log[written.log.index("CRITICAL") :]
    assert re.search(
        r"two has ended by itself 3 times within \d+ s, now with exit code 3; this is given up, and all workers stop",
        given_up,
    )
    assert "lines that begin with 'two |', of which the last are:\nroster is broken" in given_up
    assert written.lines.count("two | roster is broken") == 3


def test_deaths_far_apart_are_borne(written: Written) -> None:
    patience = Patience(pause_seconds=0.1, deaths=2, within_seconds=0.01, stop_seconds=1)
    assert run_until(
        crew("raise SystemExit(1)", patience=patience), lambda: written.log.count("one ended by itself") >= 4
    )


def test_one_that_does_not_stop_is_killed_and_told(written: Written) -> None:
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {AT_WORK}"
    assert not run_until(crew(deaf), lambda: "at work" in written.lines)
    assert "one has not stopped within 1 s and is killed" in written.log
    assert "one was told to stop and ended with exit code -9 (SIGKILL)" in written.log


def test_a_program_that_cannot_be_run_is_given_up(written: Written) -> None:
    assert not run_until(Crew([Member("one", ["/nowhere/to/be/found"], "")], {}, BRIEF), lambda: False)
    assert "one has ended by itself 3 times" in written.log


def test_a_line_may_be_long_broken_or_without_end(written: Written) -> None:
    long = "import sys; o = sys.stderr.buffer; o.write(b'x' * 3_000_000 + b'\\n' + b'\\xff?\\n' + b'no end'); o.flush(); import time; time.sleep(60)"
    assert run_until(crew(long, AT_WORK), lambda: "one | \ufffd?" in written.lines and "two | at work" in written.lines)
    assert "one | (a line of more than 1000000 bytes is left out)" in written.lines
    assert "one | no end" in written.lines, "what was begun is told when the process ends"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
def test_members_die_with_the_one_that_started_them() -> None:
    program = dedent(
        """
        import asyncio, sys
        from streams.worker.supervisor import Crew, Member
        text = "import os, sys, time; print(os.getpid(), file=sys.stderr); time.sleep(60)"
        asyncio.run(Crew([Member(name, [sys.executable, "-c", text], "") for name in "ab"], {}).run())
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stderr is not None
        pids = [int(parent.stderr.readline().split("|")[1]) for _ in range(2)]
        assert all(alive(pid) for pid in pids)
        parent.kill()
    deadline = monotonic() + 5
    while any(alive(pid) for pid in pids) and monotonic() < deadline:
        sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie that nobody has waited for."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize("name", [None, "hotline"])
def test_each_worker_of_a_named_crew_has_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str | None
) -> None:
    """Two of one name would shut each other out of the group."""
    started: list[Member] = []

    class Told(Crew):
        async def run(self) -> bool:
            started.extend(self._members)
            return True

    monkeypatch.setattr(supervisor, "Crew", Told)
    assert supervisor.run_workers(Settings(instance=name, data_dir=tmp_path), 2, metrics_port=0, declare=False)
    names = [member.environment.get("DESKPULSE_INSTANCE") for member in started]
    assert names == ([None, None] if name is None else ["hotline-1", "hotline-2"])
