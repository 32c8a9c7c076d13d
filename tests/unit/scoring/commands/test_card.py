"""``deskpulse card``: worked examples through the command, what it shows, and what it says to the wrong thing."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from scoring.cards.load import find, known
from scoring.cards.profiles import known_profiles
from scoring.cards.schema import schemas
from scoring.commands.card import card
from tests.conftest import SHARED_DATA, require
from tests.support import ROOT

OWN = yaml.safe_load((Path(__file__).parent / "card_examples.yaml").read_text(encoding="utf-8"))
GIVEN = SHARED_DATA.parent / "appraisal" / "examples.yaml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(card, list(arguments))


def holds(example: dict[str, Any]) -> None:
    fields = [f"{name}={value}" for name, value in example["in"].items()]
    done = run("try", example["card"], example["item"], *fields, "--json")
    assert done.exit_code == 0, done.output
    points = json.loads(done.stdout, parse_float=Decimal)["points"]
    expected = example["points"]
    if expected is None or points is None:
        assert points is expected
    else:
        assert abs(Decimal(points) - Decimal(str(expected))) < Decimal("1e-12"), example


@pytest.mark.parametrize("example", OWN, ids=lambda example: f"{example['card']}-{example['item']}")
def test_worked_examples(example: dict[str, Any]) -> None:
    holds(example)


def test_the_worked_examples_of_the_documents() -> None:
    require(GIVEN.is_file(), "the worked examples of ../shared/appraisal are not beside this repository")
    examples = yaml.safe_load(GIVEN.read_text(encoding="utf-8"))
    assert len(examples) > 80
    for example in examples:
        holds(example)


def test_a_try_says_points_and_why_in_both_languages() -> None:
    done = run("try", "s4-b-cs-supervisor-scale", "B4", "value=95", "n=20")
    assert done.output.splitlines() == [
        "5.00 / 10",
        "客户回访率 95%（录入）（样本 20，95%置信区间 76.39%～99.11%），目标值 ≥ 100%：属于 ≥ 90, < 100 档，5.00 分。",
        "Customer follow-up rate 95 % (handed in) (n = 20, 95 % interval 76.39 % to 99.11 %), target ≥ 100 %: in the band "
        "≥ 90, < 100, 5.00 points.",
    ]


def test_a_try_for_programs() -> None:
    done = run("try", "s4-f-aftersales-supervisor-kpi", "F2", "value=5", "--json")
    told = json.loads(done.stdout)
    assert (told["points"], told["max"], told["unscored"], told["vetoed"]) == (0, 5, False, True)
    assert told["reason_en"] == "Data statistics 5 (handed in): 5 − 5 × 1 = 0.00 points. Vetoed: 0 points."
    assert told["rule_zh"] == "0 得 5 分，每高 1 扣 1 分（只计整数），不低于 0"
    assert (told["rows"], told["readings"], told["rule_origin"]) == (["S4-78"], ["AMB-44"], "repaired")


def test_without_fields_it_is_unscored_and_says_what_it_takes() -> None:
    done = run("try", "s4-b-cs-supervisor-scale", "B5")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0] == "— / 10"
    assert lines[-1] == "takes: value, actual, complaint_late_days, late_days, n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("s4-b B1 value=1", "no card is called 's4-b'; known: s0-a-core-indicators, "),
        (
            "s4-g-install-card G7 value=1",
            "the card s4-g-install-card has no item 'G7'; it has: G1, G2, G3, G4, G5, G6\n",
        ),
        ("s4-g-install-card G1 valeu=1", "item G1 takes no 'valeu'; did you mean 'value'? it takes: value, actual, "),
        ("s4-g-install-card G1 value=ninety", "value: 'ninety' is no number; write it like 98.5\n"),
        ("s4-g-install-card G1 value=nan", "value: 'nan' is no number; write it like 98.5\n"),
        ("s4-g-install-card G1 90", "'90' is no field: write a name, an equals sign and a value, like value=98.5\n"),
        ("s4-g-install-card G1 value=1 value=2", "value is given twice; give it once\n"),
        ("s4-g-install-card G1 value=1 actual=2", "value and actual mean the same here; give one of them\n"),
        ("s4-g-install-card G1 value=1 n=2.5", "n: '2.5' is no count; write a whole number from 0\n"),
        ("s4-g-install-card G4 value=-1", "value: '-1' is below 0, which no figure in n can be; correct it\n"),
        ("s4-g-install-card G1 value=91 target=90", "item G1 takes no 'target'; it takes: value, actual, "),
        ("s4-g-install-card G6 rating=11", "the rating 11 is not between 0 and 10\n"),
        ("s4-g-install-card G1 value=91 max=30", "item G1 has its weight, 30, from the card; take max out\n"),
        (
            "s4-c-installer C1 reference=2",
            "give the figure too, like value=98.5: reference is only what it is held against\n",
        ),
        ("s4-b-cs-supervisor-scale BH1 value=3", "item BH1 takes no 'value'; it takes: level, pick, self, superior\n"),
        (
            "s4-b-cs-supervisor-scale BH1 level=3 superior=4",
            "both a level and the form's columns are given; give one of ",
        ),
        (
            "s4-b-cs-supervisor-scale BH1 level=9",
            "there is no level '9'; choose one of 1 (10), 2 (15), 3 (20), 4 (30), 5 (40)\n",
        ),
        (
            "s0-c-three-dimensions communication value=80 peers=70",
            "both a value and the raters' own are given; give one ",
        ),
        ("s0-d-qualitative-three-party customers praise=8", "praise and complaints belong together; give both\n"),
        ("s4-f-aftersales-supervisor-kpi F7 rating=8 max=0", "max: 0 is no weight; write a number above 0\n"),
        ("s4-f-aftersales-supervisor-kpi F7 rating=8 max=ten", "max: write a number like 20\n"),
    ],
)
def test_what_cannot_be_tried(arguments: str, message: str) -> None:
    done = run("try", *arguments.split())
    assert done.exit_code == 1
    assert done.stderr.startswith(message), done.stderr
    assert done.stdout == ""


def test_list_names_every_card_and_profile() -> None:
    listed = run("list").output
    for id in (*known(), *known_profiles()):
        assert id in listed


def test_show_a_card() -> None:
    shown = run("show", "s4-b-cs-supervisor-scale").output
    for said in ("统一产品和服务行为模式的执行率", "Customer follow-up rate", "16.67", "S4-18", "AMB-25", "repaired"):
        assert said in shown
    told = json.loads(run("show", "s4-b-cs-supervisor-scale", "--json").stdout)
    assert [section["id"] for section in told["sections"]] == ["task", "behaviour"]


def test_show_the_weights_of_a_profile() -> None:
    shown = run("show", "s2-a-core", "--profile", "promotion").output
    assert "15 → 25" in shown
    assert "20 → 17.65" in shown
    refused = run("show", "s4-a-aftersales-manager", "--profile", "promotion")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "the profile promotion does not change s4-a-aftersales-manager; it changes: s2-a-core, s3-a-front-line\n",
    )


def test_check_says_what_is_sound_what_to_think_about_and_what_is_wrong(tmp_path: Path) -> None:
    everything = run("check")
    assert everything.exit_code == 0, everything.stderr
    assert everything.stdout.count(" is sound") == len(known()) + len(known_profiles())
    assert "total: people rate 5 % of the card; 10 % is advised (S0-42)" in everything.stdout
    assert "item att: max: a duration beside quality" in everything.stdout
    text = known()["s2-a-core"].read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace("max: 25", "max: 26"), encoding="utf-8")
    done = run("check", str(wrong), str(tmp_path / "absent.yaml"))
    assert done.exit_code == 1
    assert (
        "section resolution: max: the maxima of its items add up to 46, not to 45; correct one of them" in done.stderr
    )
    assert "cannot read the card" in done.stderr


def test_json_schemas_are_fresh(tmp_path: Path) -> None:
    """`deskpulse card schema scoring/cards/schema` writes them anew."""
    done = run("schema", str(tmp_path / "new"))
    assert done.exit_code == 0
    for name, text in schemas().items():
        assert (ROOT / "scoring" / "cards" / "schema" / name).read_text(encoding="utf-8") == text, name
        assert (tmp_path / "new" / name).read_text(encoding="utf-8") == text


def test_every_file_names_its_schema_for_editors() -> None:
    for kind, built_in in (("card", known()), ("profile", known_profiles())):
        for file in built_in.values():
            first = file.read_text(encoding="utf-8").splitlines()[0]
            assert first == f"# yaml-language-server: $schema=../schema/{kind}.schema.json", file


def test_every_row_and_reading_of_the_shared_cards_is_there() -> None:
    cards = GIVEN.parent / "cards"
    require(cards.is_dir(), "the forms of ../shared/appraisal are not beside this repository")
    files = sorted(cards.glob("*.yaml"))
    assert len(files) == len(known()) == 22
    for file in files:
        asked = yaml.safe_load(file.read_text(encoding="utf-8"))
        made = find(asked["id"])
        sections = [(section["id"], [item["id"] for item in section["items"]]) for section in asked["sections"]]
        assert [(section.id, [item.id for item in section.items]) for section in made.sections] == sections
        rows = {*made.rows, *(row for item in (*made.items, *made.optional) for row in item.rows)}
        assert set(asked["catalogue"]) <= rows, asked["id"]
        for item in (item for section in asked["sections"] for item in section["items"]):
            mine = made.item(item["id"])
            assert mine.rule.type == item["rule"]["type"]
            assert mine.rule_origin == item["rule_origin"]
            if item["max"] is None:  # what the source does not weigh has a starting point that says so, or none
                assert mine.max is None or mine.max_origin == "assumed", item["id"]
            else:
                assert mine.max == Decimal(str(item["max"]))
            assert set(item["catalogue"]) <= set(mine.rows)
            assert set(item.get("ambiguities", ())) <= set(mine.readings)
