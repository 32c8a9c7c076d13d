"""What a card leaves open is filled from the target sheet: an item whose rule needs a target and that names none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from scoring.cards.model import Card, Item, Target
from scoring.period import PeriodKind, day_zh
from scoring.rules.base import Setting
from scoring.rules.ratio import Ratio
from scoring.units import factor
from streams.contracts import outputs
from streams.contracts.outputs import RosterEntry, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.languages.text import Text
from streams.targets.book import Targets

_KINDS_ZH = {
    "agent": "坐席",
    "team": "班组",
    "queue": "队列",
    "site": "职场",
    "all": "全中心",
    "role": "岗位",
    "card": "评分卡",
}


def open_items(card: Card) -> list[Item]:
    """The items that need a target and have none, optional ones too."""
    return [
        item
        for item in (*card.items, *card.optional)
        if item.target is None
        and item.reference is None
        and isinstance(item.rule, Ratio)
        and item.rule.form != "complement"
    ]


def in_question(card: Card, book: Targets, day: date, kind: PeriodKind | None = None) -> tuple[outputs.Target, ...]:
    """The targets in force on a day that may fill the card's open items, by key: what a run freezes. ``kind``: of this kind of period;
    None: of any.

    Raises ValueError with every target that does not fit the item that it would fill, and of this card every one that names no open item
    of any period.
    """
    items, made, faults = open_items(card), [], []
    due = {item.id for item in open_items(card if kind is None else card.at(kind))}
    for target in book.in_force(day):
        if target.sets != "target":
            continue
        own = target.of == f"card|{card.id}"
        named = [item for item in items if target.kpi in (item.kpi, item.id if own else None)]
        meant = [item for item in named if item.id in due]
        faults += _misfits(target, meant)
        if meant:
            made.append(target)
        elif own and not named:
            there = ", ".join(sorted({item.kpi or item.id for item in items})) or "none"
            faults.append(f"{_called(target)}: the card has no open item of that name; open are: {there}")
    if faults:
        raise ValueError("\n".join([*faults, "correct the target sheet: `deskpulse targets import`"]))
    return tuple(made)


def _misfits(target: outputs.Target, meant: Iterable[Item]) -> list[str]:
    """Why the target does not fit items that it would fill."""
    return [f"{_called(target)}: item {item.id}: {why}" for item in meant for why in _objections(item, target)]


def filled(
    items: Iterable[Item], card: str, person: str, entry: RosterEntry | None, book: Targets, day: date
) -> dict[str, Item]:
    """Item id → the item with the target that holds for a person on a day: their own, else their team's, the card's, their role's, their
    site's, that of all. A figure of the team, or of those in it, goes by the team's.
    """
    made = {}
    for item in items:
        whom = list(_whom(card, person, entry))[0 if item.entity == "person" else 1 :]
        for of in whom:
            found = book.on(of, item.kpi, day) if item.kpi is not None else None
            if found is None and of == f"card|{card}":
                found = book.on(of, item.id, day)
            if found is not None:
                made[item.id] = item.model_copy(update={"target": _target(item, found)})
                break
    return made


def _whom(card: str, person: str, entry: RosterEntry | None) -> Iterator[str]:
    yield f"agent|{person}"
    if entry is not None and entry.team_id:
        yield f"team|{entry.team_id}"
    yield f"card|{card}"
    if entry is not None and entry.role:
        yield f"role|{entry.role}"
    if entry is not None and entry.site_id:
        yield f"site|{entry.site_id}"
    yield outputs.ALL


def _target(item: Item, found: outputs.Target) -> Target:
    kind, id = entity_kind(found.of), entity_id(found.of)
    who_zh, who_en = (_KINDS_ZH[kind], "all") if kind == "all" else (f"{_KINDS_ZH[kind]} {id}", f"{kind} {id}")
    words = Text(
        zh=f"目标表：{who_zh}，{day_zh(found.valid_from)}起，第 {found.version} 版",
        en=f"target sheet: {who_en}, from {found.valid_from}, version {found.version}",
    )
    return Target(op=found.op, value=_value(item, found), words=words)


def _value(item: Item, found: outputs.Target) -> Decimal:
    return Decimal(found.value or 0) * (factor(KPIS[item.kpi].unit, item.unit) or 1 if item.kpi is not None else 1)


def _objections(item: Item, target: outputs.Target) -> Iterator[str]:
    if item.kpi is None and target.unit != item.unit:
        yield f"the target is in {target.unit}, the item in {item.unit}"
        return
    kpi = KPIS[item.kpi] if item.kpi is not None else None
    better = kpi.better if kpi else None
    setting = Setting(item.max, item.unit, target.op, _value(item, target), better)
    yield from (why for _, why in item.rule.objections(setting))


def _called(target: outputs.Target) -> str:
    return f"target {target.kpi} of {target.of} from {target.valid_from}"
