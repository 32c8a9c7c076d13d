"""Who may send what: the gateway's file, read and refused with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from streams import bounded_yaml
from streams.secret_files import SecretName, value_of
from streams.sources.table.mapping import TableMapping, load_mapping, told

Vendor: TypeAlias = Literal["chatwoot", "zendesk"]
Carrier: TypeAlias = Literal["calls", "chats", "tickets", "agents"]
VENDORS: tuple[Vendor, ...] = get_args(Vendor)
_CARRIERS: tuple[Carrier, ...] = get_args(Carrier)
_Text = Annotated[str, Field(min_length=1, max_length=256, coerce_numbers_to_str=True)]

EXAMPLE = """\
# The gateway of Deskpulse: who may send events. `deskpulse gateway check FILE` says what is wrong with it.
# A secret does not stand here: $NAME is read from the environment as NAME, or from the file that NAME_FILE names.
# Each source sends to http://HOST:8094/events/NAME. One that is not used is taken out.
sources:
  ivr:                         # a program of your own, which sends events of Deskpulse
    token: $IVR_TOKEN          # as `Authorization: Bearer …`: openssl rand -hex 24; [$NEW, $OLD] while you change it
    sends: [calls, agents]     # of calls, chats, tickets, agents; all where absent
    region: CN                 # its customers are telephone numbers of there: each has one spelling
  # crm:
  #   secret: $CRM_SECRET      # it signs by Standard Webhooks: whsec_… : openssl rand -base64 32
  # chatwoot:
  #   vendor: chatwoot         # or zendesk: its webhooks, by its own signature
  #   secret: $CHATWOOT_SECRET
  #   agents: {12: A001}       # its ids of agents and inboxes: yours. Those that lack here are listed on /deliveries
  #   queues: {3: webshop}
  # shop:                      # any other JSON, by a mapping of yours: deskpulse gateway example chatwoot
  #   mapping: shop.yaml
  #   token: $SHOP_TOKEN
"""


def _region(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{text!r} is no region; write it like CN or DE")
    return text


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Secrets: TypeAlias = Annotated[tuple[SecretName, ...], BeforeValidator(_listed), Field(max_length=5)]


class Source(BaseModel):
    """Somebody who sends: who they are, what they may send, and how it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Secrets = ()
    secret: Secrets = ()
    vendor: Vendor | None = None
    mapping: Path | None = None
    source: _Text | None = None
    sends: Annotated[tuple[Carrier, ...], Field(min_length=1)] = _CARRIERS
    region: Annotated[str, AfterValidator(_region)] | None = None
    agents: dict[_Text, _Text] = {}
    queues: dict[_Text, _Text] = {}

    @model_validator(mode="after")
    def _known(self) -> Source:
        if not (self.token or self.secret):
            raise ValueError(
                "who it is shows nobody: give `token: $NAME`, or `secret: $NAME` where it signs what it sends"
            )
        return self

    @property
    def is_mapped(self) -> bool:
        """Does it send something else than events of Deskpulse?"""
        return self.vendor is not None or self.mapping is not None


class Config(BaseModel):
    """The gateway's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")], Source], Field(min_length=1, max_length=100)
    ]


@dataclass(frozen=True)
class Known:
    """A source with its secrets, and the mapping by which it is read; None: it sends events."""

    name: str
    config: Source
    tokens: tuple[str, ...]
    secrets: tuple[str, ...]
    mapping: TableMapping | None

    @property
    def source(self) -> str:
        """The ``source`` of its events."""
        return self.config.source or self.name


def load(path: Path) -> Config:
    """The file. A mapping in it that is not absolute is beside it. Raises ValueError with every wrong key and what to do."""
    raw = bounded_yaml.load_named(path, "the gateway's file")
    if not isinstance(raw, dict):
        raise ValueError(f"{path}: `sources` is expected; `deskpulse gateway example` prints a file to begin with")
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise ValueError("\n".join(f"{path}: {told(one)}" for one in error.errors())) from error
    return config.model_copy(
        update={"sources": {name: _beside(source, path.parent) for name, source in config.sources.items()}}
    )


def _beside(source: Source, directory: Path) -> Source:
    return source if source.mapping is None else source.model_copy(update={"mapping": directory / source.mapping})


def known(config: Config, environment: Mapping[str, str]) -> dict[str, Known]:
    """The sources with their secrets. Raises ValueError, without a secret, where one is not there, and where a mapping is wrong."""
    found = {}
    for name, source in config.sources.items():
        secrets = tuple(value_of(reference, environment) for reference in source.secret)
        if source.vendor is None:
            for reference, secret in zip(source.secret, secrets, strict=True):
                _check_standard(reference, secret)
        tokens = tuple(value_of(reference, environment) for reference in source.token)
        found[name] = Known(name, source, tokens, secrets, mapping_of(name, source))
    return found


def _check_standard(reference: str, secret: str) -> None:
    try:
        Webhook(secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise ValueError(
            f"{reference}: a secret of Standard Webhooks is whsec_ and base64: `openssl rand -base64 32` makes one"
        ) from error


def mapping_of(name: str, source: Source) -> TableMapping | None:
    """By what a source's records are read: its own mapping, or its vendor's; with its ``source``, and its ``region`` as a constant.

    Raises ValueError where it is wrong.
    """
    if source.mapping is not None:
        mapping = load_mapping(source.mapping)
    elif source.vendor is not None:
        mapping = TableMapping.model_validate(bounded_yaml.load(vendor_mapping(source.vendor)))
    else:
        return None
    constants = {**mapping.constants, "region": source.region or mapping.constants.get("region", "")}
    return mapping.model_copy(update={"source": source.source or name, "constants": constants})


def vendor_mapping(vendor: Vendor) -> str:
    """The mapping that comes with the program, as it is written."""
    return (files("streams.gateway") / "vendors" / f"{vendor}.yaml").read_text(encoding="utf-8")
