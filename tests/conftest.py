"""What tests share: real brokers of this machine, real data, settings that keep every test to itself."""

from __future__ import annotations

import gc
import os
import secrets
import signal
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
from sqlalchemy import create_engine, make_url, text

from streams.settings import Settings
from tests.support import ROOT

# Whoever runs the tests in the background may have had SIGINT ignored, which processes inherit: theirs must hear Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


# What a broker of a test gains by the JVM's second compiler is less than it takes.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# A busy machine is no defect; and the same examples are tried each time, so that a test turns red for a change and not for a die.
# New ones are looked for by `make hunt`, which remembers what it finds where it lasts (tests/property/found.py).
hypothesis.settings.register_profile("same", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("hunt", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("hunt" if os.environ.get("DESKPULSE_HUNT") else "same")

SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python reads its schemas with functions that Python 3.11 and 3.12 call deprecated, and 3.13 no longer does.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")
    # Apprise looks whether Python still has it.
    config.addinivalue_line("filterwarnings", "ignore:'imghdr' is deprecated:DeprecationWarning")
    _close_what_did_not_connect()


def _close_what_did_not_connect() -> None:
    """kafka-python leaves a socket to the garbage collector where its connection was refused, or its client closed meanwhile: the warning
    would turn whichever test is running by then red.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # as above: its filter holds for tests, and this is before them
        from kafka.net.inet import KafkaNetSocket
    connect = KafkaNetSocket.sock_connect

    async def connect_or_close(self: Any, net: Any, sock: Any, address: Any, timeout_at: float | None = None) -> Any:
        try:
            return await connect(self, net, sock, address, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise

    KafkaNetSocket.sock_connect = connect_or_close


@pytest.hookimpl(tryfirst=True)  # before others leave some out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the tests are that need a service or a browser: nobody looks for them elsewhere (Makefile)."""
    for item in items:
        place = item.nodeid.split("/")[1]
        if place not in ("integration", "e2e") and (
            item.get_closest_marker("services") or item.get_closest_marker("browser")
        ):
            raise pytest.UsageError(
                f"{item.nodeid} needs a service or a browser: it belongs in tests/integration or tests/e2e"
            )


def pytest_sessionfinish() -> None:
    # The same sockets, left by the last tests: at its very end pytest looks for them without these filters.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def lacking(what: str) -> NoReturn:
    """End a test for want of something: on CI everything is there or CI has failed; elsewhere the test is skipped."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"CI needs it: {what}", pytrace=False)
    pytest.skip(what)


def require(found: object, what: str) -> None:
    """Go on only where ``found`` is true; ``what`` says in one line what is lacking and what to type."""
    if not found:
        lacking(what)


@dataclass(frozen=True)
class GivenService:
    """A service that somebody else runs: it has an address, and is not ours to kill."""

    address: str


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Kafka with ``address``: DESKPULSE_TEST_BROKER, else a LocalKafka, which has ``kill`` and ``restart`` too."""
    if given := os.environ.get("DESKPULSE_TEST_BROKER"):
        yield GivenService(given)
        return
    from deploy.local.kafka import LocalKafka
    from deploy.local.tools import MissingToolError

    broker = LocalKafka(tmp_path_factory.mktemp("kafka"))
    try:
        broker.start(print)
    except MissingToolError as missing:
        lacking(str(missing))
    yield broker
    broker.kill()  # nobody wants its data any more; to write all of it out takes many seconds


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Redis with ``address``: DESKPULSE_TEST_REDIS, else a LocalRedis, which has ``kill`` and ``restart`` too."""
    if given := os.environ.get("DESKPULSE_TEST_REDIS"):
        yield GivenService(given)
        return
    from deploy.local.redis import LocalRedis
    from deploy.local.tools import MissingToolError

    server = LocalRedis(tmp_path_factory.mktemp("redis"))
    try:
        server.start(print)
    except MissingToolError as missing:
        lacking(str(missing))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_url(redis_server: Any) -> str:
    """URL of a Redis."""
    return str(redis_server.address)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL: DESKPULSE_TEST_POSTGRES, else one of this session's own."""
    if given := os.environ.get("DESKPULSE_TEST_POSTGRES"):
        yield given
        return
    from deploy.local.postgres import LocalPostgres
    from deploy.local.tools import MissingToolError

    # Not in pytest's own directory, which root keeps to itself: the server runs as another account.
    with tempfile.TemporaryDirectory(prefix="deskpulse-postgres-", ignore_cleanup_errors=True) as folder:
        server = LocalPostgres(Path(folder))
        try:
            yield server.start(print)
        except MissingToolError as missing:
            lacking(str(missing))
        finally:
            server.stop()


def new_database(server: str) -> str:
    """URL of an empty database on a PostgreSQL."""
    name = f"t{secrets.token_hex(6)}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """URL of an empty database of this test's own."""
    return new_database(postgres_server)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real input for development, which is no part of this repository."""
    require(SHARED_DATA.is_dir(), "the real data of ../shared/data is not beside this repository")
    return SHARED_DATA


@pytest.fixture
def settings(kafka: Any, redis_url: str, tmp_path: Path) -> Settings:
    """An operation of this test's own on the shared brokers, by its prefix."""
    return Settings(
        broker=kafka.address,
        redis=redis_url,
        prefix=f"t{secrets.token_hex(4)}.",
        partitions=4,
        data_dir=tmp_path,
        clock="event",
    )


@pytest.fixture
def operation(settings: Settings, tmp_path: Path) -> Settings:
    """The same with its topics, and a policy whose days are those of UTC."""
    # Kafka's client warns while it is imported, which only the filters of a test let pass.
    from streams.kafka.topics import ensure_topics
    from tests.support.operation import policy_file

    found = settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})
    ensure_topics(found)
    return found
