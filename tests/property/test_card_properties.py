"""What holds for every rule of every card, for weights under any profile, and for any file that claims to be a card."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from scoring.cards.figures import known_figures
from scoring.cards.load import CardError, find, known, load
from scoring.cards.model import Card, Item
from scoring.cards.profiles import Change, Profile, ProfileError, under
from scoring.cards.validation import warnings
from scoring.cards.weights import own_weights
from scoring.evaluation.raters import blend
from scoring.evaluation.scorer import evaluate
from scoring.inputs.values import Given
from scoring.rules import AnyRule, Bands, Inputs, PerUnit, Ratio
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.languages.text import Text
from tests.support import cards

ALL = {id: find(id) for id in known()}
WEIGHTED = [card for card in ALL.values() if card.total.max is not None]
FIGURES = [(card, item) for card in WEIGHTED for item in card.items if isinstance(item.rule, Ratio | Bands | PerUnit)]
RATED = [(card, item) for card in WEIGHTED for item in card.items if item.rated and item.max is not None]
RULE: TypeAdapter[Any] = TypeAdapter(AnyRule)

values = st.fractions(min_value=0, max_value=100, max_denominator=1000)
targets = st.fractions(min_value=Fraction(1, 100), max_value=1000, max_denominator=1000)


def better(item: Item) -> str:
    known_as = KPIS.get(item.key) or known_figures()[item.key]
    return known_as.better


@given(st.sampled_from(FIGURES), values, targets)
def test_points_stay_in_the_bounds_that_the_card_declares(
    of: tuple[Card, Item], value: Fraction, target: Fraction
) -> None:
    item = of[1]
    earned = item.rule.score(Inputs(value, target)).points
    assert earned is not None, "from 0 to 100 every figure of every card has its points"
    open_below = isinstance(item.rule, PerUnit) and item.rule.floor is None
    open_above = isinstance(item.rule, PerUnit) and item.rule.cap is None
    assert open_below or earned >= 0
    assert open_above or earned <= (item.max or 0)


@given(st.sampled_from([of for of in FIGURES if better(of[1]) != "range"]), values, values, targets)
def test_better_never_earns_less(of: tuple[Card, Item], one: Fraction, other: Fraction, target: Fraction) -> None:
    item = of[1]
    worse, good = sorted((one, other), reverse=better(item) == "lower")
    least, most = (item.rule.score(Inputs(value, target)).points for value in (worse, good))
    assert least is not None
    assert most is not None
    assert least <= most


@given(st.sampled_from([card for card in WEIGHTED if card.id != "s4-c-installer"]), st.data())
def test_a_total_stays_in_the_bounds_of_its_card(card: Card, data: st.DataObject) -> None:
    given_in: dict[str, Decimal | Given] = {}
    for item in card.items:
        if item.max is None or item.kpi is not None or not data.draw(st.booleans()):
            continue
        match item.rule.asks:
            case "level":
                level = data.draw(st.sampled_from(item.rule.levels))  # type: ignore[union-attr]
                pick = Fraction(data.draw(st.sampled_from(level.pick))) if level.pick else None
                given_in[item.key] = Given(level=level.level, pick=pick)
            case "rating":
                given_in[item.key] = Given(value=Fraction(item.max) * data.draw(st.fractions(0, 1)))
            case _:
                given_in[item.key] = Given(
                    value=data.draw(values), reference=data.draw(targets) if item.reference else None
                )
    told = evaluate(card, "anna", {}, Policy(), given_in)
    for tally in (told.tally, *(part.tally for part in told.sections)):
        assert 0 <= tally.scored_max <= tally.max
        assert tally.total is None or 0 <= tally.total <= tally.max
    assert told.tally.max == card.total.max


@st.composite
def rule_bands(draw: st.DrawFn) -> tuple[dict[str, Any], list[Fraction]]:
    """Bands that tile all numbers: ends in order, each closed on one side."""
    ends = draw(st.lists(st.integers(-50, 50), min_size=1, max_size=5, unique=True).map(sorted))
    closed = [draw(st.booleans()) for _ in ends]
    bands: list[dict[str, Any]] = []
    for number in range(len(ends) + 1):
        band: dict[str, Any] = {"points": number}
        if number:
            band["gte" if closed[number - 1] else "gt"] = ends[number - 1]
        if number < len(ends):
            band["lt" if closed[number] else "lte"] = ends[number]
        bands.append(band)
    return {"type": "bands", "bands": draw(st.permutations(bands))}, [Fraction(end) for end in ends]


@given(rule_bands(), st.fractions(min_value=-60, max_value=60, max_denominator=10))
def test_bands_that_tile_hold_every_value_exactly_once(
    made: tuple[dict[str, Any], list[Fraction]], value: Fraction
) -> None:
    rule = RULE.validate_python(made[0])
    for at in chain([value], made[1]):
        assert sum(band.holds(at) for band in rule.bands) == 1


@given(st.lists(st.tuples(st.integers(1, 100), st.none() | st.integers(0, 100)), min_size=1, max_size=5))
def test_a_blend_lies_between_its_ratings(parts: list[tuple[int, int | None]]) -> None:
    from scoring.cards.model import Rater

    raters = [
        Rater(id=f"r{n}", name=Text(zh="人", en=f"r{n}"), weight=Decimal(weight)) for n, (weight, _) in enumerate(parts)
    ]
    ratings = {f"r{n}": str(rating) for n, (_, rating) in enumerate(parts) if rating is not None}
    made = blend(raters, ratings, Fraction(100))
    if not ratings:
        assert made is None
        return
    assert made is not None
    numbers = [int(rating) for rating in ratings.values()]
    assert min(numbers) <= made[0] <= max(numbers)


@given(st.sampled_from(WEIGHTED), st.data())
def test_weights_under_any_profile_add_up_to_what_they_did(card: Card, data: st.DataObject) -> None:
    ids = [item.id for item in (*card.items, *card.optional) if item.max is not None]
    changed = data.draw(st.lists(st.sampled_from(ids), unique=True, min_size=1, max_size=3))
    ways = data.draw(st.lists(st.sampled_from(("weight", "plus", "at_least")), min_size=3, max_size=3))
    sizes = data.draw(st.lists(st.integers(0, 40), min_size=3, max_size=3))
    changes = tuple(
        Change.model_validate({"items": [id], way: size}) for id, way, size in zip(changed, ways, sizes, strict=False)
    )
    body = {
        "schema": "deskpulse/profile/1",
        "id": "p",
        "version": "1",
        "name": {"zh": "甲", "en": "a"},
        "kind": "season",
    }
    profile = Profile.model_validate(body | {"cards": {card.id: changes}})
    before = own_weights(card).base
    try:
        worth = under(profile, card)
    except ProfileError as refused:
        assert "leave the others what is left of 100" in str(refused) or "outside" in str(refused)  # noqa: PT017
        return
    assert sum(worth.values()) == sum(before.values())
    assert all(weight >= 0 for weight in worth.values())
    untouched = [id for id in before if id not in changed and before[id]]
    rates = {worth[id] / before[id] for id in untouched}
    assert len(rates) <= 1, "the others keep their ratio to each other"


def nodes(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [path, *(found for key, child in inner for found in nodes(child, (*path, key)))]


BODIES = {id: yaml.safe_load(file.read_text(encoding="utf-8")) for id, file in known().items()}
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([1, 2]),
    st.just({"a": 1}),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cards")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(BODIES)), st.data())
def test_whatever_stands_in_a_file_is_a_card_or_is_refused_with_file_and_line(
    folder: Path, id: str, data: st.DataObject
) -> None:
    body = deepcopy(BODIES[id])
    *path, last = data.draw(st.sampled_from([path for path in nodes(body) if path]))
    at = body
    for key in path:
        at = at[key]
    if data.draw(st.booleans()):
        at[last] = data.draw(anything)
    else:
        del at[last]
    file = cards.saved(body, folder)
    try:
        sound = load(file)
    except CardError as refused:
        assert str(refused).startswith(f"{file}:")  # noqa: PT017
        return
    list(warnings(sound))
    told = evaluate(
        sound, "anna", {}, Policy(), {item.key: Given(value=Fraction(1), level="1") for item in sound.items}
    )
    assert len(told.items) == len(sound.items)
