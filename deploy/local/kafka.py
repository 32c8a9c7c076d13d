"""A real Apache Kafka on this machine, without Docker: one node, broker and controller in one."""

from __future__ import annotations

import base64
import fcntl
import json
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, ClassVar

from deploy.local import tools
from deploy.local.kafka_jars import fetch_jars
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess, ServerStartError
from deploy.local.server import LocalServer
from streams.addresses import HOST, answers
from streams.kafka.probe import UnreachableError, look, plain

_CONFIGURATION = Path(__file__).with_name("kafka")


class LocalKafka(LocalServer):
    """Apache Kafka on 127.0.0.1, with its data under ``data_dir``. ``address``: its bootstrap address ``HOST:PORT``.

    Data stays between runs and survives ``kill``: started again with the same directory it has the same topics. One broker at a
    time may use a directory; a second is refused.

    :param data_dir: where data, configuration and log are kept; created where it is missing.
    :param port: port for clients; a free one where None, kept by ``restart``.
    :param heap: the JVM's heap, as ``-Xmx`` takes it.
    :param cache: where Kafka's jars are cached; the user's cache directory where None.
    :param listeners: addresses for clients beside ``address``, ``HOST:PORT`` by security protocol (SSL, SASL_SSL, …).
    :param properties: server properties beside those that this class sets, and instead of them.
    """

    name: ClassVar[str] = "Kafka"
    ready_within_seconds: ClassVar[float] = 120.0
    stop_within_seconds: ClassVar[float] = 30.0
    when_late: ClassVar[str] = "start again when the machine is less busy; the data is kept."

    durable = True
    #: As many as a topic is created with.
    partitions: int | None = None
    #: Clients find it out.
    broker_version: str | None = None

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        heap: str = "512m",
        cache: Path | None = None,
        listeners: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data_dir, port)
        self._heap = heap
        self._cache = cache
        self._listeners = dict(listeners or {})
        self._properties = dict(properties or {})

    def _address(self, port: int) -> str:
        return f"{HOST}:{port}"

    def _begin(self, progress: Callable[[str], None]) -> ServerProcess:
        java = tools.java().path
        jars = fetch_jars(progress, self._cache)
        self._take_port()
        with self._claim() as lock:
            self._configure()
            if not (self._directory / "data").is_dir():
                progress("Preparing Kafka's storage")
                self._format(java, jars)
            progress(f"Starting Kafka at {self.address}")
            server = self._process(java, jars, lock.fileno())
            server.start()
        return server

    def _answers(self) -> bool:
        # A connection is refused at no cost until the broker is nearly ready; only then is a client worth it.
        if not answers(self.address):
            return False
        try:
            look(plain(self.address), timeout_seconds=5.0)
        except UnreachableError:
            return False
        return True

    def _when_stopped(self) -> str:
        return f"see the reason above; is the disk full, or memory short (its heap is {self._heap})?"

    def _claim(self) -> BinaryIO:
        """The directory's lock, held by whoever has the file open: first by this process, then by the broker.

        Kafka locks its data too, but only after a second controller has written into it, which is the end of the first.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        lock = (self._directory / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise ServerStartError(
                f"another Kafka works on {self._directory}; use that one, stop it, or choose another directory"
            ) from error
        return lock

    def _process(self, java: str, jars: Path, lock: int) -> ServerProcess:
        return ServerProcess(
            [
                java,
                f"-Xms{self._heap}",
                f"-Xmx{self._heap}",
                "-XX:+UseSerialGC",
                "-Djava.awt.headless=true",
                f"-Dlog4j2.configurationFile={(_CONFIGURATION / 'log4j2.xml').as_uri()}",
                "-cp",
                f"{jars}/*",
                "kafka.Kafka",
                "server.properties",
            ],
            directory=self._directory,
            log=self.log,
            environment=tools.JVM_ENVIRONMENT,
            keeps_open=[lock],
        )

    def _configure(self) -> None:
        """Write server.properties. The controller's port is a new one every time: only this process talks to it."""
        controller = f"{HOST}:{free_port()}"
        clients = [f"{name}://{address}" for name, address in {"PLAINTEXT": self.address, **self._listeners}.items()]
        protocols = [f"{name}:{name}" for name in ("PLAINTEXT", *self._listeners)]
        properties = {
            "listener.security.protocol.map": ",".join(["CONTROLLER:PLAINTEXT", *protocols]),
            "listeners": ",".join([*clients, f"CONTROLLER://{controller}"]),
            "advertised.listeners": ",".join(clients),
            "controller.quorum.voters": f"1@{controller}",
            **self._properties,
        }
        # What JSON escapes in a string, Java's properties read; of a name that is set twice, they take the last.
        lines = [f"{name}={json.dumps(value)[1:-1]}\n" for name, value in properties.items()]
        (self._directory / "server.properties").write_text(
            (_CONFIGURATION / "server.properties").read_text(encoding="ascii") + "\n" + "".join(lines),
            encoding="ascii",
        )

    def _format(self, java: str, jars: Path) -> None:
        """Prepare the storage, once. It gets its name when complete: an interrupted start leaves no half of it."""
        unfinished, properties = self._directory / "data.unfinished", self._directory / "format.properties"
        shutil.rmtree(unfinished, ignore_errors=True)
        text = (self._directory / "server.properties").read_text(encoding="ascii")
        properties.write_text(text + f"log.dirs={unfinished.name}\n", encoding="ascii")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        run = tools.run_java(
            [
                java,
                "-XX:TieredStopAtLevel=1",
                "-cp",
                f"{jars}/*",
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster}",
                f"--config={properties.name}",
            ],
            cwd=self._directory,
            timeout=self.ready_within_seconds,
        )
        properties.unlink()
        if run.returncode != 0:
            raise ServerStartError(
                f"Kafka's storage in {self._directory} could not be prepared:\n{run.stdout.strip()}\n"
                "What to do: check that the directory can be written and that the disk is not full."
            )
        unfinished.rename(self._directory / "data")
