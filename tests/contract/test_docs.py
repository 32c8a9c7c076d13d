"""The documentation against the code: every topic, setting and policy field is in it, what it names exists, its links lead somewhere, its
examples work, and its translations are of what their source says now.
"""

from __future__ import annotations

import re
from functools import cache
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
from streams.contracts import topics
from streams.contracts.decode import decode_any, encode
from streams.contracts.topics import TOPICS
from streams.kpi.catalog import KPIS
from streams.kpi.measures import MEASURES
from streams.kpi.policy.model import Policy
from streams.operator_files import load_policy, load_rules
from streams.people.roster_sheet import read_roster
from streams.pipeline import run
from streams.settings import Settings
from streams.sources.expressions.functions import functions
from streams.sources.table.mapping import TableMapping, load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow
from streams.worker.state.restore import STATE
from tests.support import ROOT, translations

EXAMPLE = ROOT / "docs" / "example"
_FOLDERS = ("docs", "streams", "scoring", "deploy", "tests")
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.md")))
    if "node_modules" not in path.parts
)
#: Where a name of a file may begin that a page says without a link.
BASES = (
    ".",
    "streams",
    "streams/contacts",
    "streams/kpi",
    "scoring",
    "scoring/reports",
    "scoring/cards",
    "docs",
    "tests",
    "deploy/compose",
)
#: A page for a reader's first look is as long as that.
SHORT = {"README.md": 120, "README.zh-CN.md": 120, "streams/README.md": 100}


@cache
def text(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def in_two_languages(page: str) -> list[str]:
    return [page, page.replace(".md", ".zh-CN.md")]


@pytest.mark.parametrize(("page", "lines"), SHORT.items())
def test_first_pages_are_short(page: str, lines: int) -> None:
    assert len(text(page).splitlines()) <= lines


@pytest.mark.parametrize("page", in_two_languages("docs/operations.md"))
def test_every_setting_is_documented(page: str) -> None:
    for name in Settings.model_fields:
        assert f"`DESKPULSE_{name.upper()}`" in text(page)


@pytest.mark.parametrize("page", in_two_languages("docs/own-data.md"))
def test_whatever_has_no_interval_is_named(page: str) -> None:
    said = next(part for part in text(page).split("\n\n") if "Wilson" in part and "`occupancy`" in part)
    policy = Policy()
    without = {
        kpi.id
        for kpi in KPIS.values()
        if (kpi.kind == "mean" and kpi.formula.squares is None)
        or (
            kpi.kind == "rate"
            and {MEASURES[measure].unit for measure in kpi.formula(policy, "staff")[1] or ()} == {"s"}
        )
    }
    assert set(re.findall(r"`(\w+)`", said)) == without


def test_the_table_of_topics_is_that_of_the_contracts() -> None:
    rows = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text("docs/architecture.md").splitlines()
        if re.match(r"\| `[\w-]+` \|", line)
    ]
    said = {row[0].strip("`"): (row[1].replace("`", ""), row[2], row[3], row[4]) for row in rows if len(row) == 5}
    assert set(said) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        key, cleanup, writers, readers = said[topic.name]
        assert key == topic.key, topic.name
        days = topic.config.get("retention.ms")
        kept = topic.config["cleanup.policy"].split(",") + ([f"{int(days) // 86_400_000} days"] if days else [])
        assert cleanup == ", ".join(kept), topic.name
        named = {name for name, value in vars(topics).items() if value is topic}
        named |= {name for name in ("CONTACT_TOPICS", "EVENT_TOPICS") if topic in getattr(topics, name)}
        named |= {"STATE"} if topic in STATE else set()
        for cell in (writers, readers):
            for module in re.findall(r"\]\(([^)]+)\)", cell):
                code = (ROOT / "docs" / module).read_text(encoding="utf-8")
                assert re.search(rf"\b({'|'.join(named)})\b", code), (topic.name, module)


def test_every_topic_is_in_the_picture() -> None:
    names = set(re.findall(r"[\w-]+", text("docs/architecture.svg")))
    assert {topic.name for topic in TOPICS} <= names


def test_what_the_glossary_names_is_in_the_code() -> None:
    code = {word for package in ("streams", "scoring", "deploy") for word in _words(package)}
    names = {
        part
        for row in re.findall(r"^\|[^|]+\|[^|]+\|([^|]*`[^|]+)\|", text("docs/glossary.md"), re.MULTILINE)
        for name in re.findall(r"`([A-Za-z_.]+)`", row)
        for part in name.split(".")
    }
    assert len(names) > 50
    assert {name for name in names if name.lower().removeprefix("deskpulse_") not in code} == set()


def _words(package: str) -> set[str]:
    return {
        word.lower()
        for path in (ROOT / package).rglob("*.py")
        for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_files_that_are_named_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # of files as they were
        return
    for name in re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|yaml|sql|js|lock))`", text(page)):
        if name.startswith("var/"):
            continue
        assert any((ROOT / base / name).exists() for base in (*BASES, page.parent)), name


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
            assert anchor in slugs(file), target


@pytest.mark.parametrize("page", in_two_languages("docs/own-data.md"))
def test_the_event_in_the_docs_is_sound(page: str) -> None:
    (event,) = re.findall(r"```json\n(.+?)```", text(page), re.DOTALL)
    assert decode_any(event.encode()).__class__.__name__ == "CallAnswered"


@pytest.mark.parametrize("page", in_two_languages("docs/policy-and-alerts.md"))
def test_the_policy_and_the_rules_in_the_docs_are_sound(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.+?)```", text(page), re.DOTALL)
    policy, rules = (block for block in blocks if re.match(r"# (policy|rules)", block))
    (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    assert load_policy(tmp_path / "policy.yaml").version == "2026-03"
    assert len(load_rules(tmp_path / "rules.yaml")) == 1


@pytest.mark.parametrize("page", translations.translations(), ids=lambda page: page.name)
def test_translations_are_of_what_their_source_says_now(page: Path) -> None:
    source = translations.source_of(page).relative_to(ROOT)
    assert translations.missing(page) == [], f"{source} has these and {page.name} has not"
    assert translations.is_current(page), (
        f"{source} has changed since {page.name} was translated: bring it up to it, then `python -m tests.support.translations {source}`"
    )


def test_a_stale_translation_is_found(tmp_path: Path) -> None:
    source, page = tmp_path / "page.md", tmp_path / "page.zh-CN.md"
    source.write_text("# Page\n\nRun `a` in 30 s.\n", encoding="utf-8")
    page.write_text("# 页\n\n30 秒内运行 `a`。\n", encoding="utf-8")
    assert not translations.is_current(page)
    translations.note(page)
    assert translations.is_current(page)
    assert translations.missing(page) == []
    source.write_text("# Page\n\nRun `b` in 40 s, [see](x.md).\n", encoding="utf-8")
    assert not translations.is_current(page)
    assert translations.missing(page) == ["code: b", "figure: 40", "link: x.md"]


@pytest.mark.parametrize("page", [page for page in PAGES if page.name.endswith(".zh-CN.md")], ids=str)
def test_chinese_is_not_broken_into_lines(page: Path) -> None:
    """A browser shows a break between two characters as a space."""
    kept = re.sub(r"^(?: {4}|\|)[^\n]*|^```.*?^```", "", text(page), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"[\u4e00-\u9fff，。；：、]\n *[\u4e00-\u9fff]+", kept) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name.endswith(".zh-CN.md")], ids=str)
def test_emphasis_is_seen_as_such(page: Path) -> None:
    """Between two characters without a space, stars beside a mark of punctuation are shown as stars."""
    for line in re.sub(r"`[^`\n]+`", "code", text(page)).splitlines():
        parts = line.split("**")
        for before, inside, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
            assert not re.search(r"\W$", inside) or not re.match(r"\w", after), line
            assert not re.match(r"\W", inside) or not re.search(r"\w$", before), line


def test_every_chinese_page_is_in_the_chinese_index() -> None:
    index = text("docs/README.zh-CN.md")
    for page in (ROOT / "docs").glob("*.zh-CN.md"):
        assert f"]({page.name})" in index or page.name == "README.zh-CN.md", page.name


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
