"""Kafka, Redis and PostgreSQL as an operation has them: by TLS, with a user who may do what they need, and one who may not."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis
import yaml
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from deploy.local.redis import LocalRedis
from deploy.local.tools import MissingToolError
from streams.addresses import HOST
from streams.settings import Settings
from tests.conftest import lacking
from tests.support import ROOT
from tests.support.certificates import certificates

#: The operation's prefix, its user, one of another operation, and the password of both, which needs escaping wherever it may.
PREFIX, USER, STRANGER, PASSWORD = "north.", "desk", "stranger", "p@ss/w:rd#1"
#: Users of Kafka: one of each mechanism, so that neither can pass for the other, and one who is let in, and has no rights.
PLAIN_USER, SCRAM_USER, GUEST = "plain-desk", "scram-desk", "guest"
#: Of these. It needs escaping wherever it may.
KAFKA_PASSWORD = "pä$s w=rd,#1"
#: What docs/operations.md says that the user of Redis needs.
REDIS_RIGHTS = f"~{PREFIX}deskpulse:* +@all -@admin -@dangerous +info"


@dataclass(frozen=True)
class SecuredRedis:
    """A Redis with a port for TLS and one without; certificates are in ``pem``."""

    pem: Path
    tls: str
    plain: str

    def url(
        self, user: str | None = USER, password: str = PASSWORD, *, where: str | None = None, scheme: str = "rediss", ca: str | None = "ca",
    ) -> str:  # fmt: skip
        """Its address, right but for what is given. ``ca``: the authority's file in ``pem``, without its ending."""
        login = "" if user is None else f"{user}:{quote(password, safe='')}@"
        return f"{scheme}://{login}{where or self.tls}/0" + (f"?ssl_ca_certs={self.pem / ca}.pem" if ca else "")

    def expired(self) -> None:
        """From now on its certificate has expired."""
        self._certificate("expired")

    def valid(self) -> None:
        """It has not."""
        self._certificate("server")

    def _certificate(self, name: str) -> None:
        with redis.Redis.from_url(f"redis://{self.plain}/0") as client:
            client.execute_command(
                "CONFIG", "SET", "tls-cert-file", str(self.pem / f"{name}.pem"), "tls-key-file", str(self.pem / f"{name}.key")
            )  # fmt: skip


@contextmanager
def secured_redis(directory: Path) -> Iterator[SecuredRedis]:
    """One of them, while the block lasts."""
    pem = directory / "pem"
    pem.mkdir(parents=True)
    certificates(pem)
    port, plain = free_port(), free_port()
    server = LocalRedis(
        directory,
        plain,
        [
            "--tls-port", str(port), "--tls-cert-file", str(pem / "server.pem"), "--tls-key-file", str(pem / "server.key"),
            "--tls-ca-cert-file", str(pem / "ca.pem"), "--tls-auth-clients", "no",
            "--user", *f"{USER} on >{PASSWORD} {REDIS_RIGHTS}".split(),
            "--user", *f"{STRANGER} on >{PASSWORD} ~south.* +@all".split(),
        ],
    )  # fmt: skip
    try:
        server.start()
    except MissingToolError as missing:
        lacking(str(missing))
    with server:
        yield SecuredRedis(pem, f"{HOST}:{port}", f"{HOST}:{plain}")


@dataclass(frozen=True)
class SecuredPostgres:
    """A PostgreSQL that lets users in by TLS and password only. ``owner``: URL of who may do everything."""

    pem: Path
    where: str
    owner: str

    def url(
        self, user: str = USER, password: str = PASSWORD, *, where: str | None = None, name: str = "desk", mode: str = "verify-full", ca: str | None = "ca",
    ) -> str:  # fmt: skip
        """Its address, right but for what is given. ``ca``: the authority's file in ``pem``, without its ending."""
        authority = f"&sslrootcert={self.pem / ca}.pem" if ca else ""
        return f"postgresql://{user}:{quote(password, safe='')}@{where or self.where}/{name}?sslmode={mode}{authority}"

    def expired(self) -> None:
        """From now on its certificate has expired."""
        self._certificate("expired")

    def valid(self) -> None:
        """It has not."""
        self._certificate("server")

    def _certificate(self, name: str) -> None:
        """Have the server read another certificate, and wait until it has."""
        for ending in ("pem", "key"):
            (self.pem / f"current.{ending}").write_bytes((self.pem / f"{name}.{ending}").read_bytes())
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self.url()).close()
                lets_in = True
            except psycopg.OperationalError:
                lets_in = False
            if lets_in == (name == "server"):
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL has not read its certificate anew")


@contextmanager
def secured_postgres() -> Iterator[SecuredPostgres]:
    """One of them, while the block lasts. The user owns the database ``desk``; the stranger may connect to it."""
    # Not in pytest's own directory, which root keeps to itself: the server runs as another account.
    with tempfile.TemporaryDirectory(prefix="deskpulse-secured-", ignore_cleanup_errors=True) as folder:
        pem = Path(folder) / "pem"
        pem.mkdir()
        certificates(pem)
        for ending in ("pem", "key"):
            shutil.copy(pem / f"server.{ending}", pem / f"current.{ending}")
        rules = pem / "hba.conf"
        rules.write_text(
            f"host all deskpulse {HOST}/32 trust\nhostssl all all {HOST}/32 scram-sha-256\n", encoding="ascii"
        )
        if os.geteuid() == 0:
            for path in (pem, *pem.iterdir()):
                shutil.chown(path, "postgres", "postgres")
        Path(folder).chmod(0o755)
        for key in pem.glob("*.key"):
            key.chmod(0o600)
        options = {
            "ssl": "on",
            "ssl_cert_file": pem / "current.pem",
            "ssl_key_file": pem / "current.key",
            "hba_file": rules,
        }
        server = LocalPostgres(
            Path(folder) / "server",
            options=[word for name, value in options.items() for word in ("-c", f"{name}={value}")],
        )
        try:
            server.start()
        except MissingToolError as missing:
            lacking(str(missing))
        with server:
            with psycopg.connect(server.address, autocommit=True) as connection:
                for user in (USER, STRANGER):
                    connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")
                connection.execute(f"CREATE DATABASE desk OWNER {USER}")
            yield SecuredPostgres(pem, server.address.rpartition("@")[2].partition("/")[0], server.address)


@dataclass(frozen=True)
class SecuredKafka:
    """A broker's protected addresses, and a directory with certificates and keys (PEM)."""

    tls: str
    sasl: str
    expired: str
    plain: str
    pem: Path

    def settings(self, protocol: str, **given: Any) -> Settings:
        """Settings that are right for a protocol but for what is given."""
        right: dict[str, dict[str, Any]] = {
            "SSL": {"broker": self.tls, "ssl_cert_file": self.pem / "desk.pem", "ssl_key_file": self.pem / "desk.key"},
            "PLAIN": {"broker": self.sasl, "sasl_username": PLAIN_USER, "sasl_password": KAFKA_PASSWORD},
            "SCRAM-SHA-512": {"broker": self.sasl, "sasl_username": SCRAM_USER, "sasl_password": KAFKA_PASSWORD},
        }
        common = {
            "security_protocol": "SSL" if protocol == "SSL" else "SASL_SSL",
            "sasl_mechanism": "PLAIN" if protocol == "SSL" else protocol,
            "ssl_ca_file": self.pem / "ca.pem",
            "partitions": 4,
        }
        return Settings(**{**common, **right[protocol], **given})

    def grant(self, user: str, prefix: str) -> None:
        """Give a user the rights that the example for Strimzi has, with a prefix."""
        example = yaml.safe_load(
            (ROOT / "deploy/helm/deskpulse/examples/strimzi-user.yaml").read_text(encoding="utf-8")
        )
        kinds = {
            "topic": ResourceType.TOPIC,
            "group": ResourceType.GROUP,
            "transactionalId": ResourceType.TRANSACTIONAL_ID,
        }
        wanted = [
            ACL(
                f"User:{user}",
                "*",
                ACLOperation[re.sub("(?<=[a-z])(?=[A-Z])", "_", operation).upper()],
                ACLPermissionType.ALLOW,
                ResourcePattern(
                    kinds[one["resource"]["type"]],
                    prefix + one["resource"]["name"].replace("*", ""),
                    ACLResourcePatternType.PREFIXED,
                ),
            )
            for one in example["spec"]["authorization"]["acls"]
            for operation in one["operations"]
        ]
        with KafkaAdminClient(bootstrap_servers=[self.plain]) as admin:
            assert admin.create_acls(wanted)["failed"] == []


@contextmanager
def secured_kafka(directory: Path) -> Iterator[SecuredKafka]:
    """A broker with a listener for certificates and one for users; it is plain to itself and to who starts it only."""
    pem = directory / "pem"
    pem.mkdir()
    certificates(pem)
    there = SecuredKafka(*(f"{HOST}:{free_port()}" for _ in range(4)), pem)
    modules = "org.apache.kafka.common.security"
    broker = LocalKafka(
        directory / "broker",
        port=int(there.plain.rpartition(":")[2]),
        listeners={"SSL": there.tls, "SASL_SSL": there.sasl, "EXPIRED": there.expired},
        properties={
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(pem / "server.both.pem"),
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,EXPIRED:SSL",
            "listener.name.expired.ssl.keystore.type": "PEM",
            "listener.name.expired.ssl.keystore.location": str(pem / "expired.both.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(pem / "ca.pem"),
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": (
                f'{modules}.plain.PlainLoginModule required "user_{PLAIN_USER}"="{KAFKA_PASSWORD}" "user_{GUEST}"="{KAFKA_PASSWORD}";'
            ),
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
            # Everybody may do everything, but the guest, who may do what a test gives them.
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:CN=desk;User:{PLAIN_USER};User:{SCRAM_USER}",
        },
    )
    try:
        broker.start()
    except MissingToolError as missing:
        lacking(str(missing))
    with broker:
        user = UserScramCredentialUpsertion(SCRAM_USER, ScramMechanism.SCRAM_SHA_512, password=KAFKA_PASSWORD)
        with KafkaAdminClient(bootstrap_servers=[broker.address]) as admin:
            assert admin.alter_user_scram_credentials([user]) == {SCRAM_USER: None}
        yield there
