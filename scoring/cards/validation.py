"""What a well-formed card can still get wrong: unknown ids, weights that do not add up, rules that fit no item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from functools import cached_property

from scoring.cards.automation import automation_words, is_low
from scoring.cards.figures import DURATIONS, QUALITY, FigureSpec, known_figures
from scoring.cards.model import Card, Item, Rater
from scoring.cards.weights import own_weights
from scoring.rounding import shown
from scoring.rules import Setting
from scoring.units import RANGES, factor
from scoring.yaml_documents import Fault
from streams.kpi.case_mix import adjustable
from streams.kpi.catalog import KPIS
from streams.kpi.spec import Direction, Kpi

#: Share of a card, in percent, that the source keeps for ratings by people (S0-42).
RESERVE = 10


def faults(card: Card) -> Iterator[Fault]:
    """Everything that makes the card ambiguous or impossible to evaluate; nothing for a sound card."""
    for check in (_ids, _sections, _optional, _whole, _shares, _balances, _durations):
        yield from check(card)


def warnings(card: Card) -> Iterator[Fault]:
    """What is sound and yet worth a thought."""
    if _share(card, ()) is None:
        yield ("total", "max"), "no weights are set: nothing is scored until your own copy of the card sets them"
    else:
        for check in (_little_rated, _unweighed, _unbalanced):
            yield from check(card)
    if is_low(card):
        yield ("sections",), f"{automation_words(card).en} (S1-64): score KPIs, which nobody can hand in at will"


def _little_rated(card: Card) -> Iterator[Fault]:
    judged = [item.id for item in card.items if item.rated or item.raters or (item.input and item.rater)]
    rated = _share(card, judged)
    if rated is not None and rated < RESERVE:
        yield ("total",), f"people rate {shown(rated)} % of the card; {RESERVE} % is advised (S0-42)"


def _unweighed(card: Card) -> Iterator[Fault]:
    for where, item in _placed(card):
        if item.max is None:
            yield (*where, "max"), "no weight is set: the item stays unscored until your own copy of the card sets one"


def _unbalanced(card: Card) -> Iterator[Fault]:
    held = {id for balance in card.balance for id in (*balance.of, *balance.to)}
    for where, item in _placed(card):
        if item.key in DURATIONS and item.id not in held:
            yield (
                (*where, "max"),
                "a duration beside quality: a `balance` may hold them 1 : 2 (S0-41); watch repeat contacts too (S3-11)",
            )


def _ids(card: Card) -> Iterator[Fault]:
    for s in _again(section.id for section in card.sections):
        id = card.sections[s].id
        yield ("sections", s, "id"), f"the section id {id!r} is used twice; give every section its own"
    items = [*_placed(card), *((("optional", o), item) for o, item in enumerate(card.optional))]
    for i in _again(item.id for _, item in items):
        where, item = items[i]
        yield (*where, "id"), f"the item id {item.id!r} is used twice; give every item its own"
    for id in _twice(column.id for column in card.evaluators):
        yield ("evaluators",), f"the column {id!r} is there twice; give every column its own id"


def _again(ids: Iterable[str]) -> Iterator[int]:
    """Positions of the ids that stood before."""
    seen: set[str] = set()
    for at, id in enumerate(ids):
        if id in seen:
            yield at
        seen.add(id)


def _twice(ids: Iterable[str]) -> list[str]:
    return [id for id, times in Counter(ids).items() if times > 1]


def _sections(card: Card) -> Iterator[Fault]:
    for s, section in enumerate(card.sections):
        for i, item in enumerate(section.items):
            yield from _under(("sections", s, "items", i), _item(card, item))
        maxima = [item.max for item in section.items]
        yield from _adds_up(("sections", s, "max"), "items", maxima, section.max)
        if section.period is not None and section.period not in card.periods:
            yield (
                ("sections", s, "period"),
                f"the card is not scored by {section.period}; add it to the card's `period`",
            )


def _optional(card: Card) -> Iterator[Fault]:
    sections = {section.id for section in card.sections}
    for o, item in enumerate(card.optional):
        yield from _under(("optional", o), _item(card, item))
        if item.section not in sections:
            yield ("optional", o, "section"), f"the card has no section {item.section!r}; name one it has"


def _durations(card: Card) -> Iterator[Fault]:
    if any(item.key in QUALITY for item in card.items):
        return
    for where, item in _placed(card):
        if item.key in DURATIONS:
            yield (
                (*where, "rule"),
                f"{item.key} is scored without an item of quality beside it; add one or take this out",
            )


def _under(at: tuple[str | int, ...], found: Iterable[Fault]) -> Iterator[Fault]:
    """Faults of an item, at its place in the card."""
    for where, what in found:
        yield (*at, *where), what


def _placed(card: Card) -> Iterator[tuple[tuple[str | int, ...], Item]]:
    for s, section in enumerate(card.sections):
        for i, item in enumerate(section.items):
            yield ("sections", s, "items", i), item


def _adds_up(
    at: tuple[str | int, ...], parts: str, maxima: Sequence[Decimal | None], stated: Decimal | None
) -> Iterator[Fault]:
    there = [worth for worth in maxima if worth is not None]
    together = sum(there, Decimal(0)) if there else None
    if together != stated:
        got = "no figure" if together is None else str(together)
        wanted = "none" if stated is None else str(stated)
        yield at, f"the maxima of its {parts} add up to {got}, not to {wanted}; correct one of them"


def _whole(card: Card) -> Iterator[Fault]:
    total = card.total
    if total.method == "weighted_sections":
        ids = {section.id for section in card.sections}
        weights = total.weights or {}
        if odd := sorted(weights.keys() ^ ids):
            yield ("total", "weights"), f"{', '.join(odd)}: give a weight for every section, and for no other"
        elif sum(weights.values()) != 100:
            yield ("total", "weights"), f"the weights add up to {sum(weights.values())}, not to 100; correct them"
        return
    if total.weights is not None:
        yield ("total", "weights"), "sum_of_points takes no weights; take them out or write `method: weighted_sections`"
    tops = [section.normalise_to or section.max for section in card.sections]
    yield from _adds_up(("total", "max"), "sections", tops, total.max)


def _share(card: Card, ids: Collection[str]) -> Fraction | None:
    """Percent of the card that these items are worth together; None: there are no weights."""
    worth = own_weights(card).worth
    whole = sum(worth.values(), Fraction(0))
    return sum((worth.get(id, Fraction(0)) for id in ids), Fraction(0)) * 100 / whole if whole else None


def _shares(card: Card) -> Iterator[Fault]:
    if card.total.method == "weighted_sections" and (card.total.weights or {}).keys() != {s.id for s in card.sections}:
        return
    for s, section in enumerate(card.sections):
        if section.share is not None:
            share = _share(card, [item.id for item in section.items])
            yield from _in_range(("sections", s, "share"), share, section.share)
    for where, item in _placed(card):
        if item.share is not None:
            yield from _in_range((*where, "share"), _share(card, [item.id]), item.share)


def _in_range(at: tuple[str | int, ...], share: Fraction | None, asked: tuple[Decimal, Decimal]) -> Iterator[Fault]:
    if asked[0] > asked[1]:
        yield at, f"the range runs from {asked[0]} down to {asked[1]}; swap its ends"
    elif share is not None and not asked[0] <= share <= asked[1]:
        low, high = (shown(end) for end in asked)
        wanted = f"{low} %" if low == high else f"{low} to {high} %"
        yield at, f"it is worth {shown(share)} % of the card, not {wanted}; change the maxima or the range"


def _balances(card: Card) -> Iterator[Fault]:
    ids = {item.id for item in card.items}
    for b, balance in enumerate(card.balance):
        if odd := sorted({*balance.of, *balance.to} - ids):
            yield ("balance", b), f"no item is called {', '.join(odd)}; name items of this card"
            continue
        one, other = _share(card, balance.of), _share(card, balance.to)
        wanted = [Fraction(part) for part in balance.ratio]
        if one is not None and other is not None and one * wanted[1] != other * wanted[0]:
            yield (
                ("balance", b),
                f"{', '.join(balance.of)} : {', '.join(balance.to)} weigh {shown(one)} : {shown(other)}, not "
                f"{shown(wanted[0])} : {shown(wanted[1])}; change their maxima",
            )


@dataclass(frozen=True)
class _Scored:
    """An item with what its figure is: a KPI, or a figure that the card or the program describes; neither where people rate."""

    card: Card
    item: Item

    @cached_property
    def figures(self) -> Mapping[str, FigureSpec]:
        """The figures that the item may name besides KPIs."""
        return {**known_figures(), **self.card.figures}

    @property
    def kpi(self) -> Kpi | None:
        """The item's KPI, where the catalogue has it."""
        return KPIS.get(self.item.kpi) if self.item.kpi is not None else None

    @property
    def better(self) -> Direction | None:
        """Which way its figure is better."""
        known = self.kpi or self.figures.get(self.item.key)
        return known.better if known else None

    @property
    def setting(self) -> Setting:
        """What its rule is checked against."""
        item, target = self.item, self.item.target
        return Setting(
            max=item.max,
            unit=item.unit,
            op=target.op if target else None,
            target=target.number if target else None,
            better=self.better,
            reference=item.reference is not None,
        )


def _item(card: Card, item: Item) -> Iterator[Fault]:
    if (wrong := _sources(item)) is not None:
        yield wrong
        return
    scored = _Scored(card, item)
    for check in (_kpi_id, _figure_id, _evidence, _scorable):
        yield from check(scored)
    if scored.kpi is not None and scored.kpi.live:
        return  # no figure of a period: nothing else can be told of it
    for check in (_kpi, _target, _reference, _adjusted, _no_cases, _raters, _panel, _veto):
        yield from check(scored)
    yield from item.rule.objections(scored.setting)


def _sources(item: Item) -> Fault | None:
    """The fault of an item that does not name the one source of its value; None: it does, or people rate it."""
    sources = [name for name in ("kpi", "metric", "input") if getattr(item, name) is not None]
    if item.rated and sources:
        return (
            (sources[0],),
            f"a person gives the {item.rule.asks}: take `{sources[0]}` out, or name it under `evidence`",
        )
    if not item.rated and len(sources) != 1:
        given = " and ".join(f"`{name}`" for name in sources) or "no source of its value"
        return (), f"has {given}; write exactly one of `kpi`, `metric` and `input`"
    return None


def _adjusted(scored: _Scored) -> Iterator[Fault]:
    item, kpi = scored.item, scored.kpi
    if not item.adjusted or (kpi is None and item.kpi is not None):
        return
    if kpi is None or not adjustable(kpi.bound(item.requires, "staff")):
        what = "an item without a `kpi`" if kpi is None else kpi.id
        yield (
            ("adjusted",),
            f"{what} cannot be adjusted for the mix of work: only shares and means of contacts can, such as csat, fcr, "
            "average_handle_time, transfer_rate and complaint_rate; take `adjusted` out",
        )
    elif item.entity != "person" or item.reference is not None:
        yield (
            ("adjusted",),
            "a person's own figure of the period is adjusted: take `adjusted` out, or `entity` and `reference`",
        )


def _scorable(scored: _Scored) -> Iterator[Fault]:
    kpi = scored.kpi
    if kpi and not kpi.scored:
        yield (
            ("kpi",),
            f"{kpi.id} is a sign for people to look at and is never scored; take the item out, or name it under "
            "another item's `evidence`",
        )
    if kpi and kpi.live:
        yield ("kpi",), f"{kpi.id} is a value of this moment: a period has none; take another KPI"


def _kpi(scored: _Scored) -> Iterator[Fault]:
    item, kpi = scored.item, scored.kpi
    if kpi is None:
        if item.entity != "person":
            yield ("entity",), "only a KPI can be the team's: hand the team's figure in as theirs, or name a `kpi`"
        return
    if factor(kpi.unit, item.unit) is None:
        yield ("unit",), f"the KPI {kpi.id} is in {kpi.unit}, which cannot be shown in {item.unit}; take another unit"
    if alien := item.requires.model_fields_set - set(kpi.policy_fields):
        known = ", ".join(kpi.policy_fields) or "none"
        yield ("requires",), f"the KPI {kpi.id} does not depend on {', '.join(sorted(alien))}; it depends on: {known}"


def _target(scored: _Scored) -> Iterator[Fault]:
    target = scored.item.target
    if target is None:
        return
    if (target.op == "between") != isinstance(target.value, tuple):
        yield ("target", "value"), "`between` takes two numbers, every other `op` one; correct it"
    for value in target.value if isinstance(target.value, tuple) else (target.value,):
        yield from _impossible(scored, ("target", "value"), value)


def _reference(scored: _Scored) -> Iterator[Fault]:
    item = scored.item
    if item.reference is None:
        return
    if item.target is not None:
        yield ("reference",), "the value is held against the target or against a reference; keep one of them"
    if item.rule.asks != "attainment":
        yield (
            ("reference",),
            "a `ratio` holds a figure against a reference, handed in or a KPI's own in the period before; take it out here",
        )


def _no_cases(scored: _Scored) -> Iterator[Fault]:
    item = scored.item
    if item.no_cases is not None and item.max is not None and item.no_cases > item.max:
        yield ("no_cases",), f"{item.no_cases} points are above the item's max {item.max}; make them agree"


def _veto(scored: _Scored) -> Iterator[Fault]:
    veto = scored.item.veto
    if veto is None:
        return
    yield from _impossible(scored, ("veto", "gte"), veto.gte)
    yield from _impossible(scored, ("veto", "lte"), veto.lte)
    if veto.gte is None and veto.lte is None:
        yield ("veto",), "the veto has no limit; give `gte` or `lte`"


def _impossible(scored: _Scored, where: tuple[str, ...], value: Decimal | None) -> Iterator[Fault]:
    """A value that the figure can never have: who is held against it always, or never, meets it."""
    item, (low, high) = scored.item, _possible(scored)
    if value is None or ((low is None or value >= low) and (high is None or value <= high)):
        return
    ends = ", ".join(f"{word} {shown(end)}" for word, end in (("at least", low), ("at most", high)) if end is not None)
    yield where, f"{item.key} is {ends} ({item.unit}), never {shown(value)}"


def _possible(scored: _Scored) -> tuple[Decimal | None, Decimal | None]:
    """Least and greatest value that the item's figure can have, in its unit; None: no end."""
    unit, kpi = scored.item.unit, scored.kpi
    if kpi is None or (times := factor(kpi.unit, unit)) is None:
        return RANGES[unit]
    low, high = (None if end is None else Decimal(str(end)) * times for end in kpi.possible)
    return low, high


def _kpi_id(scored: _Scored) -> Iterator[Fault]:
    id = scored.item.kpi
    if id is None or id in KPIS:
        return
    if (figure := scored.figures.get(id)) is not None:
        yield ("kpi",), f"{id!r} is no KPI of the catalogue yet; write it under `{_word(figure.by)}`"
    else:
        yield (
            ("kpi",),
            f"no KPI is called {id!r}; {_near(id, KPIS)}; what is not computed yet stands under `metric`",
        )


def _figure_id(scored: _Scored) -> Iterator[Fault]:
    for word in ("metric", "input"):
        if (id := getattr(scored.item, word)) is not None and (wrong := _figure(scored, word, id)) is not None:
            yield wrong


def _figure(scored: _Scored, word: str, id: str) -> Fault | None:
    """What is wrong with a figure that the item names under ``word``."""
    spec, unit = scored.figures.get(id), scored.item.unit
    if spec is None and id in KPIS:
        return (
            (word,),
            f"the KPI catalogue has {id!r}; write it under `kpi`, or, where nothing sends its events, describe it under "
            "the card's `figures` to hand it in",
        )
    if spec is None:
        near = _near(id, [known for known, of in scored.figures.items() if _word(of.by) == word])
        return (word,), f"no {word} is called {id!r}; {near}; describe one of your own under the card's `figures`"
    if _word(spec.by) != word:
        return (word,), f"{id!r} comes from {spec.by}; write it under `{_word(spec.by)}`"
    if spec.unit != unit:
        return ("unit",), f"{id} is in {spec.unit}, not in {unit}; write `unit: {spec.unit}`"
    return None


def _evidence(scored: _Scored) -> Iterator[Fault]:
    for e, id in enumerate(scored.item.evidence):
        if id not in KPIS and id not in scored.figures:
            yield ("evidence", e), f"no KPI or figure is called {id!r}; {_near(id, [*KPIS, *scored.figures])}"


def _word(by: str) -> str:
    return "metric" if by == "events" else "input"


def _near(id: str, among: Collection[str]) -> str:
    near = get_close_matches(id, among, n=3)
    return f"nearest: {', '.join(near)}" if near else f"known: {', '.join(among)}"


def _raters(scored: _Scored) -> Iterator[Fault]:
    item = scored.item
    if not item.raters:
        return
    for id in _twice(rater.id for rater in item.raters):
        yield ("raters",), f"the rater {id!r} is there twice; give every rater an id of their own"
    if item.rule.asks == "level" or item.kpi is not None:
        yield ("raters",), "raters are blended into a figure or a rating; take them out of levels and of KPIs"
    if (together := sum(rater.weight for rater in item.raters)) != 100:
        yield ("raters",), f"the raters' weights add up to {together}, not to 100; correct them"
    yield from _least(item.raters)


def _panel(scored: _Scored) -> Iterator[Fault]:
    item = scored.item
    if item.panel is not None:
        if item.kpi is not None or item.metric is not None or item.rule.asks == "level" or item.reference is not None:
            yield (
                ("panel",),
                "a panel's mean is a rating or a figure that people give; take it out of levels, KPIs and comparisons",
            )
        if item.raters:
            yield ("panel",), "the item has raters; write the panel under the one of them that is a party of several"
    for r, rater in enumerate(item.raters):
        if rater.panel is not None and rater.panel.party not in (None, rater.id):
            yield ("raters", r, "panel", "party"), f"the party is the rater {rater.id!r}; leave `party` out"


def _least(raters: Sequence[Rater]) -> Iterator[Fault]:
    for r, rater in enumerate(raters):
        if rater.least is not None and rater.weight < rater.least:
            yield (
                ("raters", r, "weight"),
                f"{rater.id} weighs {rater.weight} %, less than its least, {rater.least} %; correct one",
            )
