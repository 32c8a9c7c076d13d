"""A first mapping for a table or a history: proposed from its header and rows, with what is not sure marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from operator import itemgetter
from pathlib import Path

import yaml

from streams.sources.expressions.functions import number
from streams.sources.expressions.written import DATES, TIMES
from streams.sources.table.cells import beginning, open_table
from streams.sources.table.encoding import encoding_of, likely_encoding
from streams.sources.table.layout import Layout, TableError
from streams.sources.table.mapping import TableMapping
from streams.sources.table.reader import is_total
from streams.sources.table.suggest_columns import (
    Column,
    answers,
    columns_of,
    format_of,
    is_clock,
    is_iso,
    moment_formula,
    noes,
    roles_of,
    seconds_of,
)
from streams.sources.table.suggest_words import BLANKS, HEADERLESS, HISTORIES, NO, QUEUE_LOG, YES

#: Rows that are looked at.
LOOKED_AT = 2_000
#: Behind a line of the proposal that people should look at.
UNSURE = "# ?"


@dataclass
class Proposal:
    """The text of a mapping, and how the file's first rows fared by it."""

    text: str
    mapping: TableMapping
    unsure: int


@dataclass
class _Lines:
    """Lines of YAML as they come."""

    lines: list[str] = field(default_factory=list)

    def add(self, text: str, unsure: str = "") -> None:
        self.lines.append(f"{text}  {UNSURE} {unsure}" if unsure else text)

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"


def suggest(path: Path, time_zone: str) -> Proposal:
    """Propose a mapping of a table of calls, or of a history of which each row tells one thing that happened to a call, chat or ticket.

    Raises TableError where the file cannot be read, or has no column that may be when a call came in.
    """
    layout, said = _layout(path)
    table = open_table(path, layout)
    sound = [row.cells for row in islice(table.rows, LOOKED_AT) if row.problem is None]
    whole = [cells for cells in sound if not is_total(cells)]
    blanks = _blanks(whole)
    columns = list(columns_of(table, whole, frozenset(blanks)))
    roles = roles_of(columns)
    out = _Lines()
    out.add("# Proposed from the file; look at the lines with a question mark.")
    out.add(f"source: {_quoted(path.name.partition('.')[0])}")
    out.add(f"time_zone: {time_zone}", "the zone of the file's times")
    for key, value in said.items():
        out.add(f"{key}: {value}", "" if key == "delimiter" else "found out from the first rows")
    if len(whole) < len(sound):
        out.add("totals: skip", "rows that begin with 合计, Total or the like")
    if table.header[-1] and min(map(len, whole), default=len(table.header)) < len(table.header):
        out.add("short_rows: blank", "rows end before their last columns")
    if blanks:
        out.add(f"blanks: [{', '.join(map(_text, blanks))}]", "cells that say that there is nothing")
    _times(out, roles)
    history = _history(columns)
    # Where every contact has one row, such a word is how it ended, and no step of its story.
    if history is not None and (history[1] == "queue_log" or not _is_unique(roles.get("contact"))):
        _of_history(out, roles, columns, *history)
    else:
        _meaning(out, roles)
    _unread(out, columns)
    return Proposal(str(out), TableMapping.model_validate(yaml.safe_load(str(out))), str(out).count(UNSURE))


def _unread(out: _Lines, columns: Sequence[Column]) -> None:
    """The columns that nothing of the mapping reads."""
    text = str(out)
    if names := [c.name for c in columns if c.cells and not re.search(rf"(?<!\w){re.escape(c.ref)}(?!\w)", text)]:
        out.add(f"# no event reads: {', '.join(' '.join(name.split()) for name in names)}", "is anything of it needed?")


def _blanks(rows: Sequence[Sequence[str]]) -> list[str]:
    """The words of these rows that say that there is nothing."""
    return sorted({cell for cells in rows for cell in map(str.strip, cells) if cell.lower() in BLANKS})


def _is_unique(column: Column | None) -> bool:
    """Does each of its several cells stand there once?"""
    return column is not None and len(set(column.cells)) == len(column.cells) > 1


def _layout(path: Path) -> tuple[Layout, dict[str, str]]:
    """How the file is written, and the keys that say so."""
    said = _unusual_encoding(path)
    table = open_table(path, Layout.model_validate({**said, "columns": ("x",)}))
    first = list(islice(table.rows, 12))
    top = [list(map(str.strip, row.cells)) for row in first]
    if not top:
        return Layout.model_validate(said), said
    place = _first_full(top)
    if (above := first[place].line - 1) and place:
        said["skip_rows"] = str(above)
    header, *following = top[place:]
    if _values(header):
        said["columns"] = f"[{', '.join(_headerless(header, max(map(len, top[place:]))))}]"
    elif following and _goes_on(header, following[0]):
        said["header_rows"] = "2"
    given = yaml.safe_load("\n".join(f"{key}: {value}" for key, value in said.items())) or {}
    return Layout.model_validate(given), said


def _first_full(rows: Sequence[Sequence[str]]) -> int:
    """The first of these rows that has about as many cells as any; before it stand titles."""
    filled = [sum(map(bool, row)) for row in rows]
    most = max(filled)
    return next(place for place, many in enumerate(filled) if many * 2 >= most and (many > 1 or most == 1))


def _headerless(row: Sequence[str], width: int) -> list[str]:
    """Names for the columns of a file that has none: those of the system that writes such rows, else numbers."""
    known = next((names.split() for fits, names in HEADERLESS if fits(row)), [])
    return [*known[:width], *(f"column_{n}" for n in range(len(known) + 1, width + 1))]


def _unusual_encoding(path: Path) -> dict[str, str]:
    """The key that says how the file's texts are written, where a mapping must say it. Raises TableError where nobody can tell."""
    start = beginning(path)
    try:
        open_table(path, Layout())
    except TableError as error:
        try:
            encoding_of(path, start)
        except TableError:
            if (likely := likely_encoding(start)) is None:
                raise error from None
            return {"encoding": likely}
    return {}


def _goes_on(header: Sequence[str], below: Sequence[str]) -> bool:
    """Does the row below a header with gaps name more columns?"""
    gaps = len(header) - sum(map(bool, header))
    return bool(below) and not _values(below) and "" in header and sum(map(bool, below)) * 2 > gaps


def _values(row: Sequence[str]) -> bool:
    """Does a row hold values, and not names?"""
    return any(re.search(r"\d[\d:/.-]*\d", cell) for cell in row) or sum(cell.isdigit() for cell in row) > 0


def _times(out: _Lines, roles: dict[str, Column]) -> None:
    """The formats of dates and times."""
    if "started" in roles:
        _, form, doubt = moment_formula(roles["started"])
        if form:
            out.add(f'datetime_format: "{form}"', doubt)
        return
    for role, key, read, candidates in (
        ("day", "date_format", date.fromisoformat, DATES),
        ("clock", "time_format", None, TIMES),
    ):
        if role in roles and not (is_clock(roles[role]) if read is None else is_iso(roles[role].few, read)):
            form, doubt = format_of(roles[role].few, candidates)
            out.add(f'{key}: "{form}"', doubt)


def _history(columns: Sequence[Column]) -> tuple[Column, str, dict[str, str]] | None:
    """Where several rows tell one contact's story: the column of verbs, the channel, and which event each verb is ("": unknown)."""
    best = max(_tellings(columns), key=itemgetter(0), default=None)
    return None if best is None else best[1:]


def _tellings(columns: Sequence[Column]) -> Iterator[tuple[int, Column, str, dict[str, str]]]:
    """The columns that may be verbs of a channel: how many of their words are known, the column, the channel, its events."""
    queue_log = {verb: told[0] for verb, told in QUEUE_LOG.items()}
    for column in columns:
        words = sorted(set(column.cells))
        if not _may_be_verbs(column, len(words)):
            continue
        # Asterisk logs much besides calls; words of others are not believed so soon.
        tried = [("queue_log", {word: queue_log.get(word, "") for word in words}, 2.0)]
        for channel, known in HISTORIES.items():
            tried.append((channel, {word: known.get(word.lower(), "") for word in words}, max(2.0, len(words) / 2)))
        for channel, found, least in tried:
            if (fit := sum(map(bool, found.values()))) >= least:
                yield fit, column, channel, found


def _may_be_verbs(column: Column, words: int) -> bool:
    """Do so few different words stand in it, one in each row, that they may be what happened?"""
    return not column.blanks and 2 <= words <= 60 and not words == len(column.cells) > 8


def _of_history(
    out: _Lines,
    roles: dict[str, Column],
    columns: Sequence[Column],
    verb: Column,
    channel: str,
    verbs: Mapping[str, str],
) -> None:
    """A mapping of a file of which each row tells one thing that happened to a contact."""
    at, doubt = _when(roles)
    if (contact := roles.get("contact")) is None:
        raise TableError(
            f"{verb.name} seems to tell what happened, but no column names the contact: write a mapping by hand, see docs/mapping.md"
        )
    out.add(f"contact_id: {_quoted(contact.ref)}")
    agent = roles.get("agent")  # what two people do in one second is twice
    by = f', coalesce({agent.ref}, "-")' if agent else ""
    own = f'join("-", {contact.ref}, text(at), {verb.ref}{by})'
    after = [column.ref for column in columns[columns.index(verb) + 1 :]]
    out.add("let:")
    out.add(f"  at: {_quoted(at)}", doubt)
    out.add(f"  told: {_quoted(own)}", "what makes the event of a row one of its own")
    _common(out, roles, customer=channel != "queue_log")
    out.add("events:")
    for word, told in verbs.items():
        kind, _, sender = told.partition(" ")
        when = _quoted(f'{verb.ref} == "{word}"')
        if not kind or kind.endswith(".rated"):
            out.add(f"  # {{type: {kind or '…'}, when: {when}, time: at, id: told}}", "which event, with which fields?")
            continue
        if channel == "queue_log":
            fields = [_DATA.sub(lambda data: dict(enumerate(after, 1)).get(int(data[1]), "none"), QUEUE_LOG[word][1])]
        else:
            fields = _told_of(kind, sender, roles)
        more = f", fields: {{{', '.join(fields)}}}" if fields else ""
        out.add(f"  - {{type: {kind}, when: {when}, time: at, id: told{more}}}")


#: A column behind the verb, by its number.
_DATA = re.compile(r"\bdata(\d)\b")
#: Events that no agent has a part in.
_NOBODYS = frozenset({"call.queued", "call.abandoned", "call.left_queue", "chat.started", "ticket.created"})


def _told_of(kind: str, sender: str, roles: dict[str, Column]) -> list[str]:
    """The fields of an event of a history."""
    fields = [f"sender: '\"{sender}\"'"] if sender else []
    if (agent := roles.get("agent")) is not None and kind not in _NOBODYS and sender in ("", "agent"):
        fields.append(f"agent_id: {_quoted(agent.ref)}")
    if (to := roles.get("to_agent")) is not None and kind.endswith(".transferred"):
        fields.append(f"to_agent_id: {_quoted(to.ref)}")
    for role, key, kinds in (
        ("wait", "wait_seconds", ("call.answered", "call.abandoned", "call.left_queue")),
        ("talk", "talk_seconds", ("call.ended",)),
    ):
        if role in roles and kind in kinds:
            fields.append(f"{key}: {_quoted(seconds_of(roles[role]))}")
    return fields


def _common(out: _Lines, roles: dict[str, Column], customer: bool = True) -> None:
    """The fields of all events."""
    common = [
        f"{key}: {_quoted(roles[role].ref)}"
        for role, key in (("queue", "queue_id"), ("topic", "topic"), ("kind", "kind"))
        if role in roles
    ]
    if customer and (who := roles.get("customer")) is not None:
        common.insert(0, f"customer_id: {_quoted(f'pseudonym({who.ref})')}")
    if common:
        out.add("fields:")
        for line in common:
            out.add(f"  {line}")


def _when(roles: dict[str, Column]) -> tuple[str, str]:
    """The expression of the moment of a row, and what is not sure of it. Raises TableError where there is none."""
    if "started" in roles:
        return moment_formula(roles["started"])[::2]
    if "day" in roles and "clock" in roles:
        return f"datetime({roles['day'].ref}, {roles['clock'].ref})", ""
    raise TableError("no column that may be when a call came in: write a mapping by hand, see docs/mapping.md")


def _meaning(out: _Lines, roles: dict[str, Column]) -> None:
    contact, agent = roles.get("contact"), roles.get("agent")
    if contact is not None and re.search("ticket|工单", contact.name.lower()) and not roles.keys() & {"wait", "talk"}:
        raise TableError(
            f"{contact.name!r}: a table of tickets, and mappings are proposed of calls and histories only: write it by hand, see "
            "docs/mapping.md"
        )
    began, doubt = _when(roles)
    _contact(out, roles)
    if (rating := roles.get("rating")) is not None and (words := answers(rating)[1]):
        scores = ", ".join(f"{_text(word)}: {score}" for word, score in words.items())
        out.add(f"lookups: {{answers: {{{scores}}}}}")
    out.add("let:")
    out.add(f"  queued: {_quoted(began)}", doubt)
    _lengths(out, roles)
    taken, doubt = _taken(roles, agent)
    out.add(f"  taken: {_quoted(taken)}", doubt)
    _common(out, roles)
    _call(out, roles, taken)


def _lengths(out: _Lines, roles: dict[str, Column]) -> None:
    """Names for how long was waited and talked."""
    if "wait" not in roles and "taken_at" in roles and "started" in roles:
        answered_at = moment_formula(roles["taken_at"])[0]
        out.add(f"  wait: {_quoted(f'{answered_at} - queued')}")
    for role in ("wait", "talk"):
        if role in roles:
            out.add(f"  {role}: {_quoted(seconds_of(roles[role]))}")


def _contact(out: _Lines, roles: dict[str, Column]) -> None:
    """What tells the contacts of a table apart."""
    contact = roles.get("contact")
    if contact is not None and len(set(contact.cells)) == len(contact.cells):
        out.add(f"contact_id: {_quoted(contact.ref)}")
        return
    where = [roles[role] for role in ("started", "day", "clock") if role in roles]
    parts = [*([contact] if contact else []), *where]
    doubt = "no column names the contact"
    if contact is not None:
        doubt = f"{contact.name} stands in several rows: one contact, or several?"
    out.add(f"contact_id: {_quoted(_joined(parts))}", doubt)


def _call(out: _Lines, roles: dict[str, Column], taken: str) -> None:
    """The events of a call that has one row; ``taken``: when it was answered."""
    agent = roles.get("agent")
    waits = roles.get("wait", roles.get("taken_at") if "started" in roles else None)
    spent = "queued + wait" if waits else "queued"
    out.add("events:")
    out.add("  - {type: call.queued, time: queued}")
    who = [f"agent_id: {_quoted(agent.ref)}"] if agent else []
    waited = ["wait_seconds: wait"] if waits else []
    _event(out, "call.answered", "taken", spent, [*who, *waited])
    if taken != "true":
        _abandoned(out, waits, spent)
    if "talk" in roles:
        _event(out, "call.ended", "taken", f"{spent} + talk", [*who, "talk_seconds: talk", *_ended(roles)])
    if (rating := roles.get("rating")) is not None:
        _rated(out, rating, f"{spent} + talk" if "talk" in roles else spent, who)


def _abandoned(out: _Lines, waits: Column | None, spent: str) -> None:
    """The call that nobody took; ``waits``: how long they waited."""
    if waits is not None and waits.blanks:
        _event(out, "call.abandoned", "not taken", "queued", [], "how long they waited is not in every row")
    else:
        _event(out, "call.abandoned", "not taken", spent, ["wait_seconds: wait"] if waits else [])


def _ended(roles: dict[str, Column]) -> list[str]:
    """What a table says of a call's end beside how long it was talked."""
    fields = [
        f"{key}: {_quoted(seconds_of(roles[role]))}"
        for role, key in (("hold", "hold_seconds"), ("wrap_up", "wrap_up_seconds"))
        if role in roles
    ]
    if (done := roles.get("resolved")) is not None:
        fields.append(f"resolved: {_quoted(_is_yes(done))}")
    return fields


def _rated(out: _Lines, rating: Column, at: str, who: list[str]) -> None:
    scale, words = answers(rating)
    if words:
        score = _quoted(f"answers({rating.ref})")
        fields = [*who, f"score: {score}", f"scale: '\"{scale}\"'"]
        _event(out, "call.rated", f"taken and not blank({rating.ref})", at, fields)
        return
    scores = [number(cell) or 0 for cell in rating.few]
    low, high = min(scores), max(scores)
    scale, doubt = "1-5", "" if high == 5 else "the scale, from worst to best: 3-1 where 1 is the best"
    if high > 10:
        scale, doubt = "0-100", "the scale"
    elif low == 0:
        scale, doubt = ("binary", "the scale") if high <= 1 else ("0-10", "the scale")
    elif high > 5:
        scale, doubt = "1-10", "the scale; satisfied from 9, unless the policy says another (satisfied_from)"
    fields = [*who, f"score: {_quoted(f'number({rating.ref})')}", f"scale: '\"{scale}\"'"]
    _event(out, "call.rated", f"taken and not blank({rating.ref})", at, fields, doubt)


def _event(out: _Lines, kind: str, when: str, at: str, fields: list[str], doubt: str = "") -> None:
    told = f", fields: {{{', '.join(fields)}}}" if fields else ""
    out.add(f"  - {{type: {kind}, when: {_quoted(when)}, time: {_quoted(at)}{told}}}", doubt)


def _taken(roles: dict[str, Column], agent: Column | None) -> tuple[str, str]:
    """When a call was answered, and what is not sure of it."""
    if (left := roles.get("abandoned")) is not None:
        return f'{left.ref} == "{noes(left)[0]}"', ""
    if (answered := roles.get("answered")) is not None:
        unknown = [cell for cell in answered.few if cell.lower() not in YES | NO]
        return _is_yes(answered), f"others are {', '.join(unknown[:5])}" if unknown else ""
    if (at := roles.get("taken_at")) is not None and at.blanks:
        return f"not blank({at.ref})", ""
    if agent is not None and agent.blanks:
        return f"not blank({agent.ref})", ""
    return "true", "no column says that a call was not answered"


def _is_yes(column: Column) -> str:
    return f'{column.ref} == "{Counter(cell for cell in column.cells if cell.lower() in YES).most_common(1)[0][0]}"'


def _joined(columns: Sequence[Column]) -> str:
    refs = [column.ref for column in columns]
    return refs[0] if len(refs) == 1 else f'join("-", {", ".join(refs)})'


def _text(text: str) -> str:
    """A text as YAML takes it inside brackets."""
    return "'" + text.replace("'", "''") + "'"


def _quoted(text: str) -> str:
    """An expression as YAML takes it inside braces, too."""
    return text if re.fullmatch(r"[\w+ ()]+", text) and not text.isdigit() else "'" + text.replace("'", "''") + "'"
