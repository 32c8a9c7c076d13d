"""The target sheet: CSV or XLSX, a row a target: what, for whom, from when, who answers for it, until when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from streams.contracts.outputs import ALL, Target
from streams.kpi.catalog import KPIS
from streams.kpi.explained import near
from streams.kpi.naming import names_of
from streams.kpi.spec import Kpi
from streams.languages.text import Text
from streams.tabular import Row, TabularError, day, parse_rows, read_rows, unfit
from streams.targets.book import Targets

#: Columns with their Chinese headings.
COLUMNS: Mapping[str, str] = {
    "kpi": "指标",
    "scope": "范围",
    "id": "对象",
    "value": "目标值",
    "unit": "单位",
    "op": "符号",
    "period": "周期",
    "owner": "负责人",
    "due": "期限",
    "valid_from": "生效日",
}
NEEDED = ("kpi", "scope", "value", "valid_from")
SCOPES = ("agent", "team", "queue", "site", "all", "role", "card")
_SCOPES_ZH = ("坐席", "班组", "队列", "职场", "全体", "岗位", "评分卡")
PERIODS = ("day", "week", "month", "quarter", "half_year", "year")
_PERIODS_ZH = ("日", "周", "月", "季度", "半年", "年")
#: A KPI's unit → words for it, and for others that it is told in with what they are multiplied by.
UNITS: Mapping[str, Mapping[str, Decimal]] = {
    "ratio": {"%": Decimal("0.01"), "pct": Decimal("0.01"), "ratio": Decimal(1)},
    "s": {
        "s": Decimal(1),
        "秒": Decimal(1),
        "min": Decimal(60),
        "分钟": Decimal(60),
        "h": Decimal(3600),
        "小时": Decimal(3600),
    },
    "days": {"days": Decimal(1), "天": Decimal(1)},
    "n": {"n": Decimal(1), "个": Decimal(1), "次": Decimal(1), "件": Decimal(1)},
    "points": {"points": Decimal(1), "分": Decimal(1)},
    "per_hour": {"per_hour": Decimal(1), "次/小时": Decimal(1)},
    "per_mille": {"per_mille": Decimal(1), "‰": Decimal(1)},
    "index": {"index": Decimal(1)},
}
#: Units that say: no target, but what an item of a card weighs, in percent.
WEIGHT_WORDS = ("weight", "权重")
#: Takes a target back.
NONE_WORDS = ("none", "无")
#: Digits before or behind the point of a value. Decimals take a million and end in an overflow.
_MOST_DIGITS = 18


@dataclass(frozen=True)
class Changes:
    """What an import does: key → all versions, of those that change; how many targets are new, changed, there already."""

    versions: Mapping[str, list[Target]]
    new: int
    changed: int
    same: int


def read_targets(path: Path, author: str, at: datetime) -> list[Target]:
    """The targets of a file, each as its first version. Raises TabularError with a line per fault."""
    return told(path.name, read_rows(path, COLUMNS, NEEDED), author, at)


def parse_targets(name: str, body: bytes, author: str, at: datetime) -> list[Target]:
    """The targets of these bytes of a file of that name. Raises as ``read_targets``."""
    return told(name, parse_rows(name, body, COLUMNS, NEEDED), author, at)


def told(name: str, rows: Iterable[Row], author: str, at: datetime) -> list[Target]:
    """The targets of these rows of a file of that name. Raises as ``read_targets``."""
    made: dict[tuple[str, date], tuple[int, Target]] = {}
    faults: list[str] = []
    for row in rows:
        found = _Read(row)
        target = found.target(author, at)
        faults += [f"{name}, row {row.number}, {column}: {why}" for column, why in found.faults]
        if target is None:
            continue
        where, first = made.setdefault((target.key, target.valid_from), (row.number, target))
        if first is not target:
            faults.append(
                f"{name}, row {row.number}: the same target from the same day as in row {where}; keep one of them"
            )
    if faults:
        raise TabularError("\n".join(faults))
    return [target for _, target in made.values()]


def owned(given: Iterable[Target], id_of: Callable[[str], str]) -> list[Target]:
    """The targets with ids in place of names of owners, which no topic is to have. Raises ValueError as ``id_of``, a line per target."""
    made, faults = [], []
    for target in given:
        try:
            made.append(target if target.owner is None else replace(target, owner=id_of(target.owner)))
        except ValueError as error:
            faults.append(f"{target.kpi} of {target.of} from {target.valid_from}: owner: {error}")
    if faults:
        raise ValueError("\n".join(faults))
    return made


def merged(book: Targets, given: Iterable[Target]) -> Changes:
    """What the given targets change in those there are: what was set before stays as an earlier version."""
    versions: dict[str, list[Target]] = {}
    new = changed = same = 0
    for target in given:
        own = versions.get(target.key) or list(book.versions(target.key))
        before = [one for one in own if one.valid_from == target.valid_from]
        if before and _meaning(before[-1]) == _meaning(target):
            same += 1
            continue
        if before:
            changed += 1
            target = replace(target, version=before[-1].version + 1)
        else:
            new += 1
        versions[target.key] = sorted([*own, target], key=lambda one: (one.valid_from, one.version))
    return Changes(versions, new, changed, same)


_NONE, _WEIGHT = Text("无", "none"), Text("权重 {}%", "weight {} %")
_TAILS: Mapping[str, Text] = {
    "s": Text(" 秒", " s"),
    "days": Text(" 天", " days"),
    "points": Text(" 分", " points"),
    "n": Text("", ""),
    "index": Text("", ""),
    "per_hour": Text(" 次/小时", " per hour"),
    "per_mille": Text("‰", " ‰"),
    "pct": Text("%", " %"),
}


def said(target: Target) -> Text:
    """The figure with its sign and unit: ``≥ 90 %``."""
    if target.value is None:
        return _NONE
    value, unit = Decimal(target.value), target.unit
    if target.sets == "weight":
        return _WEIGHT.format(_plain(value))
    if unit == "ratio":
        value, unit = value * 100, "pct"
    figure = f"{'≥' if target.op == '>=' else '≤'} {_plain(value)}"
    return Text("{}{}", "{}{}").format(figure, _TAILS.get(unit, f" {unit}"))


def _meaning(target: Target) -> Target:
    return replace(target, version=1, author="", at=datetime.min)  # noqa: DTZ901 - compared only


#: The side of a target on which a figure is well, by which is better.
_BETTER: Mapping[str, Literal[">=", "<="]] = {"higher": ">=", "lower": "<="}


class _Read:
    """One row, read column by column; ``faults``: column and what is wrong there."""

    def __init__(self, row: Row) -> None:
        self._cells = row.cells
        self.faults: list[tuple[str, str]] = []

    def target(self, author: str, at: datetime) -> Target | None:
        """The target; None where anything is wrong."""
        self.faults += unfit(self._cells)
        of = self._whom()
        if self._cells.get("unit", "").lower() in WEIGHT_WORDS:
            return self._weight(of, author, at)
        kpi = self._kpi(of)
        since = self._day("valid_from", needed=True)
        if "value" not in self._cells:
            self._fault("value", "is empty; give a figure, or none to take the target back")
        if self.faults or kpi is None or of is None or since is None:
            return None
        if self._cells["value"].lower() in NONE_WORDS:
            unit: str = KPIS[kpi].unit if kpi in KPIS else ""
            return Target(kpi=kpi, of=of, valid_from=since, unit=unit, author=author, at=at)
        made = Target(kpi=kpi, of=of, valid_from=since, author=author, at=at, **self._aim(KPIS.get(kpi), since))
        return None if self.faults else made

    def _aim(self, kpi: Kpi | None, since: date) -> dict[str, Any]:
        """What is to be reached, until when, and who answers for it; ``faults`` say what of it is wrong."""
        value, unit = self._value(kpi)
        op, period, owner, due = self._op(kpi), self._period(), self._cells.get("owner"), self._day("due", needed=True)
        if owner is None:
            self._fault("owner", "is empty; say who answers for it, by agent id")
        if due is not None and due < since:
            self._fault("due", f"{due} is before {since}, from when it holds; correct one of them")
        if kpi is not None and value is not None:
            self._possible(kpi, value)
        told = None if value is None else _plain(value)
        return {"value": told, "unit": unit, "op": op, "period": period, "owner": owner, "due": due}

    def _weight(self, of: str | None, author: str, at: datetime) -> Target | None:
        """A weight of a card's item, in percent."""
        item, owner, since = self._cells.get("kpi"), self._cells.get("owner"), self._day("valid_from", needed=True)
        if item is None:
            self._fault("kpi", "is empty; give the id of the card's item (`deskpulse card show CARD`)")
        if of is not None and not of.startswith("card|"):
            self._fault("scope", "only a card's items have weights; write card, and its id under id")
        for column in self._cells.keys() & {"op", "period", "due"}:
            self._fault(column, "a weight has none; leave it empty")
        value = self._percent()
        if self.faults or item is None or of is None or since is None:
            return None
        weight = None if value is None else _plain(value)
        return Target(
            sets="weight", kpi=item, of=of, valid_from=since, value=weight, unit="pct", owner=owner, author=author, at=at
        )  # fmt: skip

    def _percent(self) -> Decimal | None:
        """What an item weighs; None where the weight is taken back, or nothing sound is said."""
        if "value" not in self._cells:
            self._fault("value", "is empty; give percent of the card, or none to take the weight back")
            return None
        text = self._cells["value"].replace(" ", "")
        if text.lower() in NONE_WORDS:
            return None
        try:
            value = Decimal(text.removesuffix("%"))
        except InvalidOperation:
            value = Decimal("NaN")
        if not (value.is_finite() and 0 <= value <= 100 and abs(value.adjusted()) <= _MOST_DIGITS):
            self._fault("value", f"{self._cells['value']!r} is no weight; write 0 to 100, in percent of the card")
        return value

    def _fault(self, column: str, why: str) -> None:
        self.faults.append((column, why))

    def _whom(self) -> str | None:
        scope = self._word("scope", SCOPES, _SCOPES_ZH)
        id = self._cells.get("id")
        if scope is None:
            return None
        if scope == "all":
            if id not in (None, "all"):
                self._fault("id", f"scope all is the whole operation; leave {id!r} out, or name another scope")
            return ALL
        if id is None:
            self._fault("id", f"is empty; say which {scope}")
            return None
        if scope == "card" and "|" in id:
            self._fault("id", f"{id!r} is no card's id; `deskpulse card list` shows those that come with the program")
            return None
        return f"{scope}|{id}"

    def _kpi(self, of: str | None) -> str | None:
        text = self._cells.get("kpi")
        if text is None:
            self._fault("kpi", "is empty; give a KPI's id (`deskpulse kpi list`), or of a card an item's")
            return None
        for kpi in KPIS.values():
            if text in names_of(kpi):
                if not kpi.scored:
                    self._fault("kpi", f"{kpi.id} is a sign for people to look at; it has no target")
                return kpi.id
        if of is not None and not of.startswith("card|"):
            self._fault("kpi", f"no KPI is called {text!r}; {near(text, sorted(KPIS))}")
        return text

    def _value(self, kpi: Kpi | None) -> tuple[Decimal | None, str]:
        text, unit = self._cells["value"].replace(" ", ""), self._cells.get("unit")
        if text.endswith("%"):
            if unit not in (None, "%", "pct"):
                self._fault("unit", f"{unit!r} contradicts {self._cells['value']!r}; keep one of them")
                return None, ""
            text, unit = text[:-1], unit or "%"
        try:
            value = Decimal(text)
            if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
                raise InvalidOperation
        except InvalidOperation:
            self._fault(
                "value", f"{self._cells['value']!r} is no number; write it like 90 or 0.9, or none to take it back"
            )
            return None, ""
        if unit is None:
            self._fault("unit", f"is empty; {self._units(kpi)}")
            return None, ""
        if kpi is None:
            return value, {"%": "pct"}.get(unit, unit)
        if (times := UNITS[kpi.unit].get(unit)) is None:
            self._fault("unit", f"{unit!r} is no unit of {kpi.id}; {self._units(kpi)}")
            return None, ""
        return value * times, kpi.unit

    def _units(self, kpi: Kpi | None) -> str:
        return (
            f"write {' or '.join(UNITS[kpi.unit])}" if kpi else "write the item's unit as the card has it, such as pct"
        )

    def _op(self, kpi: Kpi | None) -> Literal[">=", "<="]:
        text = self._cells.get("op", "").replace("≥", ">=").replace("≤", "<=")
        usual = _BETTER.get(kpi.better) if kpi is not None else None
        if text not in ("", ">=", "<="):
            self._fault("op", f"{text!r}: write >= or <=")
        elif text and kpi is not None and usual not in (None, text):
            self._fault("op", f"of {kpi.id} {kpi.better} is better: write {usual}, or leave it out")
        elif not text and usual is None:
            self._fault("op", "is empty, and nobody can tell which side is better; write >= or <=")
        return "<=" if (text or usual) == "<=" else ">="

    def _period(self) -> str | None:
        return self._word("period", PERIODS, _PERIODS_ZH)

    def _word(self, column: str, words: Sequence[str], zh: Sequence[str]) -> str | None:
        text = self._cells.get(column, "").lower()
        if text in words:
            return text
        if text in zh:
            return words[zh.index(text)]
        self._fault(
            column,
            f"{text!r}: write one of {', '.join(words)}" if text else f"is empty; write one of {', '.join(words)}",
        )
        return None

    def _day(self, column: str, *, needed: bool) -> date | None:
        if column not in self._cells:
            if needed:
                self._fault(column, "is empty; write a day like 2026-03-01")
            return None
        try:
            return day(self._cells[column])
        except ValueError as error:
            self._fault(column, str(error))
            return None

    def _possible(self, kpi: Kpi, value: Decimal) -> None:
        low, high = kpi.possible
        if (low is None or value >= Decimal(low)) and (high is None or value <= Decimal(high)):
            return
        if kpi.unit == "ratio":
            hint = f"; write {_plain(value)} with the unit %" if 1 < value <= 100 else ""
            self._fault("value", f"{kpi.id} is a share: {_plain(value * 100)} % is never reached{hint}")
            return
        ends = f"from {low:g} to {high:g}" if low is not None and high is not None else f"{low:g} or more"
        self._fault("value", f"{kpi.id} is {ends} ({kpi.unit}), never {_plain(value)}")


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
