"""Worked examples of KPIs: a few events on a time axis, and the figures they come to.

They are data (``streams/kpi/examples/*.yaml``); the catalogue shows them, and a test runs each through the pure path. An event is one
line: when, which contact (of ``agent.*``: which agent), type, and fields as ``name=value``::

    09:00:00 c1 call.queued queue=sales
    +1d00:00:04 c1 call.answered agent=A1

Its id is ``e`` and the number of its line, for ``corrects=e2``. The day is a Monday, the zone UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from streams import bounded_yaml
from streams.contracts.decode import Rejected, decode_any
from streams.contracts.outputs import Figure, Snapshot, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.explained import Explained, explain, near
from streams.kpi.labels import ENTITIES
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.policy.model import Policy
from streams.kpi.spec import side_of
from streams.kpi.staffing import gap_of
from streams.languages.text import Text
from streams.pipeline import Run, run
from streams.windows.clock import instant

#: The day on which examples begin.
DAY = date(2026, 3, 2)
_MOMENT = re.compile(r"(?:\+(\d+)d)?(\d\d:\d\d:\d\d(?:\.\d+)?)")
_SHORT = {
    name: f"{name}_id" for name in ("agent", "team", "queue", "site", "customer", "to_agent", "to_queue", "reviewer")
}
_Value = float | str | None


class Expected(BaseModel):
    """A figure: whose, of which day (``+1d``; ``total``: of all days together), and what it must be.

    ``value`` is exact, as a number or as ``2/3``; null: no data. ``about`` instead: to as many decimals as are written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity: str = "all|all"
    day: Annotated[str, Field(pattern=r"^(\+\d+d|total)$")] = "+0d"
    value: _Value = None
    about: float | None = None
    n: int
    pending: int = 0


class Example(BaseModel):
    """One worked example of one KPI. ``until``: time goes on to then, so that what is planned and what matures counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kpi: str
    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]
    policy: dict[str, Any] = {}
    events: Annotated[list[str], Field(min_length=1)]
    until: str | None = None
    expect: Annotated[list[Expected], Field(min_length=1)]

    @property
    def in_force(self) -> Policy:
        """The default policy with the example's own values. Raises ValidationError where one is wrong."""
        return Policy.model_validate({"time_zone": "UTC", **self.policy})


_EXAMPLES = TypeAdapter(list[Example])


@dataclass(frozen=True)
class Worked:
    """An expected figure beside what really came of the events."""

    expected: Expected
    found: Explained

    @property
    def fault(self) -> str | None:
        """What differs; None where it is as expected."""
        figure = self.found.figure
        told = f"{figure.value!r} (n {figure.n}, pending {self.found.pending})"
        if (figure.n, self.found.pending) != (self.expected.n, self.expected.pending):
            return f"it is {told}, not n {self.expected.n}, pending {self.expected.pending}"
        if not _agrees(self.expected, figure.value):
            said = self.expected.value if self.expected.about is None else f"about {self.expected.about}"
            return f"it is {told}, not {said}"
        return None


def _agrees(expected: Expected, value: float | None) -> bool:
    if expected.about is not None:
        decimals = -int(Decimal(str(expected.about)).as_tuple().exponent)
        return value is not None and round(value, decimals) == expected.about
    if expected.value is None or value is None:
        return expected.value is None and value is None
    return float(Fraction(str(expected.value))) == value


def work(example: Example) -> list[Worked]:
    """Run the events through the pure path. Raises ValueError that names a line which is no event, or an unknown KPI."""
    if example.kpi not in KPIS:
        raise ValueError(f"no KPI is called {example.kpi!r}; {near(example.kpi, KPIS)}")
    policy = example.in_force
    result = run(list(_raw(example)), policy)
    if result.rejected:
        number, why = result.rejected[0]
        raise ValueError(f"event {number + 1} is refused: {why.reason}: {why.detail}")
    return [Worked(one, _figure(example, one, result, policy)) for one in example.expect]


def _figure(example: Example, expected: Expected, result: Run, policy: Policy) -> Explained:
    kpi, side = KPIS[example.kpi], side_of(entity_kind(expected.entity))
    bound = kpi.bound(policy, side)
    if kpi.live:
        return explain(kpi, expected.entity, {}, bound, policy.version, _now(kpi.id, result.snapshot(expected.entity)))
    facts = [fact for fact in result.daily_facts() if fact.entity == expected.entity]
    if expected.day != "total":
        on = DAY + timedelta(days=int(expected.day[1:-1]))
        facts = [fact for fact in facts if fact.date == on]
    assert result.now is not None
    of, maturity = Ripening(), Maturity(policy, instant(result.now))
    for fact in facts:
        of.add(fact.sums, maturity.young(fact.date))
    return explain(kpi, expected.entity, of.sums, bound, policy.version, bound.figure(of.sums, of.unripe))


def _now(kpi: str, seen: Snapshot) -> Figure:
    """A figure of this moment, which an entity has beside its windows."""
    if kpi == "staffing_gap":
        return gap_of(seen.staffing)
    return Figure(seen.waiting if kpi == "calls_waiting" else seen.longest_wait, seen.waiting)


def _raw(example: Example) -> Iterator[bytes]:
    lines = list(example.events)
    if example.until is not None:
        # Two, as nobody's clock believes a jump of days that only one contact tells of. They reach a menu and count for nothing.
        lines += [f"{example.until} {contact} call.arrived" for contact in ("clock-1", "clock-2")]
    for number, line in enumerate(lines, 1):
        yield _event(number, line)


def _event(number: int, line: str) -> bytes:
    words = line.split()
    if len(words) < 3:
        raise ValueError(f"event {number}, {line!r}: write when, which contact, and the type: 09:00:00 c1 call.queued")
    when, subject, type_, *given = words
    body: dict[str, Any] = {"id": f"e{number}", "source": "example", "type": type_, "time": moment(when)}
    body["agent_id" if type_.startswith("agent.") else "contact_id"] = subject
    for field in given:
        name, equals, value = field.partition("=")
        if not equals:
            raise ValueError(f"event {number}, {line!r}: {field!r} is no field; write it like agent=A1")
        body[_SHORT.get(name, name)] = moment(value) if _MOMENT.fullmatch(value) else bounded_yaml.load(value)
    raw = msgspec.json.encode(body)
    if isinstance(event := decode_any(raw), Rejected):
        raise ValueError(f"event {number}, {line!r}: {event.reason}: {event.detail}")
    if odd := body.keys() - {"type"} - {field.name for field in msgspec.structs.fields(event)}:
        raise ValueError(f"event {number}, {line!r}: {type_} has no field {', '.join(sorted(odd))}")
    return raw


def moment(text: str) -> str:
    """``09:00:00`` on the examples' day, ``+1d09:00:00`` on the next, as RFC 3339. Raises ValueError for anything else."""
    if not (written := _MOMENT.fullmatch(text)):
        raise ValueError(f"{text!r} is no time; write 09:00:00, or +1d09:00:00 for the next day")
    day = DAY + timedelta(days=int(written[1] or 0))
    return datetime.fromisoformat(f"{day.isoformat()}T{written[2]}+00:00").astimezone(UTC).isoformat()


def load(text: str, name: str) -> tuple[Example, ...]:
    """The examples of one file. Raises ValueError with every wrong entry named."""
    try:
        return tuple(_EXAMPLES.validate_python(bounded_yaml.load(text) or []))
    except bounded_yaml.YamlError as error:
        raise ValueError(f"cannot read the examples {name}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ValueError(f"examples {name}: {wrong}") from error


@lru_cache(maxsize=1)
def examples() -> Mapping[str, Sequence[Example]]:
    """Every example that comes with the program, by the id of its KPI."""
    found: dict[str, list[Example]] = {}
    for file in sorted(_folder().iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            for example in load(file.read_text(encoding="utf-8"), file.name):
                found.setdefault(example.kpi, []).append(example)
    return found


def _folder() -> Traversable:
    return files("streams") / "kpi" / "examples"


def whose(entity: str) -> Text:
    """An entity as the catalogue calls it."""
    kind, id = entity_kind(entity), entity_id(entity)
    return Text("全中心", "all") if kind == "all" else ENTITIES[kind].format(id)
