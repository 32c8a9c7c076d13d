"""A real Redis (or Valkey) on this machine, in memory only: what it holds can be lost and rebuilt at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from deploy.local import redis_probe, tools
from deploy.local.process import ServerProcess
from deploy.local.server import LocalServer
from streams.addresses import HOST
from streams.kafka.probe import UnreachableError


class LocalRedis(LocalServer):
    """Redis on 127.0.0.1; keeps nothing over a stop. ``address``: its URL ``redis://HOST:PORT/0``.

    :param options: of the server, as its command line takes them: ``--tls-port``, ``6380`` …
    """

    name: ClassVar[str] = "Redis"
    pause_seconds: ClassVar[float] = 0.02

    durable = False
    #: Of a Kafka only.
    partitions: int | None = None
    broker_version: str | None = None

    def __init__(self, data_dir: Path, port: int | None = None, options: Sequence[str] = ()) -> None:
        super().__init__(data_dir, port)
        self._options = tuple(options)

    def _address(self, port: int) -> str:
        return f"redis://{HOST}:{port}/0"

    def _begin(self, progress: Callable[[str], None]) -> ServerProcess:
        tool, port = tools.redis_server(), self._take_port()
        progress(f"Starting Redis at {self.address}")
        server = ServerProcess(
            [tool.path, "--bind", HOST, "--port", str(port), "--save", "", "--appendonly", "no", *self._options],
            directory=self._directory,
            log=self.log,
        )
        server.start()
        return server

    def _answers(self) -> bool:
        try:
            redis_probe.look(self.address, timeout_seconds=1.0)
        except UnreachableError:
            return False
        return True
