"""The file of a topic or a table that is followed: where it is, how it is read, and what it means here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from streams import bounded_yaml
from streams.secret_files import SecretName, value_of
from streams.settings import Settings
from streams.sources.mapped.rows import Asked
from streams.sources.table.mapping import TableMapping, load_mapping, told

_Text = Annotated[str, Field(min_length=1, max_length=256, coerce_numbers_to_str=True)]
#: As Kafka allows them.
_Topic = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]


def _region(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{text!r} is no region; write it like CN or DE")
    return text


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Mapped(BaseModel):
    """What the files of all such sources have.

    ``mapping``: a mapping file beside this one, or the mapping itself. ``region``: where telephone numbers are written, for the mapping as
    the constant ``region``. ``agents``, ``queues``: the system's names → the operation's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    source: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    mapping: TableMapping
    region: Annotated[str, AfterValidator(_region)] | None = None
    agents: dict[_Text, _Text] = {}
    queues: dict[_Text, _Text] = {}


class Cluster(BaseModel):
    """Another Kafka than the operation's own: how it is reached, as the settings ``DESKPULSE_…`` of the same names say it of that one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: Annotated[str, Field(min_length=1)]
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_ca_file: Path | None = None
    ssl_cert_file: Path | None = None
    ssl_key_file: Path | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretName | None = None
    broker_version: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Cluster:
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            raise ValueError(f"{self.security_protocol} needs sasl_username, and sasl_password as $NAME")
        return self

    def settings(self, own: Settings, environment: Mapping[str, str]) -> Settings:
        """The operation's settings, of that cluster. Raises ValueError where the password is not there."""
        given = self.model_dump(exclude={"sasl_password"})
        password = None if self.sasl_password is None else value_of(self.sasl_password, environment)
        return own.model_copy(update={**given, "sasl_password": password})


class TopicSource(Mapped):
    """The file of a topic, or of several that are written alike.

    ``kafka``: the cluster, where it is not the operation's own. ``each``: path of a list in the message, each entry of which is a record.
    ``debezium``: messages are envelopes of changes. ``retract``: a row that is deleted, or no longer tells an event, takes it back.
    ``start``: where the very first start begins.
    """

    topic: Annotated[tuple[_Topic, ...], BeforeValidator(_listed), Field(min_length=1, max_length=100)]
    kafka: Cluster | None = None
    group: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    start: Literal["earliest", "latest"] = "earliest"
    each: Annotated[str, Field(min_length=1)] | None = None
    debezium: bool = False
    retract: bool = False

    @model_validator(mode="after")
    def _sound(self) -> TopicSource:
        if self.retract and not self.debezium:
            raise ValueError("retract: only Debezium's envelopes say what a row was before: `debezium: true`")
        if self.retract and self.mapping.version is None:
            raise ValueError(
                'retract: the mapping needs a `version`, as rows may tell an event again: of PostgreSQL number(col("debezium.source.lsn"))'
            )
        if self.debezium and self.each:
            raise ValueError("each: a row of Debezium is one record: leave it out")
        return self


class DatabaseSource(Mapped):
    """The file of a table, or of a query, that is read again and again behind a watermark.

    ``database``: secret with its SQLAlchemy URL. ``watermark``: column that rises whenever a row is written or changed: a time, or a whole
    number. ``key``: columns that name a row. ``overlap_seconds``, for numbers ``overlap``: so far behind the highest watermark is looked
    again for rows that were committed late.
    """

    database: SecretName
    table: Annotated[str, Field(pattern=r"^[^\s;]+$", max_length=256)] | None = None
    query: Annotated[str, Field(min_length=1)] | None = None
    watermark: _Text
    key: Annotated[tuple[_Text, ...], BeforeValidator(_listed), Field(min_length=1, max_length=10)]
    overlap_seconds: Annotated[float, Field(ge=0, le=86_400)] = 300
    overlap: Annotated[int, Field(ge=0, le=10_000_000)] = 1_000
    every_seconds: Annotated[float, Field(ge=0.5, le=86_400)] = 5
    timeout_seconds: Annotated[float, Field(ge=1, le=3_600)] = 30
    rows: Annotated[int, Field(ge=2, le=100_000)] = 1_000

    @model_validator(mode="after")
    def _one_of_them(self) -> DatabaseSource:
        if (self.table is None) == (self.query is None):
            raise ValueError("table or query: give one of them")
        return self

    @property
    def asked(self) -> Asked:
        """What is read."""
        query = None if self.query is None else self.query.strip().rstrip(";")
        return Asked(self.table, query, self.watermark, self.key, self.rows)

    @property
    def overlap_time(self) -> timedelta:
        """The overlap of times."""
        return timedelta(seconds=self.overlap_seconds)


_Source = TypeVar("_Source", bound=Mapped)


def load(path: Path, model: type[_Source], example: str) -> _Source:
    """The file. Paths in it that are not absolute are beside it. ``example``: what `deskpulse source example` is told to print one.

    Raises ValueError with every wrong key and what to do.
    """
    raw = bounded_yaml.load_named(path, "the source's file")
    advice = f"`deskpulse source example {example}` shows how it is written"
    if not isinstance(raw, dict):
        raise ValueError(f"{path}: keys are expected; {advice}")
    try:
        return model.model_validate(_with_mapping(raw, path.parent))
    except ValidationError as error:
        wrong = "\n".join(f"{path}: {told(one)}" for one in error.errors())
        raise ValueError(f"{wrong}\n{advice}") from error


def _with_mapping(raw: dict[Any, Any], directory: Path) -> dict[Any, Any]:
    """The file's own ``source`` and ``region`` are the mapping's, and files that it names are beside it."""
    found = dict(raw)
    mapping = found.get("mapping")
    own = {"source": found.get("source")} if isinstance(found.get("source"), str) else {}
    region = found.get("region", "")
    if isinstance(mapping, str):
        read = load_mapping(directory / mapping)
        constants = {**read.constants, "region": region or read.constants.get("region", "")}
        found["mapping"] = read.model_copy(update={**own, "constants": constants})
    elif isinstance(mapping, dict):
        constants = mapping.get("constants", {})
        if isinstance(constants, dict):
            constants = {**constants, "region": region or constants.get("region", "")}
        found["mapping"] = {**mapping, **own, "constants": constants}
    if isinstance(cluster := found.get("kafka"), dict):
        files = ("ssl_ca_file", "ssl_cert_file", "ssl_key_file")
        found["kafka"] = {
            name: str(directory / value) if name in files and isinstance(value, str) else value
            for name, value in cluster.items()
        }
    return found
