"""``deskpulse`` as a process of its own that has read its modules before: forked from one that did.

Half of what a short test of a worker computed were the worker's imports. In all else it is what a shell starts: a pid to be killed with
-9, a session, a log and an environment of its own, its command line. That ``python -m streams`` starts, other tests see to.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Lock

from deploy.local.process import Running, ServerProcess
from streams.die_with_parent import die_with

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["streams.cli", "streams.worker.app", "streams.wallboard.app"])


class WarmProcess(ServerProcess):
    """A run of ``deskpulse ARGUMENTS``; all else as ServerProcess."""

    def __init__(self, *arguments: str, directory: Path, log: Path, environment: Mapping[str, str]) -> None:
        super().__init__(["deskpulse", *arguments], directory=directory, log=log, environment=environment)

    def _spawn(self) -> Running:
        return _Forked(self._command, self._directory, self.log, self._environment)


class _Forked:
    """Popen's face of a forked process: whose end one thread at a time may ask for."""

    def __init__(self, command: Sequence[str], directory: Path, log: Path, environment: Mapping[str, str]) -> None:
        self._lock = Lock()
        self._process: ForkServerProcess = _FORKING.Process(
            target=_run, args=(list(command), directory, log, dict(environment))
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        with self._lock:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        with self._lock:
            self._process.join(timeout)
            ended = self._process.exitcode
        if ended is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return ended


def _run(command: list[str], directory: Path, log: Path, environment: Mapping[str, str]) -> None:
    os.setsid()
    die_with(os.getppid())
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    sys.argv = command
    from streams.cli import main

    main()
