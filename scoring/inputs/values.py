"""What people hand in for an item, and how its fields are written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, TypeAlias, cast, get_args

from scoring.cards.figures import FigureSpec, known_figures
from scoring.cards.model import Card, Item
from scoring.inputs.polled import Polled
from scoring.rules import Ratio
from scoring.units import RANGES
from streams.kpi.catalog import KPIS

#: Names that the figure of any item goes by.
_VALUE = ("value", "actual")
#: What the figure is held against.
_AGAINST = ("reference", "target", "previous")
#: Field that says what becomes of a figure on too few cases: it counts all the same, or earns at the rate of the other items.
FEW = "few"
Few: TypeAlias = Literal["count", "neutral"]
_NUMBER = re.compile(r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)\s*%?")


@dataclass(frozen=True)
class Given:
    """What was handed in for one item of one person, as far as the item takes it.

    ``value``: the figure, or the rating of an item that is rated. ``reference``: what it is held against. ``level`` and
    ``pick``: of anchored levels. ``ratings``: by rater or by column of the form (of levels: the level). ``n``: how many
    cases the figure rests on. ``few``: what somebody has decided of a figure that rests on too few cases. ``polled``: by field, what
    parties of several raters have given; their means are among the others already.
    """

    value: Fraction | None = None
    reference: Fraction | None = None
    level: str | None = None
    pick: Fraction | None = None
    ratings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    n: int | None = None
    few: Few | None = None
    polled: Mapping[str, Polled] = field(default_factory=lambda: MappingProxyType({}))


def takes(card: Card, item: Item) -> tuple[str, ...]:
    """Names of the fields that can be handed in for the item, the usual one of each first."""
    columns = [rater.id for rater in item.raters]
    if item.rated:
        columns += [column.id for column in card.evaluators if column.counts or not item.raters]
    match item.rule.asks:
        case "level":
            return "level", "pick", *columns
        case "rating":
            return "rating", "value", *columns
        case _:
            kpi = KPIS.get(item.kpi or "")
            small = (FEW,) if card.sample_of(item, kpi.kind if kpi else None) is not None else ()
            return tuple(dict.fromkeys((*_figure_names(card, item), *columns, "n", *small)))


def _figure_names(card: Card, item: Item) -> Iterator[str]:
    """Names of what a figure is handed in as: itself, the counts it is made of, and what it is held against."""
    spec = figure_spec(card, item)
    yield from _VALUE
    if item.kpi is not None or item.key != item.id:
        yield item.key
    if spec is not None:
        yield from spec.also
    if item.unit == "n":
        yield "count"
    if item.unit in ("points", "pct"):
        yield "rating"
    yield from shared(card, item)
    if isinstance(item.rule, Ratio) and item.rule.form != "complement":
        yield from _AGAINST


def read(card: Card, item: Item, fields: Mapping[str, str]) -> Given:
    """The fields as people write them. Raises ValueError that says which one the item does not take, and which it does."""
    names = takes(card, item)
    _refuse_unknown(item, fields, names)
    columns = {rater.id for rater in item.raters} | {column.id for column in card.evaluators}
    against = _one(fields, _AGAINST)
    if item.rule.asks == "level":
        return _level(fields, columns)
    share = shared(card, item)
    given = _one(fields, [name for name in names if name not in (*columns, *share, *_AGAINST, "n", FEW)])
    ratings = {name: str(_from_0(item, name, text)) for name, text in fields.items() if name in columns}
    _either(given is not None, bool(ratings), "a value", "the raters' own")
    value = None if given is None else _from_0(item, *given)
    n = _whole("n", fields.get("n"))
    if share and not fields.keys().isdisjoint(share):
        _either(given is not None, True, "a value", "the counts it is made of")
        value, n = _share(share, fields)
    reference = None if against is None else _number(*against)
    return Given(value=value, reference=reference, ratings=ratings, n=n, few=_few(fields.get(FEW)))


def _refuse_unknown(item: Item, fields: Mapping[str, str], names: Sequence[str]) -> None:
    for name in fields:
        if name not in names:
            raise ValueError(f"item {item.id} takes no {name!r}; {hint(name, names)}it takes: {', '.join(names)}")


def _level(fields: Mapping[str, str], columns: Collection[str]) -> Given:
    ratings = {name: text.strip() for name, text in fields.items() if name in columns}
    level = fields.get("level")
    _either(level is not None, bool(ratings), "a level", "the form's columns")
    pick = _number("pick", fields.get("pick"))
    return Given(level=None if level is None else level.strip(), pick=pick, ratings=ratings)


def hint(text: str, known: Iterable[str]) -> str:
    """A question about the known name that the text is nearest to, for what is said of an unknown one; else nothing."""
    near = get_close_matches(text, list(known), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def shared(card: Card, item: Item) -> tuple[str, str] | tuple[()]:
    """Names of the two counts that make the item's share; none where it is no share of counts."""
    spec = figure_spec(card, item)
    return spec.share if spec and spec.share else ()


def figure_spec(card: Card, item: Item) -> FigureSpec | None:
    """What the item's figure is; None for a KPI, and for what raters give."""
    id = item.metric or item.input
    return None if id is None else card.figures.get(id) or known_figures().get(id)


def _one(fields: Mapping[str, str], names: Iterable[str]) -> tuple[str, str] | None:
    """The one of these fields that is given. Raises ValueError where there are several: they mean the same."""
    found = [(name, fields[name]) for name in names if name in fields]
    if len(found) > 1:
        raise ValueError(f"{' and '.join(name for name, _ in found)} mean the same here; give one of them")
    return found[0] if found else None


def _either(one: bool, other: bool, of: str, to: str) -> None:
    if one and other:
        raise ValueError(f"both {of} and {to} are given; give one of the two")


def _number(name: str, text: str | None) -> Fraction | None:
    """The number, exact. Raises ValueError where the text is none."""
    if text is None:
        return None
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{name}: {text!r} is no number; write it like 98.5")
    return Fraction(text.strip().removesuffix("%").strip())


def _from_0(item: Item, name: str, text: str) -> Fraction | None:
    """The number; of a unit that has nothing below 0, none below 0."""
    number = _number(name, text)
    if number is not None and number < 0 and RANGES[item.unit][0] == 0:
        raise ValueError(f"{name}: {text!r} is below 0, which no figure in {item.unit} can be; correct it")
    return number


def _few(text: str | None) -> Few | None:
    """What is decided of too few cases. Raises ValueError for another word."""
    said = text and text.strip().lower()
    if said and said not in get_args(Few):
        raise ValueError(f"{FEW}: {text!r}; write count (it counts all the same) or neutral (it moves nothing)")
    return cast(Few, said) if said else None


def _whole(name: str, text: str | None) -> int | None:
    number = _number(name, text)
    if number is not None and (number < 0 or number.denominator != 1):
        raise ValueError(f"{name}: {text!r} is no count; write a whole number from 0")
    return None if number is None else int(number)


def _share(names: tuple[str, str], fields: Mapping[str, str]) -> tuple[Fraction | None, int]:
    """The share in percent that two counts make, and their sum. Raises ValueError where one of them is not there."""
    if not fields.keys() >= set(names):
        raise ValueError(f"{' and '.join(names)} belong together; give both")
    hits, others = (_whole(name, fields[name]) or 0 for name in names)
    n = hits + others
    return (Fraction(hits * 100, n) if n else None), n
