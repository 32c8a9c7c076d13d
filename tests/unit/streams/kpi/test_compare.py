"""Who differs from the rest of the team, and of whom nobody can tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import comb

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.contracts.outputs import Figure
from streams.kpi.catalog import KPIS
from streams.kpi.compare import (
    VERDICTS,
    Compared,
    Pairing,
    Sample,
    adjusted,
    compare,
    difference,
    difference_said,
    judged,
)
from streams.kpi.policy.model import Policy
from streams.kpi.spec import share_figure
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
TABLE = ("--table", str(EXAMPLE / "calls.csv"), "--mapping", str(EXAMPLE / "calls.yaml"))


def by_days(id: str, people: Mapping[str, list[dict[str, int]]]) -> list[Compared]:
    bound = KPIS[id].bound(Policy(), "staff")
    return compare(KPIS[id], bound, {who: Sample.of(bound, days) for who, days in people.items()})


def pair(who: str, own: Figure, rest: Figure) -> Pairing:
    return Pairing(who, own, rest, difference(own, rest))


def rated(satisfied: int, ratings: int) -> dict[str, int]:
    return {"csat_ratings": ratings, "csat_satisfied": satisfied}


@pytest.mark.parametrize(
    ("own", "rest", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table II: method 10 for 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10.
        (share_figure(56, 70), share_figure(48, 80), 0.0524, 0.3339),
        (share_figure(9, 10), share_figure(3, 10), 0.1705, 0.8090),
        (share_figure(10, 10), share_figure(0, 10), 0.6075, 1.0000),
        (share_figure(5, 56), share_figure(0, 29), -0.0381, 0.1926),
    ],
)
def test_the_interval_is_newcombes(own: Figure, rest: Figure, low: float, high: float) -> None:
    found = difference(own, rest)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    other = difference(rest, own)
    assert other is not None
    assert (other.low, other.high, other.p) == pytest.approx((-found.high, -found.low, found.p))


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_chance_alone_is_taken_for_a_difference_as_often_as_it_is_said(rate: float) -> None:
    def chance(hits: int, n: int) -> float:
        return comb(n, hits) * rate**hits * (1 - rate) ** (n - hits)

    limits = {0.05: 0.0, 0.001: 0.0}
    for own in range(21):
        for rest in range(101):
            found = difference(share_figure(own, 20), share_figure(rest, 100))
            assert found is not None
            assert (found.p < 0.05) == (not found.low <= 0 <= found.high)
            for limit in limits:
                limits[limit] += chance(own, 20) * chance(rest, 100) * (found.p <= limit)
    assert 0.03 < limits[0.05] < 0.06
    assert limits[0.001] < 0.0015


def test_adjusted_p_values_are_benjamini_and_hochbergs() -> None:
    # What R gives: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.8), "BH").
    assert adjusted([0.01, 0.04, 0.03, 0.005, 0.8]) == pytest.approx([0.025, 0.05, 0.05, 0.025, 0.8])
    assert adjusted([]) == []


def test_an_agent_is_compared_with_the_others_without_himself() -> None:
    people = {"a": rated(95, 100), "b": rated(60, 100), "c": rated(80, 100), "d": rated(0, 0)}
    found = {each.who: each for each in by_days("csat", {who: [own] for who, own in people.items()})}
    assert (found["a"].rest.value, found["a"].rest.n) == (0.7, 200)
    assert {who: each.verdict for who, each in found.items()} == {
        "a": "better",
        "b": "worse",
        "c": "cannot_tell",
        "d": "no_data",
    }
    assert found["d"].difference is None
    assert [each.differs for each in found.values()] == [True, True, False, False]


def test_of_a_kpi_that_is_better_low_the_lower_is_better_and_of_one_in_a_range_neither() -> None:
    pairs = [pair("a", share_figure(95, 100), share_figure(60, 100))]
    assert judged("lower", pairs)[0].verdict == "worse"
    assert judged("range", pairs)[0].verdict == "higher"
    assert judged("range", [pair("a", pairs[0].rest, pairs[0].own)])[0].verdict == "lower"


def test_who_looks_at_many_finds_less() -> None:
    odd = pair("odd", share_figure(80, 100), share_figure(9000, 10_000))
    assert judged("higher", [odd])[0].verdict == "worse"
    alike = [pair(str(n), share_figure(90, 100), share_figure(9000, 10_000)) for n in range(400)]
    found = judged("higher", [odd, *alike])[0]
    assert found.difference is not None
    assert found.difference.high < 0
    assert found.verdict == "cannot_tell", "one of 401 lies so far off by chance"


def test_without_an_interval_nobody_can_tell() -> None:
    assert judged("lower", [pair("a", Figure(10.0, 5), Figure(90.0, 50))])[0].verdict == "cannot_tell"
    means = judged("lower", [pair("a", Figure(10.0, 5, 8.0, 12.0), Figure(90.0, 50, 85.0, 95.0))])[0]
    assert means.verdict == "better"
    assert means.difference is not None
    assert means.difference.low == pytest.approx(-80 - 29**0.5)
    with pytest.raises(ValueError, match="offered_calls is a count: it has no interval"):
        compare(KPIS["offered_calls"], KPIS["offered_calls"].bound(Policy(), "staff"), {})


def calls(seconds: list[int]) -> dict[str, int]:
    return {
        "calls_handled": len(seconds),
        "handle_seconds": sum(seconds) * 1000,
        "handle_seconds_squared": sum(one * one for one in seconds) * 1000,
    }


def test_a_low_mean_is_judged_by_the_spread_of_the_team_and_not_by_its_own() -> None:
    """Somebody whose few calls were alike, and short, was lucky: their own spread would call them better."""
    usual = [60, 90, 150, 240, 300, 420, 600, 900]
    people = {"lucky": [calls([150, 155, 160])]} | {f"a{n}": [calls(usual)] for n in range(6)}
    assert {each.verdict for each in by_days("average_handle_time", people)} == {"cannot_tell"}
    slow = people | {"slow": [calls([one * 3 for one in usual * 5])]}
    found = {each.who: each for each in by_days("average_handle_time", slow)}
    assert found["slow"].verdict == "worse"
    assert found["slow"].difference is not None
    assert 0 < found["slow"].difference.low < found["slow"].difference.value < found["slow"].difference.high


def test_days_that_differ_make_a_share_less_sure() -> None:
    """The same month of ratings: once spread evenly over the days, once in days that are all good or all bad."""
    even = {"a": [rated(7, 10)] * 20, "b": [rated(9, 10)] * 20, "c": [rated(9, 10)] * 20}
    assert [each.verdict for each in by_days("csat", even)] == ["worse", "better", "better"]
    uneven = {
        "a": [rated(10, 10)] * 14 + [rated(0, 10)] * 6,
        "b": [rated(10, 10)] * 18 + [rated(0, 10)] * 2,
        "c": [rated(0, 10)] * 2 + [rated(10, 10)] * 18,
    }
    found = by_days("csat", uneven)
    assert [each.own.value for each in found] == [0.7, 0.9, 0.9]
    assert {each.verdict for each in found} == {"cannot_tell"}


def test_a_mean_whose_cases_are_not_squared_is_judged_by_its_days() -> None:
    plain = [KPIS[id] for id, kpi in KPIS.items() if kpi.kind == "mean" and not kpi.bound(Policy(), "staff").squares]
    for kpi in plain:
        bound = kpi.bound(Policy(), "staff")
        (top, _), (bottom, _) = bound.top[0], (bound.bottom or (("", 0),))[0]
        people = {str(n): [{top: 1000 + d * (1 + n), bottom: 10} for d in range(5)] for n in range(3)}
        assert all(each.difference is not None for each in by_days(kpi.id, people)), kpi.id
        assert all(each.difference is None for each in by_days(kpi.id, {w: d[:1] for w, d in people.items()})), kpi.id


def test_a_difference_in_words() -> None:
    found = difference(share_figure(95, 100), share_figure(60, 100))
    assert difference_said("ratio", found) == "+35.0 pp (+24.0 … +45.2)"
    assert (
        difference_said("s", difference(Figure(80.0, 9, 70.0, 90.0), Figure(10.0, 9, 10.0, 10.0)))
        == "+70.0 (60.0 … 80.0) s"
    )
    assert (
        difference_said("points", difference(Figure(4.0, 9, 3.5, 4.5), Figure(4.5, 9, 4.5, 4.5)))
        == "-0.50 (-1.00 … 0.00)"
    )
    assert difference_said("ratio", None) == "—"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "a secret of these tests, long enough for a key")


def compared(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["kpi", "compare", *arguments, *TABLE])


def test_the_command_lays_a_team_side_by_side() -> None:
    roster = ("--roster", str(EXAMPLE / "roster.csv"))
    seen = compared("resolution_rate", "--month", "2026-03", "--team", "orders-team", *roster)
    assert "3 compared, false discovery rate 5 %" in seen.stdout
    assert VERDICTS["cannot_tell"]["zh"] in seen.stdout
    assert "A04" not in seen.stdout
    told = json.loads(compared("resolution_rate", "--month", "2026-03", "--json").stdout)["compared"]
    assert {each["agent"] for each in told} == {"A01", "A02", "A03", "A04", "A05"}
    assert {each["n"] + each["others"]["n"] for each in told} == {90}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("offered_calls", "--month", "2026-03"), "it has no interval, so nobody can tell a difference from chance"),
        (("fatigue_index", "--month", "2026-03"), "is a change: it holds people against themselves, not against others"),
        (("csat", "--month", "2026-03", "--team", "x"), "no roster says who is in which team"),
        (("csat", "--month", "2026-03", "--team", "orders", "--roster", str(EXAMPLE / "roster.csv")), "no team 'orders' on 2026-03-31; nearest: orders-team"),
        (("csat", "--month", "2026-02"), "no facts of any agent in 2026-02"),
        (("csat",), "say which days"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_named(arguments: tuple[str, ...], said: str) -> None:
    done = compared(*arguments)
    assert done.exit_code in (1, 2)
    assert said in done.output
