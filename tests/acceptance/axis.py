"""The notation of ``cases/*.yaml``: lines on a time axis become events, figures in words become what is expected.

A line is ``TIME CHANNEL CONTACT WHAT field=value …``: ``09:00:20 call c1 answered agent=a``. TIME is of the case's date in the zone of
its policy; ``+1 00:00:10`` is the day after, ``02:30:00+02:00`` says which of two. ``chat c1 customer``, ``chat c1 bot`` and
``chat c1 reply`` are messages; ``script=yes`` and ``item_流程=no`` are items of a review's form. Agents have lines of their own: ``09:00:00 agent a available``, ``agent a scheduled starts=… ends=…``.
A value with spaces stands in quotes: ``kind="follow up"``. Lines are named e1, e2, … for ``corrects=``, or as ``id=`` says. A policy is values by name, or ``versions`` as its file has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from streams.kpi.policy.versions import AnyPolicy, read

DATE = date(2026, 3, 2)
SHORT = {
    "queue": "queue_id", "agent": "agent_id", "team": "team_id", "site": "site_id", "customer": "customer_id",
    "to": "to_agent_id", "to_queue": "to_queue_id", "wait": "wait_seconds", "ring": "ring_seconds", "talk": "talk_seconds",
    "hold": "hold_seconds", "wrap": "wrap_up_seconds", "by": "ended_by", "search": "search_seconds",
    "coverage": "keyword_coverage", "rate": "speech_rate", "shift": "shift_seconds", "switches": "page_switches", "accepted": "accepted_by_customer",
}  # fmt: skip
NUMBERS = {
    "wait_seconds", "ring_seconds", "talk_seconds", "hold_seconds", "wrap_up_seconds", "score", "emotion", "emotion_start",
    "emotion_end", "speech_rate",
    "sequence", "silences", "shift_seconds", "script_hits", "keyword_coverage", "page_switches", "search_seconds",
}  # fmt: skip
TRUTHS = {"resolved", "passed", "fatal", "public", "accepted_by_customer", "script", "vip"}
TIMES = {"due", "starts", "ends"}
STATES = {"available", "on_contact", "wrap_up", "away", "training", "offline"}
SENDERS = {"customer": "customer", "bot": "bot", "reply": "agent"}
_ITEM = "item_"
_TIME = r"(?:\+\d+ )?\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:\d\d)?"
_LINE = re.compile(rf"({_TIME}) (call|chat|ticket|agent) (\S+) (\w+)(?: (.*))?")
_FIELD = re.compile(rf'(\w+)=({_TIME}|"[^"]*"|\S+)(?: |$)')
_FIGURE = re.compile(r"(none|-?[\d.]+(?:/\d+)?)(?: of (\d+))?(?: pending (\d+))?")


@dataclass(frozen=True)
class Expected:
    """One figure: whose, in which window, of which KPI; ``n`` and ``pending`` where the case says them."""

    entity: str
    window: str | date
    kpi: str
    value: Fraction | None
    n: int | None
    pending: int | None


@dataclass(frozen=True)
class Case:
    """A hand-made case, as its file has it."""

    name: str
    policy: AnyPolicy
    events: list[dict[str, Any]]
    as_of: datetime
    expected: list[Expected]
    kpis: set[str] = field(default_factory=set)


def moment(text: str, day: date, policy: AnyPolicy) -> datetime:
    """A time on the axis, with its offset."""
    if text.startswith("+"):
        days, text = text[1:].split(" ", 1)
        day += timedelta(days=int(days))
    at = time.fromisoformat(text)
    return datetime.combine(day, at, at.tzinfo or policy.zone)


def event(line: str, number: int, day: date, policy: AnyPolicy) -> dict[str, Any]:
    """The event that a line tells. Raises ValueError where it is none."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"no line of an axis: {line!r}")
    at, channel, subject, what, rest = match.groups()
    told: dict[str, Any] = {"id": f"e{number}", "source": "case", "time": moment(at, day, policy).isoformat()}
    if channel == "agent":
        told |= {"agent_id": subject, "type": "agent.state_changed" if what in STATES else f"agent.{what}"}
        if what in STATES:
            told["state"] = what
    elif channel == "chat" and what in SENDERS:
        told |= {"contact_id": subject, "type": "chat.message", "sender": SENDERS[what]}
    else:
        told |= {"contact_id": subject, "type": f"{channel}.{what}"}
    if what == "rated":
        told["scale"] = "1-5"
    left = _FIELD.sub("", rest or "").strip()
    if left:
        raise ValueError(f"no fields: {left!r} in {line!r}")
    for name, value in _FIELD.findall(rest or ""):
        name = SHORT.get(name, name)
        told[name] = plain(name, value.strip('"'), day, policy)
    items = {name: told.pop(name) for name in list(told) if name == "script" or name.startswith(_ITEM)}
    if items:
        told["items"] = {name.removeprefix(_ITEM): well for name, well in items.items()}
    return told


def plain(name: str, value: str, day: date, policy: AnyPolicy) -> Any:
    """A field's value as an event carries it."""
    if name in NUMBERS:
        return float(value) if "." in value else int(value)
    if name in TRUTHS or name.startswith(_ITEM):
        return {"yes": True, "no": False}[value]
    return moment(value, day, policy).isoformat() if name in TIMES else value


def figures(where: str, told: dict[str, Any], day: date) -> list[Expected]:
    """What is expected of ``agent a``, ``queue q 5m``, ``all today``, ``all +1``, ``team t month``: the day of the axis unless said."""
    words = where.split()
    entity = "all|all" if words[0] == "all" else f"{words[0]}|{words[1]}"
    rest = words[1:] if words[0] == "all" else words[2:]
    window: str | date = rest[0] if rest else day
    if isinstance(window, str) and window.startswith("+"):
        window = day + timedelta(days=int(window))
    elif window == "month":
        window = f"{day:%Y-%m}"
    found = []
    for kpi, text in told.items():
        match = _FIGURE.fullmatch(str(text))
        if match is None:
            raise ValueError(f"{where}: {kpi}: {text!r} is no figure; write 3/4, 12.5 of 2, 7, none, 1/2 pending 1")
        value, of, pending = match.groups()
        n = int(of) if of else int(value.split("/")[1]) if "/" in value else 0 if value == "none" else None
        exact = None if value == "none" else Fraction(value)
        found.append(Expected(entity, window, kpi, exact, n, None if pending is None else int(pending)))
    return found


def cases(path: Path) -> list[Case]:
    """The cases of a file."""
    found = []
    for raw in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader):
        unknown = raw.keys() - {"name", "trap", "policy", "date", "events", "as_of", "expect"}
        if unknown:
            raise ValueError(f"{path.name}: {raw['name']}: unknown {', '.join(sorted(unknown))}")
        values = yaml.safe_load(yaml.safe_dump(raw.get("policy", {})).replace("'", ""))
        first, *later = values.get("versions", [values])
        # Every order is tried: nothing may be too late.
        first = {"version": "first", "time_zone": "UTC", "allowed_lateness_days": 100, **first}
        policy = read({"versions": [first, *later]})
        day = date.fromisoformat(raw["date"]) if "date" in raw else DATE
        events = [event(line, number, day, policy) for number, line in enumerate(raw["events"], 1)]
        last = max(datetime.fromisoformat(told["time"]) for told in events)
        as_of = moment(raw["as_of"], day, policy) if "as_of" in raw else last
        expected = [one for where, told in raw["expect"].items() for one in figures(where, told, day)]
        kpis = {one.kpi for one in expected}
        found.append(Case(raw["name"], policy, events, as_of, expected, kpis))
    return found
