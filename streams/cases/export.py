"""Cases as files for people: a workbook, and a calendar with when they are due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import xlsxwriter
from icalendar import Alarm, Calendar, Todo

from streams.cases.case import Case
from streams.cases.words import KINDS, STATUSES, title
from streams.csv_cells import harmless
from streams.languages import Language
from streams.languages.text import Text
from streams.people.names import Names
from streams.windows.clock import instant

_COLUMNS = (
    (Text("编号", "Case"), 14), (Text("类型", "Kind"), 16), (Text("状态", "Status"), 10), (Text("责任人", "Owner"), 16),
    (Text("创建时间", "Opened"), 17), (Text("截止时间", "Due"), 17), (Text("关闭时间", "Closed"), 17), (Text("是否按时", "In time"), 10),
    (Text("渠道", "Channel"), 10), (Text("联络编号", "Contact"), 20), (Text("坐席", "Agent"), 14), (Text("班组", "Team"), 12),
    (Text("队列", "Queue"), 12), (Text("业务类型", "Topic"), 14), (Text("评分", "Score"), 8), (Text("根本原因", "Root cause"), 40),
    (Text("改进计划", "Improvement plan"), 40), (Text("处理结果", "Result"), 30),
)  # fmt: skip
_SHEET = Text("跟进单", "Cases")
_YES, _NO = Text("是", "yes"), Text("否", "no")


def workbook(cases: Sequence[Case], zone: ZoneInfo, language: Language, names: Names, now: int) -> bytes:
    """The cases as XLSX, a row each, times of the operation."""
    file = BytesIO()
    book = xlsxwriter.Workbook(
        file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd hh:mm"}
    )  # fmt: skip
    book.set_properties({"created": instant(now).replace(tzinfo=None)})
    sheet = book.add_worksheet("Cases" if language != "zh" else _SHEET[language])
    bold = book.add_format({"bold": True})
    for column, (head, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, head[language], bold)
    for row, case in enumerate(cases, 1):
        for column, value in enumerate(_cells(case, zone, language, names, now)):
            sheet.write(row, column, harmless(value) if isinstance(value, str) else value)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(1, len(cases)), len(_COLUMNS) - 1)
    book.close()
    return file.getvalue()


def _cells(case: Case, zone: ZoneInfo, language: Language, names: Names, now: int) -> Sequence[object]:
    def at(moment: int | None) -> object:
        return None if moment is None else instant(moment).astimezone(zone).replace(tzinfo=None, microsecond=0)

    about, decided = case.about, case.in_time(now)
    return (
        case.id, KINDS[about.kind][language], STATUSES[case.status][language], _name(case.owner, names, language),
        at(case.opened), at(case.due), at(case.closed), None if decided is None else (_YES if decided else _NO)[language],
        about.channel, about.contact_id, _name(about.agent, names, language), about.team, about.queue, about.topic, about.score,
        case.root_cause, case.plan, case.result,
    )  # fmt: skip


def _name(id: str | None, names: Names, language: Language) -> str | None:
    return None if id is None else names.shown(id, language)


def calendar(cases: Sequence[Case], zone: ZoneInfo, language: Language, names: Names, now: int) -> bytes:
    """When cases are due, as iCalendar (RFC 5545): a to-do each, with an alarm an hour before. Read again, each stays the one it was."""
    made = Calendar()
    made.add("prodid", "-//Deskpulse//Cases//EN")
    made.add("version", "2.0")
    for case in cases:
        entry = Todo()
        entry.add("uid", f"{case.id}@deskpulse")
        entry.add("dtstamp", instant(now))
        entry.add("created", instant(case.opened))
        entry.add("last-modified", instant(case.steps[-1].at))
        entry.add("sequence", case.number)
        entry.add("summary", title(case)[language])
        entry.add("due", instant(case.due).astimezone(zone))
        if case.owner is not None:
            entry.add("description", names.shown(case.owner, language))
        if case.closed is not None:
            entry.add("completed", instant(case.closed))
        entry.add("status", {"open": "NEEDS-ACTION", "closed": "COMPLETED", "withdrawn": "CANCELLED"}[case.status])
        if case.status == "open":
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", title(case)[language])
            alarm.add("trigger", timedelta(hours=-1))
            alarm.TRIGGER_RELATED = "END"
            entry.add_component(alarm)
        made.add_component(entry)
    made.add_missing_timezones()
    text: bytes = made.to_ical()
    return text
