"""Profiles: who weighs what under a strategy or in a season, from when to when, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from scoring.analysis.weights import throughout
from scoring.cards.load import find, load
from scoring.cards.profile_calendar import in_force, load_calendar
from scoring.cards.profiles import ProfileError, find_profile, known_profiles, under
from scoring.evaluation.scorer import evaluate
from scoring.period import Month, Period, Quarter
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts
from streams.kpi.policy.model import Policy
from tests.support import cards
from tests.support.cards import item, section

CORE, FRONT = find("s2-a-core"), find("s3-a-front-line")
NOVEMBER = Month(2026, 11)


@pytest.mark.parametrize(
    ("profile", "card", "expected"),
    [
        # Response speed 15 → 25, the others times 75/85.
        ("promotion", "s2-a-core", {"art": "25", "frt": "300/17", "fcr": "375/17", "resolution": "300/17", "csat": "225/17", "script": "75/17"}),
        # Backlog is added with 10, the others times 0.9.
        ("promotion", "s3-a-front-line", {"backlog": "10", "script": "9", "att": "6.75", "ability": "27"}),
        # Quality from 40 to 50, the others times 50/60.
        ("brand-building", "s3-a-front-line", {"script": "12.5", "csat": "12.5", "att": "6.25", "ability": "25"}),
        ("cost-reduction", "s0-a-core-indicators", {"cost": "20", "self_service": "10", "csat": "175/9", "collab": "35/9"}),
        ("cost-reduction", "s0-b-typical-weights", {"cost": "18.5", "csat": "66.5/3"}),
        ("cost-reduction", "s3-a-front-line", {"att": "10", "script": "60/7", "ability": "180/7"}),
        ("experience-upgrade", "s0-a-core-indicators", {"csat": "35", "complaint_response": "10", "fcr": "44/3"}),
        ("vip-focus", "s2-b-info-desk", {"urgent": "10", "response": "36", "attitude": "18"}),
        ("process-30", "s3-a-front-line", {"script": "15", "qa": "15", "fcr": "8.75", "ability": "26.25"}),
    ],
)  # fmt: skip
def test_weights_under_the_profiles_that_come_with_the_program(
    profile: str, card: str, expected: dict[str, str]
) -> None:
    one = find(card)
    worth = under(find_profile(profile), one)
    for id, weight in expected.items():
        above, _, below = weight.partition("/")
        assert worth[id] == Fraction(above) / Fraction(below or 1), id
    assert sum(worth.values()) == one.total.max


def test_every_profile_fits_the_cards_it_names() -> None:
    for id in known_profiles():
        profile = find_profile(id)
        assert profile.id == id
        for card in profile.cards:
            one = find(card)
            if one.total.max is not None:
                assert sum(under(profile, one).values()) == one.total.max


def test_a_card_without_weights_says_so(tmp_path: Path) -> None:
    body = cards.written(section("all", item("script", None)), id="s1-a-reception-iron-triangle")
    with pytest.raises(
        ProfileError, match="the card s1-a-reception-iron-triangle has no weights yet; set them in your own copy"
    ):
        under(find_profile("process-30"), load(cards.saved(body, tmp_path)))


def calendar(folder: Path, *entries: dict[str, Any]) -> Path:
    body = {
        "schema": "deskpulse/calendar/1",
        "entries": [{"reason": {"zh": "双十一", "en": "Singles' Day"}} | e for e in entries],
    }
    return cards.saved(body, folder, "calendar.yaml")


PROMOTION = {"profile": "promotion", "from": date(2026, 11, 1), "to": date(2026, 11, 30)}


@pytest.mark.parametrize(
    ("first", "last", "period", "art", "days"),
    [
        ("2026-11-01", "2026-11-30", NOVEMBER, "25", 30),
        ("2026-10-20", "2026-11-10", NOVEMBER, "55/3", 10),  # a third of the month, a third of the way
        ("2026-11-30", "2027-02-01", NOVEMBER, "46/3", 1),
        ("2026-10-01", "2026-10-31", NOVEMBER, "15", None),  # over: the card's own weights are back
        ("2026-12-01", "2026-12-31", NOVEMBER, "15", None),
        ("2026-11-01", "2026-11-30", Quarter(2026, 4), "420/23", 30),  # 15 + 10 × 30/92
    ],
)  # fmt: skip
def test_a_season_counts_by_its_days_and_ends_by_itself(
    tmp_path: Path, first: str, last: str, period: Period, art: str, days: int | None
) -> None:
    seasons = load_calendar(calendar(tmp_path, PROMOTION | {"from": first, "to": last}))
    weights = in_force(CORE, seasons, period)
    above, _, below = art.partition("/")
    assert weights.worth["art"] == Fraction(above) / Fraction(below or 1)
    assert sum(weights.worth.values()) == 100
    assert [applied.days for applied in weights.applied] == ([] if days is None else [days])


def test_the_score_says_what_a_profile_did(tmp_path: Path) -> None:
    weights = in_force(CORE, load_calendar(calendar(tmp_path, PROMOTION | {"to": date(2026, 11, 10)})), NOVEMBER)
    told = evaluate(CORE, "anna", {"chat_responses": 5, "chat_response_seconds": 1_200_000}, Policy(), weights=weights)
    art = told.items[1]
    assert (art.points, art.worth, art.counted) == (Decimal("7.5"), Fraction(55, 3), Fraction(55, 6))
    assert told.tally.total == Decimal("9.17")
    assert art.reason_en.endswith(
        "15 × 120 ÷ 240 = 7.50 points. Promotion season 2026-11-01 to 2026-11-10 (10 of the period's 30 days): "
        "weight 15 → 18.33: 9.17 in the total."
    )
    assert "促销季（2026年11月1日至2026年11月10日，本期 10/30 天）：权重 15 → 18.33，计入总分 9.17。" in art.reason_zh


def test_an_added_item_is_scored_while_the_profile_is_in_force(tmp_path: Path) -> None:
    card = cards.card(section("all", item("a", 100)), folder=tmp_path, optional=[item("b", 10, section="all")])
    ours = {
        "schema": "deskpulse/profile/1",
        "id": "rush",
        "version": "1",
        "name": {"zh": "忙季", "en": "rush"},
        "kind": "season",
    }
    cards.saved(ours | {"cards": {"ours": [{"items": ["b"], "weight": 10}]}}, tmp_path, "rush.yaml")
    seasons = load_calendar(calendar(tmp_path, PROMOTION | {"profile": "rush.yaml"}))
    facts = [DailyFacts(entity="agent|anna", date=date(2026, 11, 2))]
    inputs = {"anna": cards.rated(a=50, b=10)}
    during, after = (
        run(card, month, facts_of(month), Policy(), inputs=inputs, seasons=seasons)
        for month in (NOVEMBER, Month(2026, 12))
    )
    assert facts[0].date in NOVEMBER
    assert [one.item.id for one in during.people[0].items] == ["a", "b"]
    assert during.people[0].tally.total == Decimal("55.00"), "45 of 90 and 10 of 10"
    assert [one.item.id for one in after.people[0].items] == ["a"]
    assert after.people[0].tally.total == Decimal("50.00")
    assert [one.id for one in during.items] == ["a", "b"]


def facts_of(month: Month) -> list[DailyFacts]:
    return [DailyFacts(entity="agent|anna", date=month.first)]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ([{"items": ["x"], "weight": 10}], "the card ours has no item x; it has: a, b, c"),
        ([{"section": "x", "weight": 10}], "the card ours has no section 'x'; it has: one, two"),
        (
            [{"items": ["a"], "weight": 60}, {"items": ["b"], "plus": 20}],
            "the changed items weigh 110 %; leave the others what",
        ),
        (
            [{"section": "one", "weight": 60}, {"items": ["a"], "weight": 20}],
            "card ours: a changed twice; keep one change",
        ),
        ([{"section": "one", "weight": 40}], "card ours: two would weigh 60 %, outside 10 to 50 %"),
        (
            [{"section": "one", "weight": 70}, {"section": "two", "weight": 20}],
            "the changed items weigh 90 %; leave the others",
        ),
    ],
)
def test_a_profile_that_does_not_fit_its_card(tmp_path: Path, changes: list[dict[str, Any]], fault: str) -> None:
    card = cards.card(
        section("one", item("a", 20), item("b", 30)), section("two", item("c", 50), share=[10, 50]), folder=tmp_path
    )
    with pytest.raises(ProfileError) as refused:
        under(ours(tmp_path, changes), card)
    assert fault in str(refused.value)


def ours(folder: Path, changes: list[dict[str, Any]]) -> Any:
    body = {
        "schema": "deskpulse/profile/1",
        "id": "p",
        "version": "1",
        "name": {"zh": "方案", "en": "p"},
        "kind": "strategy",
    }
    return find_profile(str(cards.saved(body | {"cards": {"ours": changes}}, folder, "p.yaml")))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{"items": ["a"], "weight": 40}], {"a": 40, "b": "22.5", "c": "37.5"}),
        ([{"section": "one", "at_least": 50}], {"a": 20, "b": 30, "c": 50}),
        ([{"section": "one", "at_least": 60}], {"a": 24, "b": 36, "c": 40}),
        ([{"items": ["a", "b"], "plus": 30}], {"a": 32, "b": 48, "c": 20}),
        ([{"section": "one", "weight": 100}], {"a": 40, "b": 60, "c": 0}),
    ],
)
def test_ways_to_change_a_weight(tmp_path: Path, changes: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    card = cards.card(section("one", item("a", 20), item("b", 30)), section("two", item("c", 50)), folder=tmp_path)
    assert under(ours(tmp_path, changes), card) == {id: Fraction(weight) for id, weight in expected.items()}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            [{"weight": 10}],
            "p.yaml:{line}: cards.ours[1]: a change is of `items` or of a `section`; give one of the two",
        ),
        (
            [{"items": ["a"], "section": "one", "weight": 1}],
            "a change is of `items` or of a `section`; give one of the two",
        ),
        ([{"items": ["a"]}], "a change says `weight`, `plus` or `at_least`; give exactly one of them"),
        (
            [{"items": ["a"], "weight": 10, "plus": 5}],
            "a change says `weight`, `plus` or `at_least`; give exactly one of them",
        ),
        ([{"items": ["a"], "weight": 10}, {"items": ["a"], "plus": 5}], "'a' is changed twice; keep one"),
        ([{"items": ["a"], "weight": 110}], "weight: Input should be less than or equal to 100, not 110"),
    ],
)
def test_a_profile_that_is_ambiguous(tmp_path: Path, changes: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(ProfileError) as refused:
        ours(tmp_path, changes)
    assert fault.format(line=10) in str(refused.value)


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([PROMOTION | {"to": date(2026, 10, 1)}], "it ends on 2026-10-01, before it begins; swap the dates"),
        ([PROMOTION | {"profile": "gold"}], "no profile is called 'gold'; known: brand-building, "),
        ([PROMOTION | {"profile": "gold.yaml"}], "cannot read the profile"),
        (
            [PROMOTION | {"cards": ["s4-a-aftersales-manager"]}],
            "the profile promotion does not change s4-a-aftersales-manager;",
        ),
        (
            [PROMOTION, PROMOTION | {"profile": "brand-building", "from": date(2026, 11, 20), "to": date(2027, 1, 1)}],
            "promotion and brand-building are both in force for s3-a-front-line from 2026-11-20 to 2026-11-30; end one before",
        ),
        ([{"profile": "promotion", "from": "soon", "to": "later"}], "from: Input should be a valid date"),
    ],
)
def test_a_calendar_that_is_wrong(tmp_path: Path, entries: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(ProfileError) as refused:
        load_calendar(calendar(tmp_path, *entries))
    assert fault in str(refused.value)
    assert "calendar.yaml:" in str(refused.value)


def test_profiles_of_different_cards_may_be_in_force_together(tmp_path: Path) -> None:
    entries = [PROMOTION | {"cards": ["s2-a-core"]}, PROMOTION | {"profile": "brand-building"}]
    seasons = load_calendar(calendar(tmp_path, *entries))
    assert in_force(CORE, seasons, NOVEMBER).worth["art"] == 25
    assert in_force(FRONT, seasons, NOVEMBER).worth["script"] == Fraction("12.5")


def test_process_indicators_of_the_reception_card_weigh_30_in_the_quarter_in_which_they_are_scored() -> None:
    card, profile = find("s1-a-reception-iron-triangle"), find_profile("process-30")
    quarter = in_force(card, [throughout(profile, date(2026, 1, 1), date(2026, 12, 31))], Quarter(2026, 1)).worth
    assert sum(quarter[id] for id in ("script", "process", "emotion")) == 30
    assert sum(quarter.values()) == 100
    month = in_force(card, [throughout(profile, date(2026, 1, 1), date(2026, 12, 31))], Month(2026, 3))
    assert month.worth == month.base  # what is not due is not weighed
    assert sum(month.worth.values()) == 100
