"""The settings that come with the program are sound; others are refused with file, line, rule and remedy."""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from scoring.outcomes import Settings, SettingsError, parse
from scoring.outcomes.ranking import Bottom
from scoring.outcomes_file import default, load

TEXT = (files("scoring") / "outcomes" / "outcomes.yaml").read_text(encoding="utf-8")
BARE = 'schema: deskpulse/outcomes/1\nversion: "1"\n'


def line_of(text: str) -> int:
    """The line of TEXT that has this."""
    return TEXT[: TEXT.index(text)].count("\n") + 1


def test_the_settings_that_come_with_the_program() -> None:
    settings = default()
    assert [(rule.id, rule.type, rule.source) for rule in settings.pay] == [
        ("commission", "coefficient", "S0-46"),
        ("pool", "bonus_pool", "S1-51"),
        ("quarterly_bonus", "grade_bonus", "S2-39"),
        ("star_pay", "stars", "S3-23"),
        ("base_pay", "score_ratio", "S4-88"),
    ]
    assert [(streak.id, streak.of, streak.length) for streak in settings.streaks] == [
        ("reserve_manager", "month", 6),
        ("senior_mentor", "quarter", 8),
        ("fast_promotion", "month", 3),
        ("half_day_off", "day", 3),
        ("training_place", "month", 3),
    ]
    assert settings.actions.training is not None
    assert len(settings.actions.training.rules) == 3


def test_every_rule_may_be_absent() -> None:
    assert parse(BARE, "bare.yaml") == Settings.model_validate({"schema": "deskpulse/outcomes/1", "version": "1"})


def test_each_line_of_the_defaults_that_says_a_default_says_the_models_own() -> None:
    """Whoever leaves a field out gets what the file that comes with the program shows."""
    bare = parse(BARE + "ranking: {top: {}, bottom: {}}\ngrades: {by: points}\nstars: {}\n", "bare.yaml")
    full = default()
    # Only who says so asks how sure a total is: months that were frozen before it could be asked stay as they are.
    assert full.ranking.bottom == Bottom(sure=Decimal("0.95"))
    ranking = full.ranking.model_copy(update={"bottom": Bottom()})
    assert (bare.ranking, bare.grades, bare.months_needed) == (ranking, full.grades, full.months_needed)
    assert bare.stars is not None
    assert full.stars is not None
    assert bare.stars.model_dump(exclude={"who"}) == full.stars.model_dump(exclude={"who"})
    pay = "pay:\n" + "".join(f"- {{id: {r.id}, type: {r.type}, who: {{cards: [{r.id}]}}}}\n" for r in full.pay)
    bare = parse(BARE + pay + "grades: {by: points}\nstars: {}\n", "bare.yaml")
    for own, shown in zip(bare.pay, full.pay, strict=True):
        assert own.model_dump(exclude={"who", "source"}) == shown.model_dump(exclude={"who", "source"})


@pytest.mark.parametrize(
    ("stands", "instead", "at", "fault"),
    [
        ("percent: 20}", "percent: 120}", "percent: 20}", "ranking.top.percent: Input should be less than or equal to 100, not 120"),
        ("percent: 20}", "percentage: 20}", "percent: 20}", "ranking.top.percentage: is no field here; take it out or correct its name"),
        ("top: {percent: 20}", "top: {percent: 91}", "ranking:", "ranking: top 91 % and bottom 10 % overlap; together at most 100 %"),
        ("A: 90, B: 80", "A: 80, B: 80", "cuts: {A", "grades.cuts: the cuts must fall from A to D: 80, 80, 70, 60; put them in order"),
        ("by: points", "by: pints", "grades:", "grades: 'pints' is none of 'points', 'share'; take one of these"),
        ("type: coefficient", "type: factor", "- id: commission", "pay commission: 'factor' is none of 'coefficient', "),
        ("  type: coefficient\n", "", "- id: commission", "pay commission: needs 'type', which says what kind of rule this is; add it"),
        ("score: 80, value: 1}", "score: 60, value: 1}", "  curve: # assumed", "pay commission: curve: scores must rise from point to point: 60 follows 60"),
        ("score: 80, value: 1}", "score: 80, value: 0.7}", "  curve: # assumed", "a higher score must not be worth less: 0.7 follows 0.8"),
        ("score: 80, value: 1}", "score: 80, value: x}", "score: 80, value: 1}", "pay commission: curve[2].value: Input should be a valid decimal, not 'x'"),
        ("- id: pool\n", "- id: commission\n", "- id: pool", "pay commission: id: the id 'commission' is used twice; give every rule its own"),
        ("  who: {cards: [s1-a-reception-iron-triangle, s1-b-360]}\n", "", "- id: pool", "the pay rules 'commission' and 'pool' take the same people, and one person has one pay rule"),
        ("cards: [s4-g-install-card,", "cards: [s3-a-front-line, s4-g-install-card,", None, None),
        ("cards: [s4-g-install-card, s4-h-install-card-home]", "cards: [s3-a-front-line]", "who: {cards: [s4-g", "pay base_pay: who: the pay rules 'star_pay' and 'base_pay' take the same people"),
        ("cards: [s4-g-install-card, s4-h-install-card-home]", "cards: []", "who: {cards: [s4-g", "pay base_pay: who.cards: "),
        ("  kpi: 70", "  kpi: 60", "stars: #", "stars: kpi 60 and exam 30 add up to 90, not to 100"),
        ("[60, 70, 80, 90]", "[60, 70, 70, 90]", "cuts: [60", "stars.cuts: the cuts of 2 to 5 stars must rise: 70 follows 70"),
        ("[60, 70, 80, 90]", "[60, 70, 80]", "cuts: [60", "stars.cuts: Tuple should have at least 4 items after validation"),
        ("lowest: 0.85", "lowest: 1.16", "- id: star_pay", "5 stars (1.15) must not be worth less than 1 (1.16); swap them"),
        ("full_at: 80", "full_at: 0", "full_at: 80", "pay base_pay: full_at: Input should be greater than 0, not 0"),
        ("full_at: 80", "full_at: 80\n  floor: 1\n  cap: 0.5", "- id: base_pay", "the cap 0.5 lies below the floor 1; correct one"),
        ("pass_mark: 80", "# none", "result: met", "streaks reserve_manager: result: there is no `pass_mark`; add it, or take this streak out"),
        ("result: met", "result: satisfied", "result: met", "streaks reserve_manager: result: days and the result `satisfied` go together"),
        ("  best: 1 # assumed\n- id", "  best: 1\n  result: top\n- id", "- id: service_star", "awards service_star: an award goes by `best` or by `result`; write exactly one"),
        ("  top: {percent: 20} # S0-43, rounded up, ties included\n", "", "result: top\n  length", "streaks training_place: result: there is no `ranking.top`; add it"),
        (next(line for line in TEXT.splitlines(keepends=True) if line.startswith("  bottom: {")), "", "bottom: true", "actions.improvement_plan.bottom: there is no `ranking.bottom`; add it, or set it to false"),
        ("    - id: technical_retraining", "    - id: fcr_drill", "    - id: technical_retraining", "actions.training.rules fcr_drill: id: the id 'fcr_drill' is used twice"),
        ("zh: 储备经理计划, ", "", "en: reserve-manager", "streaks reserve_manager: name.zh: is missing; add it"),
        ("amount: commission", "amount: wage", "amount: commission", "pay commission: amount: Input should be 'base_pay', "),
        ("  amount: commission\n", "  amount: commission\n  amount: base_pay\n", None, "not YAML: 'amount' stands here twice; keep one"),
        ("every_months: 3", "every_months: 4", "every_months: 3", "actions.interview.every_months: Input should be 1, 3, 6 or 12, not 4"),
        ("months: 3} # S3-33", "weeks: 3} # S3-33", "months: 3} # S3-33", "actions.improvement_plan.due.weeks: is no field here"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line_and_remedy(
    stands: str, instead: str, at: str | None, fault: str | None
) -> None:
    assert stands in TEXT
    changed = TEXT.replace(stands, instead, 1)
    if fault is None:  # people decide: a person may be on neither card
        assert parse(changed, "my.yaml").pay
        return
    with pytest.raises(SettingsError) as refused:
        parse(changed, "my.yaml")
    told = str(refused.value).splitlines()
    assert any(fault in line for line in told), told
    if at is not None:
        shift = instead.count("\n") - stands.count("\n") if line_of(stands) < line_of(at) else 0
        assert any(line.startswith(f"my.yaml:{line_of(at) + shift}: ") and fault in line for line in told), told


def test_grades_and_stars_that_rules_rest_on() -> None:
    rules = BARE + (
        "pay:\n- {id: bonus, type: grade_bonus, who: {roles: [a]}}\n- {id: star, type: stars, who: {roles: [b]}}\n"
        "streaks:\n- {id: s, name: {zh: 一, en: one}, of: month, result: grade_a, length: 2}\n"
        "awards:\n- {id: w, name: {zh: 一, en: one}, of: month, result: grade_a}\n"
        "actions:\n  improvement_plan: {grade_e: true, bottom: true}\n  mentor: {}\n"
    )
    with pytest.raises(SettingsError) as refused:
        parse(rules, "my.yaml")
    assert str(refused.value).splitlines() == [
        "my.yaml:4: pay bonus: type: there are no `grades` to pay by; add them, or take this rule out",
        "my.yaml:5: pay star: type: there are no `stars` to pay by; add them, or take this rule out",
        "my.yaml:7: streaks s: result: there are no `grades`; add them, or take this streak out",
        "my.yaml:9: awards w: result: there are no `grades`; add them, or take this award out",
        "my.yaml:11: actions.improvement_plan.bottom: there is no `ranking.bottom`; add it, or set it to false",
        "my.yaml:11: actions.improvement_plan.grade_e: there are no `grades`; add them, or set it to false",
        "my.yaml:12: actions.mentor: mentors are chosen by stars; add `stars`, or take this out",
    ]
    with pytest.raises(SettingsError, match="mentors go with improvement plans; add `improvement_plan`"):
        parse(BARE + "stars: {}\nactions: {mentor: {}}\n", "my.yaml")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "my.yaml:1: settings are a mapping that begins with `schema: deskpulse/outcomes/1`"),
        ("- 1", "my.yaml:1: settings are a mapping"),
        ("a: b: c", "my.yaml:1: not YAML: "),
        ("a: 2010-13-01", "my.yaml: not YAML: month must be in 1..12; correct it"),
        ("a: &x {b: *x}", "my.yaml:1: a.b: contains itself; write it out"),
        ("? [a]\n: 1", "my.yaml:1: not YAML: found unhashable key"),
        ("schema: deskpulse/card/1\nversion: '1'", "my.yaml:1: schema: Input should be 'deskpulse/outcomes/1', not 'deskpulse/card/1'"),
        (BARE + "pay:\n- 7", "my.yaml:4: pay[1]: Input should be a valid dictionary"),
    ],
)  # fmt: skip
def test_what_is_no_settings_file(text: str, fault: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(text, "my.yaml")
    assert str(refused.value).startswith(fault)


def test_files(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(BARE, encoding="utf-8")
    assert load(own).version == "1"
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"cannot read the settings .*own\.yaml: .*; give a readable file in UTF-8"):
        load(own)
    with pytest.raises(SettingsError, match="cannot read the settings"):
        load(tmp_path / "nowhere.yaml")
