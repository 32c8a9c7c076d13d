"""From ``incidents`` to robots on a manual clock, counted by the robots' own logs: once each, few to people, nothing lost, nobody muted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from streams.notifier.channels.channel import Outcome
from tests.support.notifying import ENVIRONMENT, START, KilledError, Notifier, incident, notifier
from tests.support.robots import Kind

COPY = "可能重复"
Make = Callable[..., Notifier]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Make]:
    open_ones: list[Notifier] = []

    def make(
        kinds: Mapping[str, Kind] = {"floor": "dingtalk"},
        change: Callable[[dict[str, Any]], None] = lambda _: None,
        **given: Any,
    ) -> Notifier:
        found = notifier(tmp_path, kinds, change, **given)
        open_ones.append(found)
        return found

    yield make
    for one in open_ones:
        one.close()


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def test_a_step_is_told_once_with_figure_n_trend_and_runbook(made: Make) -> None:
    here = made(change=lambda raw: raw.update(wallboard="https://board.test/"))
    here.hears(incident())
    here.works()
    here.hears(incident())  # the topic is read again, or the incident has changed without a step
    here.works(600)
    (seen,) = here.robots["floor"].seen
    for part in (
        "严重",
        "客户满意度低于80%",
        "班组 T2",
        "触发时 72.0%（样本 25），现在 70.0%（样本 30），继续恶化",
        "处理办法：查看差评服务记录",
        "https://board.test/",
    ):
        assert part in seen.text
    assert here.states() == {("i1", 1, "floor"): "told"}


def test_messages_lead_to_the_contacts_behind_the_incident(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(raw: dict[str, Any]) -> None:
        raw.update(acknowledge={"url": "https://alerts.test", "key": "$KEY"}, wallboard="https://board.test/")

    monkeypatch.setenv("DESKPULSE_WEB_URL", "https://desk.example.org")
    here = made({"floor": "dingtalk", "desk": "wecom", "lark": "feishu", "hook": "webhook"}, change)
    here.hears(incident(entity="queue|售后|1"))
    here.works()
    address = (
        "https://desk.example.org/#/contacts?kpi=csat&entity=queue%7C%E5%94%AE%E5%90%8E%7C1"
        "&at=2026-03-02T09%3A00%3A00Z&window=30m"
    )
    for name in ("floor", "desk", "lark"):
        (seen,) = here.robots[name].seen
        assert "查看联络" in seen.text
        assert seen.text.index("/acknowledge/") < seen.text.index(address) < seen.text.index("https://board.test/")
    (seen,) = here.robots["hook"].seen
    assert json.loads(seen.text)["contacts"] == address
    here.hears(*(incident(f"i{number}", entity="queue|售后|1", at=START - timedelta(hours=1)) for number in (2, 3)))
    here.works(60)
    away = json.loads(here.robots["hook"].seen[1].text)
    assert [one["contacts"] for one in away["incidents"]] == [address.replace("T09", "T08")] * 2


def test_in_the_language_of_the_route(made: Make) -> None:
    here = made(change=lambda raw: raw["routes"]["all"].update(language="en"))
    here.hears(incident())
    here.works()
    assert "72.0 % (n=25) when it fired, 70.0 % (n=30) now, worse" in here.robots["floor"].seen[0].text


def test_steps_of_one_incident_go_on_to_whoever_heard_of_it_whatever_the_hour(made: Make) -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["routes"] = {
            "day": {"to": ["floor"], "during": "mon-sun 00:00-17:05"},
            "night": {"to": ["night"], "outside": "mon-sun 00:00-17:05"},
        }

    here = made({"floor": "dingtalk", "night": "wecom"}, change)  # 09:00 UTC is 17:00 of the operation
    here.hears(incident())
    here.works(360)
    here.hears(incident(kinds=("opened", "resolved"), every=360))
    here.works(60)
    assert (len(here.robots["floor"].seen), len(here.robots["night"].seen)) == (2, 0)


@pytest.mark.parametrize("spread", [0.0, 4.0])
def test_200_incidents_at_once_are_three_messages_at_most(made: Make, spread: float) -> None:
    here = made({"floor": "dingtalk", "desk": "wecom", "lark": "feishu"})
    for batch in range(5):
        here.hears(
            *(
                incident(f"i{batch}-{number}", at=at(spread * batch), entity=f"agent|A{batch}-{number}")
                for number in range(40)
            )
        )
        here.works(spread) if spread else None
    here.works(120)
    for robot in here.robots.values():
        assert 1 <= len(robot.seen) <= 3
        assert robot.mutes == 0
    assert set(here.states().values()) == {"told"}
    before = {name: len(robot.seen) for name, robot in here.robots.items()}
    for batch in range(5):
        here.hears(
            *(
                incident(f"i{batch}-{number}", kinds=("opened", "resolved"), at=at(spread * batch), every=150)
                for number in range(40)
            )
        )
        here.works(spread) if spread else None
    here.works(120)
    for name, robot in here.robots.items():
        assert 1 <= len(robot.seen) - before[name] <= 3
    assert len(here.states()) == 3 * 400
    assert set(here.states().values()) == {"told"}


def test_no_robot_is_muted_however_much_happens(made: Make) -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["digest"] = {"messages": 20, "seconds": 1}

    here = made({"floor": "dingtalk", "desk": "wecom", "lark": "feishu"}, change)
    for number in range(24):
        here.hears(*(incident(f"i{number}-{other}", at=at(number)) for other in range(3)))
        here.works(1)
        if number % 8 == 7:
            here.start()  # a rate that is kept in memory only would begin anew
    here.works(300)
    assert [robot.mutes for robot in here.robots.values()] == [0, 0, 0]
    assert set(here.states().values()) == {"told"}


def test_a_channel_that_is_down_delays_nobody_else(made: Make) -> None:
    here = made({"floor": "dingtalk", "desk": "wecom"})
    here.robots["floor"].broken = "down"
    here.hears(incident())
    here.works()
    assert (len(here.robots["floor"].seen), len(here.robots["desk"].seen)) == (0, 1)
    here.works(60)
    here.robots["floor"].broken = None
    here.works(300)
    (seen,) = here.robots["floor"].seen
    assert COPY not in seen.text  # it could not even connect: it is surely the first


def test_a_webhook_that_is_down_for_ten_minutes_gets_every_step_in_order(made: Make) -> None:
    here = made({"hook": "webhook"}, lambda raw: raw["channels"]["hook"].update(secret="$WHSEC"))
    here.robots["hook"].broken = "503"
    for number in range(20):
        here.hears(incident(f"i{number:02}", at=at(30 * number)))
        here.works(30)
    assert here.robots["hook"].seen == []
    here.robots["hook"].broken = None
    here.works(400)
    told = [json.loads(seen.text) for seen in here.robots["hook"].seen]
    assert [one["incident"]["id"] for one in told] == [f"i{number:02}" for number in range(20)]
    assert len({seen.headers["webhook-id"] for seen in here.robots["hook"].seen}) == 20
    for seen in here.robots["hook"].seen:
        signed = Webhook(ENVIRONMENT["WHSEC"])
        moment = START + timedelta(seconds=int(seen.headers["webhook-timestamp"]) - START.timestamp())
        assert seen.headers["webhook-signature"] == signed.sign(seen.headers["webhook-id"], moment, seen.text)


def test_a_robot_that_is_down_for_an_hour_gets_one_message_of_what_happened(made: Make) -> None:
    here = made()
    here.robots["floor"].broken = "down"
    for number in range(30):
        here.hears(incident(f"i{number:02}", at=at(120 * number)))
        here.works(120)
    here.robots["floor"].broken = None
    here.works(400)
    (seen,) = here.robots["floor"].seen
    assert "补发" in seen.text
    assert "30 项告警" in seen.text
    assert set(here.states().values()) == {"told"}


@pytest.mark.parametrize("fault", ["lost", "500 taken"])
def test_an_answer_that_is_lost_makes_one_copy_that_says_so(made: Make, fault: str) -> None:
    here = made()
    here.robots["floor"].faults = [fault]
    here.hears(incident())
    here.works(120)
    first, second = here.robots["floor"].seen
    assert (COPY in first.text, COPY in second.text) == (False, True)
    assert here.states() == {("i1", 1, "floor"): "told"}
    assert here.journal.told()[0]["copy"]


def test_what_a_channel_refuses_is_said_and_stops_nothing(made: Make) -> None:
    here = made({"desk": "wecom"})
    here.robots["desk"].faults = ["40058"]
    here.hears(incident("i1"))
    here.works(60)
    here.hears(incident("i2", at=at(60)))
    here.works(60)
    assert here.states() == {("i1", 1, "desk"): "failed", ("i2", 1, "desk"): "told"}


def test_a_robot_that_wants_to_be_left_alone_is(made: Make) -> None:
    here = made()
    here.robots["floor"].faults = ["410100"]
    here.hears(incident())
    here.works(599)
    assert here.robots["floor"].seen == []
    here.works(120)
    assert len(here.robots["floor"].seen) == 1


def test_what_no_try_brings_within_a_day_is_given_up_and_said(made: Make) -> None:
    here = made({"hook": "webhook", "floor": "dingtalk"})
    here.robots["hook"].broken, here.robots["floor"].broken = "404", "slow"
    here.hears(incident())
    here.works(60)
    here.now += 24 * 3_600_000
    here.works(400)
    assert here.states() == {("i1", 1, "hook"): "failed", ("i1", 1, "floor"): "unknown"}


def test_killed_20_times_no_step_is_untold_and_copies_are_marked(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    here = made({"floor": "dingtalk", "hook": "webhook"})
    in_flight = 0
    for kill in range(20):
        here.hears(incident(f"i{kill:02}", at=at(kill * 120)))
        if kill % 2:  # between the robot's 200 and our journal
            settle = here.journal.settle

            def killed(name: str, *rest: Any, settle: Callable[..., Any] = settle) -> Any:
                if name == "floor":
                    raise KilledError
                return settle(name, *rest)

            monkeypatch.setattr(here.journal, "settle", killed)
            in_flight += 1
            with pytest.raises(KilledError):
                here.works(0, ["floor"])
        here.database.close()
        here.start()
        here.works(120)
    steps = {(one.id, step.number) for one in here.topic.values() for step in one.steps}
    assert set(here.states()) == {(*step, name) for step in steps for name in ("floor", "hook")}
    assert set(here.states().values()) == {"told"}
    floor = here.robots["floor"]
    copies = [seen for seen in floor.seen if COPY in seen.text]
    assert (len(floor.seen) - len(copies), len(copies)) == (20, in_flight)
    assert len({seen.headers["webhook-id"] for seen in here.robots["hook"].seen}) == len(here.robots["hook"].seen) == 20
    assert floor.mutes == 0


def test_a_send_that_was_cut_off_waits_until_it_has_surely_ended(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    here = made()
    here.hears(incident())
    monkeypatch.setattr(here.channels["floor"], "send", lambda _: (_ for _ in ()).throw(KilledError()))
    with pytest.raises(KilledError):
        here.works()
    here.start()
    here.works(20)  # another notifier may still be about it
    assert here.robots["floor"].seen == []
    here.works(20)
    (seen,) = here.robots["floor"].seen
    assert COPY in seen.text


def test_two_notifiers_on_one_journal_tell_nothing_twice(made: Make) -> None:
    here, other = made(), made()
    other.robots = here.robots
    other.start()
    here.hears(incident("i1"))
    other.hears(incident("i1"))
    claimed = here.journal.claim("floor", here.channels["floor"], *_claiming(here))
    assert not isinstance(claimed, int | None)
    assert isinstance(other.journal.claim("floor", other.channels["floor"], *_claiming(other)), int)
    here.journal.settle("floor", claimed, Outcome("told"), here.now)
    assert other.journal.claim("floor", other.channels["floor"], *_claiming(other)) is None


def _claiming(of: Notifier) -> tuple[Any, Any, int]:
    own = of.dispatchers["floor"]
    return own._bounds, own._compose, of.now


def test_while_we_were_away_is_one_message(made: Make) -> None:
    here = made({"floor": "dingtalk", "hook": "webhook"})
    here.hears(incident("before"))
    here.works(3600)
    late = [incident(f"i{number}", kinds=("opened", "resolved"), at=at(60 + number), every=30) for number in range(8)]
    here.hears(*late, incident("stands", at=at(100)))
    here.works(60)
    assert len(here.robots["floor"].seen) == 2
    assert "补发" in here.robots["floor"].seen[1].text
    assert "9 项告警事件有变化，1 项未恢复，8 项已恢复" in here.robots["floor"].seen[1].text
    assert json.loads(here.robots["hook"].seen[1].text)["type"] == "incident.away"
    assert len(here.robots["hook"].seen) == 2


def test_what_was_over_before_the_first_start_is_told_nobody(made: Make) -> None:
    here = made()
    here.now += 3_600_000
    here.hears(*(incident(f"i{number}", kinds=("opened", "resolved"), every=30) for number in range(8)), first=True)
    here.works(60)
    assert here.robots["floor"].seen == []


def test_on_the_event_clock_nothing_is_sent_unless_it_is_told_to(made: Make) -> None:
    quiet = made(sends=False, by_wall_clock=False)
    quiet.hears(incident())
    quiet.works(60)
    assert quiet.robots["floor"].seen == []
    quiet.sends = True
    quiet.now += 365 * 86_400_000
    quiet.hears(incident(kinds=("opened", "escalated")))
    quiet.works(60)
    (seen,) = quiet.robots["floor"].seen
    assert "补发" not in seen.text


def test_quiet_steps_are_told_nobody(made: Make) -> None:
    here = made()
    one = incident(kinds=("opened", "grew"))
    one.steps[1].quiet = True
    here.hears(one)
    here.works(60)
    assert len(here.robots["floor"].seen) == 1
    assert "步骤2" not in here.robots["floor"].seen[0].text


def test_broken_messages_of_the_topic_stop_nothing(made: Make) -> None:
    here = made()
    here.follower.take([b"{", None, b'{"id": 1}', b"\xff"], 4, False)
    here.hears(incident())
    here.works()
    assert len(here.robots["floor"].seen) == 1
    assert here.journal.position("incidents") == 1


def test_what_is_over_for_90_days_is_forgotten_and_what_stands_is_not(made: Make) -> None:
    here = made()
    here.hears(incident("over", kinds=("opened", "resolved")), incident("stands"))
    here.works(60)
    here.journal.forget(here.now + 91 * 86_400_000)
    assert {key[0] for key in here.states()} == {"stands"}
