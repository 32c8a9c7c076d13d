"""A policy in versions: which one judges what, what a period over two comes to, and what a wrong file is told."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from scoring.cards.load import load
from scoring.period import Month
from scoring.runs.jsonl import Facts
from scoring.runs.run import run
from scoring.runs.snapshot import Materials, pack, unpack
from streams.cli import app
from streams.contracts import events as e
from streams.contracts.outputs import DailyFacts
from streams.entities.daily_facts import rows
from streams.kpi.by_version import Judged
from streams.kpi.maturity import Maturity
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.holidays import DaysOff
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import Policies, dump, named, read, warnings, within
from streams.operator_files import load_policy
from tests.support.cards import item, saved, section, written
from tests.support.desk import Script, run_events, sums
from tests.support.month_end import Desk, entry

FIRST, SECOND = date(2026, 3, 2), date(2026, 3, 3)
OLD = Policy(version="old", time_zone="UTC", service_level_seconds=20, repeat_days=3)
NEW = Policy(version="new", time_zone="UTC", service_level_seconds=5, repeat_days=3)
BOTH = Policies(((None, OLD), (SECOND, NEW)))


def file(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# -- the file ----------------------------------------------------------------------------------------------------------


def test_a_value_left_out_is_that_of_the_version_before(tmp_path: Path) -> None:
    policy = load_policy(
        file(
            tmp_path,
            """
            versions:
              - {version: a, service_level_seconds: 30, short_abandon_seconds: 5}
              - {version: b, valid_from: 2026-07-01, service_level_seconds: 15}
              - {version: c, valid_from: "2026-08-01", repeat_same_topic: false}
              - {version: d, valid_from: 2026-09-01, same_matter: queue}
            """,
        )
    )
    assert isinstance(policy, Policies)
    got = [
        (p.version, p.service_level_seconds, p.short_abandon_seconds, p.same_matter)
        for p in map(policy.on, (date(2000, 1, 1), date(2026, 7, 1), date(2026, 8, 31), date(2026, 9, 1)))
    ]
    assert got == [("a", 30, 5, "topic"), ("b", 15, 5, "topic"), ("c", 15, 5, "any"), ("d", 15, 5, "queue")]
    assert policy.on(date(2026, 6, 30)).version == "a"
    assert named(policy.between(date(2026, 7, 31), date(2026, 8, 1))) == "b, c"
    assert read(json.loads(json.dumps(dump(policy)))) == policy


def test_one_version_from_the_beginning_is_one_set_of_values(tmp_path: Path) -> None:
    assert load_policy(file(tmp_path, "versions: [{version: only, repeat_days: 2}]")) == Policy(
        version="only", repeat_days=2
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("versions: 3", "versions: a list of sets of values, each with version and valid_from"),
        ("versions: []", "versions: a list of sets"),
        ("versions: [3]", "version no. 1: values by name"),
        ("versions: [{valid_from: 2026-01-01}]", "version no. 1: version: its name is missing"),
        ("repeat_days: 3\nversions: [{version: a}]", "repeat_days: beside versions nothing is read"),
        ("versions: [{version: a, valid_from: July}]", "version 'a': valid_from: 'July' is no day; write it like 2026-07-01"),
        ("versions: [{version: a, valid_from: 2026-07-01 09:00:00}]", "is no day"),
        ("versions: [{version: a}, {version: b}]", "version 'b': valid_from: missing"),
        ("versions: [{version: a}, {version: a, valid_from: 2026-01-01}]", "version 'a': version: two versions have this name"),
        (
            "versions: [{version: a, valid_from: 2026-01-01}, {version: b, valid_from: 2026-01-01}]",
            "version 'b': valid_from: 2026-01-01 is also the day of 'a'",
        ),
        (
            "versions: [{version: a, valid_from: 2026-02-01}, {version: b, valid_from: 2026-01-01}]",
            "version 'b': valid_from: 2026-01-01 lies before 2026-02-01 of 'a'; list versions in order of time",
        ),
        (
            "versions: [{version: a}, {version: b, valid_from: 2026-01-01, service_level_second: 3}]",
            "version 'b': service_level_second: no such value; did you mean service_level_seconds?",
        ),
        (
            "versions: [{version: a}, {version: b, valid_from: 2026-01-01, time_zone: UTC}]",
            "version 'b': time_zone: it cannot change with a version: days of facts would overlap",
        ),
        ("versions: [{version: a}, {version: b, valid_from: 2026-01-01, day_starts: '04:00'}]", "version 'b': day_starts: it cannot"),
        ("versions: [{version: a}, {version: b, valid_from: 2026-01-01, allowed_lateness_days: 9}]", "allowed_lateness_days: it cannot"),
        ("valid_from: 2026-01-01", "valid_from: only versions have one"),
        ("flavour: 3", "flavour: no such value; there are: version, time_zone"),
        ("- 1", "values by name are expected"),
        ("repeat_same_topic: true\nsame_matter: any", "repeat_same_topic is the old name of same_matter"),
        ("repeat_same_topic: maybe", "repeat_same_topic is true or false"),
        ("day_starts: 04:10", "'04:10' is no time of day on a quarter of an hour"),
        ("day_starts: 4:00", "240 is no time of day on a quarter of an hour; write it in quotes"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_what_and_where(tmp_path: Path, text: str, says: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(ValueError, match="policy") as refused:
        load_policy(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


# -- contacts ----------------------------------------------------------------------------------------------------------


def test_a_contact_is_judged_by_the_version_of_its_day_of_arrival() -> None:
    script = Script().call("23:58:00", "old", agent="a", wait=10).call("+1 00:00:00", "new", agent="a", wait=10)
    done = script.run(BOTH)
    assert [sums(done, day=day).get("calls_answered_within_20s") for day in (FIRST, SECOND)] == [1, None]


def test_what_comes_after_midnight_is_judged_by_the_day_of_arrival() -> None:
    strict = NEW.model_copy(update={"satisfied_from": {"1-5": 5, "0-10": 9, "0-100": 80, "binary": 1}})
    policy = Policies(((None, OLD), (SECOND, strict)))
    script = Script()
    for contact, when in (("yesterday's", "23:00:00"), ("today's", "+1 00:00:00")):
        script.at(when, e.ChatStarted, contact, agent_id="a")
        script.at("+1 10:00:00", e.ChatRated, contact, agent_id="a", score=4, scale="1-5")
    done = script.run(policy)
    assert [sums(done, day=day).get("csat_satisfied") for day in (FIRST, SECOND)] == [1, None]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_contact_that_moves_to_another_day_moves_to_its_version(backwards: bool) -> None:
    """The source tells the arrival last, and after midnight: it counts all the same."""
    script = Script().at("23:59:40", e.CallQueued, queue_id="q")
    script.at("23:59:50", e.CallAnswered, agent_id="a", wait_seconds=10)
    script.at("+1 00:00:02", e.CallArrived)
    done = run_events(reversed(script.events) if backwards else script.events, BOTH)
    assert sums(done, day=FIRST) == {}
    assert sums(done, day=SECOND).get("calls_answered") == 1
    assert sums(done, day=SECOND).get("calls_answered_within_20s") is None


def test_a_repeat_is_judged_by_the_contact_that_it_is_charged_to() -> None:
    loose, tight = (OLD.model_copy(update={"version": v, "repeat_days": d}) for v, d in (("loose", 7), ("tight", 1)))
    script = Script()
    for when, contact in (("12:00:00", "c1"), ("+2 12:00:00", "c2"), ("+4 12:00:00", "c3")):
        script.call(when, contact, agent="a", customer_id="k")
    done = script.run(Policies(((None, loose), (SECOND, tight))))
    assert sums(done, day=FIRST).get("repeat_contacts") == 1  # c2 came back within 7 days
    assert sums(done, day=date(2026, 3, 4)).get("repeat_contacts") is None  # c3 not within 1
    assert sums(script.run(tight), day=FIRST).get("repeat_contacts") is None


def test_versions_that_agree_are_as_one() -> None:
    script = Script()
    for number in range(12):
        when = f"+{number % 3} {8 + number:02}:{number:02}:00"
        script.call(when, f"c{number}", agent="ab"[number % 2], wait=number, customer_id=f"k{number % 4}")
    same = Policies(((None, OLD), (SECOND, OLD.model_copy(update={"version": "same"}))))
    assert script.run(same).facts == script.run(OLD).facts


def test_before_the_first_version_nothing_is_judged() -> None:
    late = Policies(((SECOND, OLD),))
    done = Script().call("09:00:00", "c1", agent="a").call("+1 09:00:00", "c2", agent="a").run(late)
    assert [why.reason for _, why in done.rejected] == ["not_covered"] * 3
    assert "the first, 'old', is valid from 2026-03-03; give it an earlier valid_from" in done.rejected[0][1].detail
    assert sums(done, day=SECOND)["calls_answered"] == 1
    with pytest.raises(NotCoveredError):
        late.between(FIRST, SECOND)
    assert late.current(FIRST) is OLD


def test_screens_use_the_version_of_now() -> None:
    narrow = OLD.model_copy(update={"version": "n", "service_level_denominator": "answered"})
    script = Script().call("23:50:00", "c1", agent="a").call("23:51:00", "c2", wait=60)
    policy = Policies(((None, OLD), (SECOND, narrow)))
    before = script.run(policy).snapshot("all|all").windows["30m"]["service_level_20s"]
    after = (
        script.at("+1 00:01:00", e.CallArrived, "c3")
        .run(policy)
        .snapshot("all|all")
        .windows["30m"]["service_level_20s"]
    )
    assert [(figure.value, figure.n) for figure in (before, after)] == [(0.5, 2), (1, 1)]


# -- periods -----------------------------------------------------------------------------------------------------------

CALLS = {
    "calls_offered": 10,
    "calls_answered": 8,
    "calls_answered_within_20s": 6,
    "calls_abandoned": 2,
    "calls_abandoned_short": 1,
}
FACTS = [DailyFacts(entity="all|all", date=day, sums=dict(CALLS)) for day in (FIRST, SECOND)]


def denominator(version: str, value: str) -> Policy:
    return OLD.model_copy(update={"version": version, "service_level_denominator": value})


@pytest.mark.parametrize(
    ("one", "other", "n"),
    [
        ("offered", "offered", 20), ("offered", "answered", 18), ("answered", "offered", 18),
        ("answered", "answered_and_abandoned", 18), ("offered_less_short_abandons", "answered", 17),
    ],
)  # fmt: skip
def test_each_days_top_and_bottom_follow_its_own_version(one: str, other: str, n: int) -> None:
    policy = Policies(((None, denominator("1", one)), (SECOND, denominator("2", other))))
    (row,) = rows(FACTS, "month", policy)
    assert (row["service_level_20s"], row["service_level_20s.n"], row["policy"]) == (12 / n, n, "1, 2")
    assert (row["calls_offered"], row["answer_rate"]) == (20, 0.8)  # what does not differ is as ever
    by_day = list(rows(FACTS, "day", policy))
    assert [row["policy"] for row in by_day] == ["1", "2"]
    assert sum(row["service_level_20s.n"] for row in by_day) == n


def test_of_staff_the_denominator_is_the_offers_under_any_version() -> None:
    policy = Policies(((None, denominator("1", "offered")), (SECOND, denominator("2", "answered"))))
    (row,) = rows([replace_entity(fact, "agent|a") for fact in FACTS], "total", policy)
    assert row["service_level_20s.n"] == 20


def test_means_of_two_scales_have_no_value_together() -> None:
    of_ten = OLD.model_copy(update={"version": "ten", "csat_mean_scale": "0-10"})
    facts = [
        DailyFacts(entity="agent|a", date=FIRST, sums={"csat_ratings_1_5": 2, "csat_score_1_5": 9000}),
        DailyFacts(entity="agent|a", date=SECOND, sums={"csat_ratings_0_10": 1, "csat_score_0_10": 9000}),
    ]
    policy = Policies(((None, OLD), (SECOND, of_ten)))
    assert [row["csat_mean"] for row in rows(facts, "day", policy)] == [4.5, 9]
    assert [row["csat_mean"] for row in rows(facts, "month", policy)] == [None]


def replace_entity(fact: DailyFacts, entity: str) -> DailyFacts:
    return DailyFacts(entity=entity, date=fact.date, sums=dict(fact.sums))


# -- scores ------------------------------------------------------------------------------------------------------------


RESPONSES = {
    "chat_first_responses": 1, "chat_first_response_seconds": 10_000,
    "ticket_first_responses": 1, "ticket_first_response_seconds": 1_000_000,
}  # fmt: skip
BY_CHANNEL = Policies((
    (None, OLD), (SECOND, OLD.model_copy(update={"version": "new", "first_response_channels": ("chat", "ticket")}))
))  # fmt: skip
RESPONDED = [DailyFacts(entity="agent|anna", date=day, sums=dict(RESPONSES)) for day in (FIRST, SECOND)]
MARCH = Month(2026, 3)


def reply_card(folder: Path, **requires: Any) -> Path:
    rule = {"rule": {"type": "ratio", "form": "target_over_actual"}, "target": {"op": "<=", "value": 100}}
    asked = {"requires": requires} if requires else {}
    return saved(written(section("work", item("reply", 100, kpi="first_response_time", **rule, **asked))), folder)


def test_a_score_adds_each_days_top_and_bottom(tmp_path: Path) -> None:
    made = run(load(reply_card(tmp_path)), MARCH, RESPONDED, BY_CHANNEL)
    (scored,) = made.people[0].items
    assert (scored.value, scored.figure.n, made.policy_version) == (Fraction(10 + 1010, 3), 3, "old, new")


def test_what_a_card_presupposes_every_version_in_force_must_say(tmp_path: Path) -> None:
    card = load(reply_card(tmp_path, first_response_channels=["chat"]))
    (scored,) = run(card, MARCH, RESPONDED, BY_CHANNEL).people[0].items
    assert scored.points is None
    assert "the policy says ('chat', 'ticket')" in scored.reason_en
    (scored,) = run(card, MARCH, RESPONDED, OLD).people[0].items
    assert scored.points is not None


def test_a_period_before_the_first_version_is_not_scored(tmp_path: Path) -> None:
    with pytest.raises(NotCoveredError, match="in force on 2026-03-01"):
        run(load(reply_card(tmp_path)), MARCH, RESPONDED, Policies(((SECOND, OLD),)))


@pytest.mark.parametrize("policy", [OLD, BY_CHANNEL], ids=["one set", "versions"])
def test_the_policy_is_frozen_with_the_run(tmp_path: Path, policy: Policy | Policies) -> None:
    given = Materials(load(reply_card(tmp_path)), MARCH, policy, Facts.of(RESPONDED), date(2026, 4, 1))
    body, facts = pack(given)
    assert unpack(body, facts) == given
    assert unpack(body, facts).run() == given.run()


def test_a_run_frozen_under_the_old_name_of_a_value_is_read(tmp_path: Path) -> None:
    body, facts = pack(Materials(load(reply_card(tmp_path)), MARCH, OLD, Facts.of(RESPONDED), date(2026, 4, 1)))
    assert b'"same_matter":"topic"' in body
    old = body.replace(b'"same_matter":"topic"', b'"repeat_same_topic":false')
    frozen = unpack(old, facts).policy
    assert isinstance(frozen, Policy)
    assert frozen.same_matter == "any"


def test_what_is_frozen_stays_when_the_policy_file_changes(tmp_path: Path) -> None:
    desk = Desk(tmp_path, facts=RESPONDED, entries=[entry("anna")], policy=OLD)
    card = str(reply_card(tmp_path))
    desk.does("prepare", card, "--period", "2026-03", "--by", "lin")
    before = desk.does("verify", "ours", "--period", "2026-03")
    desk.policy = BY_CHANNEL
    assert desk.does("verify", "ours", "--period", "2026-03") == before
    again = desk.does("prepare", card, "--period", "2026-03", "--by", "lin")  # open: made anew, and says what has moved
    assert all(word in again for word in ("revision 2", "100.00", "29.41"))


def test_only_the_versions_in_force_in_the_period_are_frozen() -> None:
    assert within(BY_CHANNEL, SECOND, date(2026, 3, 31)) == BY_CHANNEL.on(SECOND)
    assert within(BY_CHANNEL, FIRST, SECOND) == BY_CHANNEL
    third = Policies((*BY_CHANNEL.dated, (date(2026, 4, 1), OLD.model_copy(update={"version": "april"}))))
    assert within(third, date(2026, 3, 1), date(2026, 3, 31)) == BY_CHANNEL


def test_a_versions_measures_are_kept_apart_only_where_formulas_differ() -> None:
    judged = Judged(BOTH, FIRST, SECOND)  # a threshold differs, no formula
    held: dict[str, int] = {}
    for fact in FACTS:
        judged.add(held, fact.entity, fact.date, fact.sums)
    assert held == {name: 2 * amount for name, amount in CALLS.items()}
    assert judged.of("all|all", FIRST, CALLS) is CALLS


# -- the commands ------------------------------------------------------------------------------------------------------

TWO = """
versions:
  - {version: "2026", service_level_seconds: 20}
  - {version: "2026-07", valid_from: 2026-07-01, service_level_seconds: 15, service_level_denominator: answered}
"""


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments], env={"COLUMNS": "200"})


def test_policy_show_says_what_is_in_force_on_a_day(tmp_path: Path) -> None:
    path = str(file(tmp_path, TWO))
    assert "version 2026, in force on 2026-06-30" in typed("show", "--at", "2026-06-30", "--policy", path).output
    shown = typed("show", "--at", "2026-07-01", "--policy", path).output
    line = next(line for line in shown.splitlines() if line.startswith("service_level_seconds"))
    assert [cell.strip() for cell in line.split("│")][1:3] == ["15", "20"]
    refused = typed("show", "--at", "July", "--policy", path)
    assert refused.exit_code == 2


def test_policy_check_says_what_a_file_changes_or_what_is_wrong_with_it(tmp_path: Path) -> None:
    right = typed("check", str(file(tmp_path, TWO)))
    assert right.exit_code == 0
    assert "service_level_seconds = 15" in right.output
    wrong = typed("check", str(file(tmp_path, TWO.replace("answered", "all"))))
    assert wrong.exit_code == 1
    assert "version '2026-07': service_level_denominator: Input should be 'offered'" in wrong.output
    assert typed("check", str(tmp_path / "none.yaml")).exit_code == 1


def test_policy_check_warns_of_a_year_without_calendar(tmp_path: Path) -> None:
    hours = "{mon: '09:00-18:00', sat: '', makeup: '09:00-18:00'}"
    policy = read(yaml.safe_load(f"{{response_clock: business, calendar: CN, business_hours: {hours}}}"))
    last = DaysOff("CN").last
    assert warnings(policy, date(last, 12, 31)) == []
    (warning,) = warnings(policy, date(last + 1, 1, 1))
    assert f"not of {last + 1}" in warning
    assert "no version of the policy is in force" in warnings(Policies(((SECOND, OLD),)), FIRST)[0]


def test_policy_diff_says_from_when_and_whether_stored_facts_follow(tmp_path: Path) -> None:
    one = file(tmp_path, TWO)
    other = tmp_path / "other.yaml"
    other.write_text(TWO.replace("seconds: 15", "seconds: 10").replace("denominator: answered", "denominator: offered"))
    told = typed("diff", str(one), str(other)).output
    cells = [[cell.strip() for cell in line.split("│")] for line in told.splitlines() if "│" in line]
    assert cells == [
        ["2026-07-01", "", "service_level_seconds", "15", "10", "stay"],
        ["2026-07-01", "", "service_level_denominator", "answered", "offered", "follow"],
    ]
    assert "the same of every day" in typed("diff", str(one), str(one)).output


# -- percentiles, intervals, maturity ----------------------------------------------------------------------------------


def test_percentiles_and_intervals_of_a_period_follow_each_days_version() -> None:
    script = Script()
    for number, (day, waited) in enumerate(
        [("", "09:00:10"), ("", "09:00:20"), ("+1 ", "09:00:30"), ("+1 ", "09:00:50")]
    ):
        contact = f"c{number}"
        script.at(f"{day}09:00:00", e.ChatStarted, contact).at(
            f"{day}09:00:00", e.ChatMessage, contact, sender="customer"
        )
        script.at(f"{day}{waited}", e.ChatMessage, contact, sender="agent", agent_id="anna")
    for day in ("", "+1 "):  # a ticket's response of an hour counts on the second day only
        contact = f"t{day}"
        script.at(f"{day}10:00:00", e.TicketCreated, contact).at(
            f"{day}11:00:00", e.TicketReplied, contact, agent_id="anna"
        )
    days = {f"agent|anna|{day}" for day in (FIRST, SECOND)}
    facts = [fact for key, fact in script.run(BY_CHANNEL).facts.items() if key in days]
    (row,) = rows(facts, "month", BY_CHANNEL)
    assert row["first_response_time"] == (10 + 20 + 30 + 50 + 3600) / 5
    assert row["first_response_time_p50"] == pytest.approx(30, rel=0.02)
    assert row["first_response_time_p90"] == pytest.approx(3600, rel=0.02)  # the nearest rank: the fifth of five
    figure = Judged(BY_CHANNEL, FIRST, SECOND).formulas("staff")
    held: dict[str, int] = {}
    for fact in facts:
        Judged(BY_CHANNEL, FIRST, SECOND).add(held, fact.entity, fact.date, fact.sums)
    shown = figure.figures(held)["first_response_time"]
    assert shown.low == 0
    assert shown.high == pytest.approx(742 + 2.776445 * 1597.8 / 5**0.5, rel=1e-3)


def test_a_day_matures_by_its_own_version() -> None:
    slow, quick = (OLD.model_copy(update={"version": v, "fcr_days": d}) for v, d in (("slow", 7), ("quick", 1)))
    maturity = Maturity(Policies(((None, slow), (SECOND, quick))), datetime(2026, 3, 6, tzinfo=UTC), ["fcr_days"])
    assert maturity.young(FIRST) == ("fcr_days",)
    assert maturity.young(SECOND) == ()
    assert maturity.young(date(2026, 3, 5)) == ("fcr_days",)
