"""The documentation against the code: every KPI, topic, setting and policy field is in it, its links lead somewhere, its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scoring.cards.figures import FigureSpec
from scoring.cards.load import load
from scoring.cards.model import Balance, Card, Evaluator, Item, Rater, Sample, Section, Target, Total, Veto
from scoring.cards.profile_calendar import Calendar, Entry, load_calendar
from scoring.cards.profiles import Change, Profile, under
from scoring.connector.mapping import PERSON, RUN
from scoring.connector.mapping import Mapping as HrMapping
from scoring.connector.mapping import load_mapping as load_hr_mapping
from scoring.rules import RULES, Band, Level
from streams.alerts.rules import Rule
from streams.commands.roster import read_roster
from streams.contracts.decode import decode_any, encode
from streams.contracts.topics import TOPICS
from streams.kpi.catalog import KPIS
from streams.kpi.measures import MEASURES
from streams.kpi.policy.model import Policy
from streams.operator_files import load_policy, load_rules
from streams.pipeline import run
from streams.settings import Settings
from streams.sources.expressions.functions import functions
from streams.sources.table.mapping import TableMapping, load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
PAGES = sorted(path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md")))
READMES = ("README.md", "README.zh-CN.md")


def text(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", READMES)
def test_readme_names_every_kpi_every_topic_and_every_setting(page: str) -> None:
    said = text(page)
    for kpi in KPIS.values():
        assert (f"`{kpi.id}`" if page == "README.md" else f"`{kpi.id}` {kpi.zh}") in said, kpi.id
    for name in [f"`{topic.name}`" for topic in TOPICS] + [
        f"`DESKPULSE_{name.upper()}`" for name in Settings.model_fields
    ]:
        assert name in said


@pytest.mark.parametrize("page", READMES)
def test_readme_names_whatever_has_no_interval(page: str) -> None:
    said = next(line for line in text(page).split("\n\n") if "Wilson" in line and "`occupancy`" in line)
    policy = Policy()
    without = {
        kpi.id
        for kpi in KPIS.values()
        if (kpi.kind == "mean" and kpi.squares is None)
        or (
            kpi.kind == "rate"
            and {MEASURES[measure].unit for measure in kpi.formula(policy, "staff")[1] or ()} == {"s"}
        )
    }
    assert set(re.findall(r"`(\w+)`", said)) == without


def test_every_policy_field_and_its_default_is_documented() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text("docs/policy-and-alerts.md"), re.MULTILINE))
    assert {name: yaml.safe_load(default) for name, default in rows.items()} == Policy().model_dump(mode="json")


def test_every_field_of_a_rule_and_of_a_mapping_and_every_function_is_documented() -> None:
    for field, info in Rule.model_fields.items():
        assert f"`{info.alias or field}`" in text("docs/policy-and-alerts.md")
    mapping = text("docs/mapping.md")
    for field in TableMapping.model_fields:
        assert f"`{field}`" in mapping
    for name in functions(load_mapping(EXAMPLE / "calls.yaml").moments, {}, None):
        assert f"`{name}(" in mapping, name


def test_every_field_of_a_card_a_profile_and_a_calendar_is_documented_and_the_examples_are_sound() -> None:
    page = text("docs/cards.md")
    parts = (Card, Section, Total, Balance, Item, Target, Rater, Evaluator, Veto, Sample, FigureSpec, Band, Level)
    for part in (*parts, Profile, Change, Calendar, Entry, *RULES.values()):
        for field, info in part.model_fields.items():
            assert re.search(rf"`{info.alias or field}[`:]", page), (part.__name__, field)
    card = load(EXAMPLE / "card.yaml")
    (season,) = load_calendar(EXAMPLE / "calendar.yaml")
    assert sum(under(season.profile, card).values()) == card.total.max


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, target


@pytest.mark.parametrize("page", READMES)
def test_examples_in_the_readme_are_sound(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```(yaml|json)\n(.+?)```", text(page), re.DOTALL)
    event = next(body for kind, body in blocks if kind == "json")
    assert decode_any(event.encode()).__class__.__name__ == "CallAnswered"
    policy, rules = (body for kind, body in blocks if kind == "yaml" and re.match(r"# (policy|rules)", body))
    (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    assert load_policy(tmp_path / "policy.yaml").version == "2026-03"
    assert len(load_rules(tmp_path / "rules.yaml")) == 1


def test_the_example_gives_facts_without_a_row_left_out() -> None:
    mapping = load_mapping(EXAMPLE / "calls.yaml")
    rows = list(read_table(EXAMPLE / "calls.csv", mapping, b"key"))
    assert all(isinstance(row, ReadRow) for row in rows)
    result = run(
        (encode(event) for row in rows if isinstance(row, ReadRow) for event in row.events),
        load_policy(EXAMPLE / "policy.yaml"),
    )
    assert not result.rejected
    assert sum(fact.sums["calls_offered"] for key, fact in result.facts.items() if key.startswith("all|")) == len(rows)
    assert load_rules(EXAMPLE / "rules.yaml")
    agents = {fact.entity for fact in result.facts.values() if fact.entity.startswith("agent|")}
    assert agents == {f"agent|{agent}" for agent in read_roster(EXAMPLE / "roster.csv")}


def test_every_field_of_a_mapping_to_hr_and_every_path_is_documented() -> None:
    page = text("docs/hr.md")
    for name, field in HrMapping.model_fields.items():
        assert f"`{field.alias or name}`" in page
    for path in (*PERSON, *RUN):
        assert f"`{path}`" in page
    load_hr_mapping(EXAMPLE / "mapping.yaml")
