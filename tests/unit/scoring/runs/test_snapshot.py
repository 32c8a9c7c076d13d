"""Materials of a run: written and read back the same, and what follows from them."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from scoring.cards.load import known, load
from scoring.cards.profile_calendar import load_calendar
from scoring.inputs.polled import Polled
from scoring.outcomes import History, Past, Term, parse
from scoring.outcomes_file import default
from scoring.period import Month
from scoring.runs.canonical_json import plain, written
from scoring.runs.jsonl import Facts
from scoring.runs.lines import Lines
from scoring.runs.result import compute, differences, document
from scoring.runs.snapshot import Materials, MaterialsError, adjusted, as_given, pack, unpack
from streams.contracts.outputs import DailyFacts
from streams.kpi.policy.model import Policy
from tests.support import ROOT
from tests.support.month_end import MARCH, Desk, day, entry

CALENDAR = ROOT / "docs" / "example" / "calendar.yaml"


def materials(card: str, **fields: object) -> Materials:
    given = {
        "card": load(known()[card]),
        "period": Month(2026, 3),
        "policy": Policy(),
        "facts": (day("anna", "2026-03-02", 10, 9), day("anna", "2026-03-03", 10, 9)),
        "opened": date(2026, 4, 2),
        **fields,
    }
    return Materials(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("card", sorted(known()))
def test_read_back_they_are_the_same(card: str) -> None:
    before = materials(
        card,
        facts=Facts.of([day("anna", "2026-03-02", 10, 9), day("anna", "2026-03-03", 10, 9)]),
        roster={"anna": entry("anna")},
        inputs={"anna": {"x": {"value": "1"}}},
        seasons=load_calendar(CALENDAR),
        settings=default(),
        history={
            "anna": History(
                (Past(Term.parse("2026-Q1"), Decimal("80.10"), True, "A", None, 4),), {"s": (date(2026, 2, 1),)}
            )
        },
        pools={"pool": Decimal("100.00")},
        adjusted=(day("anna", "2026-03-02", -1, 0),),
        kpi_versions={"csat": 1},
        closes=("quarter", "year"),
        panels={
            "anna": {"peer": {"rating": Polled(3, 4, 3, True, Decimal("51.5")), "other": Polled(1, 4, 3, False, None)}}
        },
    )
    body, facts = pack(before)
    after = unpack(body, facts)
    assert after == before
    assert pack(after) == (body, facts)


def test_of_another_schema_they_are_refused() -> None:
    body, facts = pack(materials("s2-a-core"))
    with pytest.raises(MaterialsError, match="update the program"):
        unpack(body.replace(b"materials/3", b"materials/4"), facts)


def test_what_was_frozen_before_goes_by_the_rules_of_then() -> None:
    bare = parse("schema: deskpulse/outcomes/1\nversion: '1'\nranking: {top: {percent: 20}}\n", "bare.yaml")
    body, facts = pack(materials("s2-a-core", settings=bare))
    then = unpack(body.replace(b"materials/3", b"materials/1"), facts).settings
    now = unpack(body, facts).settings
    assert then is not None
    assert now is not None
    assert (then.ranking.smallest_group, then.ranking.least_scored, then.rescaled_from) == (1, 0, 0)
    assert (now.ranking.smallest_group, now.ranking.least_scored, now.rescaled_from) == (5, 100, 80)
    assert then.ranking.top == now.ranking.top


def test_a_month_that_was_frozen_before_closes_what_it_closed_then() -> None:
    body, facts = pack(materials("s2-a-core", closes=("half_year",)))
    assert unpack(body, facts).closes == ("half_year",)
    before = json.loads(body)
    del before["closes"]
    then = written({**before, "schema": "deskpulse/materials/2"})
    assert (unpack(then, facts).closes, unpack(then, facts).panels) == (("quarter", "year"), {})


def test_what_has_no_plain_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="object has no plain form"):
        plain(object())
    assert written({"b": {"y", "x"}, "a": Decimal("1.10")}) == b'{"a":"1.10","b":["x","y"]}'


def test_adjustments_are_added_to_their_day() -> None:
    facts = (day("anna", "2026-03-02", 10, 9), day("ben", "2026-03-02", 10, 9))
    made = list(adjusted(facts, (day("anna", "2026-03-02", -4, 0), day("anna", "2026-03-09", 1, 1))))
    assert [(fact.key, fact.sums["resolution_due"]) for fact in made] == [
        ("agent|anna|2026-03-02", 6),
        ("agent|ben|2026-03-02", 10),
        ("agent|anna|2026-03-09", 1),
    ]
    assert facts[0].sums["resolution_due"] == 10  # the frozen ones are left as they are


def test_what_the_card_takes_no_longer_is_named() -> None:
    card = load(known()["s2-a-core"])
    with pytest.raises(MaterialsError, match=r"anna: item fcr takes no 'gone'.*hand it in anew"):
        as_given(card, {"anna": {"fcr": {"gone": "1"}}})


@pytest.mark.parametrize(
    ("incomplete", "least", "total", "grade"),
    [("unscored", 20, None, None), ("rescaled", 80, None, None), ("rescaled", 20, "100.00", "A")],
)
def test_a_partial_total_is_graded_only_where_asked(
    incomplete: str, least: int, total: str | None, grade: str | None
) -> None:
    rules = default().model_copy(update={"rescaled_from": Decimal(least)})
    made = compute(materials("s2-a-core", settings=rules, incomplete=incomplete))
    assert made.outcomes is not None
    standing = made.outcomes.people[0].standing
    assert (standing.total and str(standing.total), standing.grade) == (total, grade)
    assert str(made.run.people[0].tally.total) == "20.00"  # the score itself stays what it is


def test_rated_days_before_the_period_count_for_streaks_only() -> None:
    def rated(on: str) -> DailyFacts:
        return DailyFacts(
            entity="agent|anna", date=date.fromisoformat(on), sums={"csat_ratings": 5, "csat_satisfied": 5}
        )

    facts = tuple(rated(on) for on in ("2026-02-27", "2026-02-28", "2026-03-01"))
    made = compute(materials("s2-a-core", facts=facts, settings=default()))
    assert made.outcomes is not None
    granted = {held.streak: held.granted for held in made.outcomes.people[0].streaks}
    assert granted["half_day_off"] == (date(2026, 3, 1),)


def test_the_same_result_differs_in_nothing_and_another_says_in_what() -> None:
    one, other = (
        materials("s0-b-typical-weights"),
        materials("s0-b-typical-weights", inputs={"anna": {"training": {"value": "100"}}}),
    )
    bodies = [document(each, compute(each), "m", "f") for each in (one, other)]
    assert differences(bodies[0], bodies[0]) == []
    assert [(d.person, d.what, d.before, d.after) for d in differences(*bodies)] == [
        ("anna", "total", None, "15.00"),
        ("anna", "scored_max", "0", "15"),
        ("anna", "item training", None, "15"),
    ]


def test_pay_asks_for_its_amount_and_pays(tmp_path: Path) -> None:
    desk = Desk(tmp_path, entries=[entry("anna", card="s4-g-install-card")], facts=[])
    said = desk.does("missing", "s4-g-install-card", *MARCH)
    assert "base_pay" in said
    rows = 'card,period,person,item,field,value\ns4-g-install-card,2026-03,anna,@person,base_pay,"5,000.00"\n'
    (tmp_path / "pay.csv").write_text(rows)
    desk.does("import", str(tmp_path / "pay.csv"), "--by", "lin")
    card = load(known()["s4-g-install-card"])
    needed = json.loads(desk.does("missing", card.id, *MARCH, "--json"))["anna"]
    assert "base_pay" not in {need["field"] for need in needed}
    desk.does("prepare", card.id, *MARCH, "--by", "lin")
    assert stat.S_IMODE((desk.data_dir / "scores.db").stat().st_mode) == 0o600
    told = json.loads(desk.does("show", card.id, *MARCH, "anna", "--json"))
    assert told["outcomes"]["pay"]["money"] is None  # nothing is scored, so nothing is paid; never a wage of 0


def test_facts_are_kept_in_order_however_they_come() -> None:
    there = [
        day(person, on, 10, at)
        for at, (person, on) in enumerate([("b", "2026-03-02"), ("a", "2026-03-09"), ("a", "2026-03-02")])
    ]
    made = [Facts.of(way) for way in (there, reversed(there), sorted(there, key=lambda fact: fact.key))]
    assert [fact.key for fact in made[0]] == ["agent|a|2026-03-02", "agent|a|2026-03-09", "agent|b|2026-03-02"]
    assert made[0] == made[1] == made[2] != Facts.of(there[:2])
    assert (bool(made[0]), bool(Facts.of([]))) == (True, False)


@pytest.mark.parametrize("number", [0, 1, 100_000])
def test_lines_are_read_as_they_were_written(number: int) -> None:
    lines = [f"{at} 行".encode() for at in range(number)]
    made = Lines.of(lines)
    assert list(made) == lines
    assert made.sound
    assert Lines.of(lines) == made
    assert not Lines(made.squeezed, Lines.of([b"other"]).digest).sound
    assert not Lines(made.squeezed[:-6] + b"spoilt", made.digest).sound


def test_a_result_is_read_by_person() -> None:
    anna, other = entry("anna", card="s2-a-core", team="t2"), day('a"b', "2026-03-02", 10, 5)
    one = materials("s2-a-core", roster={"anna": anna}, settings=default())
    one = replace(one, facts=(*one.facts, other))
    result = document(one, compute(one), "m", "f")
    assert result.teams() == {'a"b': None, "anna": "t2"}
    for person in ('a"b', "anna"):
        found = result.person(person)
        assert found is not None
        assert (found.person, found.score["person"]) == (person, person)
        assert (found.outcome or {})["person"] == person
    assert result.person("ann") is None
    assert [score.person for score in result.scores()] == ['a"b', "anna"]
    assert [person for person, _ in result.closed()] == ['a"b', "anna"]
    whole = result.whole(lambda each: each.team == "t2")
    assert [score["person"] for score in whole["scores"]] == ["anna"]
    assert [made["person"] for made in whole["outcomes"]["people"]] == ["anna"]


def test_a_run_that_was_frozen_before_as_of_was_told_stays_as_it_was() -> None:
    """It judged as of the beginning of the day on which actions open, and neither of its documents says so."""
    sums = {"contacts_handled_known": 7, "fcr_missed": 1}
    facts = [DailyFacts(entity="agent|anna", date=date(2026, 3, day), sums=sums) for day in (25, 26)]
    old = materials("s2-a-core", facts=facts)
    body, lines = pack(old)
    again = unpack(body, lines)
    assert "as_of" not in json.loads(body)
    assert "as_of" not in document(again, compute(again), "m", "f").head
    figure = next(item.figure for item in again.run().people[0].items if item.item.kpi == "fcr")
    assert (figure.n, figure.pending) == (7, 7)
    new = materials("s2-a-core", facts=facts, as_of=datetime(2026, 4, 2, 16, tzinfo=UTC))
    body, lines = pack(new)
    assert unpack(body, lines).as_of == new.as_of
    assert document(new, compute(new), "m", "f").head["as_of"] == "2026-04-02T16:00:00+00:00"
