"""The notifier's file, its routes, and who is called by name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from typer.testing import CliRunner

from streams.cli import app
from streams.commands.notify import _EXAMPLE
from streams.notifier import build
from streams.notifier.config import load, read, remarks, schema, unknown_routes
from streams.notifier.routing import destinations
from streams.people.duty import Duty, DutyBook
from tests.support.notifying import START, incident

ZONE = ZoneInfo("Asia/Shanghai")
NOW = START  # a Monday, 17:00 in Shanghai
TWO: dict[str, Any] = {
    "channels": {"a": {"type": "dingtalk", "url": "$A"}, "b": {"type": "webhook", "url": "$B"}},
    "routes": {"r": {"to": ["a"]}},
}


def told(
    routes: dict[str, Any],
    kinds: tuple[str, ...] = ("opened",),
    heard: tuple[str, ...] = (),
    now: datetime = NOW,
    book: DutyBook | None = None,
    **given: Any,
) -> dict[str, tuple[str, ...]]:
    """Channel → who is called, for the newest step."""
    one = incident(kinds=kinds, **given)
    found = destinations(one, one.steps[-1], heard, read({**TWO, "routes": routes}), book or DutyBook(ZONE), now)
    assert len({each.channel for each in found}) == len(found)
    return {each.channel: each.called for each in found}


@pytest.mark.parametrize(
    ("route", "given", "fits"),
    [
        ({}, {}, True),
        ({"team": ["T2"]}, {}, True),
        ({"team": ["T*"]}, {}, True),
        ({"team": ["T3"]}, {}, False),
        ({"queue": ["orders"]}, {"labels": {"queue": ["orders", "vip"]}}, True),
        ({"queue": ["orders"]}, {"entity": "queue|orders", "labels": {}}, True),
        ({"site": ["S1"]}, {}, False),
        ({"severity": ["critical"]}, {}, True),
        ({"severity": ["info", "warning"]}, {}, False),
        ({"rule": ["low_*"]}, {}, True),
        ({"during": "mon-fri 09:00-17:00"}, {}, False),
        ({"during": "mon-fri 09:00-17:01"}, {}, True),
        ({"outside": "mon-fri 09:00-17:00"}, {}, True),
        ({"team": ["T2"], "severity": ["info"]}, {}, False),
    ],
)
def test_all_that_a_route_says_must_fit(route: dict[str, Any], given: dict[str, Any], fits: bool) -> None:
    assert told({"r": {"to": ["a"], **route}}, **given) == ({"a": ()} if fits else {})


def test_hours_are_those_of_the_operation_on_the_day_on_which_clocks_change() -> None:
    route = {"r": {"to": ["a"], "during": "sun 02:30-03:30"}}
    berlin = DutyBook(ZoneInfo("Europe/Berlin"))
    assert told(route, now=datetime(2026, 3, 29, 1, 15, tzinfo=UTC), book=berlin) == {
        "a": ()
    }  # 03:15, an hour after 01:59
    assert told(route, now=datetime(2026, 3, 29, 0, 45, tzinfo=UTC), book=berlin) == {}


def test_what_no_other_route_takes() -> None:
    routes = {"r": {"to": ["a"], "severity": ["info"]}, "rest": {"to": ["b"], "otherwise": True}}
    assert told(routes) == {"b": ()}
    assert told(routes, severity="info") == {"a": ()}


def test_a_rule_may_name_routes_and_further_ones_for_its_escalation() -> None:
    routes = {"r": {"to": ["a"]}, "boss": {"to": ["b"]}}
    assert told(routes, notify=["r"]) == {"a": ()}
    named: dict[str, Any] = {"notify": ["r"], "escalate_to": ["boss"]}
    assert told(routes, ("opened", "escalated"), heard=("a",), **named) == {"a": (), "b": ()}
    assert told(routes, notify=["gone"]) == {"a": (), "b": ()}  # better by a wrong way than by none


def test_how_it_goes_on_is_told_where_it_was_told_and_nowhere_else() -> None:
    routes = {"r": {"to": ["a"], "outside": "mon-fri 09:00-18:00"}, "new": {"to": ["b"]}}
    assert told(routes, ("opened", "resolved"), heard=("a",)) == {"a": ()}
    assert told(routes, ("opened", "escalated"), heard=("a",)) == {"a": (), "b": ()}


def test_whoever_is_on_duty_is_called_once_where_two_routes_lead_to_one_channel() -> None:
    lead = Duty("shift", "sup-1", START - timedelta(hours=1), START + timedelta(hours=1), "T2", "lead")
    night = Duty("shift", "eng-1", START - timedelta(hours=1), START + timedelta(hours=1), "", "engineer")
    book = DutyBook(ZONE, duties=[lead, night])
    routes = {"r": {"to": ["a"], "duty": True}, "s": {"to": ["a", "b"], "duty": "engineer"}}
    assert told(routes, book=book) == {"a": ("sup-1", "eng-1"), "b": ("eng-1",)}
    assert told(routes, ("opened", "resolved"), heard=("a", "b"), book=book) == {"a": (), "b": ()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"routes": {"r": {"to": ["c"]}}}, "routes.r.to: no channel is called 'c'"),
        ({"routes": {"r": {"to": ["a"], "sevrity": ["info"]}}}, "routes.r.sevrity: there is no such entry here"),
        ({"routes": {"r": {"to": ["a"], "during": "weekdays"}}}, "routes.r.during: 'weekdays' is no day of the week"),
        (
            {"channels": {"a": {"type": "dingtalk", "url": "https://oapi.dingtalk.com/x"}}},
            "channels.a.url: a secret does not stand in this file",
        ),
        ({"channels": {"a": {"url": "$A"}}}, "channels.a: say its type"),
        ({"channels": {"a": {"type": "dingtalk"}}}, "channels.a.url: is missing"),
        ({"language": "fr"}, "language: no language 'fr'"),
        ({"acknowledge": {"url": "alerts", "key": "$K"}}, "acknowledge.url"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read({**TWO, **change})


def test_remarks_say_what_surprises() -> None:
    found = remarks(read({**TWO, "routes": {"r": {"to": ["a"], "team": ["T1"]}}}))
    assert [
        part
        for part in ("channels.b: no route leads to it", "no route takes every incident", "no `acknowledge`")
        if not any(part in one for one in found)
    ] == []


def test_routes_that_rules_name_and_nobody_has_written_are_said() -> None:
    (said,) = unknown_routes(read(TWO), {"low": ("r",), "long": ("r", "boss", "boss")})
    assert "rule long names the route 'boss'" in said


def test_secrets_come_from_the_environment_or_a_file_and_are_never_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("https://a.test/robot?access_token=hidden\n", encoding="utf-8")
    made = build.channels(read(TWO), {"A_FILE": str(tmp_path / "a"), "B": "https://b.test/"})
    assert "hidden" not in made["a"].robot
    with pytest.raises(
        ValueError, match=r"channels\.b: \$B is not there: set B in the environment, or B_FILE"
    ) as refused:
        build.channels(read(TWO), {"A": "no address with hidden"})
    assert "channels.a: its address is none" in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_the_example_is_sound_and_check_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "notify.yaml"
    file.write_text(_EXAMPLE, encoding="utf-8")
    assert remarks(load(file)) == []
    assert set(yaml.safe_load(_EXAMPLE)) <= set(schema()["properties"])
    monkeypatch.setenv("DESKPULSE_LANGUAGE", "en")
    lacking = CliRunner().invoke(app, ["notify", "check", str(file)])
    assert (lacking.exit_code, "channels.floor: $DINGTALK_URL is not there" in lacking.stderr) == (1, True)
    good = CliRunner().invoke(app, ["notify", "check", str(file), "--no-secrets"])
    assert (good.exit_code, "4 channels, 4 routes, nothing wrong" in good.stdout) == (0, True)
