"""A contact's events, for the terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from streams.commands.shared.archive import place_of
from streams.commands.shared.context import stop
from streams.history.events import VERDICTS, Course, EventLine, course, from_archive, from_topics, since
from streams.history.questions import open_questions
from streams.kpi.explained import measure
from streams.kpi.labels import NONE, both
from streams.kpi.measures.measure import SCALE
from streams.languages.translation import tell
from streams.operation import KafkaOperation
from streams.settings import Settings
from streams.windows.clock import instant

#: Columns of a terminal, and of a file that it is written to.
_WIDTH = 180


def show_events(settings: Settings, which: str, *, archived: bool, as_json: bool) -> None:
    """Say what became of a contact, event by event. Ends the command where there is no such contact, or several are."""
    contact, told = _contact(settings, which)
    if archived:
        events, roster = from_archive(place_of(settings), settings, told["date"])
    else:
        events, roster = (
            from_topics(settings, since(settings.policy, told["arrived_at"])),
            KafkaOperation(settings).whole_roster(),
        )
    found = course(events, settings.policy, roster, contact, told["customer_id"], event_time=settings.clock == "event")
    if as_json:
        typer.echo(
            msgspec.json.format(
                msgspec.json.encode({"contact": contact, "events": [asdict(line) for line in found.lines]}), indent=2
            )
        )
        return
    _tell(settings, contact, found)


def _contact(settings: Settings, which: str) -> tuple[str, dict[str, Any]]:
    """The contact that is meant, and what the history says of it."""
    channel, colon, id = which.partition(":")
    with open_questions(settings.history or settings.database, settings.data_dir, settings.policy) as questions:
        records = [which] if not colon or "|" in which else questions.records_of(id, channel)
        if len(records) > 1:
            raise stop(f"several contacts are {which}: give the record of one of them: {', '.join(records)}")
        told = questions.contacts(records)
    if not told:
        raise stop(f"the history has no contact {which}; write calls:c17, chats:c17 or tickets:c17")
    (own,) = told.values()
    return f"{own['channel']}:{own['contact_id']}", own


def _tell(settings: Settings, contact: str, found: Course) -> None:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("到达 came", "发生 happened", "事件 event", "编号 id", "结论 verdict", "变动 changes"):
        made.add_column(name, overflow="fold")
    zone = settings.policy.zone
    for line in found.lines:
        came, at = (
            NONE if ms is None else f"{instant(ms).astimezone(zone):%Y-%m-%d %H:%M:%S}" for ms in (line.came, line.at)
        )
        own = "" if line.contact == contact else f"\n{line.contact}"
        made.add_row(came, at, line.type + own, line.id, both(VERDICTS[line.verdict]), "\n".join(_changes(line)))
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH)).print(made)
    tell(
        f"{len(found.lines)} events; refused ones are judged anew here: `deskpulse dead-letters list` says what was refused then"
    )


def _changes(line: EventLine) -> list[str]:
    """What an event changed, or why it was refused."""
    if line.reason is not None:
        return [f"{line.reason}: {line.detail}"]
    told = [f"{name}: {_said(then)} → {_said(now)}" for name, (then, now) in line.fields.items()]
    of_agents = any(entity.startswith("agent|") for entity, *_ in line.counts)
    for entity, day, id, then, now in line.counts:
        if of_agents and not entity.startswith("agent|"):  # the queue has the same once more
            continue
        scale, name = 1, id
        try:
            one = measure(id)
        except KeyError:
            pass
        else:
            if one.unit.startswith(("s2", "points2")) or one.family:  # of which only intervals and percentiles are made
                continue
            scale, name = SCALE[one.unit], f"{one.name.zh} {one.name.en}"
        told.append(f"{entity.replace('|', ' ')} {day}: {name} {then / scale:g} → {now / scale:g}")
    return told


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(one if isinstance(one, str) else f"[{number}]" for number, one in enumerate(value, 1))
    return NONE if value is None else str(value)
