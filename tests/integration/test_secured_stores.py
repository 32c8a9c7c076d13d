"""Redis and PostgreSQL by TLS, with users and rights: everything works, or says what is wrong and what to do."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from deploy.local import redis_probe
from streams.cli import app
from streams.database import StoreError
from streams.history.marks import redis_of
from streams.kafka.probe import UnreachableError
from streams.refusals import with_remedy
from streams.settings import Settings, environment
from streams.system_clock import machine_ms
from streams.wallboard.outage import Outage
from streams.wallboard.store import Store
from streams.web.store import open_database
from streams.worker.screen_writer import Screens
from tests.support.operation import http_get, wallboard
from tests.support.secured import (
    PASSWORD,
    PREFIX,
    STRANGER,
    USER,
    SecuredPostgres,
    SecuredRedis,
    secured_postgres,
    secured_redis,
)

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(300),
    # The client leaves sockets of connections that did not come about to the garbage collector.
    pytest.mark.filterwarnings(r"ignore:unclosed (<ssl\.SSLSocket|<socket\.socket|transport):ResourceWarning"),
]

EXPIRED = "certificate has expired.*; the server's certificate has expired, or this machine's clock is wrong"


@pytest.fixture(scope="module")
def redis_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredRedis]:
    with secured_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[SecuredPostgres]:
    with secured_postgres() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_socket_for_later_tests() -> Iterator[None]:
    yield
    gc.collect()


# -- Redis -------------------------------------------------------------------------------------------------------------


async def written(settings: Settings) -> bool:
    """Does Redis take what a worker writes?"""
    screens = Screens(settings)
    try:
        return await screens.write({}, [], [], now=machine_ms(), machine=machine_ms(), behind={})
    finally:
        await screens.close()


def warned(settings: Settings, caplog: pytest.LogCaptureFixture, reason: str) -> str:
    """What a worker says where Redis does not take it; where this machine was too slow to be answered, what it says next."""
    for _ in range(10):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert not asyncio.run(written(settings))
        (warning,) = (one.getMessage() for one in caplog.records if "does not take" in one.getMessage())
        if "Timeout" not in warning or re.search(reason, warning):
            break
    return warning


async def head(settings: Settings) -> Any:
    """What the wallboard reads first."""
    store = Store(settings)
    try:
        return await store.head()
    finally:
        await store.close()


def test_screens_are_written_and_read_by_tls_with_the_rights_that_the_docs_name(
    redis_: SecuredRedis, tmp_path: Path
) -> None:
    settings = Settings(redis=redis_.url(), prefix=PREFIX, data_dir=tmp_path)
    assert asyncio.run(written(settings))
    assert asyncio.run(head(settings)).clock is not None
    with redis_of(settings) as client:
        client.set(settings.redis_key("marked"), b"x")
        client.delete(settings.redis_key("marked"))
    assert redis_probe.look(redis_.url())
    with wallboard(settings) as address:
        assert http_get(f"{address}healthz").json()["redis"] == "ok"


WRONG_REDIS = {
    "authority": ({"ca": "other"}, r"CERTIFICATE_VERIFY_FAILED.*; name the authority .*rediss://…\?ssl_ca_certs=FILE"),
    "no authority": ({"ca": None}, r"CERTIFICATE_VERIFY_FAILED.*; name the authority"),
    "no such file": ({"ca": "absent"}, r"No such file.*; is there no file as ssl_ca_certs"),
    "name": ({"where": "localhost"}, r"Hostname mismatch.*; call it in DESKPULSE_REDIS as its certificate does"),
    "password": ({"password": "wrong"}, r"username-password pair.*; check user and password in DESKPULSE_REDIS"),
    "user": ({"user": "nobody"}, r"username-password pair.*; check user and password"),
    "no TLS at a port with": ({"scheme": "redis", "ca": None}, r"; does it want TLS\? Then DESKPULSE_REDIS begins with rediss://"),
    "TLS at a port without": ({"where": "plain"}, r"; (this port has no TLS: DESKPULSE_REDIS=redis://|is there a Redis at this address, and has this port TLS or none)"),
    "expired": ({}, EXPIRED),
}  # fmt: skip


@pytest.mark.parametrize("which", WRONG_REDIS)
def test_each_wrong_setting_of_redis_says_what_to_do(
    redis_: SecuredRedis, tmp_path: Path, caplog: pytest.LogCaptureFixture, which: str
) -> None:
    wrong, reason = WRONG_REDIS[which]
    where = {"plain": redis_.plain, "localhost": redis_.tls.replace("127.0.0.1", "localhost")}
    given = {**wrong, **({"where": where[wrong["where"]]} if "where" in wrong else {})}
    settings = Settings(redis=redis_.url(**given), prefix=PREFIX, data_dir=tmp_path)
    if which == "expired":
        redis_.expired()
    try:
        # As `deskpulse doctor` and `deskpulse broker` ask.
        with pytest.raises(UnreachableError, match=reason) as refused:
            redis_probe.look(settings.redis)
        with pytest.raises(Outage) as outage:
            asyncio.run(head(settings))
        warning = warned(settings, caplog, reason)
    finally:
        redis_.valid()
    assert re.search(reason, outage.value.why.detail)
    assert re.search(reason, warning)
    for said in (str(refused.value), outage.value.why.detail, warning):
        assert PASSWORD not in said
        assert "wrong" not in said.replace("clock is wrong", "")


def test_a_user_without_rights_is_told_of(
    redis_: SecuredRedis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(redis=redis_.url(STRANGER), prefix=PREFIX, data_dir=tmp_path)
    reason = r"no permissions to access.*; its user lacks a right: docs/operations\.md#rights"
    with pytest.raises(Outage) as outage:
        asyncio.run(head(settings))
    assert re.search(reason, outage.value.why.detail)
    assert re.search(reason, warned(settings, caplog, reason))


def test_forgetting_a_customer_tells_no_password(redis_: SecuredRedis) -> None:
    from streams.erasure import _Connected

    with pytest.raises(ConnectionError) as refused, _Connected(Settings(redis=redis_.url(password="wrong"))) as client:
        client.ping()
    assert "Redis at rediss://…@" in str(refused.value)
    assert "check user and password" in str(refused.value)
    assert "wrong" not in str(refused.value)


# -- PostgreSQL --------------------------------------------------------------------------------------------------------

UPGRADES = (
    ["people", "database", "upgrade"], ["score", "database", "upgrade"], ["notify", "database", "upgrade"], ["user", "database-upgrade"],
)  # fmt: skip
LISTS = (["people", "list"], ["user", "list"], ["history", "status"])


def said(url: str, data_dir: Path) -> str:
    """What a process says of a database that it cannot use."""
    database = open_database(url, data_dir)
    with pytest.raises(StoreError) as refused:
        database.version()
    database.close()
    return str(refused.value)


def test_tables_are_made_and_read_by_tls_with_a_role_of_ones_own(postgres: SecuredPostgres, tmp_path: Path) -> None:
    settings = Settings(database=postgres.url(), data_dir=tmp_path)
    for command in UPGRADES:
        result = CliRunner().invoke(app, command, env=environment(settings), catch_exceptions=False)
        assert result.exit_code == 0, result.output
    database = open_database(settings.database, tmp_path)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar() is True
    database.close()


WRONG_POSTGRES = {
    "authority": ({"ca": "other"}, r"certificate verify failed; sslrootcert has to be the authority"),
    "no such file": ({"ca": "absent"}, r"root certificate file .*; name the file of the authority"),
    "name": ({"where": "localhost"}, r"does not match host name \"localhost\"; call the server as its certificate does"),
    "password": ({"password": "wrong"}, r"password authentication failed for user \"desk\"; check user and password"),
    "user": ({"user": "nobody"}, r"password authentication failed for user \"nobody\"; check user and password"),
    "no TLS where it is asked for": ({"mode": "disable", "ca": None}, r"no encryption; the server wants TLS: sslmode=verify-full"),
    "expired": ({}, r"certificate (verify failed|has expired).*; .*the server's certificate has expired"),
    "no such database": ({"name": "absent"}, r"database \"absent\" does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("which", WRONG_POSTGRES)
def test_each_wrong_setting_of_postgresql_says_what_to_do(
    postgres: SecuredPostgres, tmp_path: Path, which: str
) -> None:
    wrong, reason = WRONG_POSTGRES[which]
    given = {**wrong, **({"where": postgres.where.replace("127.0.0.1", "localhost")} if "where" in wrong else {})}
    url = postgres.url(**given)
    if which == "expired":
        postgres.expired()
    try:
        told = said(url, tmp_path)
        command = CliRunner().invoke(app, UPGRADES[0], env=environment(Settings(database=url, data_dir=tmp_path)))
    finally:
        postgres.valid()
    assert re.search(f"{reason}.*; check DESKPULSE_DATABASE", told), told
    assert command.exit_code == 1
    assert re.search(reason, command.stderr.replace("\n", " "))
    for words in (told, command.output):
        assert PASSWORD not in words
        assert "p%40ss" not in words


def test_tls_where_a_server_has_none_says_so(postgres_url: str, tmp_path: Path) -> None:
    told = said(f"{postgres_url}?sslmode=require", tmp_path)
    assert "server does not support SSL" in told
    assert "; sslmode asks for TLS, and this server has none" in told


def test_a_role_without_rights_is_told_of_and_the_rights_of_the_docs_are_enough(
    postgres: SecuredPostgres, tmp_path: Path
) -> None:
    mine, theirs = (open_database(postgres.url(user), tmp_path) for user in (USER, STRANGER))
    mine.upgrade()
    with psycopg.connect(postgres.url(USER), autocommit=True) as connection:
        connection.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {STRANGER}")
    lacks = r"permission denied for \w+.*; its user lacks a right: docs/operations\.md#rights"
    with pytest.raises(StoreError, match=lacks), theirs.read():
        pass
    other = open_database(postgres.url(STRANGER, name="postgres"), tmp_path)
    with pytest.raises(StoreError, match=lacks):
        other.upgrade()
    other.close()
    with psycopg.connect(postgres.url(USER), autocommit=True) as connection:
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {STRANGER}")
        connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {STRANGER}")
    with theirs.write() as connection:
        connection.exec_driver_sql("SELECT 1")
    for database in (mine, theirs):
        database.close()


def test_what_the_client_says_alone_is_kept() -> None:
    assert with_remedy("PostgreSQL", OSError("something else")) == "something else"
