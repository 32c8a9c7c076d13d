"""A first mapping for a table of calls: proposed from its header and rows, with what is not sure marked."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path

import yaml

from streams.sources.expressions.durations import duration
from streams.sources.expressions.functions import number
from streams.sources.expressions.written import DATES, MOMENTS, TIMES, formats
from streams.sources.table.cells import Table, beginning, open_table
from streams.sources.table.encoding import encoding_of, likely_encoding
from streams.sources.table.layout import Layout, TableError
from streams.sources.table.mapping import TableMapping
from streams.sources.table.reader import is_total

#: Rows that are looked at.
LOOKED_AT = 2_000
#: Behind a line of the proposal that people should look at.
UNSURE = "# ?"
#: What a column may be → what its name may hold, the most telling first. Names are looked at in small letters.
_ROLES: dict[str, str] = {
    "version": r"last.?update|modified|changed|更新时间|修改时间",
    "contact": r"通话编号|会话编号|话单号|流水号|呼叫编号|call.?id|contact.?id|session.?id|\bref\b|uuid|^id$|^编号$|^序号$",
    "agent": r"坐席|座席|客服|工号|接线员|agent|\bclerk\b|server|operator|员工",
    "customer": r"客户|主叫|来电号码|手机|电话号码|caller|customer|cust\b|client|phone|\bani\b|会员",
    "queue": r"队列|技能组|业务组|热线|queue|skill|hotline|^type$|服务组",
    "wait": r"等待|排队|应答速度|speed of answer|wait|q_time|queue.?time|\basa\b",
    "hold": r"保持|hold",
    "wrap_up": r"话后|整理|事后|wrap|after.?call|\bacw\b",
    "talk": r"通话时长|通话时间|时长|talk|duration|ser_time|handle|billsec|held",
    "answered": r"是否接通|是否接听|answered|接通状态|outcome|disposition|结果|状态|status",
    "resolved": r"是否解决|已解决|resolved|fcr",
    "rating": r"满意度|评分|评价|rating|score|csat|stars",
    "topic": r"主题|话题|原因|诉求|业务类型|topic|reason|category|subject",
    "started": r"呼入时间|进线时间|开始|来电时间|呼叫时间|started?|began|begin|queued|created|called|arriv|entry|timestamp|came|时间",
    "day": r"日期|^date$|^day$|call.?date",
    "clock": r"^time$|^at$|时刻|时间|vru_entry|call.?time",
}
_YES = {
    "y",
    "yes",
    "true",
    "1",
    "是",
    "已接",
    "已接听",
    "接通",
    "已接通",
    "接听",
    "成功",
    "answered",
    "agent",
    "connected",
    "已解决",
}
_NO = {
    "n",
    "no",
    "false",
    "0",
    "否",
    "未接",
    "未接听",
    "未接通",
    "放弃",
    "失败",
    "hang",
    "abandoned",
    "missed",
    "no answer",
    "未解决",
}


@dataclass
class Proposal:
    """The text of a mapping, and how the file's first rows fared by it."""

    text: str
    mapping: TableMapping
    unsure: int


@dataclass
class _Column:
    """A column: how an expression names it, and the cells there are of it."""

    name: str
    cells: list[str]
    blanks: int

    @property
    def ref(self) -> str:
        plain = self.name.isidentifier() and not keyword.iskeyword(self.name) and self.name not in _BOUND
        return self.name if plain else f'col("{self.name}")'

    @property
    def few(self) -> list[str]:
        return list(dict.fromkeys(self.cells))[:50]


_BOUND = frozenset({"queued", "wait", "talk", "taken", "none", "true", "false", "null", "over"})


@dataclass
class _Lines:
    """Lines of YAML as they come."""

    lines: list[str] = field(default_factory=list)

    def add(self, text: str, unsure: str = "") -> None:
        self.lines.append(f"{text}  {UNSURE} {unsure}" if unsure else text)

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"


def suggest(path: Path, time_zone: str) -> Proposal:
    """Propose a mapping of a table of calls.

    Raises TableError where the file cannot be read, or has no column that may be when a call came in.
    """
    layout, said = _layout(path)
    table = open_table(path, layout)
    rows = list(islice(table.rows, LOOKED_AT))
    totals = any(is_total(row.cells) for row in rows)
    whole = [row.cells for row in rows if not is_total(row.cells) and row.problem is None]
    columns = list(_columns(table, whole))
    roles = _roles(columns)
    out = _Lines()
    out.add("# Proposed from the file; look at the lines with a question mark.")
    out.add(f"source: {_quoted(path.name.partition('.')[0])}")
    out.add(f"time_zone: {time_zone}", "the zone of the file's times")
    for key, value in said.items():
        out.add(f"{key}: {value}", "" if key == "delimiter" else "found out from the first rows")
    if totals:
        out.add("totals: skip", "rows that begin with 合计, Total or the like")
    if any(len(cells) < len(table.header) for cells in whole) and table.header[-1]:
        out.add("short_rows: blank", "rows end before their last columns")
    _times(out, roles)
    _meaning(out, roles)
    return Proposal(str(out), TableMapping.model_validate(yaml.safe_load(str(out))), str(out).count(UNSURE))


def _layout(path: Path) -> tuple[Layout, dict[str, str]]:
    """How the file is written, and the keys that say so."""
    said: dict[str, str] = {}
    start = beginning(path)
    try:
        open_table(path, Layout())
    except TableError as error:
        try:
            encoding_of(path, start)
        except TableError:
            if (likely := likely_encoding(start)) is None:
                raise error from None
            said["encoding"] = likely
    table = open_table(path, Layout.model_validate({**said, "columns": ("x",)}))
    first = list(islice(table.rows, 12))
    top = [[cell.strip() for cell in row.cells] for row in first]
    if not top:
        return Layout.model_validate(said), said
    filled = [sum(map(bool, row)) for row in top]
    place = next(
        place for place, many in enumerate(filled) if many * 2 >= max(filled) and (many > 1 or max(filled) == 1)
    )
    if (above := first[place].line - 1) and place:
        said["skip_rows"] = str(above)
    header, below = top[place], top[place + 1] if place + 1 < len(top) else []
    if _values(header):
        said["columns"] = f"[{', '.join(f'column_{n}' for n in range(1, len(header) + 1))}]"
    elif (
        below
        and not _values(below)
        and "" in header
        and sum(map(bool, below)) * 2 > len(header) - sum(map(bool, header))
    ):
        said["header_rows"] = "2"
    given = yaml.safe_load("\n".join(f"{key}: {value}" for key, value in said.items())) or {}
    return Layout.model_validate(given), said


def _values(row: Sequence[str]) -> bool:
    """Does a row hold values, and not names?"""
    return any(re.search(r"\d[\d:/.-]*\d", cell) for cell in row) or sum(cell.isdigit() for cell in row) > 0


def _columns(table: Table, rows: Sequence[Sequence[str]]) -> Iterator[_Column]:
    for place, name in enumerate(table.header):
        if name:
            cells = [row[place].strip() if place < len(row) else "" for row in rows]
            yield _Column(name, [cell for cell in cells if cell], sum(not cell for cell in cells))


def _roles(columns: Sequence[_Column]) -> dict[str, _Column]:
    """What each column seems to be: by its name, where its cells can be that."""
    found: dict[str, _Column] = {}
    free = list(columns)
    for role, words in _ROLES.items():
        fits = [c for c in free if re.search(words, c.name.lower()) and _CAN_BE.get(role, _anything)(c)]
        if role in ("started", "day", "clock") and not fits:
            fits = [c for c in free if _CAN_BE[role](c)]
        if fits:
            # Of several the one whose name is matched by the earlier word.
            best = min(
                fits, key=lambda c: [i for i, w in enumerate(words.split("|")) if re.search(w, c.name.lower())] or [99]
            )
            found[role] = best
            free.remove(best)
    if "started" in found:
        found = {role: column for role, column in found.items() if role not in ("day", "clock")}
    return found


def _anything(column: _Column) -> bool:
    return bool(column.cells)


def _all(read: Callable[[str], object]) -> Callable[[_Column], bool]:
    def can_be(column: _Column) -> bool:
        try:
            return bool(column.cells) and all(read(cell) is not None for cell in column.few)
        except (ValueError, TypeError):
            return False

    return can_be


def _is_duration(cell: str) -> float | None:
    return found if (found := duration(cell)) is not None else number(cell)


def _moment_formula(column: _Column) -> tuple[str, str, str]:
    """The expression, the format to set, and what is not sure; the expression is "" where the cells are no moments."""
    few = column.few
    if _iso(few, datetime.fromisoformat) and not all(cell.isdigit() for cell in few):
        bare = not any(":" in cell for cell in few)
        return f"datetime({column.ref})", "", "a date without a time of day" if bare else ""
    if all(re.fullmatch(r"[34]\d{4}(\.\d+)?", cell) for cell in few):
        return f"excel({column.ref})", "", ""
    if all(re.fullmatch(r"1\d{9}(\.\d+)?", cell) for cell in few):
        return f"unix(number({column.ref}))", "", ""
    if all(re.fullmatch(r"1\d{12}", cell) for cell in few):
        return f"unix(number({column.ref}) / 1000)", "", ""
    return (f"datetime({column.ref})", *_format(few, MOMENTS))


def _format(few: list[str], candidates: tuple[str, ...]) -> tuple[str, str]:
    try:
        fit = list(formats(few, candidates))
    except ValueError:
        return "", ""
    return (fit[0], f"or {fit[1]}" if len(fit) > 1 else "") if fit else ("", "")


def _iso(few: Sequence[str], read: Callable[[str], object]) -> bool:
    try:
        return bool(few) and all(read(cell) is not None for cell in few)
    except ValueError:
        return False


def _is_moment(column: _Column) -> bool:
    if not column.cells or not any(
        ":" in cell or "时" in cell or re.fullmatch(r"\d{5}\.\d+|1\d{9,12}", cell) for cell in column.few
    ):
        return False
    formula, form, _ = _moment_formula(column)
    return bool(form) or not formula.startswith("datetime") or _iso(column.few, datetime.fromisoformat)


def _is_day(column: _Column) -> bool:
    return _iso(column.few, date.fromisoformat) or bool(column.cells and _format(column.few, DATES)[0])


def _is_clock(column: _Column) -> bool:
    return all(re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", cell) for cell in column.few) if column.cells else False


_CAN_BE: dict[str, Callable[[_Column], bool]] = {
    "wait": _all(_is_duration),
    "talk": _all(_is_duration),
    "hold": _all(_is_duration),
    "wrap_up": _all(_is_duration),
    "rating": _all(number),
    "started": _is_moment,
    "version": _is_moment,
    "day": _is_day,
    "clock": lambda column: _is_clock(column) or bool(column.cells and _format(column.few, TIMES)[0]),
    "answered": lambda column: len(set(column.cells)) <= 12 and bool(_yes(column)),
    "resolved": lambda column: len(set(column.cells)) <= 4 and bool(_yes(column)),
    "contact": lambda column: bool(column.cells) and column.blanks == 0,
}


def _yes(column: _Column) -> list[str]:
    return [cell for cell in column.few if cell.lower() in _YES]


def _times(out: _Lines, roles: dict[str, _Column]) -> None:
    """The formats of dates and times."""
    if "started" in roles:
        _, form, doubt = _moment_formula(roles["started"])
        if form:
            out.add(f'datetime_format: "{form}"', doubt)
        return
    for role, key, read, candidates in (
        ("day", "date_format", date.fromisoformat, DATES),
        ("clock", "time_format", None, TIMES),
    ):
        if role in roles and not (_is_clock(roles[role]) if read is None else _iso(roles[role].few, read)):
            form, doubt = _format(roles[role].few, candidates)
            out.add(f'{key}: "{form}"', doubt)


def _meaning(out: _Lines, roles: dict[str, _Column]) -> None:
    contact, agent, customer = roles.get("contact"), roles.get("agent"), roles.get("customer")
    if "started" in roles:
        began, doubt = _moment_formula(roles["started"])[::2]
    elif "day" in roles and "clock" in roles:
        began, doubt = f"datetime({roles['day'].ref}, {roles['clock'].ref})", ""
    else:
        raise TableError("no column that may be when a call came in: write a mapping by hand, see docs/mapping.md")
    where = [roles[role] for role in ("started", "day", "clock") if role in roles]
    if contact is None or len(set(contact.cells)) < len(contact.cells):
        parts = [*([contact] if contact else []), *where]
        rows_alike = "" if contact is None else f"{contact.name} stands in several rows: one contact, or several?"
        out.add(f"contact_id: {_quoted(_joined(parts))}", rows_alike or "no column names the contact")
    else:
        out.add(f"contact_id: {_quoted(contact.ref)}")
    out.add("let:")
    out.add(f"  queued: {_quoted(began)}", doubt)
    for role in ("wait", "talk"):
        if role in roles:
            out.add(f"  {role}: {_quoted(_seconds(roles[role]))}")
    taken, doubt = _taken(roles.get("answered"), agent)
    out.add(f"  taken: {_quoted(taken)}", doubt)
    spent = "queued + wait" if "wait" in roles else "queued"
    common = [f"customer_id: {_quoted(f'pseudonym({customer.ref})')}"] if customer else []
    common += [
        f"{key}: {_quoted(roles[role].ref)}"
        for role, key in (("queue", "queue_id"), ("topic", "topic"))
        if role in roles
    ]
    if common:
        out.add("fields:")
        for line in common:
            out.add(f"  {line}")
    out.add("events:")
    out.add("  - {type: call.queued, time: queued}")
    who = [f"agent_id: {_quoted(agent.ref)}"] if agent else []
    waited = ["wait_seconds: wait"] if "wait" in roles else []
    _event(out, "call.answered", "taken", spent, [*who, *waited])
    if taken != "true" and (waits := roles.get("wait")) is not None and waits.blanks:
        _event(out, "call.abandoned", "not taken", "queued", [], "how long they waited is not in every row")
    elif taken != "true":
        _event(out, "call.abandoned", "not taken", spent, waited)
    if "talk" in roles:
        lasted = [
            f"{key}: {_quoted(_seconds(roles[role]))}"
            for role, key in (("hold", "hold_seconds"), ("wrap_up", "wrap_up_seconds"))
            if role in roles
        ]
        if (done := roles.get("resolved")) is not None:
            lasted.append(f"resolved: {_quoted(_is_yes(done))}")
        _event(out, "call.ended", "taken", f"{spent} + talk", [*who, "talk_seconds: talk", *lasted])
    if (rating := roles.get("rating")) is not None:
        _rated(out, rating, f"{spent} + talk" if "talk" in roles else spent, who)


def _rated(out: _Lines, rating: _Column, at: str, who: list[str]) -> None:
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


def _taken(answered: _Column | None, agent: _Column | None) -> tuple[str, str]:
    """When a call was answered, and what is not sure of it."""
    if answered is not None:
        unknown = [cell for cell in answered.few if cell.lower() not in _YES | _NO]
        return _is_yes(answered), f"others are {', '.join(unknown[:5])}" if unknown else ""
    if agent is not None and agent.blanks:
        return f"not blank({agent.ref})", ""
    return "true", "no column says that a call was not answered"


def _is_yes(column: _Column) -> str:
    return f'{column.ref} == "{Counter(cell for cell in column.cells if cell.lower() in _YES).most_common(1)[0][0]}"'


def _seconds(column: _Column) -> str:
    return f"number({column.ref})" if _all(number)(column) else f"seconds({column.ref})"


def _joined(columns: Sequence[_Column]) -> str:
    refs = [column.ref for column in columns]
    return refs[0] if len(refs) == 1 else f'join("-", {", ".join(refs)})'


def _quoted(text: str) -> str:
    """An expression as YAML takes it inside braces, too."""
    return text if re.fullmatch(r"[\w+ ()]+", text) and not text.isdigit() else "'" + text.replace("'", "''") + "'"
