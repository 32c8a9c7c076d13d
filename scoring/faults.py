"""What a well-formed card can still get wrong: unknown ids, weights that do not add up, rules that fit no item."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches
from typing import TypeAlias

from scoring.card import Card, Item
from scoring.rules import Setting
from scoring.units import factor
from streams.kpi.catalog import KPIS

#: Where in the file (keys and positions, from the top), and what is wrong and what to do.
Fault: TypeAlias = tuple[tuple[str | int, ...], str]


def faults(card: Card) -> Iterator[Fault]:
    """Everything that makes the card ambiguous or impossible to evaluate; nothing for a sound card."""
    seen: set[str] = set()
    for s, section in enumerate(card.sections):
        if section.id in [earlier.id for earlier in card.sections[:s]]:
            yield ("sections", s, "id"), f"the section id {section.id!r} is used twice; give every section its own"
        for i, item in enumerate(section.items):
            at = ("sections", s, "items", i)
            if item.id in seen:
                yield (*at, "id"), f"the item id {item.id!r} is used twice; give every item its own"
            seen.add(item.id)
            for where, what in _item(item):
                yield (*at, *where), what
        yield from _adds_up(("sections", s, "max"), "items", [item.max for item in section.items], section.max)
    yield from _adds_up(("total", "max"), "sections", [section.max for section in card.sections], card.total.max)


def _adds_up(at: tuple[str | int, ...], parts: str, maxima: list[Decimal], stated: Decimal) -> Iterator[Fault]:
    if (together := sum(maxima, Decimal(0))) != stated:
        yield at, f"the maxima of its {parts} add up to {together}, not to {stated}; correct one of them"


def _item(item: Item) -> Iterator[Fault]:
    sources = [name for name in ("kpi", "metric", "input") if getattr(item, name) is not None]
    if len(sources) != 1:
        given = " and ".join(f"`{name}`" for name in sources) or "no source of its value"
        yield (), f"has {given}; write exactly one of `kpi`, `metric` and `input`"
        return
    kpi = KPIS.get(item.kpi) if item.kpi is not None else None
    if item.kpi is not None and kpi is None:
        near = get_close_matches(item.kpi, KPIS, n=3)
        hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(KPIS)}"
        yield ("kpi",), f"no KPI is called {item.kpi!r}; {hint}; what is not computed yet stands under `metric`"
    if kpi and factor(kpi.unit, item.unit) is None:
        yield ("unit",), f"the KPI {kpi.id} is in {kpi.unit}, which cannot be shown in {item.unit}; take another unit"
    if kpi and (alien := item.requires.model_fields_set - set(kpi.policy_fields)):
        known = ", ".join(kpi.policy_fields) or "none"
        yield ("requires",), f"the KPI {kpi.id} does not depend on {', '.join(sorted(alien))}; it depends on: {known}"
    target = item.target
    setting = Setting(
        max=item.max,
        unit=item.unit,
        op=target.op if target else None,
        target=target.value if target else None,
        better=kpi.better if kpi else None,
    )
    yield from item.rule.objections(setting)
