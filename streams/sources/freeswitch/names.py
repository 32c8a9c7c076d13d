"""The file of one FreeSWITCH, read and refused with reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streams.secret_files import SecretName
from streams.sources.live.names import NamedId, Region, SourceName, load_as

EXAMPLE = """\
# FreeSWITCH (mod_callcenter) for Deskpulse. Try it without sending anything: deskpulse source check freeswitch.yaml
system: freeswitch
source: freeswitch               # the `source` of every event; one of its own for each FreeSWITCH
host: 127.0.0.1                  # its event socket, as in event_socket.conf.xml; it has no encryption of its own
port: 8021
password: $FREESWITCH_PASSWORD   # from the environment, or from the file that FREESWITCH_PASSWORD_FILE names
# user: deskpulse@example.org    # a user of the directory (userauth) in place of the event socket's own password
# region: CN                     # where callers' numbers are written: each then has one spelling, as in other tables
# cdr: /var/log/freeswitch/json_cdr   # files of mod_json_cdr: what a break of the connection has cost is looked up there
agents: {}                       # its name of an agent: your id
#  1001@default: A001
queues: {}                       # its name of a queue: yours
#  support@default: support
"""


class Config(BaseModel):
    """One FreeSWITCH. ``cdr``: where mod_json_cdr writes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: Literal["freeswitch"]
    source: SourceName = "freeswitch"
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8021
    password: SecretName
    user: Annotated[str, Field(pattern=r"^[^\s:@]+@[^\s:@]+$")] | None = None
    region: Region | None = None
    cdr: Path | None = None
    agents: dict[str, NamedId] = {}
    queues: dict[str, NamedId] = {}


def load(path: Path) -> Config:
    """The file. A path in it that is not absolute is beside it. Raises ValueError that names the file and the key."""
    config = load_as(Config, path, "freeswitch")
    return config if config.cdr is None else config.model_copy(update={"cdr": path.parent / config.cdr})
