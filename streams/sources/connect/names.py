"""The file of one Amazon Connect instance, read and refused with reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streams.contracts.events import AgentState
from streams.sources.live.names import NamedId, Region, SourceName, load_as

EXAMPLE = """\
# Amazon Connect for Deskpulse. Try it without sending anything: deskpulse source check connect.yaml
system: connect
source: amazon-connect           # the `source` of every event; one of its own for each instance
aws_region: eu-central-1         # who it is, AWS's own ways say: environment, ~/.aws, the role of the machine
streams: []                      # Kinesis streams of the instance (Data streaming): contact records, agent events
#  - connect-contact-records
#  - connect-agent-events
files: []                        # where Firehose puts the same in S3; either is enough, and both count once
#  - s3://bucket/contact-records/
# region: CN                     # where callers' numbers are written; Connect writes them with their country
agents: {}                       # the end of an agent's ARN: your id
queues: {}                       # a queue's name: yours
statuses: {}                     # a status of your own: the state that it is (training, wrap_up, …); all others are away
"""


class Config(BaseModel):
    """One instance. ``late_hours``: so long after its hour a file may still come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: Literal["connect"]
    source: SourceName = "amazon-connect"
    aws_region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    endpoint: Annotated[str, Field(pattern=r"^https?://")] | None = None
    streams: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,2048}$")]] = []
    files: list[Annotated[str, Field(pattern=r"^s3://[a-z0-9.-]{3,63}/(?:[^/].*)?$")]] = []
    late_hours: Annotated[int, Field(ge=1, le=720)] = 24
    region: Region | None = None
    agents: dict[str, NamedId] = {}
    queues: dict[str, NamedId] = {}
    statuses: dict[str, AgentState] = {}

    @model_validator(mode="after")
    def _some(self) -> Config:
        if not (self.streams or self.files):
            raise ValueError("streams and files are both empty: give one of them")
        return self


def load(path: Path) -> Config:
    """The file. Raises ValueError that names the file and the key."""
    return load_as(Config, path, "connect")
