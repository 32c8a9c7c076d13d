"""Where things are: brokers, Redis, names. From the environment (``DESKPULSE_…``), overridden by command-line options."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from streams.contracts.topics import Topic
from streams.kpi.policy.versions import AnyPolicy
from streams.operator_files import load_policy
from streams.secret_files import secret

#: Settings that hold a secret, or an address with one in it: each is read from the file that ``DESKPULSE_<FIELD>_FILE`` names, too.
SECRETS = ("sasl_password", "redis", "pseudonym_key", "database", "history", "sign_on_secret")


class _SecretFiles(PydanticBaseSettingsSource):
    """The secrets that stand in files."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One of them, or None. Raises ValueError as ``secret``."""
        return secret(f"DESKPULSE_{field_name.upper()}", os.environ), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All of them that are there."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in SECRETS}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """One operation's settings; every field is read from ``DESKPULSE_<FIELD>``, secrets from ``DESKPULSE_<FIELD>_FILE``, too.

    Raises ValueError where such a file cannot be read, is empty, or both are set.
    """

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
    gateway_file: Path | None = Field(None, description="Sources of the gateway (YAML): who may send events by HTTP")
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
    archive: str | None = Field(
        None,
        description="Archive of events: a folder, or s3://bucket/path?region=…; the folder archive in data_dir where absent",
    )
    data_dir: Path = Field(Path("var"), description="Where local brokers, logs and results are kept")
    names: Literal["none", "token", "all"] = Field(
        "token",
        description="Who sees names on the wallboard: nobody, whose token may (`deskpulse score token add`), or all who open it",
    )
    web_url: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+/?$",
        description="How browsers reach the desk (https://desk.example.org): its name is answered under, and with https its cookies are "
        "sent by https only",
    )
    sign_on_file: Path | None = Field(
        None, description="Single sign-on of the desk (YAML): its provider, and what its claims mean here"
    )
    sign_on_secret: str | None = Field(
        None, description="The desk's secret at the provider of the single sign-on", repr=False
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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then the environment, then the files that it names."""
        return init_settings, env_settings, _SecretFiles(settings_cls)

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
    # The child is given the secrets themselves: the files are not to speak a second time.
    read = {f"DESKPULSE_{name.upper()}_FILE": "" for name in SECRETS}
    return (
        read
        | {f"DESKPULSE_{name.upper()}": str(value) for name, value in given.items()}
        | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    )
