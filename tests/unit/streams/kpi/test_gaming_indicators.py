"""Signs of gaming: raised where chance does not explain them, with what else they may be; never scored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.commands import signs
from streams.contracts.outputs import DailyFacts
from streams.kpi import gaming_indicators
from streams.kpi.catalog import KPIS
from streams.kpi.gaming_indicators import INVITED, SIGNS, Finding, Halves, Sign, Watched, known, look, unwatched
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Kpi
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
TABLE = ("--table", str(EXAMPLE / "calls.csv"), "--mapping", str(EXAMPLE / "calls.yaml"))
People = Mapping[str, tuple[dict[str, int], dict[str, int]]]


def bound_of(kpi: Kpi) -> Bound:
    return kpi.bound(Policy(), "staff")


def found(people: People) -> dict[tuple[str, str], Finding]:
    """Of halves of a day each."""
    days: dict[str, Halves] = {who: ([one], [other]) for who, (one, other) in people.items()}
    return {(finding.sign.id, finding.who): finding for finding in look(lambda _: days, bound_of)}


def worked(handled: int, seconds: int, repeats: int, **more: int) -> dict[str, int]:
    """Of calls whose durations spread as much as they are long."""
    squares = 2 * seconds * seconds * 1000 // handled if handled else 0
    return {
        "calls_handled": handled, "handle_seconds": seconds * 1000, "handle_seconds_squared": squares, "contacts_handled_known": handled, "repeat_contacts": repeats, **more,
    }  # fmt: skip


@pytest.fixture
def one_sign(monkeypatch: pytest.MonkeyPatch) -> Sign:
    """A sign over a KPI that is there whatever the catalogue has besides."""
    sign = replace(SIGNS[0], id="unsolved", watched=(Watched("resolution_rate", "lower"),))
    monkeypatch.setattr(gaming_indicators, "SIGNS", (sign,))
    return sign


def solved(n: int, of: int) -> tuple[dict[str, int], dict[str, int]]:
    return {"resolved": n, "resolution_due": of}, {"resolved": n, "resolution_due": of}


@pytest.mark.usefixtures("one_sign")
def test_who_lies_on_the_odd_side_beyond_chance_is_named_and_nobody_else() -> None:
    people = {
        "odd": solved(60, 100),
        "good": solved(99, 100),
        **{f"a{n}": solved(90, 100) for n in range(8)},
        "new": solved(0, 0),
    }
    raised = [who for (_, who), finding in found(people).items() if finding.raised]
    assert raised == ["odd"], "being far better is no sign, and no data is none either"
    seen = found(people)["unsolved", "odd"].seen[0]
    assert (seen.own.value, seen.own.n, seen.against.n) == (0.6, 200, 1800)
    assert seen.difference is not None
    assert seen.difference.high < 0


@pytest.mark.usefixtures("one_sign")
def test_a_few_cases_raise_nothing() -> None:
    people = {"few": solved(1, 2), **{f"a{n}": solved(90, 100) for n in range(8)}}
    assert not any(finding.raised for finding in found(people).values())


@pytest.mark.parametrize(
    ("before", "after", "raised"),
    [
        (worked(300, 90_000, 30), worked(300, 60_000, 75), True),
        (worked(300, 90_000, 30), worked(300, 60_000, 33), False),
        (worked(300, 90_000, 30), worked(300, 89_000, 75), False),
        (worked(300, 60_000, 30), worked(300, 90_000, 75), False),
        (worked(300, 90_000, 30), worked(0, 0, 0), False),
        (worked(0, 0, 0), worked(300, 60_000, 75), False),
    ],
    ids=["faster and more repeats", "faster only", "more repeats only", "slower", "no second half", "no first half"],
)
def test_hurried(before: dict[str, int], after: dict[str, int], raised: bool) -> None:
    assert found({"a": (before, after), "b": (before, before)})["hurried", "a"].raised is raised


def test_what_befalls_the_whole_team_accuses_nobody() -> None:
    """A fault of a product brings everybody's customers back, and a new script shortens everybody's calls."""
    before, after = worked(300, 90_000, 30), worked(300, 60_000, 75)
    people = {f"a{n}": (before, after) for n in range(8)}
    assert not any(finding.raised for finding in found(people).values())
    hurried = found(people | {"odd": (before, worked(300, 30_000, 150))})["hurried", "odd"]
    assert hurried.raised
    assert hurried.seen[1].difference is not None
    assert hurried.seen[1].difference.value == pytest.approx(0.4 - 0.15)


def test_who_leaves_customers_out_is_seen() -> None:
    def days(*invited: int) -> Halves:
        made = [{"contacts_handled": 10, "contacts_invited": n} for n in invited]
        return made[:5], made[5:]

    usual = {f"a{n}": days(*(8 + (d + n) % 3 for d in range(10))) for n in range(8)}
    assert not [one for one in look(lambda _: usual | {"b": days(*[8, 9, 10, 9, 8] * 2)}, bound_of) if one.raised]
    cherry = look(lambda _: usual | {"b": days(*[4, 5] * 5)}, bound_of)
    assert [(one.sign.id, one.who) for one in cherry if one.raised] == [("few_invited", "b")]


@pytest.mark.parametrize("first", [None, 1, 5])
def test_days_from_before_contacts_invited_were_counted_accuse_nobody(first: int | None) -> None:
    """Whoever was on leave after an update would seem to invite nobody."""

    def day(number: int) -> DailyFacts:
        sums = {"surveys_invited": 9} | ({} if first is None or number < first else {"contacts_invited": 9})
        return DailyFacts(entity="agent|a", date=date(2026, 3, number), sums=sums)

    people = {"a": [day(number) for number in range(1, 9)], "b": [day(number) for number in range(1, 4)]}
    kept = {who: [each.date.day for each in own] for who, own in signs._counted(people).items()}
    assert kept == ({"a": [6, 7, 8], "b": []} if first == 5 else {"a": [*range(1, 9)], "b": [1, 2, 3]})


def test_what_is_not_computed_is_said_and_not_looked_for() -> None:
    ids = {sign.id for sign in unwatched()}
    assert ids == {sign.id for sign in SIGNS if any(known(each.kpi) is None for each in sign.watched)}
    assert not ids & {sign for sign, _ in found({"a": ({}, {}), "b": ({}, {})})}


def test_every_sign_speaks_both_languages_and_names_another_reason() -> None:
    assert len({sign.id for sign in SIGNS}) == len(SIGNS)
    for sign in SIGNS:
        assert all((*sign.name.values(), *sign.look.values(), *sign.innocent.values()))
        for each in sign.watched:
            kpi = known(each.kpi)
            assert kpi is None or kpi.kind in ("rate", "mean")


def test_what_is_a_sign_only_is_never_scored() -> None:
    assert not INVITED.scored
    assert INVITED.id not in KPIS
    assert "short_call_rate" not in KPIS or not KPIS["short_call_rate"].scored


def command(*arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["signs", *arguments, *TABLE], env={"DESKPULSE_PSEUDONYM_KEY": "a secret of these tests, long enough"}
    )


def test_the_command_says_that_nothing_is_odd_and_what_it_does_not_watch() -> None:
    seen = command("--month", "2026-03").stdout
    assert "2026-03, all: 5 人" in seen
    assert "no sign is raised" in seen
    assert ("not watched" in seen) == bool(unwatched())
    told = json.loads(command("--month", "2026-03", "--all", "--json").stdout)
    assert {one["agent"] for one in told["signs"]} == {"A01", "A02", "A03", "A04", "A05"}
    assert not any(one["raised"] for one in told["signs"])


def test_the_command_names_what_to_look_at_and_what_else_it_may_be() -> None:
    seen = "".join(command("--month", "2026-03", "--all").stdout.split())
    for sign in SIGNS:
        if sign not in unwatched():
            for text in (*sign.name.values(), *sign.look.values(), *sign.innocent.values()):
                assert "".join(text.split()) in seen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which days"),
        (("--month", "2025-01"), "no facts of any agent in 2025-01"),
        (("--month", "2026-03", "--team", "refunds", "--roster", str(EXAMPLE / "roster.csv")), "nearest: refunds-team"),
    ],
)
def test_a_wrong_word_is_named(arguments: tuple[str, ...], said: str) -> None:
    done = command(*arguments)
    assert done.exit_code in (1, 2)
    assert said in done.output
