"""What a well-formed card can still get wrong: unknown ids, weights that do not add up, rules that fit no item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction

from scoring.cards.automation import automation_words, is_low
from scoring.cards.figures import DURATIONS, QUALITY, known_figures
from scoring.cards.model import Card, Item
from scoring.cards.weights import own_weights
from scoring.rounding import shown
from scoring.rules import Setting
from scoring.units import RANGES, factor
from scoring.yaml_documents import Fault
from streams.kpi.catalog import KPIS
from streams.kpi.spec import Kpi

#: Share of a card, in percent, that the source keeps for ratings by people (S0-42).
RESERVE = 10


def faults(card: Card) -> Iterator[Fault]:
    """Everything that makes the card ambiguous or impossible to evaluate; nothing for a sound card."""
    yield from _ids(card)
    for s, section in enumerate(card.sections):
        for i, item in enumerate(section.items):
            for where, what in _item(card, item):
                yield ("sections", s, "items", i, *where), what
        maxima = [item.max for item in section.items]
        yield from _adds_up(("sections", s, "max"), "items", maxima, section.max)
        if section.period is not None and section.period not in card.periods:
            yield (
                ("sections", s, "period"),
                f"the card is not scored by {section.period}; add it to the card's `period`",
            )
    for o, item in enumerate(card.optional):
        for where, what in _item(card, item):
            yield ("optional", o, *where), what
        if item.section not in {section.id for section in card.sections}:
            yield ("optional", o, "section"), f"the card has no section {item.section!r}; name one it has"
    yield from _whole(card)
    yield from _shares(card)
    yield from _balances(card)
    for where, item in _placed(card):
        if item.key in DURATIONS and not any(other.key in QUALITY for other in card.items):
            yield (
                (*where, "rule"),
                f"{item.key} is scored without an item of quality beside it; add one or take this out",
            )


def warnings(card: Card) -> Iterator[Fault]:
    """What is sound and yet worth a thought."""
    yield from _worth(card)
    if is_low(card):
        yield ("sections",), f"{automation_words(card)[1]} (S1-64): score KPIs, which nobody can hand in at will"


def _worth(card: Card) -> Iterator[Fault]:
    judged = [item.id for item in card.items if item.rated or item.raters or (item.input and item.rater)]
    rated = _share(card, judged)
    if rated is None:
        yield ("total", "max"), "no weights are set: nothing is scored until your own copy of the card sets them"
        return
    if rated < RESERVE:
        yield ("total",), f"people rate {shown(rated)} % of the card; {RESERVE} % is advised (S0-42)"
    held = {id for balance in card.balance for id in (*balance.of, *balance.to)}
    for where, item in _placed(card):
        if item.max is None:
            yield (*where, "max"), "no weight is set: the item stays unscored until your own copy of the card sets one"
        if item.key in DURATIONS and item.id not in held:
            yield (
                (*where, "max"),
                "a duration beside quality: a `balance` may hold them 1 : 2 (S0-41); watch repeat contacts too (S3-11)",
            )


def _ids(card: Card) -> Iterator[Fault]:
    sections: set[str] = set()
    for s, section in enumerate(card.sections):
        if section.id in sections:
            yield ("sections", s, "id"), f"the section id {section.id!r} is used twice; give every section its own"
        sections.add(section.id)
    seen: set[str] = set()
    for where, item in (*_placed(card), *((("optional", o), item) for o, item in enumerate(card.optional))):
        if item.id in seen:
            yield (*where, "id"), f"the item id {item.id!r} is used twice; give every item its own"
        seen.add(item.id)
    columns = [column.id for column in card.evaluators]
    for id, times in Counter(columns).items():
        if times > 1:
            yield ("evaluators",), f"the column {id!r} is there twice; give every column its own id"
    for where, item in _placed(card):
        for id, times in Counter(rater.id for rater in item.raters).items():
            if times > 1:
                yield (*where, "raters"), f"the rater {id!r} is there twice; give every rater his own id"


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


def _item(card: Card, item: Item) -> Iterator[Fault]:
    sources = [name for name in ("kpi", "metric", "input") if getattr(item, name) is not None]
    if item.rated and sources:
        yield (
            (sources[0],),
            f"a person gives the {item.rule.asks}: take `{sources[0]}` out, or name it under `evidence`",
        )
        return
    if not item.rated and len(sources) != 1:
        given = " and ".join(f"`{name}`" for name in sources) or "no source of its value"
        yield (), f"has {given}; write exactly one of `kpi`, `metric` and `input`"
        return
    yield from _source(card, item)
    kpi = KPIS.get(item.kpi) if item.kpi is not None else None
    if kpi and not kpi.scored:
        yield (
            ("kpi",),
            f"{kpi.id} is a sign for people to look at and is never scored; take the item out, or name it under "
            "another item's `evidence`",
        )
    if kpi and kpi.live:
        yield ("kpi",), f"{kpi.id} is a value of this moment: a period has none; take another KPI"
        return
    if kpi and factor(kpi.unit, item.unit) is None:
        yield ("unit",), f"the KPI {kpi.id} is in {kpi.unit}, which cannot be shown in {item.unit}; take another unit"
    if kpi and (alien := item.requires.model_fields_set - set(kpi.policy_fields)):
        known = ", ".join(kpi.policy_fields) or "none"
        yield ("requires",), f"the KPI {kpi.id} does not depend on {', '.join(sorted(alien))}; it depends on: {known}"
    if item.entity == "team" and not kpi:
        yield ("entity",), "only a KPI can be the team's: hand the team's figure in as his, or name a `kpi`"
    target, figure = item.target, card.figures.get(item.key) or known_figures().get(item.key)
    if target is not None and (target.op == "between") != isinstance(target.value, tuple):
        yield ("target", "value"), "`between` takes two numbers, every other `op` one; correct it"
    if target is not None:
        yield from _impossible(item, kpi, ("target", "value"), target.value)
    if item.veto is not None:
        for name in ("gte", "lte"):
            yield from _impossible(item, kpi, ("veto", name), getattr(item.veto, name))
    if target is not None and item.reference is not None:
        yield ("reference",), "the value is held against the target or against a reference; keep one of them"
    if item.reference is not None and (item.kpi is not None or item.rule.asks != "attainment"):
        yield ("reference",), "a reference is handed in with a figure that a `ratio` scores; take it out here"
    if item.no_cases is not None and item.max is not None and item.no_cases > item.max:
        yield ("no_cases",), f"{item.no_cases} points are above the item's max {item.max}; make them agree"
    yield from _raters(item)
    if item.veto is not None and item.veto.gte is None and item.veto.lte is None:
        yield ("veto",), "the veto has no limit; give `gte` or `lte`"
    setting = Setting(
        max=item.max,
        unit=item.unit,
        op=target.op if target else None,
        target=target.number if target else None,
        better=kpi.better if kpi else figure.better if figure else None,
        reference=item.reference is not None,
    )
    yield from item.rule.objections(setting)


def _impossible(
    item: Item, kpi: Kpi | None, where: tuple[str, ...], asked: Decimal | tuple[Decimal, Decimal] | None
) -> Iterator[Fault]:
    """A value that the figure can never have: who is held against it always, or never, meets it."""
    low, high = RANGES[item.unit]
    if kpi is not None and (times := factor(kpi.unit, item.unit)) is not None:
        low, high = (None if end is None else Decimal(str(end)) * times for end in kpi.possible)
    for value in asked if isinstance(asked, tuple) else (asked,):
        if value is None or ((low is None or value >= low) and (high is None or value <= high)):
            continue
        ends = ", ".join(
            f"{word} {shown(end)}" for word, end in (("at least", low), ("at most", high)) if end is not None
        )
        yield where, f"{item.key} is {ends} ({item.unit}), never {shown(value)}"


def _source(card: Card, item: Item) -> Iterator[Fault]:
    """What is wrong with where the value comes from."""
    figures = {**known_figures(), **card.figures}
    if item.kpi is not None and item.kpi not in KPIS:
        if item.kpi in figures:
            yield (
                ("kpi",),
                f"{item.kpi!r} is no KPI of the catalogue yet; write it under `{_word(figures[item.kpi].by)}`",
            )
        else:
            yield (
                ("kpi",),
                f"no KPI is called {item.kpi!r}; {_near(item.kpi, KPIS)}; what is not computed yet stands under `metric`",
            )
    for word in ("metric", "input"):
        id = getattr(item, word)
        if id is None:
            continue
        if id in KPIS and id not in figures:
            yield (
                (word,),
                f"the KPI catalogue has {id!r}; write it under `kpi`, or, where nothing sends its events, describe it under "
                "the card's `figures` to hand it in",
            )
        elif id not in figures:
            near = _near(id, [known for known, spec in figures.items() if _word(spec.by) == word])
            yield (word,), f"no {word} is called {id!r}; {near}; describe one of your own under the card's `figures`"
        elif _word(figures[id].by) != word:
            yield (word,), f"{id!r} comes from {figures[id].by}; write it under `{_word(figures[id].by)}`"
        elif figures[id].unit != item.unit:
            yield ("unit",), f"{id} is in {figures[id].unit}, not in {item.unit}; write `unit: {figures[id].unit}`"
    for e, id in enumerate(item.evidence):
        if id not in KPIS and id not in figures:
            yield ("evidence", e), f"no KPI or figure is called {id!r}; {_near(id, [*KPIS, *figures])}"


def _word(by: str) -> str:
    return "metric" if by == "events" else "input"


def _near(id: str, among: Collection[str]) -> str:
    near = get_close_matches(id, among, n=3)
    return f"nearest: {', '.join(near)}" if near else f"known: {', '.join(among)}"


def _raters(item: Item) -> Iterator[Fault]:
    if not item.raters:
        return
    if item.rule.asks == "level" or item.kpi is not None:
        yield ("raters",), "raters are blended into a figure or a rating; take them out of levels and of KPIs"
    if (together := sum(rater.weight for rater in item.raters)) != 100:
        yield ("raters",), f"the raters' weights add up to {together}, not to 100; correct them"
    for r, rater in enumerate(item.raters):
        if rater.least is not None and rater.weight < rater.least:
            yield (
                ("raters", r, "weight"),
                f"{rater.id} weighs {rater.weight} %, less than its least, {rater.least} %; correct one",
            )
