"""Where things are: brokers, Redis, names. From the environment (``DESKPULSE_…``), overridden by command-line options."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.contracts.topics import Topic
from streams.kpi.policy.versions import AnyPolicy
from streams.operator_files import load_policy


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
    notify_file: Path | None = Field(
        None, description="Channels and routes of the notifier (YAML): who is told of incidents, and how"
    )
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
    records: bool = Field(
        True,
        description="Write records of contacts and of agents' presence, with what they count for. A contact that changes while it is off "
        "is recorded when it changes again",
    )
    customer_ids: Literal["any", "refuse", "pseudonymise"] = Field(
        "any",
        description="Customer ids on live topics that do not look like pseudonyms: any: taken as they are; refuse: to the dead letters; "
        "pseudonymise: made pseudonyms by the key of the pseudonyms",
    )
    pseudonym_key: str | None = Field(None, description="Key of the customers' pseudonyms", repr=False)
    data_dir: Path = Field(Path("var"), description="Where local brokers, logs and results are kept")
    names: Literal["none", "token", "all"] = Field(
        "token",
        description="Who sees names on the wallboard: nobody, whose token may (`deskpulse score token add`), or all who open it",
    )
    database: str | None = Field(
        None,
        description="PostgreSQL of what people decide (postgresql://…); SQLite in data_dir where absent",
        repr=False,
    )
    history: str | None = Field(
        None,
        description="PostgreSQL of the history (postgresql://…); where absent that of DESKPULSE_DATABASE, without it SQLite in data_dir",
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

    def redis_key(self, name: str) -> str:
        """The key of this operation for one of the names of ``contracts/redis_keys.py``."""
        return f"{self.prefix}deskpulse:{name}"


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a child process reads them; Python's path too, for a source tree that is not installed."""
    given = settings.model_dump(mode="json", exclude_none=True, exclude={"policy"})
    return {f"DESKPULSE_{name.upper()}": str(value) for name, value in given.items()} | {
        "PYTHONPATH": str(Path(__file__).resolve().parents[1])
    }
