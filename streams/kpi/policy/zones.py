"""Names of time zones, as policies and mappings have them."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from zoneinfo import available_timezones

from pydantic import AfterValidator


def known_zone(name: str) -> str:
    """The name of a zone, as it is. Raises ValueError for what is none."""
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write it like Asia/Shanghai or Europe/Berlin")
    return name


Zone: TypeAlias = Annotated[str, AfterValidator(known_zone)]
