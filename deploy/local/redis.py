"""A real Redis (or Valkey) on this machine, in memory only: what it holds can be lost and rebuilt at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import redis_probe, tools
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess, ServerStartError, silent
from streams.addresses import HOST, is_free
from streams.kafka.probe import UnreachableError

_READY_WITHIN_SECONDS = 30.0


class LocalRedis:
    """Redis on 127.0.0.1; keeps nothing over a stop. Its log is ``data_dir/logs/redis.log``.

    :param data_dir: where it runs and logs; created where it is missing.
    :param port: its port; a free one where None, kept by ``restart``.
    """

    durable = False
    #: Of a Kafka only.
    partitions: int | None = None
    broker_version: str | None = None

    def __init__(self, data_dir: Path, *, port: int | None = None) -> None:
        self._directory = data_dir.absolute()
        self._port = port
        self._server: ServerProcess | None = None

    @property
    def address(self) -> str:
        """URL ``redis://HOST:PORT/0``. Raises RuntimeError before the first start."""
        if self._port is None:
            raise RuntimeError("this Redis has not been started yet, so it has no address")
        return f"redis://{HOST}:{self._port}/0"

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
        return self._directory / "logs" / "redis.log"

    def start(self, progress: Callable[[str], None] = silent) -> str:
        """Start the server and return its URL once it answers.

        Raises MissingToolError where there is no server to run, ServerStartError with the log's last lines if it does
        not come up.
        """
        if self._server is not None and self._server.exit_code is None:
            return self.address
        tool = tools.redis_server()
        if self._port is None:
            self._port = free_port()
        elif not is_free(self._port):
            raise ServerStartError(
                f"port {self._port} of {HOST} is taken by another program; stop it, or choose another port"
            )
        progress(f"Starting Redis at {self.address}")
        self._server = ServerProcess(
            [tool.path, "--bind", HOST, "--port", str(self._port), "--save", "", "--appendonly", "no"],
            directory=self._directory,
            log=self.log,
        )
        self._server.start()
        try:
            self._wait_until_ready(self._server)
        except BaseException:
            self.kill()
            raise
        progress(f"Redis is ready at {self.address}")
        return self.address

    def stop(self) -> None:
        """Stop the server in order; nothing happens if it does not run."""
        if self._server is not None:
            self._server.stop()

    def kill(self) -> None:
        """Kill the server with SIGKILL, as a crash would."""
        if self._server is not None:
            self._server.kill()

    def restart(self, progress: Callable[[str], None] = silent) -> str:
        """Start again on the same port, empty, after ``kill`` or after stopping in order."""
        self.stop()
        return self.start(progress)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, server: ServerProcess) -> None:
        deadline = time.monotonic() + _READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if server.exit_code is not None:
                raise ServerStartError(
                    f"Redis stopped while starting (exit code {server.exit_code}). The end of {server.log}:\n"
                    f"{server.last_words()}\nWhat to do: see the reason above."
                )
            with suppress(UnreachableError):
                redis_probe.look(self.address, timeout_seconds=1.0)
                return
            time.sleep(0.02)
        raise ServerStartError(
            f"Redis did not answer at {self.address} within {_READY_WITHIN_SECONDS:.0f} s. The end of {server.log}:\n"
            f"{server.last_words()}\nWhat to do: start again when the machine is less busy."
        )
