"""``deskpulse kpi``: the catalogue on the screen and as JSON, one value down to its sums, and what is said to a wrong word."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.commands.kpi import _worked
from streams.commands.shared.context import Deployment
from streams.commands.shared.facts_source import Days
from streams.contracts.outputs import DailyFacts, EntityKind, entity_kind
from streams.kpi.catalog import AREAS, KPIS
from streams.kpi.explained import described, explain
from streams.kpi.labels import AREAS as AREA_NAMES
from streams.kpi.labels import BETTER, KINDS, said
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Side
from streams.people.units import Unit, UnitNames
from streams.windows.clock import instant
from tests.support import ROOT
from tests.support.morning import NOW, a_morning, morning_file

EXAMPLE = ROOT / "docs" / "example"
TABLE = ("--table", str(EXAMPLE / "calls.csv"), "--mapping", str(EXAMPLE / "calls.yaml"))


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "a secret of these tests, long enough for a key")


def kpi(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["kpi", *arguments])


def test_list_shows_every_kpi_and_narrows_down() -> None:
    listed = {one["id"] for one in json.loads(kpi("list", "--json").stdout)}
    assert listed == set(KPIS)
    table = kpi("list").stdout
    assert all(id in table for id in KPIS)
    chats = json.loads(kpi("list", "--area", "chats", "--unit", "s", "--json").stdout)
    assert {one["id"] for one in chats} == {one.id for one in AREAS["chats"] if one.unit == "s"}


@pytest.mark.parametrize("id", KPIS)
def test_show_tells_both_formulas_both_traps_and_the_measures_of_both_sides(id: str) -> None:
    one, shown = KPIS[id], "".join(kpi("show", id).stdout.split())
    sides: tuple[Side, ...] = ("desk", "staff")
    for text in (
        one.zh,
        one.en,
        one.formula_zh,
        one.formula_en,
        one.traps_zh,
        one.traps,
        *one.needs,
        *one.policy_fields,
    ):
        assert "".join(text.split()) in shown.replace("│", ""), text
    for side in sides:
        top, bottom = one.formula(Policy(), side)
        assert all(measure in shown for measure in (*top, *(bottom or ())))
    assert json.loads(kpi("show", id, "--json").stdout) == json.loads(json.dumps(described(one, Policy())))


def test_show_tells_what_matures_and_that_days_before_are_left_out() -> None:
    told = {id: json.loads(kpi("show", id, "--json").stdout) for id in ("fcr", "repeat_contact_rate", "csat")}
    assert {id: (one.get("matures"), one.get("only_mature")) for id, one in told.items()} == {
        "fcr": ("fcr_days", True),
        "repeat_contact_rate": ("repeat_days", None),
        "csat": (None, None),
    }
    assert "only_mature" in kpi("show", "fcr").stdout


def test_every_area_kind_and_direction_has_its_words() -> None:
    assert AREAS.keys() <= AREA_NAMES.keys()
    assert {one.kind for one in KPIS.values()} <= KINDS.keys()
    assert {one.better for one in KPIS.values()} <= BETTER.keys()


def test_every_kpi_says_its_traps_in_both_languages() -> None:
    assert {one.id for one in KPIS.values() if bool(one.traps) != bool(one.traps_zh)} == set()


def test_show_says_the_values_of_the_policy_in_force(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: strict\nservice_level_denominator: answered\n", encoding="utf-8")
    shown = kpi("show", "service_level_20s", "--policy", str(policy)).stdout
    assert "policy strict" in shown
    assert "service_level_denominator = answered" in shown
    assert "calls_answered:" in shown, "the desk's bottom is another under this policy"
    assert "agent" in shown


def test_versions_of_the_policy_are_shown_and_each_day_is_judged_by_its_own(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "versions:\n- {version: a, service_level_denominator: answered}\n"
        "- {version: b, valid_from: 2026-03-03, service_level_denominator: offered}\n",
        encoding="utf-8",
    )
    shown = kpi("show", "service_level_20s", "--policy", str(policy)).stdout
    assert "policy a" in shown
    assert "policy b (from 2026-03-03, in force)" in shown
    told = kpi(
        "explain",
        "service_level_20s",
        "--entity",
        "all",
        "--month",
        "2026-03",
        "--json",
        "--by-day",
        "--policy",
        str(policy),
        *TABLE,
    )
    found = json.loads(told.stdout)
    assert found["policy_version"] == "a, b"
    assert [day["n"] for day in found["by_day"]] == [52, 45], "52 answered on the first day, 45 offered on the second"
    assert found["n"] == 97
    seen = kpi(
        "explain", "service_level_20s", "--entity", "all", "--month", "2026-03", "--policy", str(policy), *TABLE
    ).stdout
    assert "calls_answered@1" in seen
    assert "service_level_denominator = offered" in seen


def test_explain_goes_down_to_the_sums() -> None:
    told = json.loads(
        kpi("explain", "csat", "--entity", "agent:A04", "--month", "2026-03", "--by-day", "--json", *TABLE).stdout
    )
    assert told["top"] == [{"measure": "csat_satisfied", "unit": "n", "times": 1, "amount": 7}]
    assert told["bottom"] == [{"measure": "csat_ratings", "unit": "n", "times": 1, "amount": 7}]
    assert (told["value"], told["n"], told["pending"]) == (1.0, 7, 0)
    assert [(day["date"], day["n"]) for day in told["by_day"]] == [("2026-03-02", 4), ("2026-03-03", 3)]
    seen = kpi("explain", "average_handle_time", "--entity", "agent|A04", "--date", "2026-03-02", *TABLE).stdout
    assert "2,221.000 s" in seen
    assert "handle_seconds" in seen
    assert "246.8 s (4:07)" in seen
    assert "2221 / 9 = 246.77" in seen.replace(",", "")


def test_explain_names_what_its_side_has_no_data_of() -> None:
    seen = kpi("explain", "abandonment_rate", "--entity", "agent:A04", "--date", "2026-03-02", *TABLE).stdout
    assert "no data on this side" in seen
    assert "policy 1" in seen
    assert "short_abandon_seconds" in seen


def test_agents_are_called_by_name_and_by_id_where_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKPULSE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DESKPULSE_DATABASE", raising=False)
    taken = CliRunner().invoke(app, ["people", "import", str(EXAMPLE / "people.csv"), "--by", "hr-1"])
    assert taken.exit_code == 0, taken.output
    asked = ("compare", "answer_rate", "--month", "2026-03", *TABLE)
    assert "A04 陈洁 Chen Jie" in kpi(*asked).stdout
    for more in ("--ids", "--json"):
        seen = kpi(*asked, more).stdout
        assert ("A04" in seen, "陈洁" in seen, "Chen Jie" in seen) == (True, False, False)


def test_compare_holds_everybody_against_the_same_work(tmp_path: Path) -> None:
    asked = ("compare", "average_handle_time", "--month", "2026-03", *TABLE)
    shown = kpi(*asked)
    assert shown.exit_code == 0, shown.output
    assert "应达 expected" in shown.stdout
    assert "of all cases could be compared with their like" in " ".join(shown.stdout.split())
    page = tmp_path / "funnel.html"
    found = json.loads(kpi(*asked, "--json", "--html", str(page)).stdout)["adjusted"]
    assert found["by"] == "queue"
    assert found["share"] > 0
    assert {one["agent"] for one in found["people"]} == {
        one["agent"] for one in json.loads(kpi(*asked, "--json").stdout)["compared"]
    }
    assert {"value", "expected", "difference", "adjusted", "share", "verdict"} <= found["people"][0].keys()
    assert "<svg" in page.read_text(encoding="utf-8")
    raw = kpi(*asked, "--raw").stdout
    assert "应达" not in raw
    assert "adjusted" not in json.loads(kpi(*asked, "--raw", "--json").stdout)


def test_compare_says_why_nothing_is_adjusted(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("case_mix_by: topic\n", encoding="utf-8")
    shown = kpi("compare", "average_handle_time", "--month", "2026-03", *TABLE, "--policy", str(policy))
    assert "no record tells a topic" in shown.stdout
    page = ("--html", str(tmp_path / "x.html"))
    asked = ("compare", "average_handle_time", "--month", "2026-03", *TABLE)
    assert "--raw leaves out" in kpi(*asked, "--raw", *page).stderr
    attended = kpi("compare", "occupancy", "--month", "2026-03", *TABLE, *page)
    assert attended.exit_code == 2
    assert "cannot be adjusted" in attended.stderr


def test_topics_are_called_by_name() -> None:
    policy, day = Policy.model_validate({"topics": ["refund", "other"]}), date(2026, 3, 2)
    sums = {"topic_resolution_due": 4, "topic_resolved": 3, "resolution_due@refund": 4, "resolved@refund": 3}
    one = KPIS["topic_resolution_rate"]
    found = explain(one, "all|all", sums, one.bound(policy, "desk"), policy.version)
    own = [DailyFacts(entity="all|all", date=day, sums=sums)]
    names = UnitNames([Unit("topic", "refund", "退款", "Refunds")])
    shown = io.StringIO()
    Console(width=160, file=shown).print(_worked(found, Days(day, day, "2026-03-02"), own, policy, None, names))
    assert "n 4 · 退款 · Refunds" in shown.getvalue()


def test_a_distribution_is_explained_by_its_family() -> None:
    policy = Policy()
    sums = {"csat_ratings": 4, "csat_satisfied": 3, "csat_ratings~7": 5, "csat_ratings~9": 1}
    found = explain(KPIS["csat"], "all|all", sums, KPIS["csat"].bound(policy, "desk"), policy.version)
    assert found.bottom is not None
    assert (found.bottom[0].amount, found.bottom[0].values) == (10, 2)


@pytest.mark.parametrize("part", ["vip", "urgent"])
def test_what_counts_apart_as_well_is_explained_once(part: str) -> None:
    """Three offered, one of them a VIP's: 3 below the line, not 4. (An explanation said 4 and called the VIP's a bucket.)"""
    policy, kpi_ = Policy(), KPIS["service_level_20s"]
    sums = {"calls_offered": 3, "calls_answered_within_20s": 2, f"calls_offered~{part}": 1}
    found = explain(kpi_, "all|all", sums, kpi_.bound(policy, "desk"), policy.version)
    assert found.bottom is not None
    assert (found.bottom[0].amount, found.bottom[0].values, found.top[0].amount) == (3, 0, 2)
    assert (found.figure.value, found.figure.n) == (2 / 3, 3)
    assert found.apart[f"service_level_20s~{part}"].n == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--area", "chat"), "no area is called 'chat'; nearest: chats"),
        (("list", "--unit", "minutes"), "no KPI is in 'minutes'; "),
        (("list", "--area", "chats", "--unit", "points"), "no KPI of the area chats is in points"),
        (("show", "csta"), "no KPI is called 'csta'; nearest: csat"),
        (("explain", "handle_time", "--entity", "all", "--date", "2026-03-02", *TABLE), "nearest: average_handle_time"),
        (("explain", "csat", "--entity", "agnt:A1", "--date", "2026-03-02", *TABLE), "write its kind first, like agent:A17; nearest: agent"),
        (("explain", "csat", "--entity", "A04", "--date", "2026-03-02", *TABLE), "'A04' names no entity"),
        (("explain", "csat", "--entity", "agent:", "--date", "2026-03-02", *TABLE), "names no agent: write its id behind it"),
        (("explain", "csat", "--entity", "agent:A4", "--date", "2026-03-02", *TABLE), "no facts of the agent 'A4' in 2026-03-02; nearest: A04"),
        (("explain", "csat", "--entity", "agent:A04", "--month", "2026-04", *TABLE), "there are some from 2026-03-02 to 2026-03-03"),
        (("explain", "csat", "--entity", "site:s", "--month", "2026-03", *TABLE), "no facts of any site at "),
        (("explain", "csat", "--entity", "all", *TABLE), "say which days: one of --date"),
        (("explain", "csat", "--entity", "all", "--date", "2026-03-02", "--month", "2026-03", *TABLE), "not --date and --month"),
        (("explain", "csat", "--entity", "all", "--month", "2026-3-1", *TABLE), "is no month; write it like 2010-08"),
        (("explain", "csat", "--entity", "all", "--from", "2026-03-03", "--to", "2026-03-02", *TABLE), "lies after --to"),
        (("explain", "csat", "--entity", "all", "--date", "2026-03-02", "--table", "x.csv"), "--table needs the table's --mapping"),
        (("explain", "csat", "--entity", "all", "--date", "2026-03-02", "--mapping", "x.yaml"), "belong to a --table"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_wrong_word_is_named_with_what_to_write_instead(arguments: tuple[str, ...], said: str) -> None:
    done = kpi(*arguments)
    assert done.exit_code in (1, 2)
    assert "".join(said.split()) in "".join(done.output.replace("│", "").split()), done.output


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("ratio", 0.9333, "93.3 %"), ("ratio", None, "—"), ("s", 12.34, "12.3 s"), ("s", 272.4, "272.4 s (4:32)"),
        ("s", 3872.0, "3872.0 s (1:04:32)"), ("n", 12.0, "12"), ("points", 4.346, "4.35"), ("per_hour", 5.5, "5.50 /h"),
    ],
)  # fmt: skip
def test_values_as_people_read_them(unit: str, value: float | None, text: str) -> None:
    assert said(unit, value) == text


def test_explain_lists_the_contacts_that_the_history_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def facts(_: Deployment, first: date, last: date, kind: EntityKind) -> list[DailyFacts]:
        return [fact for fact in a_morning().daily_facts() if entity_kind(fact.entity) == kind]

    (tmp_path / "history.db").write_bytes(morning_file())
    policy = tmp_path / "policy.yaml"
    policy.write_text("time_zone: UTC\n", encoding="utf-8")
    monkeypatch.setattr(Deployment, "daily_facts", facts)
    monkeypatch.setattr(Deployment, "as_of", lambda _: instant(NOW))
    monkeypatch.setenv("DESKPULSE_DATA_DIR", str(tmp_path))

    def explained(*more: str) -> Result:
        return kpi("explain", "csat", "--entity", "agent:A1", "--date", "2026-03-02", "--policy", str(policy), *more)

    told = json.loads(explained("--contacts", "all", "--json").stdout)
    assert [(one["what"], one["part"]) for one in told["contacts"]["items"]] == [
        ("calls:c1", "rest"), ("calls:c2", "numerator"),
    ]  # fmt: skip
    assert told["contacts"]["adds_up"]
    assert told["contacts"]["figure"]["value"] == told["value"] == 0.5
    left = json.loads(explained("--contacts", "left-out", "--most", "3", "--json").stdout)["contacts"]
    assert (left["total"], len(left["items"]), left["items"][0]["reason"]) == (7, 3, "not_rated")
    seen = explained("--contacts", "numerator").stdout
    assert "calls:c2" in seen
    assert "calls:c1" not in seen
    assert "the contacts add up to the figure" in seen
    assert (
        "leave out one"
        in kpi("explain", "csat", "--entity", "all", "--month", "2026-03", "--contacts", "all", *TABLE).output
    )
