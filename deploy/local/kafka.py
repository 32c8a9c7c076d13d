"""A real Apache Kafka on this machine, without Docker: one node, broker and controller in one."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from deploy.local import tools
from deploy.local.kafka_jars import fetch_jars
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess, ServerStartError, silent
from streams.addresses import HOST, answers, is_free
from streams.kafka.probe import UnreachableError, look, plain

_CONFIGURATION = Path(__file__).with_name("kafka")
_READY_WITHIN_SECONDS = 120.0
_STOP_WITHIN_SECONDS = 30.0


class LocalKafka:
    """Apache Kafka on 127.0.0.1, with its data under ``data_dir``.

    Data stays between runs and survives ``kill``: started again with the same directory it has the same topics. Its
    log is ``data_dir/logs/kafka.log``. One broker at a time may use a directory; a second is refused.

    :param data_dir: where data, configuration and log are kept; created where it is missing.
    :param port: port for clients; a free one where None, kept by ``restart``.
    :param heap: the JVM's heap, as ``-Xmx`` takes it.
    :param cache: where Kafka's jars are cached; the user's cache directory where None.
    :param listeners: addresses for clients beside ``address``, ``HOST:PORT`` by security protocol (SSL, SASL_SSL, …).
    :param properties: server properties beside those that this class sets, and instead of them.
    """

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
        self._directory = data_dir.absolute()
        self._port = port
        self._heap = heap
        self._cache = cache
        self._listeners = dict(listeners or {})
        self._properties = dict(properties or {})
        self._server: ServerProcess | None = None

    @property
    def address(self) -> str:
        """Bootstrap address ``HOST:PORT``. Raises RuntimeError before the first start."""
        if self._port is None:
            raise RuntimeError("this Kafka has not been started yet, so it has no address")
        return f"{HOST}:{self._port}"

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
        """The broker's log."""
        return self._directory / "logs" / "kafka.log"

    def start(self, progress: Callable[[str], None] = silent) -> str:
        """Start the broker and return its address once clients can use it; told to ``progress`` on the way.

        Raises MissingToolError without Java (or without Maven, the first time), ServerStartError with the log's last
        lines if the broker does not come up.
        """
        if self._server is not None and self._server.exit_code is None:
            return self.address
        java = tools.java().path
        jars = fetch_jars(progress, self._cache)
        if self._port is None:
            self._port = free_port()
        elif not is_free(self._port):
            raise ServerStartError(
                f"port {self._port} of {HOST} is taken by another program; stop it, or choose another port"
            )
        with self._claim() as lock:
            self._configure()
            if not (self._directory / "data").is_dir():
                progress("Preparing Kafka's storage")
                self._format(java, jars)
            progress(f"Starting Kafka at {self.address}")
            self._server = self._process(java, jars, lock.fileno())
            self._server.start()
        try:
            self._wait_until_ready(self._server)
        except BaseException:
            self.kill()
            raise
        progress(f"Kafka is ready at {self.address}")
        return self.address

    def stop(self) -> None:
        """Stop the broker in order; nothing happens if it does not run."""
        if self._server is not None:
            self._server.stop(_STOP_WITHIN_SECONDS)

    def kill(self) -> None:
        """Kill the broker with SIGKILL, as a crash would."""
        if self._server is not None:
            self._server.kill()

    def restart(self, progress: Callable[[str], None] = silent) -> str:
        """Start again on the same port and data, after ``kill`` or after stopping in order."""
        self.stop()
        return self.start(progress)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

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
            timeout=_READY_WITHIN_SECONDS,
        )
        properties.unlink()
        if run.returncode != 0:
            raise ServerStartError(
                f"Kafka's storage in {self._directory} could not be prepared:\n{run.stdout.strip()}\n"
                "What to do: check that the directory can be written and that the disk is not full."
            )
        unfinished.rename(self._directory / "data")

    def _wait_until_ready(self, server: ServerProcess) -> None:
        deadline = time.monotonic() + _READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if server.exit_code is not None:
                raise ServerStartError(
                    f"Kafka stopped while starting (exit code {server.exit_code}). The end of {server.log}:\n"
                    f"{server.last_words()}\n"
                    f"What to do: see the reason above; is the disk full, or memory short (its heap is {self._heap})?"
                )
            # A connection is refused at no cost until the broker is nearly ready; only then is a client worth it.
            if answers(self.address):
                with contextlib.suppress(UnreachableError):
                    look(plain(self.address), timeout_seconds=5.0)
                    return
            time.sleep(0.05)
        raise ServerStartError(
            f"Kafka did not answer at {self.address} within {_READY_WITHIN_SECONDS:.0f} s. The end of {server.log}:\n"
            f"{server.last_words()}\n"
            "What to do: start again when the machine is less busy; the data is kept."
        )
