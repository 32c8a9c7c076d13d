"""What if: cases computed by hand, and the command as HR types it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from scoring.analysis.weights import tried
from scoring.analysis.what_if import Past, Scenario, what_if
from scoring.analysis.what_if_report import report
from scoring.cards.model import Card
from scoring.cards.profiles import ProfileError
from scoring.commands.main import score
from scoring.outcomes import Settings
from scoring.period import Month
from scoring.runs.outcome_inputs import Incomplete
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.policy.model import Policy
from streams.people.names import Names
from tests.support.cards import card, item, rated, section, written
from tests.unit.scoring.commands.test_run import InMemory

MARCH, APRIL = Month(2010, 3), Month(2010, 4)


def rules(**more: Any) -> Settings:
    return Settings.model_validate(
        {
            "schema": "deskpulse/outcomes/1",
            "version": "1",
            "grades": {"by": "points"},
            "ranking": {"smallest_group": 1, "top": {"percent": 20}},
            "pay": [{"id": "pool", "type": "bonus_pool", "top_percent": 25, "top_share": 50, "split": "by_score"}],
            **more,
        }
    )


def two_items(folder: Path) -> Card:
    """Half each: what people do and what they know."""
    return card(section("all", item("do", 50), item("know", 50)), folder=folder)


def month(when: Month, ratings: dict[str, tuple[float, float]], **more: Any) -> Past:
    roster = {id: RosterEntry(agent_id=id, valid_from=when.first, card="ours") for id in ratings}
    inputs = {id: rated(do=do, know=know) for id, (do, know) in ratings.items()}
    return Past(when, [], roster, inputs, **more)


RATINGS = {"anna": (50.0, 40.0), "ben": (35.0, 50.0), "carl": (25.0, 30.0)}  # 90, 85, 55


def test_other_weights_by_hand(tmp_path: Path) -> None:
    ours, settings = two_items(tmp_path), rules()
    past = [month(MARCH, RATINGS, pools={"pool": Decimal(1000)})]
    season = tried(ours, {"do": Decimal(20)}, MARCH.first, MARCH.last)
    made = what_if(Scenario(ours, settings), Scenario(ours, settings, (season,)), past, Policy())
    (march,) = made.months
    # 20 : 80. anna 50/50×20 + 40/50×80 = 84, ben 14 + 80 = 94, carl 10 + 48 = 58.
    assert {m.person: (m.before and m.before.total, m.after and m.after.total, m.by) for m in march.moves} == {
        "anna": (Decimal("90.00"), Decimal("84.00"), Decimal("-6.00")),
        "ben": (Decimal("85.00"), Decimal("94.00"), Decimal("9.00")),
        "carl": (Decimal("55.00"), Decimal("58.00"), Decimal("3.00")),
    }
    assert [(m.person, m.by) for _, m in made.moves] == [
        ("ben", Decimal(9)),
        ("anna", Decimal(-6)),
        ("carl", Decimal(3)),
    ]
    assert made.grades() == {"A": (1, 1), "B": (1, 1), "C": (0, 0), "D": (0, 0), "E": (1, 1)}
    assert [m.person for _, m in made.moves if m.regraded] == ["ben", "anna"]
    # The best of three has 500 alone; the other 500 go by score, 85 : 55 before and 84 : 58 after.
    assert {m.person: (m.before and m.before.money, m.after and m.after.money) for m in march.moves} == {
        "anna": (Decimal("500.00"), Decimal("295.77")),
        "ben": (Decimal("303.57"), Decimal("500.00")),
        "carl": (Decimal("196.43"), Decimal("204.23")),
    }
    assert march.pools == march.money == (Decimal("1000.00"), Decimal("1000.00")), "a pool costs what it is"


def test_other_bands_by_hand(tmp_path: Path) -> None:
    def banded(cut: int) -> Card:
        bands = [{"gte": cut, "points": 50}, {"lt": cut, "points": 0}]
        figures = {"tests_passed": {"zh": "测验", "en": "tests", "unit": "n", "better": "higher", "by": "people"}}
        item_ = item("do", 50, input="tests_passed", unit="n", rule={"type": "bands", "bands": bands})
        return card(section("all", item_, item("know", 50)), folder=tmp_path, figures=figures)

    past = [
        Past(
            MARCH,
            [],
            {id: RosterEntry(agent_id=id, valid_from=MARCH.first, card="ours") for id in ("anna", "ben")},
            {
                "anna": {"tests_passed": Decimal(9), **rated(know=40)},
                "ben": {"tests_passed": Decimal(7), **rated(know=40)},
            },
        )
    ]
    made = what_if(Scenario(banded(6), rules()), Scenario(banded(8), rules()), past, Policy())
    assert [(m.person, m.before and m.before.total, m.after and m.after.total) for _, m in made.moves] == [
        ("ben", Decimal("90.00"), Decimal("40.00"))
    ]
    assert made.grades()["A"] == (2, 1)


def test_other_rules_change_grades_and_what_it_costs_month_by_month(tmp_path: Path) -> None:
    ours = two_items(tmp_path)
    award = {"id": "streak", "name": {"zh": "连", "en": "streak"}, "of": "month", "result": "grade_a", "amount": 100}
    before, after = (
        rules(pay=[], awards=[award]),
        rules(pay=[], awards=[award], grades={"by": "points", "cuts": {"A": 85, "B": 80, "C": 70, "D": 60}}),
    )
    past = [month(APRIL, RATINGS), month(MARCH, RATINGS)]
    made = what_if(Scenario(ours, before), Scenario(ours, after), past, Policy())
    assert [str(change.month) for change in made.months] == ["2010-03", "2010-04"]
    assert made.cost(lambda change: change.money) == (Decimal("200.00"), Decimal("400.00"))
    assert made.grades()["A"] == (2, 4)
    assert [(str(when), m.person) for when, m in made.moves] == [("2010-03", "ben"), ("2010-04", "ben")]


def test_what_is_open_is_no_zero(tmp_path: Path) -> None:
    ours = two_items(tmp_path)
    past = [
        Past(
            MARCH,
            [],
            {"anna": RosterEntry(agent_id="anna", valid_from=MARCH.first, card="ours")},
            {"anna": rated(do=25)},
        )
    ]
    season = tried(ours, {"do": Decimal(20)}, MARCH.first, MARCH.last)
    scenarios = Scenario(ours, rules()), Scenario(ours, rules(), (season,))
    open_, attained = (what_if(*scenarios, past, Policy(), how).months[0].moves[0] for how in Incomplete)
    assert (open_.moved, open_.by) == (False, None)
    assert (attained.after and attained.after.total, attained.moved) == (Decimal("50.00"), False)


def test_weights_that_leave_nothing_to_the_others(tmp_path: Path) -> None:
    ours = two_items(tmp_path)
    season = tried(ours, {"do": Decimal(70), "know": Decimal(70)}, MARCH.first, MARCH.last)
    with pytest.raises(ProfileError, match="the changed items weigh 140 %"):
        what_if(Scenario(ours, rules()), Scenario(ours, rules(), (season,)), [month(MARCH, RATINGS)], Policy())


def test_the_report_tells_it_all_and_always_the_same(tmp_path: Path) -> None:
    ours = two_items(tmp_path)
    season = tried(ours, {"do": Decimal(20)}, MARCH.first, MARCH.last)
    past = [month(MARCH, RATINGS | {"<b>": (10.0, 10.0)}, pools={"pool": Decimal(1000)})]
    told = report(what_if(Scenario(ours, rules()), Scenario(ours, rules(), (season,)), past, Policy()), Names())
    _, money, moves = told.tables
    assert moves.rows[0] == (
        "ben",
        "2010-03",
        "85.00",
        "2",
        "B",
        "265.63",
        "94.00",
        "1",
        "A",
        "500.00",
        "+9.00",
    )
    assert money.rows[-1][1:3] == ("1000.00", "1000.00")
    assert "4 人中 4 人有变化，其中 2 人次等级变化" in told.lead[2]
    html = told.html().decode()
    assert html.count("<svg") == 2
    assert "<td><b></td>" not in html
    assert told.csv().startswith(b"\xef\xbb\xbf")
    assert told == report(what_if(Scenario(ours, rules()), Scenario(ours, rules(), (season,)), past, Policy()), Names())


FACTS = [
    DailyFacts(
        entity=f"agent|{id}",
        date=date(2010, 3, 2),
        sums={"resolution_due": 20, "resolved": done, "csat_ratings_1_5": 10, "csat_score_1_5": stars},
    )
    for id, done, stars in (("anna", 17, 30_000), ("ben", 10, 45_000))
]


def typed(*arguments: str, facts: list[DailyFacts] = FACTS) -> Result:
    return CliRunner().invoke(
        score, ["what-if", "--from", "2010-03", "--to", "2010-03", *arguments], obj=InMemory(facts)
    )


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_command() -> None:
    done = typed("--weight", "csat=50")
    assert done.exit_code == 0, done.output
    assert "2 人中 2 人有变化" in done.output
    assert sorted(path.name for path in Path("scores").iterdir()) == [
        "what-if-s2-a-core-2010-03-2010-03.csv",
        "what-if-s2-a-core-2010-03-2010-03.html",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to try: give --weight"),
        (
            ("--weight", "speed=5"),
            "--weight speed: there is no such one here; there are: art, confirmed, csat, fcr, frt, resolution, script",
        ),
        (
            ("--weight", "csat=5", "--profile", "promotion"),
            "--weight, --profile and --to-calendar each say all the weights",
        ),
        (
            ("--weight", "csat=5", "--to", "2010-02"),
            "the months run from 2010-03 back to 2010-02; swap --from and --to",
        ),
        (
            ("--weight", "csat=5", "--from", "2010-01", "--to", "2010-02"),
            "no agent has facts from 2010-01 to 2010-02; there are facts of 2010-03",
        ),
        (
            ("--weight", "csat=5", "--amount", "salary=1"),
            "--amount salary: there is no such one here; there are: base_bonus, base_pay",
        ),
        (("--profile", "gold"), "no profile is called 'gold'"),
    ],
)
def test_what_cannot_be_tried(arguments: tuple[str, ...], message: str) -> None:
    done = typed(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr


def test_a_card_of_ones_own(tmp_path: Path) -> None:
    body = written(
        section(
            "all",
            item(
                "csat",
                100,
                kpi="csat_mean",
                rule={"type": "ratio", "form": "actual_over_target"},
                target={"op": ">=", "value": 4.5},
            ),
        )
    )
    Path("mine.yaml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    done = typed("--to-card", "mine.yaml")
    assert done.exit_code == 0, done.output
    assert "ours v1" in done.output
