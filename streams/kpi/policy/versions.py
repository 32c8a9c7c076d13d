"""Versions of the policy: each in force from its day on, until the next."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.model import Policy

#: Values of the whole operation, and why they cannot change with a version.
LASTING = {
    "time_zone": "days of facts would overlap or leave a gap between them",
    "day_starts": "days of facts would overlap or leave a gap between them",
    "allowed_lateness_days": "what is kept and when it is forgotten follows from it, for contacts of all days alike",
    "max_state_hours": "a state may last from the days of one version into those of another",
    "earliest_day": "an event is let in before it is known to which day its contact belongs",
    "allowed_future_seconds": "an event is let in before it is known to which day its contact belongs",
}


@dataclass(frozen=True)
class Policies:
    """Several versions of the policy in order of time: (first day, values). Only the first may have no day: from the beginning."""

    dated: tuple[tuple[date | None, Policy], ...]

    def on(self, day: date) -> Policy:
        """The values in force on a day. Raises NotCoveredError before the first version."""
        first, values = self.dated[0]
        if first is not None and day < first:
            raise NotCoveredError(
                f"no version of the policy is in force on {day}: the first, {values.version!r}, is valid from {first}; "
                "give it an earlier valid_from, or none"
            )
        return self.current(day)

    def current(self, day: date) -> Policy:
        """The values that screens use on a day: before the first version, those of the first."""
        return self.dated[max(0, bisect_right(self._starts, day) - 1)][1]

    def but(self, **values: Any) -> Policies:
        """The same with other values in every version."""
        return Policies(tuple((start, policy.but(**values)) for start, policy in self.dated))

    def between(self, first: date, last: date) -> tuple[Policy, ...]:
        """The values in force from ``first`` to ``last``, in order. Raises NotCoveredError where a day has none."""
        begun = self.on(first)
        later = [values for start, values in self.dated if start is not None and first < start <= last]
        return (begun, *later)

    @property
    def _starts(self) -> list[date]:
        return [start or date.min for start, _ in self.dated]

    # -- the values of the whole operation ------------------------------------------------------------------------------

    @property
    def time_zone(self) -> str:
        """Name of the operation's time zone."""
        return self.dated[0][1].time_zone

    @property
    def zone(self) -> ZoneInfo:
        """The operation's time zone."""
        return self.dated[0][1].zone

    @property
    def day_starts_ms(self) -> int:
        """How long after midnight the operation's day begins, ms."""
        return self.dated[0][1].day_starts_ms

    @property
    def allowed_lateness_ms(self) -> int:
        """Milliseconds."""
        return self.dated[0][1].allowed_lateness_ms

    @property
    def allowed_lateness_days(self) -> float:
        """Days."""
        return self.dated[0][1].allowed_lateness_days

    @property
    def max_state_ms(self) -> int:
        """For how long an agent's state lasts at most, ms."""
        return self.dated[0][1].max_state_ms

    @property
    def earliest_ms(self) -> int:
        """The first moment of which events are taken, ms since 1970."""
        return self.dated[0][1].earliest_ms

    @property
    def earliest_day(self) -> date:
        """The day on which that is."""
        return self.dated[0][1].earliest_day

    @property
    def allowed_future_seconds(self) -> float:
        """Seconds."""
        return self.dated[0][1].allowed_future_seconds


#: One set of values for all days, or versions of it.
AnyPolicy: TypeAlias = Policy | Policies


def versions(policy: AnyPolicy) -> tuple[tuple[date | None, Policy], ...]:
    """Every version with its first day, in order; one set of values is one version from the beginning."""
    return policy.dated if isinstance(policy, Policies) else ((None, policy),)


def within(policy: AnyPolicy, first: date, last: date) -> AnyPolicy:
    """Of the policy what is in force from ``first`` to ``last``. Raises NotCoveredError where a day has none."""
    found = policy.between(first, last)
    if isinstance(policy, Policy) or len(found) == 1:
        return found[0]
    names = {one.version for one in found}
    return Policies(tuple((start, one) for start, one in policy.dated if one.version in names))


def named(policies: Sequence[Policy]) -> str:
    """The names of versions, as screens and sheets say them."""
    return ", ".join(policy.version for policy in policies)


def warnings(policy: AnyPolicy, day: date) -> list[str]:
    """What the policy has no answer to on a day: each says what to do."""
    told = []
    try:
        policy.on(day)
    except NotCoveredError as error:
        told.append(str(error))
    try:
        if (hours := policy.current(day).business_days) is not None:
            hours.by_calendar(day.year)
    except NotCoveredError as error:
        told.append(str(error))
    return told


def dump(policy: AnyPolicy) -> dict[str, Any]:
    """The policy as plain data, every value written; ``read`` takes it back."""
    if isinstance(policy, Policy):
        return policy.model_dump(mode="json")
    return {
        "versions": [
            {"valid_from": start and start.isoformat(), **one.model_dump(mode="json")} for start, one in policy.dated
        ]
    }


def read(raw: Mapping[str, Any]) -> AnyPolicy:
    """The policy of plain data: one set of values, or ``versions``. Raises ValueError with every wrong entry named."""
    if "versions" not in raw:
        return _checked("", raw)
    if others := sorted(str(name) for name in raw if name != "versions"):
        raise ValueError(f"{', '.join(others)}: beside versions nothing is read; write it into the first version")
    entries = raw["versions"]
    if not isinstance(entries, list) or not entries:
        raise ValueError("versions: a list of sets of values, each with version and valid_from")
    dated = _dated(entries)
    _in_order(dated)
    _know_their_holidays(dated)
    return dated[0][1] if len(dated) == 1 and dated[0][0] is None else Policies(tuple(dated))


def _dated(entries: Sequence[Any]) -> list[tuple[date | None, Policy]]:
    """The versions of a file, each with its day: what one leaves out, it has from the one before."""
    dated: list[tuple[date | None, Policy]] = []
    values: dict[str, Any] = {}
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise ValueError(f"version no. {number}: values by name, like service_level_seconds: 20")
        if not isinstance(entry.get("version"), str) or not entry["version"].strip():
            raise ValueError(f'version no. {number}: version: its name is missing; write it in quotes, like "2026-07"')
        where = f"version {entry['version']!r}: "
        start = _day(where, entry.get("valid_from"))
        values |= {name: value for name, value in entry.items() if name != "valid_from"}
        if "same_matter" in entry:
            values.pop("repeat_same_topic", None)
        elif "repeat_same_topic" in entry:
            values.pop("same_matter", None)
        dated.append((start, _checked(where, values)))
    return dated


def _know_their_holidays(dated: Sequence[tuple[date | None, Policy]]) -> None:
    """Raises ValueError for a version that is in force in a year of which its calendar knows nothing."""
    for (start, policy), after in zip(dated, [start for start, _ in dated[1:]] + [None], strict=True):
        if start is not None and policy.business_days is not None:
            for year in range(start.year, (start if after is None else after - timedelta(days=1)).year + 1):
                try:
                    policy.business_days.by_calendar(year)
                except NotCoveredError as error:
                    raise ValueError(f"version {policy.version!r}: {error}") from error


def _checked(where: str, values: Mapping[str, Any]) -> Policy:
    try:
        return Policy.model_validate(dict(values))
    except ValidationError as error:
        raise ValueError("; ".join(where + _wrong(one) for one in error.errors())) from error


def _wrong(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        if name == "valid_from":
            return "valid_from: only versions have one; write the values under `versions:`, as a list"
        near = get_close_matches(name, Policy.model_fields, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(Policy.model_fields)}"
        return f"{name}: no such value; {hint}"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {said}" if name else said


def _day(where: str, value: object) -> date | None:
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{where}valid_from: {value!r} is no day; write it like 2026-07-01") from None


def _in_order(dated: Sequence[tuple[date | None, Policy]]) -> None:
    names: set[str] = set()
    before: tuple[date | None, Policy] | None = None
    for start, policy in dated:
        where = f"version {policy.version!r}: "
        if policy.version in names:
            raise ValueError(f"{where}version: two versions have this name; sheets could not tell them apart")
        names.add(policy.version)
        if before is not None:
            since, earlier = before
            if start is None:
                raise ValueError(
                    f"{where}valid_from: missing; only the first version may be in force from the beginning"
                )
            if since == start:
                raise ValueError(
                    f"{where}valid_from: {start} is also the day of {earlier.version!r}; keep one of the two"
                )
            if since is not None and start < since:
                raise ValueError(
                    f"{where}valid_from: {start} lies before {since} of {earlier.version!r}; list versions in order of time"
                )
            for name, why in LASTING.items():
                if getattr(policy, name) != (was := getattr(earlier, name)):
                    raise ValueError(
                        f"{where}{name}: it cannot change with a version: {why}; leave it at {was!r}, or begin a new "
                        "operation (another prefix)"
                    )
        before = (start, policy)
