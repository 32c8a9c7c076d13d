"""Where things are: brokers, Redis, names. From the environment (``DESKPULSE_…``), overridden by command-line options."""

from __future__ import annotations

import ssl
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.contracts.topics import Topic
from streams.kpi.policies import AnyPolicy, load_policy


class Settings(BaseSettings):
    """One operation's settings; every field is read from ``DESKPULSE_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="DESKPULSE_", env_ignore_empty=True, extra="ignore")

    broker: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, HOST:PORT[,HOST:PORT…]")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka"
    )
    ssl_ca_file: Path | None = Field(None, description="Certificate authority of the brokers (PEM)")
    ssl_cert_file: Path | None = Field(None, description="Own certificate (PEM)")
    ssl_key_file: Path | None = Field(None, description="Own key (PEM)")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field("PLAIN", description="SASL mechanism")
    sasl_username: str | None = Field(None, description="SASL user")
    sasl_password: str | None = Field(None, description="SASL password", repr=False)
    broker_version: str | None = Field(
        None, pattern=r"^\d+(\.\d+)*$", description="Protocol version to speak with a broker that does not say its own"
    )
    redis: str = Field("redis://127.0.0.1:6379/0", description="Redis URL")
    prefix: str = Field(
        "", description="Put before every topic, group and Redis key: several operations on one cluster"
    )
    partitions: int = Field(8, ge=1, le=10_000, description="Partitions of the topics, when they are created")
    replication: int = Field(1, ge=1, le=15, description="Replicas of the topics, when they are created")
    policy_file: Path | None = Field(None, description="Policy (YAML); defaults where absent")
    rules_file: Path | None = Field(None, description="Alert rules (YAML); the five first rules where absent")
    clock: Literal["wall", "event"] = Field(
        "wall", description="wall: the machine's clock; event: the highest event time admitted (replays, demos)"
    )
    instance: str | None = Field(
        None,
        description="Name under which a worker is known to Kafka, with its number where there are several: started again within 10 s, "
        "it has its partitions back at once; stopped for good, it is missed only then",
    )
    standby: bool = Field(
        False,
        description="Follow the state of the partitions that other workers have: taking one over needs only what is newest",
    )
    data_dir: Path = Field(Path("var"), description="Where local brokers, logs and results are kept")
    database: str | None = Field(
        None,
        description="PostgreSQL of what people decide (postgresql://…); SQLite in data_dir where absent",
        repr=False,
    )

    @cached_property
    def policy(self) -> AnyPolicy:
        """The policy in force. Raises ValueError where its file is wrong."""
        return load_policy(self.policy_file)

    @property
    def group(self) -> str:
        """Consumer group of the workers, and id of their Faust app."""
        return f"{self.prefix}deskpulse"

    def topic(self, topic: Topic) -> str:
        """The topic's name on this operation's cluster."""
        return f"{self.prefix}{topic.name}"

    def redis_key(self, *parts: str) -> str:
        """A Redis key of this operation."""
        return ":".join((f"{self.prefix}deskpulse", *parts))

    def connection(self) -> dict[str, Any]:
        """Connection arguments that kafka-python's and aiokafka's clients share.

        Raises ValueError where a setting that the security protocol needs is missing, or a file of it is of no use.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.broker.split(","),
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = self._ssl_context()
        if self.security_protocol.startswith("SASL"):
            if not (self.sasl_username and self.sasl_password):
                raise ValueError(f"{self.security_protocol} needs DESKPULSE_SASL_USERNAME and DESKPULSE_SASL_PASSWORD")
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password,
            }
        return options

    def kafka_python(self) -> dict[str, Any]:
        """Connection arguments of kafka-python's clients. Raises as ``connection``."""
        # Here, as most who read settings have no use for a Kafka client.
        from deploy.kafka_client import client

        options = self.connection() | {"kafka_client": client}
        if self.broker_version:
            options["api_version"] = tuple(int(part) for part in self.broker_version.split("."))
        return options

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ssl_ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2  # some systems' Python leaves it to OpenSSL's settings
        except OSError as error:
            raise ValueError(f"DESKPULSE_SSL_CA_FILE={self.ssl_ca_file} gives no certificate (PEM): {error}") from error
        if self.ssl_key_file and not self.ssl_cert_file:
            raise ValueError("DESKPULSE_SSL_KEY_FILE needs the certificate of that key: DESKPULSE_SSL_CERT_FILE")
        if self.ssl_cert_file:
            try:
                # Without a password, OpenSSL would ask for that of an encrypted key at the terminal, and wait.
                context.load_cert_chain(self.ssl_cert_file, self.ssl_key_file, password="")
            except OSError as error:
                raise ValueError(
                    f"DESKPULSE_SSL_CERT_FILE={self.ssl_cert_file} and DESKPULSE_SSL_KEY_FILE={self.ssl_key_file} give no "
                    f"certificate with its own unencrypted key (PEM): {error}"
                ) from error
        return context
