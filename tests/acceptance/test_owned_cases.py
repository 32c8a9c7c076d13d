"""Cases, digests and early warnings on a manual clock: events go through the real stages, what owners are told comes out at a robot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import icalendar
import msgspec
import openpyxl
import pytest
import yaml
from typer.testing import CliRunner

from streams import pipeline
from streams.cases import case as life
from streams.cases import store
from streams.cases.case import Case
from streams.cases.export import calendar, workbook
from streams.cli import app
from streams.commands.shared.context import Deployment
from streams.contracts.outputs import ContactRecord
from streams.kpi.policy.versions import read
from streams.notifier import case_pages
from streams.notifier.health import Health
from streams.notifier.server import Pages, create_app
from streams.people.duty import DutyBook
from streams.people.names import Names
from streams.people.person import Reporting
from streams.windows.clock import instant
from tests.acceptance.axis import event
from tests.support.notifying import KilledError, Notifier, incident, notifier
from tests.support.robots import Kind

MONDAY = date(2026, 3, 2)
_LONG_AGO = date(2020, 1, 1)
#: A reports to S, S to M.
SUPERIORS = {"A": [Reporting("A", _LONG_AGO, "S")], "S": [Reporting("S", _LONG_AGO, "M")]}
OFFICE = {
    "time_zone": "Asia/Shanghai",
    "business_hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00"),
    "holidays": ["2026-03-05"],
}
RATED_ONE = (
    "09:00:00 call c1 queued queue=orders customer=k1",
    "09:00:05 call c1 answered agent=A team=T1",
    "09:03:05 call c1 ended agent=A talk=180",
    "09:05:00 call c1 rated score=1 scale=1-5",
)


class Desk:
    """An operation whose events become records, and a notifier that keeps cases of them."""

    def __init__(
        self,
        folder: Path,
        policy: dict[str, Any],
        day: date,
        change: Callable[[dict[str, Any]], None],
        url: str | None = None,
        channels: Mapping[str, Kind] | None = None,
    ) -> None:
        self.policy, self.day = read(policy), day
        self.zone = ZoneInfo(policy["time_zone"])
        file = folder / "policy.yaml"
        file.write_text(yaml.safe_dump(policy))

        def make(raw: dict[str, Any]) -> None:
            raw["cases"] = {"to": ["floor"]}
            raw["routes"]["all"]["severity"] = ["critical"]
            change(raw)

        duties = DutyBook(self.zone, reporting=SUPERIORS)
        self.notifier: Notifier = notifier(
            folder, channels or {"floor": "dingtalk"}, make, file, duties=duties, url=url
        )
        self.notifier.database.upgrade()
        self.events: list[bytes] = []
        self.seen: dict[str, bytes] = {}
        self.at("09:00")

    def moment(self, text: str) -> datetime:
        days, _, clock = text.rpartition(" ")
        hour, minute = map(int, clock.split(":"))
        return datetime.combine(self.day + timedelta(days=int(days or 0)), datetime.min.time(), self.zone).replace(
            hour=hour, minute=minute
        )

    def at(self, text: str) -> None:
        """Go to a moment at once, without anything happening on the way."""
        self.notifier.now = round(self.moment(text).timestamp() * 1000)

    def until(self, text: str) -> None:
        """Let time pass."""
        self.notifier.waits(self.moment(text))

    def happens(self, *lines: str) -> pipeline.Run:
        """These events, too; workers write the records that change."""
        first = len(self.events)
        self.events += [
            msgspec.json.encode(event(line, first + number, self.day, self.policy))
            for number, line in enumerate(lines, 1)
        ]
        return self.recorded()

    def recorded(self) -> pipeline.Run:
        run = pipeline.run(self.events, self.policy, records=True)
        news = {key: raw for key, raw in run.records.items() if raw is not None and self.seen.get(key) != raw}
        self.seen |= news
        self.notifier.reads(*(run.contact_records()[key] for key in news))
        self.notifier.works()
        return run

    def again(self) -> None:
        """The notifier is started anew and reads everything once more."""
        self.notifier.database.close()
        self.notifier.start()
        decode = msgspec.json.Decoder(ContactRecord).decode
        self.notifier.reads(*map(decode, self.seen.values()))
        self.notifier.records._look_after()
        self.notifier.works()

    def cases(self, **wanted: Any) -> list[Case]:
        if not self.notifier.database.begun:
            return []
        with self.notifier.database.read() as connection:
            return store.listed(connection, **wanted)

    def does(self, change: Callable[[Case, int], Case]) -> Case:
        """Somebody does something to the one case, by command or API."""
        (case,) = self.cases()
        with self.notifier.database.write() as connection:
            store.keep(connection, after := change(case, self.notifier.now))
        self.notifier.records._look_after()
        self.notifier.works()
        return after

    def steps(self) -> list[str]:
        (case,) = self.cases()
        return [step.kind for step in case.steps]

    def told(self) -> list[str]:
        return [seen.text for seen in self.notifier.robots["floor"].seen]


Make = Callable[..., Desk]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Make]:
    made: list[Desk] = []

    def make(
        change: Callable[[dict[str, Any]], None] = lambda _: None,
        day: date = MONDAY,
        channels: Mapping[str, Kind] | None = None,
        **policy: Any,
    ) -> Desk:
        made.append(Desk(tmp_path, OFFICE | policy, day, change, channels=channels))
        return made[-1]

    yield make
    for one in made:
        one.notifier.close()


def test_a_bad_rating_opens_a_case_of_the_superiors_once_over_restarts(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    (case,) = here.cases()
    assert (case.owner, case.about.kind, case.about.score, case.about.agent) == ("S", "bad_rating", 1, "A")
    for _ in range(3):
        here.again()
    here.happens("09:07:00 call c1 reviewed score=80 agent=A")  # another record of the same contact
    assert [one.id for one in here.cases()] == [case.id]
    (told,) = here.told()
    for part in (
        "差评",
        "电话 c1",
        "新建",
        "责任人：S",
        "评分：1（量表 1-5）",
        "坐席：A",
        f"deskpulse case close {case.id}",
    ):
        assert part in told


def test_a_good_rating_opens_none_nor_does_what_the_policy_calls_good_enough(desk: Make) -> None:
    here = desk(negative_to={"1-5": 1.0})
    here.happens(*RATED_ONE[:3], "09:05:00 call c1 rated score=2 scale=1-5")
    assert here.cases() == []


def test_it_is_due_in_24_business_hours_over_a_day_off_and_a_weekend(desk: Make) -> None:
    here = desk(day=date(2026, 3, 4))  # Wednesday; Thursday is off
    here.at("10:00")
    here.happens(*RATED_ONE)
    (case,) = here.cases()
    # 7 h on Wednesday, 8 on Friday, 8 on Monday, 1 on Tuesday.
    assert instant(case.due).astimezone(here.zone) == datetime(2026, 3, 10, 10, 0, tzinfo=here.zone)


def test_without_business_hours_every_hour_counts_also_the_one_that_a_dst_day_lacks(desk: Make) -> None:
    here = desk(day=date(2026, 3, 28), time_zone="Europe/Berlin", business_hours={}, holidays=[])
    here.at("10:00")
    here.happens(*RATED_ONE)
    (case,) = here.cases()
    assert case.due - case.opened == 24 * 3_600_000
    assert instant(case.due).astimezone(here.zone) == datetime(
        2026, 3, 29, 11, 0, tzinfo=here.zone
    )  # 02:00 to 03:00 was not there


def test_reminded_overdue_told_to_the_next_superior_each_once(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    here.until("+2 14:00")  # due on Friday 09:06, four hours of business before that is Wednesday 13:06
    assert here.steps() == ["opened", "reminded"]
    here.again()
    here.until("+4 10:00")
    assert here.steps() == ["opened", "reminded", "overdue"]
    here.until("+7 10:00")
    here.again()
    assert here.steps() == ["opened", "reminded", "overdue"]  # nobody is above M
    (case,) = here.cases()
    assert (case.owner, case.answered) == ("S", ("M",))
    assert len(here.told()) == 3
    assert "通知上级：M" in here.told()[-1]


def test_closing_needs_root_cause_and_plan_and_moves_the_kpi(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    here.at("11:00")
    with pytest.raises(ValueError, match="cannot be closed without the improvement plan"):
        here.does(lambda case, now: life.closed(case, "S", now, root_cause="did not listen"))
    here.does(lambda case, now: life.closed(case, "S", now, root_cause="did not listen", plan="coaching"))
    here.again()
    assert len(here.notifier.sent) == 1  # sent once, and not again after a restart
    ((key, raw),) = here.notifier.sent
    assert key == b"k1"  # in its customer's partition
    here.events += [raw, raw]  # were it sent twice all the same, it would be one event
    run = here.recorded()
    assert run.rejected == []
    assert run.snapshot("agent|A").windows["today"]["bad_rating_rca_ontime_rate"].value == 1.0
    (case,) = here.cases()
    assert (case.status, case.in_time(here.notifier.now), case.about.customer_id) == ("closed", True, None)
    assert here.steps() == ["opened", "closed"]
    with pytest.raises(ValueError, match="is closed already"):
        here.does(lambda case, now: life.closed(case, "S", now, root_cause="x", plan="y"))


def test_a_corrected_rating_withdraws_the_case_and_says_so_and_back_again(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    here.happens("09:20:00 call c1 corrected corrects=e4 score=5")
    (case,) = here.cases()
    assert (case.status, case.in_time(here.notifier.now)) == ("withdrawn", None)
    assert "已更正" in here.told()[-1]
    here.until("+7 10:00")
    assert here.steps() == ["opened", "withdrawn"]  # nobody is reminded
    here.at("+0 10:00")
    here.happens("09:30:00 call c1 corrected corrects=e4 score=2")
    assert here.steps() == ["opened", "withdrawn", "reopened"]
    assert here.cases()[0].status == "open"


def test_a_rating_corrected_after_closing_is_only_said(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    here.does(lambda case, now: life.closed(case, "S", now, root_cause="r", plan="p"))
    here.happens("09:20:00 call c1 corrected corrects=e4 score=5")
    here.again()
    assert here.steps() == ["opened", "closed", "withdrawn"]
    assert here.cases()[0].status == "closed"


def test_killed_between_the_robots_answer_and_the_journal_one_case_and_one_marked_copy(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    settle = here.notifier.journal.settle

    def killed(*_: Any) -> Any:
        raise KilledError

    here.notifier.journal.settle = killed  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        here.happens(*RATED_ONE)
    here.notifier.journal.settle = settle  # type: ignore[method-assign]
    here.again()
    here.notifier.works(600)
    assert len(here.cases()) == 1
    first, second = here.told()
    assert "可能重复" not in first
    assert "可能重复" in second


def test_assigned_and_noted_and_the_new_owner_is_told(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    (case,) = here.cases()
    here.does(lambda one, now: life.assigned(one, "B", "S", now, "B knows the customer"))
    here.does(lambda one, now: life.noted(one, "called twice", "B", now))
    assert here.cases()[0].due == case.due
    assert here.steps() == ["opened", "assigned", "noted"]
    assert "B knows the customer" in here.told()[-1]
    assert len(here.told()) == 2  # a note calls nobody


def test_a_repeated_complaint_is_a_case_about_how_the_first_was_handled(desk: Make) -> None:
    here = desk()
    here.at("12:00")
    here.happens(
        "09:00:00 ticket t1 created kind=complaint customer=k1 queue=orders",
        "09:10:00 ticket t1 replied agent=A team=T1",
        "09:20:00 ticket t1 closed agent=A",
        "11:00:00 ticket t2 created kind=complaint customer=k1 queue=orders",
    )
    (case,) = here.cases()
    assert (case.about.kind, case.about.contact_id, case.owner) == ("repeat_complaint", "t1", "S")
    assert case.about.contacts == ("tickets:t2",)
    assert case.about.customer_id is None  # only whoever explains a rating needs it


def test_the_third_contact_within_24_hours_and_who_gave_up_are_to_be_called_back(desk: Make) -> None:
    here = desk()
    call = (
        "call c{n} queued queue=orders customer=k1",
        "call c{n} answered agent=A",
        "call c{n} ended agent=A talk=60",
    )
    for number, hour in ((1, 9), (2, 10)):
        here.at(f"{hour}:30")
        here.happens(*(f"{hour:02}:0{minute}:00 {line.format(n=number)}" for minute, line in enumerate(call)))
    assert here.cases() == []
    here.at("11:30")
    here.happens(*(f"11:0{minute}:00 {line.format(n=3)}" for minute, line in enumerate(call)))
    here.happens("11:20:00 call c4 queued queue=orders customer=k1")  # a fourth one is the same case
    (case,) = here.cases()
    assert (case.about.kind, case.about.contacts) == ("call_back", ("calls:c1", "calls:c2", "calls:c3"))
    assert "24小时内第 3 次联系" in here.told()[0]
    with pytest.raises(ValueError, match="what came of it"):
        here.does(lambda one, now: life.closed(one, "S", now, root_cause="r", plan="p"))
    here.does(lambda one, now: life.closed(one, "S", now, result="refunded"))
    here.at("12:00")
    here.happens("11:40:00 call c9 queued queue=orders customer=k2", "11:46:00 call c9 abandoned wait=360")
    assert [one.about.contact_id for one in here.cases(status="open")] == ["c9"]


def test_200_callers_who_give_up_at_once_are_200_cases_and_few_messages(desk: Make) -> None:
    def with_programs(raw: dict[str, Any]) -> None:
        raw["cases"]["to"] = ["floor", "managers", "tickets"]

    here = desk(with_programs, channels={"floor": "dingtalk", "managers": "wecom", "tickets": "webhook"})
    here.at("09:20")
    here.happens(
        *(
            f"09:1{minute}:00 call c{number} {what}"
            for number in range(200)
            for minute, what in ((0, f"queued queue=orders customer=k{number}"), (6, "abandoned wait=360"))
        )
    )
    here.notifier.works(600)
    assert len(here.cases(status="open")) == 200
    seen = {name: len(robot.seen) for name, robot in here.notifier.robots.items()}
    assert (seen["floor"], seen["managers"]) == (1, 1)
    assert seen["tickets"] == 200  # programs get every step
    assert "200 条跟进单消息，其中 200 件处理中" in here.told()[0]
    assert set(here.notifier.states().values()) == {"told"}
    assert [robot.mutes for robot in here.notifier.robots.values()] == [0, 0, 0]
    for case in here.cases():
        with here.notifier.database.write() as connection:
            store.keep(connection, life.closed(case, "S", here.notifier.now, result="called"))
    here.notifier.records._look_after()
    here.notifier.works(600)
    assert {name: len(robot.seen) - seen[name] for name, robot in here.notifier.robots.items()} == {
        "floor": 1, "managers": 1, "tickets": 200,
    }  # fmt: skip


def test_contacts_of_two_days_are_not_three_of_one(desk: Make) -> None:
    here = desk()
    for number, when in enumerate(("09:00:00", "20:00:00", "+1 09:00:01"), 1):
        here.at("+1 09:30")
        here.happens(
            f"{when} call c{number} queued queue=orders customer=k1", f"{when} call c{number} answered agent=A"
        )
    assert here.cases() == []


def test_an_incident_whose_rule_has_the_label_case_opens_one(desk: Make) -> None:
    here = desk()
    at = here.moment("09:00")
    here.notifier.hears(incident("i1", at=at, labels={"case": ["yes"], "team": ["T2"]}), incident("i2", at=at))
    here.notifier.hears(incident("i1", at=at, kinds=("opened", "grew"), labels={"case": ["yes"], "team": ["T2"]}))
    (case,) = here.cases()
    assert (case.about.key, case.about.team, case.owner) == ("incident|i1", "T2", None)


def test_nothing_is_opened_of_long_ago_nor_on_another_clock(desk: Make) -> None:
    here = desk()
    here.at("+9 09:00")
    here.happens(*RATED_ONE)
    assert here.cases() == []
    here.notifier.sends = False
    here.again()
    here.at("09:06")
    here.again()
    assert here.cases() == []


def test_on_time_shares_by_owner(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    (row,) = store.punctuality(here.cases(), here.notifier.now)
    assert (row.owner, row.open, row.share) == ("S", 1, None)
    (row,) = store.punctuality(here.cases(), here.notifier.now + 30 * 86_400_000)
    assert (row.late, row.share) == (1, 0.0)
    here.does(lambda case, now: life.closed(case, "S", now, root_cause="r", plan="p"))
    (row,) = store.punctuality(here.cases(), here.notifier.now + 30 * 86_400_000)
    assert (row.in_time, row.late, row.open, row.share) == (1, 0, 0, 1.0)


def test_files_for_spreadsheets_and_calendars(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    here.does(lambda case, now: life.closed(case, "S", now, root_cause="=1+1", plan="p"))
    cases = here.cases()
    sheet = openpyxl.load_workbook(BytesIO(workbook(cases, here.zone, "zh", Names(), here.notifier.now))).active
    head, row = ([cell.value for cell in line] for line in sheet.iter_rows())
    own = dict(zip(head, row, strict=True))
    assert (own["类型"], own["状态"], own["责任人"], own["是否按时"], own["根本原因"]) == (
        "差评",
        "已关闭",
        "S",
        "是",
        "'=1+1",
    )
    assert own["截止时间"] == datetime(2026, 3, 6, 9, 6)  # noqa: DTZ001 - cells have no zone
    read_back = icalendar.Calendar.from_ical(calendar(cases, here.zone, "zh", Names(), here.notifier.now))
    (todo,) = read_back.walk("VTODO")
    assert todo.decoded("due") == instant(cases[0].due)
    assert (str(todo["status"]), str(todo["uid"])) == ("COMPLETED", f"{cases[0].id}@deskpulse")


def _digests(raw: dict[str, Any]) -> None:
    raw["digests"] = {
        "morning": {"every": "day", "to": ["floor"]},
        "week": {"every": "week", "to": ["floor"], "at": "08:00"},
    }
    raw["cases"] = {"opens": ["repeat_complaint"]}


def _complaint(number: int, when: str, topic: str) -> str:
    return f"{when} ticket t{number} created kind=complaint customer=k{number} queue=orders topic={topic}"


def looks(here: Desk, *moments: str) -> list[str]:
    """What is told at these moments; each twice, and once more after a restart."""
    before = len(here.told())
    for moment in moments:
        here.at(moment)
        for _ in range(2):
            here.notifier.records._look_after()
        here.again()
    return here.told()[before:]


def test_before_business_begins_the_complaints_since_the_last_working_day_once(desk: Make) -> None:
    here = desk(_digests)
    here.at("12:00")
    here.happens(
        _complaint(1, "09:00:00", "refund"), _complaint(2, "10:00:00", "refund"), _complaint(3, "11:00:00", "delay")
    )
    assert looks(here, "+1 08:29") == []
    (told,) = looks(here, "+1 08:30", "+1 09:00", "+1 12:00")
    for part in (
        "每日简报 2026-03-03",
        "投诉 3 件（2026-03-02 至 2026-03-02）",
        "refund：2 件",
        "delay：1 件",
        "处理中的跟进单 0 件",
    ):
        assert part in told
    assert looks(here, "+3 08:31") == []  # 5 March is a day off
    here.at("+3 12:00")
    here.happens(_complaint(4, "+3 10:00:00", "noise"))
    (told,) = looks(here, "+4 08:31")  # Friday: of Wednesday and the day off
    assert "投诉 1 件（2026-03-04 至 2026-03-05）" in told
    assert looks(here, "+5 08:31", "+6 08:31") == []  # the weekend
    assert looks(here, "+4 21:00") == []


def test_once_a_week_on_its_first_working_day_against_the_week_before(desk: Make) -> None:
    here = desk(_digests)
    here.at("12:00")
    here.happens(_complaint(1, "09:00:00", "refund"))
    here.at("+7 12:00")
    here.happens(*(_complaint(number, "+7 10:00:00", "delay") for number in (2, 3)))
    told = [text for text in looks(here, "+14 08:00", "+14 09:00", "+15 08:00") if "每周简报" in text]
    (week,) = told
    for part in (
        "每周简报 2026-03-09 至 2026-03-15",
        "投诉共 2 件，上周 1 件",
        "delay：2 件，上周 0 件",
        "refund：0 件，上周 1 件",
    ):
        assert part in week


def test_digests_over_a_month_border_and_a_dst_day_come_at_the_wall_clocks_time(desk: Make) -> None:
    weekend = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "09:00-17:00")
    here = desk(_digests, day=date(2026, 3, 28), time_zone="Europe/Berlin", business_hours=weekend, holidays=[])
    assert looks(here, "+1 08:29") == []
    (told,) = looks(here, "+1 08:31")  # 29 March has 23 hours
    assert "2026-03-29" in told
    told = looks(here, "+4 08:31")
    assert "每日简报 2026-04-01" in told[0]
    assert "2026-03-31 至 2026-03-31" in told[0]


class _Someone:
    """Whoever a token lets in."""

    def __init__(self, role: str, person: str | None = None, team: str | None = None) -> None:
        self.role, self.person, self.team = role, person, team


def test_over_http_whoever_it_concerns_sees_and_closes_and_nobody_else(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    (case,) = here.cases()
    people = {
        "hr": _Someone("hr", "H"), "own": _Someone("supervisor", "S", "T1"), "other": _Someone("supervisor", "X", "T9"),
        "agent": _Someone("agent", "A"),
    }  # fmt: skip

    class Point:
        def load(self) -> Any:
            return lambda database, data_dir, token, now: people.get(token)

    monkeypatch.setattr(case_pages, "entry_points", lambda group: [Point()])
    pages = Pages(None, here.notifier.journal, lambda _: None, Names, here.notifier.clock)
    cases = case_pages.CaseDesk(here.notifier.settings, here.notifier.journal, Names, here.notifier.clock)
    served = create_app(pages, Health(), cases)

    async def asked(token: str, path: str, json: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=served), base_url="http://notifier") as http:
            header = {"Authorization": f"Bearer {token}"}
            return await http.request("GET" if json is None else "POST", f"/api/cases{path}", headers=header, json=json)

    def ask(token: str, path: str = "", json: Any = None) -> httpx.Response:
        return asyncio.run(asked(token, path, json))

    assert ask("nobody").status_code == 401
    assert [len(ask(who).json()["cases"]) for who in ("hr", "own", "other", "agent")] == [1, 1, 0, 0]
    assert ask("other", f"/{case.id}").status_code == 404
    assert ask("agent", f"/{case.id}/close", {"root_cause": "r", "plan": "p"}).status_code == 404
    assert ask("own", f"/{case.id}/close", {"root_cause": "r"}).status_code == 409
    assert ask("own", f"/{case.id}/notes", {"text": "called"}).json()["steps"][-1]["by"] == "S"
    assert ask("hr", f"/{case.id}/assign", {"owner": "A"}).json()["owner"] == "A"
    closed = ask("agent", f"/{case.id}/close", {"root_cause": "r", "plan": "p"}).json()
    assert (closed["status"], closed["in_time"]) == ("closed", True)
    assert "customer_id" not in closed["about"]
    assert ask("hr", "/on-time").json()["owners"] == [{"owner": "A", "in_time": 1, "late": 0, "open": 0, "share": 1.0}]
    assert ask("hr", "/export.xlsx").content[:2] == b"PK"
    assert b"BEGIN:VTODO" in ask("hr", "/export.ics").content


def test_by_command(desk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*RATED_ONE)
    (case,) = here.cases()
    monkeypatch.setattr(Deployment, "now", lambda _: instant(here.notifier.now))
    runner, folder = CliRunner(), here.notifier.folder
    environment = {
        "DESKPULSE_DATA_DIR": str(folder),
        "DESKPULSE_POLICY_FILE": str(folder / "policy.yaml"),
        "COLUMNS": "200",
    }

    def run(*words: str, code: int = 0) -> str:
        done = runner.invoke(app, ["case", *words], env=environment)
        assert done.exit_code == code, done.output
        return done.output

    assert case.id in run("list")
    assert "cannot be closed without" in run("close", case.id, "--by", "S", "--root-cause", "r", code=1)
    run("assign", case.id[-4:], "B", "--by", "S")
    run("note", case.id, "called", "--by", "B")
    run("close", case.id, "--by", "B", "--root-cause", "r", "--plan", "p")
    shown = msgspec.json.decode(run("show", case.id))
    assert [step["kind"] for step in shown["steps"]] == ["opened", "assigned", "noted", "closed"]
    assert case.id not in run("list")
    assert msgspec.json.decode(run("on-time", "--json"))[0]["share"] == 1.0
    for name, beginning in (("cases.xlsx", b"PK"), ("cases.ics", b"BEGIN:VCALENDAR")):
        run("export", str(folder / name))
        assert (folder / name).read_bytes().startswith(beginning)
    run("export", str(folder / "cases.doc"), code=2)
    run("list", "--status", "shut", code=2)
    assert "there is no case" in run("show", "nope", code=1)
