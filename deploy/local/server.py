"""What every server of this machine has in common: how it begins, says that it is ready, and ends."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess, ServerStartError, silent
from streams.addresses import HOST, is_free


class Startable(ABC):
    """Something that runs from ``start`` to ``stop``; as a context manager, between the two."""

    @abstractmethod
    def start(self, progress: Callable[[str], None] = silent) -> str:
        """Start it and return its address. Raises ServerStartError where it does not come up."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it; nothing happens if it does not run."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class LocalServer(Startable):
    """A server on 127.0.0.1 that is a process of its own. Its log is ``data_dir/logs/NAME.log``.

    :param data_dir: where it runs and logs; created where it is missing.
    :param port: its port; a free one where None, kept by ``restart``.
    """

    #: What people call it.
    name: ClassVar[str]
    ready_within_seconds: ClassVar[float] = 30.0
    stop_within_seconds: ClassVar[float] = 20.0
    #: How long it is left alone before it is asked again whether it is ready.
    pause_seconds: ClassVar[float] = 0.05
    #: What to do where it has not become ready in time.
    when_late: ClassVar[str] = "start again when the machine is less busy."

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self._directory = data_dir.absolute()
        self._port = port
        self._server: ServerProcess | None = None

    @property
    def address(self) -> str:
        """Where it is reached. Raises RuntimeError before the first start."""
        if self._port is None:
            raise RuntimeError(f"this {self.name} has not been started yet, so it has no address")
        return self._address(self._port)

    @property
    def pid(self) -> int | None:
        """Process id of the latest run."""
        return self._server.pid if self._server else None

    @property
    def directory(self) -> Path:
        """Where its files are."""
        return self._directory

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._directory / "logs" / f"{self.name.lower()}.log"

    def start(self, progress: Callable[[str], None] = silent) -> str:
        """Start the server and return its address once it answers; told to ``progress`` on the way.

        Raises MissingToolError where a program that it needs is not there, ServerStartError with the log's last lines if it does
        not come up.
        """
        if self._server is not None and self._server.exit_code is None:
            return self.address
        self._server = self._begin(progress)
        try:
            self._wait_until_ready(self._server)
        except BaseException:
            self.kill()
            raise
        progress(f"{self.name} is ready at {self.address}")
        return self.address

    def stop(self) -> None:
        """Stop the server in order; nothing happens if it does not run."""
        if self._server is not None:
            self._server.stop(self.stop_within_seconds)

    def kill(self) -> None:
        """Kill the server with SIGKILL, as a crash would."""
        if self._server is not None:
            self._server.kill()

    def restart(self, progress: Callable[[str], None] = silent) -> str:
        """Start again on the same port, with whatever it keeps, after ``kill`` or after stopping in order."""
        self.stop()
        return self.start(progress)

    @abstractmethod
    def _address(self, port: int) -> str:
        """The address at this port, as clients write it."""

    @abstractmethod
    def _begin(self, progress: Callable[[str], None]) -> ServerProcess:
        """The server's process, started."""

    @abstractmethod
    def _answers(self) -> bool:
        """Is it ready?"""

    def _when_stopped(self) -> str:
        """What to do where it has ended while starting."""
        return "see the reason above."

    def _take_port(self) -> int:
        """The port to run on. Raises ServerStartError where another program has it."""
        if self._port is None:
            self._port = free_port()
        elif not is_free(self._port):
            raise ServerStartError(
                f"port {self._port} of {HOST} is taken by another program; stop it, or choose another port"
            )
        return self._port

    def _wait_until_ready(self, server: ServerProcess) -> None:
        deadline = time.monotonic() + self.ready_within_seconds
        while time.monotonic() < deadline:
            if server.exit_code is not None:
                raise ServerStartError(
                    f"{self.name} stopped while starting (exit code {server.exit_code}). The end of {server.log}:\n"
                    f"{server.last_words()}\nWhat to do: {self._when_stopped()}"
                )
            if self._answers():
                return
            time.sleep(self.pause_seconds)
        raise ServerStartError(
            f"{self.name} did not answer at {self.address} within {self.ready_within_seconds:.0f} s. The end of {server.log}:\n"
            f"{server.last_words()}\nWhat to do: {self.when_late}"
        )
