"""At the end of a month: runs prepare themselves, whoever owes an input is asked for it and reminded, and HR is told where it did not run.

Exactly once a reader and round, over restarts, in the operation's calendar: what is told is kept with the fact that it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from threading import Event
from typing import Any, NamedTuple

from sqlalchemy import Connection

from streams.contracts.closing import Giver, Owed, Share, Standing
from streams.database import StoreError
from streams.languages.text import Text
from streams.notifier.closing import Closed, CloseError
from streams.notifier.config import Config, MonthEnd
from streams.notifier.journal import Journal
from streams.notifier.journal_rows import Planned
from streams.notifier.message import Attachment
from streams.notifier.notices import ASKED, DIGEST, Notice
from streams.notifier.routing import Destination
from streams.notifier.working_days import WorkingDays
from streams.people.duty import DutyBook
from streams.settings import Settings
from streams.windows.clock import Days, instant

_LOG = logging.getLogger(__name__)
#: So often it is looked whether something is due, and after so long a close that failed is tried again.
_LOOK_SECONDS, _AGAIN_MS = 15.0, 600_000
#: Name of the route in the journal.
_ROUTE = "month_end"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_TITLE = Text(
    "{month} 月末考核：已准备 {runs} 份，缺 {missing} 项录入",
    "Month's end {month}: {runs} runs prepared, {missing} inputs missing",
)
_REMINDER = Text(
    "{month} 月末考核提醒：仍缺 {missing} 项录入", "Month's end {month}, reminder: {missing} inputs are still missing"
)
_FAILED = Text("{month} 月末考核未能准备", "Month's end {month}: it could not be prepared")
_WHY = Text("原因：{why}", "Why: {why}")
_AGAIN = Text(
    "每 10 分钟重试一次。也可手动执行：deskpulse score close --period {month}",
    "It is tried again every 10 minutes. By hand: deskpulse score close --period {month}",
)
_RUN = Text(
    "{name} {period}：{people} 人，缺 {missing} 项", "{name} {period}: {people} people, {missing} inputs missing"
)
_BY_HAND = Text("{name} {period}：{state}，由专人处理", "{name} {period}: {state}, in somebody's hands")
_TROUBLE = Text("{name} {period}：未能准备：{why}", "{name} {period}: it could not be prepared: {why}")
_OWES = Text("待录入 · {who}：{values} 项", "To be given by {who}: {values} inputs")
_UNREACHED = Text(
    "待录入 · {who}：{values} 项（无邮箱，请转交）",
    "To be given by {who}: {values} inputs (no e-mail address: pass it on)",
)
_NEXT = Text(
    "录入模板：deskpulse score template；缺项：deskpulse score missing；填好后：deskpulse score import",
    "Sheets: deskpulse score template; what is missing: deskpulse score missing; filled in: deskpulse score import",
)
_ASK = Text("请提供 {month} 考核录入：{values} 项", "Inputs for the scores of {month}: {values} are asked of you")
_ASK_AGAIN = Text(
    "提醒：请提供 {month} 考核录入：{values} 项",
    "Reminder: inputs for the scores of {month}: {values} are asked of you",
)
_FILL = Text(
    "请填写附件中的“数值”一列，然后交给人力资源。", "Fill in the column value of the sheets, and send them to HR."
)
_SHARE = Text("{name} {period}：{people} 人，{values} 项", "{name} {period}: {people} people, {values} inputs")
_STATES = {
    "prepared": Text("已准备", "prepared"),
    "approved": Text("已审批", "approved"),
    "published": Text("已发布", "published"),
}


class Round(NamedTuple):
    """The close (0), or a reminder after it: of which month, and when it is told (ms)."""

    month: str
    number: int
    at: int

    @property
    def id(self) -> str:
        """Its name in the journal."""
        return f"{DIGEST}{_ROUTE}|{self.month}|{self.number}"


class MonthEnds:
    """Closes months. ``close``: month → what came of it, raises CloseError; ``planned``: something is to be told."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        rules: MonthEnd,
        journal: Journal,
        duties: Callable[[], DutyBook],
        close: Callable[[str], Closed],
        planned: Callable[[], None],
        clock: Callable[[], int],
    ) -> None:
        self._config, self._rules, self._journal, self._duties = config, rules, journal, duties
        self._close, self._planned, self._clock = close, planned, clock
        self._calendar = WorkingDays(settings.policy, duties)
        self._days = Days(settings.policy.zone, settings.policy.day_starts_ms)
        #: The newest round that is known to be done; the next try of one that failed, ms.
        self._done: Round | None = None
        self._again = 0

    def run(self, stop: Event) -> None:
        """Look until ``stop`` is set."""
        while not stop.is_set():
            try:
                if self.tick(self._clock()):
                    self._planned()
            except StoreError as error:
                _LOG.warning("the month's end: %s; trying again", error)
            except Exception:  # a defect must not end it for good
                _LOG.exception("the month's end")
            stop.wait(_LOOK_SECONDS)

    def tick(self, now: int) -> int:
        """Do what is due by now; returns how many deliveries are planned. Raises StoreError."""
        due = self.due(now)
        if due is None or due == self._done or now < self._again or self._is_told(due.id):
            return 0
        try:
            found = self._close(due.month)
        except CloseError as error:
            _LOG.error("%s could not be closed: %s", due.month, error)
            self._again = now + _AGAIN_MS
            notice = self._failure(due, str(error))
            return self._journal.advance({}, lambda connection: self._tell_once(connection, notice), now)
        planned = self._journal.advance({}, lambda connection: self._plan(connection, due, found), now)
        if any(one.trouble for one in found.runs):
            self._again = now + _AGAIN_MS
        else:
            self._done = due
        return planned

    def due(self, now: int) -> Round | None:
        """The newest round whose time has come; None: the month before has none yet, or none any more."""
        at = instant(now)
        today = at.astimezone(self._calendar.zone).date()
        first = today.replace(day=1)
        told = [moment for day in self._working_days(first, today) if (moment := self._moment(first, day)) <= now]
        if not told or len(told) > self._rules.days:
            return None
        number = (len(told) - 1) // self._rules.remind_days
        return Round(f"{first - timedelta(days=1):%Y-%m}", number, told[number * self._rules.remind_days])

    def _working_days(self, first: date, last: date) -> Iterator[date]:
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return (day for day in days if self._calendar.works(day))

    def _moment(self, first: date, day: date) -> int:
        """When a round of that day is told: not before the last day of the month is over, which may be after midnight. ms."""
        return max(
            round(self._calendar.moment(self._rules.at, day).timestamp() * 1000), self._days.begin(first.toordinal())
        )

    def _is_told(self, id: str) -> bool:
        database = self._journal.database
        if not database.begun:
            return False
        with database.read() as connection:
            return self._journal.told_before(connection, id)

    # -- Who is told what

    def _plan(self, connection: Connection, due: Round, found: Closed) -> Sequence[Planned]:
        """Everybody's messages; what could not be prepared leaves the round open, and is told HR once."""
        planned: list[Planned] = []
        if any(one.trouble for one in found.runs):
            return self._tell_once(connection, self._summary(due, found, f"{due.id}|failed", (), again=False))
        if self._journal.told_before(connection, due.id):
            return ()
        rounds = (due._replace(number=number).id for number in range(due.number))
        again = any(self._journal.told_before(connection, id) for id in rounds)
        people = self._duties().people
        written = [one for one in found.owed if self._rules.owners and _has_mail(one.giver, people)]
        others = [one for one in found.owed if one not in written]
        for person, own in _by_person(written).items():
            planned += self._tell(connection, self._asked(due, found, person, own, again), self._rules.owners, person)
        summary = self._summary(due, found, due.id, others, again)
        if again and not found.owed:
            self._journal.add_notice(connection, summary)  # all is there: nobody is told again
            return planned
        return [*planned, *self._tell(connection, summary, self._rules.to)]

    def _tell_once(self, connection: Connection, notice: Notice) -> Sequence[Planned]:
        if self._journal.told_before(connection, notice.id):
            return ()
        return self._tell(connection, notice, self._rules.to)

    def _tell(
        self, connection: Connection, notice: Notice, channels: Sequence[str], person: str | None = None
    ) -> Sequence[Planned]:
        self._journal.add_notice(connection, notice)
        language = self._rules.language or self._config.language
        called = () if person is None else (person,)
        to = [Destination(channel, _ROUTE, language, called) for channel in dict.fromkeys(channels)]
        return (Planned(notice.id, 1, _ROUTE, notice.at, False, to),)

    # -- What it says

    def _failure(self, due: Round, why: str) -> Notice:
        lines = [_WHY.format(why=why), _AGAIN.format(month=due.month)]
        data = {"type": "month_end.failed", "month": due.month, "why": why}
        return _notice(f"{due.id}|failed", due, _FAILED.format(month=due.month), lines, data, failed=True)

    def _summary(self, due: Round, found: Closed, id: str, to_pass_on: Sequence[Owed], again: bool) -> Notice:
        failed = any(one.trouble for one in found.runs)
        missing = sum(one.missing for one in found.runs)
        title = _FAILED if failed else _REMINDER if again else _TITLE
        runs = sum(one.prepared for one in found.runs)
        lines = [
            *([_AGAIN.format(month=due.month)] if failed else [_NEXT] if missing else []),
            *map(_standing, found.runs),
            *(self._owes(one, one in to_pass_on) for one in found.owed),
        ]
        data = {
            "type": "month_end.failed" if failed else "month_end.reminder" if again else "month_end.closed",
            "month": due.month,
            "runs": [_plain(one) for one in found.runs],
            "owed": [
                {"whom": one.giver.whom.en, "person": one.giver.person, "values": _values(one)} for one in found.owed
            ],
        }
        said = title.format(month=due.month, runs=runs, missing=missing)
        return _notice(id, due, said, lines, data, _files(found, to_pass_on), failed=failed)

    def _owes(self, owed: Owed, is_passed_on: bool) -> Text:
        whom, person = owed.giver.whom, owed.giver.person
        who = Text(f"{whom.zh} {person}", f"{person} ({whom.en})") if person else whom.text
        told = _UNREACHED if is_passed_on and person and self._rules.owners else _OWES
        return told.format(who=who, values=_values(owed))

    def _asked(self, due: Round, found: Closed, person: str, own: Sequence[Owed], again: bool) -> Notice:
        values = sum(map(_values, own))
        title = (_ASK_AGAIN if again else _ASK).format(month=due.month, values=values)
        lines = [_FILL, *(_share(share) for one in own for share in one.shares)]
        data = {"type": "month_end.asked", "month": due.month, "person": person, "values": values}
        return _notice(f"{ASKED}{due.month}|{due.number}|{person}", due, title, lines, data, _files(found, own))


def _has_mail(giver: Giver, people: Mapping[str, Any]) -> bool:
    known = people.get(giver.person or "")
    return known is not None and bool(known.email)


def _by_person(owed: Sequence[Owed]) -> dict[str, list[Owed]]:
    """What they owe as a superior and of themselves is one message."""
    found: dict[str, list[Owed]] = {}
    for one in owed:
        found.setdefault(one.giver.person or "", []).append(one)
    return found


def _values(owed: Owed) -> int:
    return sum(share.values for share in owed.shares)


def _files(found: Closed, owed: Sequence[Owed]) -> tuple[Attachment, ...]:
    shares = [share for one in owed for share in one.shares if share.file in found.sheets]
    return tuple(
        Attachment(share.file.rpartition("/")[2], _XLSX, found.sheets[share.file]) for share in shares if share.file
    )


def _standing(run: Standing) -> Text:
    name = run.name.text
    if run.trouble:
        return _TROUBLE.format(name=name, period=run.period, why=run.trouble)
    if not run.prepared:
        state = _STATES.get(run.state or "", Text(run.state or "", run.state or ""))
        return _BY_HAND.format(name=name, period=run.period, state=state)
    return _RUN.format(name=name, period=run.period, people=run.people, missing=run.missing)


def _share(share: Share) -> Text:
    name = share.name.text
    return _SHARE.format(name=name, period=share.period, people=share.people, values=share.values)


def _plain(run: Standing) -> dict[str, object]:
    return {
        "card": run.card, "period": run.period, "state": run.state, "people": run.people, "missing": run.missing,
        "trouble": run.trouble,
    }  # fmt: skip


def _notice(
    id: str,
    due: Round,
    title: Text,
    lines: Sequence[Text],
    data: Mapping[str, object],
    files: tuple[Attachment, ...] = (),
    *,
    failed: bool = False,
) -> Notice:
    return Notice(
        id=id, at=due.at, title=dict(title), lines=tuple(map(dict, lines)), data=dict(data), files=files,
        severity="critical" if failed else "info",
    )  # fmt: skip
