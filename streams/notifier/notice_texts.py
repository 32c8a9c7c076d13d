"""What a message about cases or a digest says, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streams.cases.case import Case, Step
from streams.cases.store import as_row
from streams.cases.words import STEPS, title
from streams.languages import Language
from streams.languages.text import Text
from streams.notifier.gathering import Gathered
from streams.notifier.journal_rows import Body
from streams.notifier.message import Link, Message, Recipient, Severity
from streams.notifier.notices import Notice
from streams.people.names import Names
from streams.people.person import Person
from streams.windows.clock import instant

_TITLE = Text("【跟进单】{title}（{step}）", "[Case] {title} ({step})")
_DIGEST = Text("{count} 条跟进单消息，其中 {open} 件处理中", "{count} messages about cases, {open} of them open")
_WHOSE, _NOBODY = (
    Text("责任人：{who}", "Owner: {who}"),
    Text("责任人：未找到，请指派", "Owner: nobody was found; assign one"),
)
_DUE = Text("截止时间：{at}", "Due: {at}")
_RATED = Text("评分：{score}（量表 {scale}）", "Rating: {score} (scale {scale})")
_AGENT = Text("坐席：{agent}", "Agent: {agent}")
_TOPIC = Text("业务类型：{topic}", "Topic: {topic}")
_CONTACTS = Text("相关联络：{contacts}", "Contacts: {contacts}")
_BY = Text("{by}：{text}", "{by}: {text}")
_CAUSE, _PLAN, _RESULT = (
    Text("根本原因：{text}", "Root cause: {text}"),
    Text("改进计划：{text}", "Improvement plan: {text}"),
    Text("处理结果：{text}", "Result: {text}"),
)
_TO_DO = Text(
    "请填写根本原因和改进计划后关闭：deskpulse case close {id}",
    "Tell the root cause and the improvement plan: deskpulse case close {id}",
)
_CALL = Text(
    "请回访客户并填写结果：deskpulse case close {id}",
    "Call the customer back and say what came of it: deskpulse case close {id}",
)
_WITHDRAWN = Text(
    "评分已更正或情况已撤销，无需再处理。", "What it was about was corrected or taken back: nothing is left to do."
)
_OVERDUE = Text("已超过截止时间，通知上级：{who}", "It is overdue; their superior is told: {who}")
_MORE, _PAGE = Text("……另有 {} 条", "… and {} more"), Text("打开大屏", "Wallboard")
_MOST_CONTACTS = 20


class NoticeWriter:
    """Writes messages. ``page``: the wallboard; ``with_names``: agents are called by name."""

    def __init__(
        self, zone: Any, language: Language, page: str | None, people: Mapping[str, Person], names: Names, *, with_names: bool
    ) -> None:  # fmt: skip
        self._zone, self._language, self._page = zone, language, page
        self._people, self._names, self._with_names = people, names, with_names

    def compose(self, found: Gathered, subjects: Mapping[str, Any], now: int) -> Body:
        """The message about what was gathered."""
        newest = max(one.step_at for one in found.steps)
        told = [(subjects[one.incident], one.step) for one in found.steps if one.incident in subjects]
        called = tuple(dict.fromkeys(who for one in found.steps for who in one.called))
        by_subject = dict.fromkeys(one.incident for one in found.steps if one.incident in subjects)
        if len(by_subject) == 1:
            subject = told[0][0]
            if isinstance(subject, Notice):
                return Body(self._notice(subject, called), dict(subject.data), newest)
            steps = [step for step in subject.steps if step.number in {number for _, number in told}]
            return Body(self._case(subject, steps, called), _case_data(subject, steps, now), newest)
        return Body(self._several(told, called), _several_data(told, newest, now), newest)

    def _case(self, case: Case, steps: Sequence[Step], called: Sequence[str]) -> Message:
        newest = steps[-1] if steps else case.steps[-1]
        return Message(
            language=self._language,
            severity=_severity(case, newest),
            title=self._title(case, newest),
            lines=tuple(line[self._language] for line in self._lines(case, steps, newest)),
            links=self._links(),
            people=tuple(map(self._recipient, called)),
        )

    def _lines(self, case: Case, steps: Sequence[Step], newest: Step) -> list[Text]:
        about = case.about
        lines: list[Text] = []
        if about.said_zh or about.said_en:
            lines.append(Text(about.said_zh or about.said_en, about.said_en or about.said_zh))
        if about.score is not None:
            lines.append(_RATED.format(score=f"{about.score:g}", scale=about.scale or ""))
        if about.agent is not None:
            lines.append(_AGENT.format(agent=self._person(about.agent)))
        if about.topic is not None:
            lines.append(_TOPIC.format(topic=about.topic))
        if about.contacts:
            lines.append(_CONTACTS.format(contacts=", ".join(about.contacts[-_MOST_CONTACTS:])))
        if newest.kind == "withdrawn":
            return [*lines, _WITHDRAWN]
        lines.append(_WHOSE.format(who=self._person(case.owner)) if case.owner else _NOBODY)
        if case.status == "closed":
            given = ((_CAUSE, case.root_cause), (_PLAN, case.plan), (_RESULT, case.result))
            return [*lines, *(template.format(text=text) for template, text in given if text)]
        lines.append(_DUE.format(at=self._at(case.due)))
        lines += [
            _OVERDUE.format(who=self._person(one.to))
            for one in steps
            if one.kind in ("overdue", "escalated") and one.to
        ]
        lines += [_BY.format(by=self._person(one.by), text=one.text) for one in steps if one.by and one.text]
        return [*lines, (_CALL if about.kind == "call_back" else _TO_DO).format(id=case.id)]

    def _several(self, told: Sequence[tuple[Any, int]], called: Sequence[str]) -> Message:
        roster = []
        for subject, number in told:
            if isinstance(subject, Notice):
                roster.append(subject.title[self._language])
            else:
                step = next((one for one in subject.steps if one.number == number), subject.steps[-1])
                roster.append(self._title(subject, step))
        unfinished = sum(
            subject.status == "open" for subject in {id(one): one for one, _ in told if isinstance(one, Case)}.values()
        )
        return Message(
            language=self._language,
            severity="warning" if unfinished else "info",
            title=_DIGEST.format(count=len(roster), open=unfinished)[self._language],
            roster=tuple(roster),
            more=_MORE[self._language],
            links=self._links(),
            people=tuple(map(self._recipient, called)),
        )

    def _notice(self, notice: Notice, called: Sequence[str]) -> Message:
        lines = tuple(line[self._language] for line in notice.lines)
        return Message(
            language=self._language, severity=notice.severity, title=notice.title[self._language], lines=lines[:3], roster=lines[3:],
            more=_MORE[self._language], links=self._links(), people=tuple(map(self._recipient, called)), files=notice.files,
        )  # fmt: skip

    def _title(self, case: Case, step: Step) -> str:
        return _TITLE.format(title=title(case), step=STEPS[step.kind])[self._language]

    def _person(self, id: str | None) -> str:
        if id is None:
            return ""
        return self._names.shown(id, self._language) if self._with_names else id

    def _recipient(self, id: str) -> Recipient:
        known = self._people.get(id)
        return Recipient(id) if known is None else Recipient(self._person(id), known.chat_id, known.email)

    def _links(self) -> tuple[Link, ...]:
        return (Link(_PAGE[self._language], self._page),) if self._page else ()

    def _at(self, moment: int) -> str:
        return f"{instant(moment).astimezone(self._zone):%Y-%m-%d %H:%M}"


def _severity(case: Case, step: Step) -> Severity:
    if case.status != "open":
        return "resolved"
    return "critical" if step.kind in ("overdue", "escalated") else "warning"


def _case_data(case: Case, steps: Sequence[Step], now: int) -> dict[str, Any]:
    """For programs: the case without the steps that are not told now."""
    row = dict(as_row(case, now))
    numbers = {step.number for step in steps}
    row["steps"] = [step for step in row["steps"] if step["number"] in numbers]
    return {"type": "case.step", "timestamp": instant(steps[-1].at if steps else now).isoformat(), "case": row}


def _several_data(told: Sequence[tuple[Any, int]], newest: int, now: int) -> dict[str, Any]:
    rows = [
        {"id": subject.id, "step": number, **({"status": subject.status} if isinstance(subject, Case) else {})}
        for subject, number in told
    ]
    return {"type": "case.digest", "timestamp": instant(newest).isoformat(), "cases": rows}
