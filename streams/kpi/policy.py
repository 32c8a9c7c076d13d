"""Policy: the values people argue about. Explicit, versioned, the same for wallboard, alert and score."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

ServiceLevelDenominator = Literal["offered", "answered", "answered_and_abandoned", "offered_less_short_abandons"]
Channel = Literal["chat", "ticket"]
_Seconds = Annotated[float, Field(ge=0)]


class Policy(BaseModel):
    """Every argued value with its default. Durations in the unit that the name says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field("1", description="Name of this set of values; screens and sheets name it")
    time_zone: str = Field("Asia/Shanghai", description="The operation's zone: borders of its days")
    service_level_seconds: _Seconds = Field(20, description="An answer within this wait (≤) is in time")
    service_level_denominator: ServiceLevelDenominator = Field(
        "offered", description="What the 20-second answer rate is a share of; of an agent always his offers"
    )
    short_abandon_seconds: _Seconds = Field(
        0, description="Hang-ups within this wait (≤) are not abandoned; 0: all are"
    )
    first_response_seconds: _Seconds = Field(30, description="A first response within this time (≤) is in time")
    first_response_channels: tuple[Channel, ...] = Field(
        ("chat",),
        description="Channels whose first responses make the mean first response time; tickets wait for hours",
    )
    repeat_days: Annotated[float, Field(gt=0, le=366)] = Field(
        7, description="A customer who returns within this time repeats"
    )
    repeat_same_topic: bool = Field(
        True, description="Only a return on the same topic repeats; a topic missing on either side matches any"
    )
    repeat_complaint_days: Annotated[float, Field(gt=0, le=366)] = Field(
        30, description="A complaint within this time of the last repeats it"
    )
    csat_mean_scale: Literal["1-5", "0-10", "0-100", "binary"] = Field(
        "1-5", description="The scale whose own mean is shown; scales are never mixed"
    )
    satisfied_from: dict[Literal["1-5", "0-10", "0-100", "binary"], float] = Field(
        default={"1-5": 4, "0-10": 9, "0-100": 80, "binary": 1},
        description="Lowest score (≥) that counts as satisfied, by scale",
    )
    complaint_late_days_at_most: Annotated[int, Field(ge=0, le=366)] = Field(
        30, description="A complaint that stays open is late by so many days at most"
    )
    topics: Annotated[tuple[str, ...], Field(max_length=50)] = Field(
        (), description="Topics whose resolution is kept apart, by name"
    )
    max_wait_seconds: _Seconds = Field(
        14_400, description="A call in the queue for longer than this was lost by its source and waits no more"
    )
    short_call_seconds: _Seconds = Field(
        10, description="A call that its agent ended before this much talk (<) is a short call"
    )
    response_delay_seconds: _Seconds = Field(
        120,
        description="A reply in a chat later than this (>) after the customer's first unanswered message is delayed",
    )
    fcr_days: Annotated[float, Field(gt=0, le=366)] = Field(
        7, description="A contact is resolved at once if its customer does not return within this time"
    )
    allowed_lateness_days: Annotated[float, Field(gt=0, le=3660)] = Field(
        3, description="An event that comes later than this is refused as too late"
    )
    allowed_future_seconds: _Seconds = Field(
        300, description="An event further ahead of the machine's clock than this is refused"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no time zone; write it like Asia/Shanghai or Europe/Berlin")
        return value

    @field_validator("satisfied_from")
    @classmethod
    def _every_scale(cls, value: dict[str, float]) -> dict[str, float]:
        if missing := {"1-5", "0-10", "0-100", "binary"} - value.keys():
            raise ValueError(f"no value for the scales {', '.join(sorted(missing))}")
        return value

    @cached_property
    def zone(self) -> ZoneInfo:
        """The operation's time zone."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def allowed_lateness_ms(self) -> int:
        """Milliseconds."""
        return round(self.allowed_lateness_days * 86_400_000)

    @cached_property
    def repeat_ms(self) -> int:
        """Milliseconds."""
        return round(self.repeat_days * 86_400_000)

    @cached_property
    def fcr_ms(self) -> int:
        """Milliseconds."""
        return round(self.fcr_days * 86_400_000)

    @cached_property
    def repeat_complaint_ms(self) -> int:
        """Milliseconds."""
        return round(self.repeat_complaint_days * 86_400_000)


def load_policy(path: Path | None) -> Policy:
    """The policy of a YAML file, defaults for what it leaves out; all defaults without a file.

    Raises ValueError with every wrong entry named.
    """
    if path is None:
        return Policy()
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Policy.model_validate(raw)
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read the policy {path}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ValueError(f"policy {path}: {wrong}") from error
