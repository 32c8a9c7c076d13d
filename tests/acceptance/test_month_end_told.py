"""The month's end on a manual clock: what is prepared, who is asked and reminded, on which days, once over restarts; a real mail server."""

from __future__ import annotations

import email.header
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from email.message import Message as Letter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from aiosmtpd.controller import Controller

from deploy.local.ports import free_port
from streams.contracts.closing import Giver, Owed, Share, Standing, Words
from streams.notifier import closing as closing_process
from streams.notifier.closing import Closed, CloseError
from streams.notifier.config import MonthEnd, read
from streams.notifier.month_end import MonthEnds
from streams.people.duty import DutyBook
from streams.people.person import Person
from streams.people.sheet import PeopleFile
from streams.people.store import people_database, take
from streams.settings import Settings
from tests.support.notifying import START, Notifier, notifier
from tests.support.robots import FakeRobot
from tests.unit.streams.notifier.test_links import Inbox

SHANGHAI = {
    "time_zone": "Asia/Shanghai",
    "business_hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00"),
    "holidays": ["2026-04-06"],
}
CARD, SUPERIOR = Words("客服岗", "Agents"), Words("上级", "superior")


class Post(FakeRobot):
    """A real SMTP server in a robot's place."""

    server: str

    @property
    def url(self) -> str:
        return self.server


def owes(person: str | None, values: int, whom: Words = SUPERIOR) -> Owed:
    return Owed(
        Giver(whom, person), (Share("ours", CARD, "2026-03", values, 2, f"/tmp/ours-{person or whom.en}.xlsx"),)
    )


def closing(*owed: Owed, month: str = "2026-03", trouble: str | None = None) -> Closed:
    missing = sum(share.values for one in owed for share in one.shares)
    run = Standing("ours", CARD, month, "prepared", 3, True, missing, trouble)
    return Closed(month, (run,), owed, {share.file or "": b"PK" for one in owed for share in one.shares})


class Month:
    """A notifier that closes months; what a close comes to is set by hand."""

    def __init__(self, folder: Path, policy: dict[str, Any], inbox: Inbox, address: str, rules: dict[str, Any]) -> None:
        self.zone, self.inbox = ZoneInfo(policy["time_zone"]), inbox
        file = folder / "policy.yaml"
        file.write_text(yaml.safe_dump(policy))

        def make(raw: dict[str, Any]) -> None:
            raw["channels"]["post"] = {"type": "mail", "server": "$POST_URL", "from": "d@x.test"}
            raw["month_end"] = {"to": ["floor"], "owners": ["post"], **rules}

        people = {id: Person(id, name_latin=id, email=f"{id}@x.test") for id in ("sue", "tom")}
        self.folder = folder
        self.known({**people, "uma": Person("uma", name_latin="Uma")})
        self.address = address
        self.notifier: Notifier = notifier(folder, {"floor": "dingtalk"}, lambda _: None, file, duties=self.duties)
        raw: dict[str, Any] = {
            "language": "zh", "channels": {"floor": {"type": "dingtalk", "url": "$FLOOR_URL"}}, "routes": {"all": {"to": ["floor"]}},
        }  # fmt: skip
        make(raw)
        self.notifier.config = read(raw)
        post = Post("webhook", lambda: self.notifier.now / 1000)
        post.server = address
        self.notifier.robots["post"] = post
        self.comes_to: Callable[[str], Closed] = lambda month: closing(month=month)
        self.asked: list[str] = []
        self.restart()

    def known(self, people: dict[str, Person]) -> None:
        """The people's file has these."""
        self.duties = DutyBook(self.zone, people=people)
        with people_database(None, self.folder) as database:
            database.upgrade()
            with database.write() as connection:
                take(connection, PeopleFile(people, {}), "lin", START)

    def restart(self) -> None:
        self.notifier.database.close()
        self.notifier.start()
        rules = self.notifier.config.month_end
        assert rules is not None

        def close(month: str) -> Closed:
            self.asked.append(month)
            return self.comes_to(month)

        self.ends = MonthEnds(
            self.notifier.settings, self.notifier.config, rules, self.notifier.journal, lambda: self.duties, close, lambda: None,
            self.notifier.clock,
        )  # fmt: skip

    def at(self, day: str, clock: str) -> list[str]:
        """What the group is told at a moment; looked at twice, and once more after a restart."""
        before = len(self.said())
        moment = datetime.combine(date.fromisoformat(day), datetime.min.time(), self.zone)
        hour, minute = map(int, clock.split(":"))
        self.notifier.now = round(moment.replace(hour=hour, minute=minute).timestamp() * 1000)
        for _ in range(2):
            self.ends.tick(self.notifier.now)
        self.restart()
        self.ends.tick(self.notifier.now)
        self.notifier.works(60)
        return self.said()[before:]

    def said(self) -> list[str]:
        return [seen.text for seen in self.notifier.robots["floor"].seen]

    def letters(self) -> list[tuple[str, str, list[str]]]:
        """To whom, the subject, its files."""
        return [
            (
                str(one["To"]),
                str(email.header.make_header(email.header.decode_header(one["Subject"]))),
                [name for part in one.walk() if (name := part.get_filename())],
            )
            for one in self.inbox.letters
            if isinstance(one, Letter)
        ]


Make = Callable[..., Month]


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Make]:
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    made: list[Month] = []

    def make(policy: dict[str, Any] = SHANGHAI, **rules: Any) -> Month:
        made.append(Month(tmp_path, policy, inbox, f"smtp://127.0.0.1:{server.port}?tls=none", rules))
        return made[-1]

    yield make
    for one in made:
        one.notifier.close()
    server.stop()


def test_on_the_first_working_day_it_is_prepared_and_everybody_is_asked_once(month: Make) -> None:
    here = month()
    here.comes_to = lambda _: closing(owes("sue", 4), owes("uma", 2), owes(None, 6, Words("人力资源", "HR")))
    assert here.at("2026-03-31", "20:00") == []
    assert here.at("2026-04-01", "08:29") == []
    (told,) = here.at("2026-04-01", "08:30")
    for part in (
        "2026-03 月末考核：已准备 1 份，缺 12 项录入",
        "客服岗 2026-03：3 人，缺 12 项",
        "上级 sue：4 项",
        "人力资源：6 项",
    ):
        assert part in told
    assert "uma：2 项（无邮箱，请转交）" in told
    assert here.letters() == [("sue@x.test", "请提供 2026-03 考核录入：4 项", ["ours-sue.xlsx"])]
    assert here.at("2026-04-01", "16:00") == here.at("2026-04-02", "09:00") == []
    assert here.asked == ["2026-03"]


def test_whoever_still_owes_is_reminded_over_the_days_off_until_all_is_there(month: Make) -> None:
    here = month()
    here.comes_to = lambda _: closing(owes("sue", 4), owes("tom", 4))
    here.at("2026-04-01", "08:30")
    here.comes_to = lambda _: closing(owes("tom", 1))
    (told,) = here.at("2026-04-03", "08:30")  # two working days later
    assert "2026-03 月末考核提醒：仍缺 1 项录入" in told
    assert [letter[:2] for letter in here.letters()[2:]] == [("tom@x.test", "提醒：请提供 2026-03 考核录入：1 项")]
    # The weekend, and Monday is a day off: the fourth and fifth working days are the 7th and 8th.
    assert here.at("2026-04-06", "10:00") == here.at("2026-04-07", "10:00") == []
    here.comes_to = lambda _: closing()
    assert here.at("2026-04-08", "10:00") == []  # all is there
    assert len(here.letters()) == 3
    assert here.asked == ["2026-03"] * 3


def test_where_it_did_not_run_hr_is_told_once_and_it_is_tried_again(month: Make) -> None:
    here = month()

    def fails(month: str) -> Closed:
        raise CloseError("no Kafka broker answers")

    here.comes_to = fails
    (told,) = here.at("2026-04-01", "08:30")
    assert "2026-03 月末考核未能准备" in told
    assert "no Kafka broker answers" in told
    assert here.at("2026-04-01", "08:50") == []
    here.comes_to = lambda _: closing(owes("sue", 4), trouble="the card is wrong")
    assert here.at("2026-04-01", "09:10") == []  # HR knows; nobody is asked while a card is not prepared
    here.comes_to = lambda _: closing(owes("sue", 4))
    (told,) = here.at("2026-04-01", "09:30")
    assert "已准备 1 份" in told
    assert len(here.letters()) == 1


def test_a_card_that_could_not_be_prepared_is_named(month: Make) -> None:
    here = month()
    here.comes_to = lambda _: closing(trouble="card nowhere is not known")
    (told,) = here.at("2026-04-01", "08:30")
    assert "客服岗 2026-03：未能准备：card nowhere is not known" in told


def test_a_notifier_that_was_away_catches_up_and_does_not_dig_up_what_is_long_past(month: Make) -> None:
    here = month()
    (told,) = here.at("2026-04-09", "15:00")
    assert "已准备 1 份" in told
    assert here.at("2026-04-28", "15:00") == []  # after ten working days nobody is asked any more
    assert len(here.asked) == 1


def test_many_who_owe_get_a_letter_each_and_the_group_one_message(month: Make) -> None:
    here = month()
    many = {f"s{number}": Person(f"s{number}", name_latin="S", email=f"s{number}@x.test") for number in range(6)}
    here.known(many)
    here.comes_to = lambda _: closing(*(owes(person, 3) for person in many))
    assert len(here.at("2026-04-01", "08:30")) == 1
    assert sorted(letter[0] for letter in here.letters()) == sorted(f"{person}@x.test" for person in many)
    assert all(files == [f"ours-{to.partition('@')[0]}.xlsx"] for to, _, files in here.letters())


def test_in_a_zone_of_summer_time_and_where_days_begin_at_four(month: Make) -> None:
    every = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "09:00-17:00")
    here = month({"time_zone": "Europe/Berlin", "business_hours": every, "day_starts": "04:00"}, at="00:30")
    assert here.at("2026-04-01", "03:59") == []  # the last day of March is not over
    assert len(here.at("2026-04-01", "04:00")) == 1
    assert here.notifier.now - timedelta(minutes=1).total_seconds() * 1000 == 1775008800000  # 02:00 UTC
    assert here.at("2026-11-01", "03:59") == []
    assert len(here.at("2026-11-01", "04:00")) == 1


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"to": ["floor"], "owners": ["floor"]}, "month_end.owners: floor takes no file with what is to be filled in; take a mail channel"),
        ({"to": ["flor"]}, "month_end.to: no channel is called 'flor'; is it floor?"),
        ({"to": []}, "month_end.to"),
        ({"to": ["floor"], "cards": ["--json"]}, "month_end.cards.0"),
        ({"to": ["floor"], "remind_days": 0}, "month_end.remind_days"),
    ],
)  # fmt: skip
def test_what_the_file_may_not_say(rules: dict[str, Any], said: str) -> None:
    raw = {
        "channels": {"floor": {"type": "dingtalk", "url": "$FLOOR_URL"}}, "routes": {"all": {"to": ["floor"]}}, "month_end": rules,
    }  # fmt: skip
    with pytest.raises(ValueError) as refused:
        read(raw)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'no Kafka broker answers' >&2; exit 1", "no Kafka broker answers"),
        ("exit 3", "it ended with exit code 3"),
        ("echo nonsense", "what it says cannot be read"),
    ],
)
def test_a_close_that_fails_says_why(script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(closing_process, "bound", lambda command: [str(program), *command[1:]])
    with pytest.raises(CloseError, match=said):
        closing_process.close(Settings(), MonthEnd(to=["hr"]), "2026-03", {})
