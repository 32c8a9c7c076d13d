"""What is told once a day or a week, in the operation's calendar: exactly once a digest and period, over every restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from streams.cases import store
from streams.cases.case import Case
from streams.cases.words import title
from streams.contracts.outputs import Incident
from streams.languages.text import Text
from streams.notifier.config import Config, DigestMessage
from streams.notifier.journal import Journal
from streams.notifier.journal_rows import Planned
from streams.notifier.notices import DIGEST, Notice
from streams.notifier.routing import Destination
from streams.notifier.tables import incidents
from streams.notifier.working_days import WorkingDays
from streams.people.duty import DutyBook
from streams.settings import Settings
from streams.windows.clock import Days, instant

#: A digest that is later than this is of no use any more. The next one goes on from its day.
_LATEST = timedelta(hours=12)
#: Back to the last working day so many days are looked at.
_LONGEST_BREAK = 14
_INCIDENT = msgspec.json.Decoder(Incident)

_DAILY = Text("每日简报 {day}", "Daily digest, {day}")
_WEEKLY = Text("每周简报 {first} 至 {last}", "Weekly digest, {first} to {last}")
_STATE = Text(
    "处理中的跟进单 {open} 件，其中超时 {overdue} 件；未恢复的告警事件 {incidents} 项",
    "{open} cases are open, {overdue} of them overdue; {incidents} incidents stand",
)
_COMPLAINTS = Text("投诉 {count} 件（{first} 至 {last}）", "{count} complaints ({first} to {last})")
_BY_TOPIC = Text("投诉 · {topic}：{count} 件", "Complaints about {topic}: {count}")
_AGAINST = Text(
    "投诉 · {topic}：{count} 件，上周 {before} 件", "Complaints about {topic}: {count}, {before} the week before"
)
_ALL_AGAINST = Text("投诉共 {count} 件，上周 {before} 件", "{count} complaints, {before} the week before")
_NO_TOPIC = Text("未注明业务类型", "no topic")
_CASE = Text("跟进单 · {title}，责任人 {owner}，截止 {due}", "Case: {title}, owner {owner}, due {due}")
_INCIDENT_LINE = Text("告警事件 · {name}，{since} 起", "Incident: {name}, since {since}")
_NOBODY = Text("无", "nobody")
_PUNCTUAL = Text(
    "本周到期的跟进单：按时关闭 {in_time} 件，逾期 {late} 件",
    "Cases due this week: {in_time} closed in time, {late} not",
)


class Due(NamedTuple):
    """A digest's period: its name, when it is told (ms), its day."""

    period: str
    at: int
    day: date


class Digests:
    """Tells digests when they are due. ``sends``: False where nothing is to be told."""

    def __init__(
        self, settings: Settings, config: Config, journal: Journal, duties: Callable[[], DutyBook], sends: bool = True
    ) -> None:  # fmt: skip
        self._config, self._journal = config, journal
        self._sends = sends
        self._calendar = WorkingDays(settings.policy, duties)
        self._zone = settings.policy.zone
        self._days = Days(self._zone, settings.policy.day_starts_ms)
        #: Digest → the newest period that is known to be told: the database need not be asked again.
        self._told: dict[str, str] = {}

    def tick(self, now: int) -> int:
        """Tell what is due by now; returns how many deliveries are planned. Raises StoreError."""
        if not self._sends:
            return 0
        planned = 0
        for name, digest in self._config.digests.items():
            due = self.due(digest, now)
            if due is None or self._told.get(name) == due.period:
                continue
            planned += self._journal.advance({}, partial(self._plan, name, digest, due, now), now)
            self._told[name] = due.period
        return planned

    def _plan(self, name: str, digest: DigestMessage, due: Due, now: int, connection: Connection) -> Sequence[Planned]:
        id = f"{DIGEST}{name}|{due.period}"
        if self._journal.told_before(connection, id):
            return ()
        write = self._daily if digest.every == "day" else self._weekly
        notice = write(connection, id, due, now)
        self._journal.add_notice(connection, notice)
        language = digest.language or self._config.language
        to = [Destination(channel, name, language) for channel in dict.fromkeys(digest.to)]
        return (Planned(id, 1, f"digest_{digest.every}", due.at, False, to),)

    # -- When

    def due(self, digest: DigestMessage, now: int) -> Due | None:
        """The period whose digest is to be told by now, if it has not been; None: none is."""
        today = instant(now).astimezone(self._zone).date()
        if not self._is_day_of(digest, today):
            return None
        at = self._calendar.moment(digest.at, today)
        if not at <= instant(now) < at + _LATEST:
            return None
        period = f"{today:%G-W%V}" if digest.every == "week" else today.isoformat()
        return Due(period, round(at.timestamp() * 1000), today)

    def _is_day_of(self, digest: DigestMessage, day: date) -> bool:
        """Is something told on this day? Of a day off nothing; of a week on its first working day."""
        if not self._calendar.works(day):
            return False
        if digest.every == "day":
            return True
        monday = day - timedelta(days=day.weekday())
        return not any(self._calendar.works(monday + timedelta(days=number)) for number in range(day.weekday()))

    # -- What

    def _daily(self, connection: Connection, id: str, due: Due, now: int) -> Notice:
        first, last = self._last_working_day(due.day), due.day - timedelta(days=1)
        topics = store.complaints_by_topic(connection, first.toordinal(), last.toordinal())
        open_ones = store.listed(connection, status="open")
        standing = self._standing(connection)
        lines = [
            self._state(open_ones, standing, now),
            _COMPLAINTS.format(count=sum(topics.values()), first=first, last=last),
            *(_BY_TOPIC.format(topic=topic or _NO_TOPIC, count=count) for topic, count in topics.items()),
            *map(self._case_line, open_ones),
            *map(self._incident_line, standing),
        ]
        data = {
            "type": "digest.day",
            "first": f"{first}",
            "last": f"{last}",
            "complaints": topics,
            "cases": [one.id for one in open_ones],
            "incidents": [one.id for one in standing],
        }
        return _notice(id, due, _DAILY.format(day=due.day), lines, data)

    def _weekly(self, connection: Connection, id: str, due: Due, now: int) -> Notice:
        last = due.day - timedelta(days=due.day.weekday() + 1)
        first = last - timedelta(days=6)
        week = timedelta(days=7)
        topics = store.complaints_by_topic(connection, first.toordinal(), last.toordinal())
        before = store.complaints_by_topic(connection, (first - week).toordinal(), (last - week).toordinal())
        begin, end = (self._days.begin(day.toordinal()) for day in (first, last + timedelta(days=1)))
        asked = [case for case in store.listed(connection) if begin <= case.due < end]
        decided = [case.in_time(now) for case in asked]
        names = sorted(
            topics.keys() | before.keys(), key=lambda one: (-abs(topics.get(one, 0) - before.get(one, 0)), one)
        )
        lines = [
            _ALL_AGAINST.format(count=sum(topics.values()), before=sum(before.values())),
            _PUNCTUAL.format(in_time=decided.count(True), late=decided.count(False)),
            self._state(store.listed(connection, status="open"), self._standing(connection), now),
            *(_AGAINST.format(topic=name or _NO_TOPIC, count=topics.get(name, 0), before=before.get(name, 0)) for name in names),
        ]  # fmt: skip
        data = {
            "type": "digest.week",
            "first": f"{first}",
            "last": f"{last}",
            "complaints": topics,
            "complaints_before": before,
        }
        return _notice(id, due, _WEEKLY.format(first=first, last=last), lines, data)

    def _last_working_day(self, day: date) -> date:
        """The first day of which nothing has been told yet."""
        for back in range(1, _LONGEST_BREAK + 1):
            if self._calendar.works(found := day - timedelta(days=back)):
                return found
        return day - timedelta(days=1)

    def _standing(self, connection: Connection) -> list[Incident]:
        found = connection.scalars(select(incidents.c.body).where(incidents.c.stands).order_by(incidents.c.id))
        return [_INCIDENT.decode(body) for body in found]

    def _state(self, cases: Sequence[Case], standing: Sequence[Incident], now: int) -> Text:
        overdue = sum(now > case.due for case in cases)
        return _STATE.format(open=len(cases), overdue=overdue, incidents=len(standing))

    def _case_line(self, case: Case) -> Text:
        due = instant(case.due).astimezone(self._zone)
        return _CASE.format(title=title(case), owner=case.owner or _NOBODY, due=f"{due:%m-%d %H:%M}")

    def _incident_line(self, incident: Incident) -> Text:
        name = Text(incident.name_zh or incident.rule, incident.name_en or incident.rule)
        return _INCIDENT_LINE.format(name=name, since=f"{incident.opened.astimezone(self._zone):%m-%d %H:%M}")


def _notice(id: str, due: Due, head: Text, lines: Iterable[Text], data: Mapping[str, object]) -> Notice:
    return Notice(id=id, at=due.at, title=dict(head), lines=tuple(map(dict, lines)), data=dict(data))
