"""A server that runs beside this process, logs into a file, and never outlives this process."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from streams import die_with_parent

_LOG_LIMIT_BYTES = 10_000_000
#: As Kafka marks them. What a server writes after its first error is mostly about how it shuts down.
_ERROR = re.compile(r"\b(ERROR|FATAL)\b")


class ServerStartError(RuntimeError):
    """A local server did not start; the message shows its last words and what to do."""


class Running(Protocol):
    """A process that was started, as ``subprocess.Popen`` has it."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    def poll(self) -> int | None:
        """How it ended, None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        ...


def silent(_: str) -> None:
    """Progress that nobody wants to read."""


class ServerProcess:
    """One run of a server's command.

    The server has its own session and process group: Ctrl-C at the terminal reaches this process only, which then stops
    the server in order. It is stopped at exit; on Linux the kernel kills it even when this process is killed with -9.

    :param command: program and arguments.
    :param directory: working directory; created where it is missing.
    :param log: file that takes the server's output, appended to; one older file is kept as ``<log>.1`` beyond 10 MB.
    :param environment: variables set over those of this process.
    :param keeps_open: file descriptors that the server holds open too, such as a lock's; open until ``start`` returns.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
        keeps_open: Sequence[int] = (),
    ) -> None:
        self._command = list(command)
        self._directory = directory
        self._environment = {**os.environ, **(environment or {})}
        self._keeps_open = tuple(keeps_open)
        self._process: Running | None = None
        self._log_began = 0
        self.log = log

    def start(self) -> None:
        """Start the server. Raises OSError if that fails."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        self._log_began = self.log.stat().st_size if self.log.exists() else 0
        self._process = self._spawn()
        atexit.register(self.stop)

    @property
    def pid(self) -> int | None:
        """Process id of the run, None before it."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """How the run ended (negative: by that signal); None while it runs or before it."""
        return self._process.poll() if self._process else None

    def stop(self, timeout_seconds: float = 20.0) -> None:
        """Ask the server to end, wait for it, and kill it if it does not; nothing happens if it does not run."""
        self._signal(signal.SIGTERM)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_seconds)
        self.kill()

    def kill(self) -> None:
        """Kill the server with SIGKILL, as a crash would, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        atexit.unregister(self.stop)

    def last_words(self, lines: int = 25) -> str:
        """The last lines that this run wrote into the log; from its first error on, where a line is marked as one."""
        if not self.log.exists():
            return "(no log)"
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            said = log.read().decode(errors="replace").splitlines()
        first_error = next((n for n, line in enumerate(said) if _ERROR.search(line)), None)
        shown = said[-lines:] if first_error is None else said[first_error : first_error + lines]
        return "\n".join(shown) or "(it said nothing)"

    def _spawn(self) -> Running:
        spawned: Future[subprocess.Popen[bytes]] = Future()
        # The kernel takes the end of the *thread* that started a process for the parent's end. A thread that lives as
        # long as the server lets it be started from anywhere, also from a thread pool.
        threading.Thread(target=self._own, args=(spawned,), name=f"owner of {self._command[0]}", daemon=True).start()
        return spawned.result()

    def _own(self, spawned: Future[subprocess.Popen[bytes]]) -> None:
        try:
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    die_with_parent.bound(self._command),
                    cwd=self._directory,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=self._keeps_open,
                )
        except OSError as error:
            spawned.set_exception(error)
            return
        spawned.set_result(process)
        process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
