"""What a message says, in Chinese and English: what happened with figure and n, how it goes on, what to do, where to look, who cares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from streams.contracts.outputs import Incident, IncidentMember, IncidentStep, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.labels import ENTITIES, NONE, said
from streams.languages import Language
from streams.languages.text import Text
from streams.notifier.channels import alertmanager
from streams.notifier.gathering import Gathered, Waiting
from streams.notifier.journal_rows import Body
from streams.notifier.message import Link, Message, Recipient, Severity
from streams.people.names import Names
from streams.people.person import Person
from streams.people.units import UnitNames
from streams.windows.clock import instant

SEVERITIES: Mapping[str, Text] = {
    "critical": Text("严重", "Critical"),
    "warning": Text("警告", "Warning"),
    "info": Text("提示", "Info"),
}
STATUSES: Mapping[str, Text] = {
    "firing": Text("告警中", "firing"),
    "acknowledged": Text("已认领", "acknowledged"),
    "escalated": Text("已升级", "escalated"),
    "silenced": Text("已静默", "silenced"),
    "resolved": Text("已恢复", "resolved"),
}
STEPS: Mapping[str, Text] = {
    "opened": Text("新告警", "new"),
    "grew": Text("范围扩大", "has grown"),
    "worse": Text("级别上升", "graver"),
    "no_data": Text("暂无数据", "no data any more"),
    "acknowledged": Text("已认领", "acknowledged"),
    "unacknowledged": Text("取消认领", "not acknowledged any more"),
    "noted": Text("备注", "note"),
    "escalated": Text("已升级", "escalated"),
    "silenced": Text("已静默", "silenced"),
    "unsilenced": Text("静默结束", "no longer silenced"),
    "merged": Text("已合并", "merged"),
    "resolved": Text("已恢复", "resolved"),
}
_TITLE = Text("【{severity}】{name}：{who}（{status}）", "[{severity}] {name}: {who} ({status})")
_FIGURES = Text(
    "触发时 {fired}（样本 {fired_n}），现在 {value}（样本 {n}），{trend}；告警线 {threshold}",
    "{fired} (n={fired_n}) when it fired, {value} (n={n}) now, {trend}; threshold {threshold}",
)
_MEMBER = Text(
    "{who}：{fired}（样本 {fired_n}）→ {value}（样本 {n}）", "{who}: {fired} (n={fired_n}) → {value} (n={n})"
)
_MEMBER_RULE = Text(
    "{who}（{rule}）：{fired}（样本 {fired_n}）→ {value}（样本 {n}）",
    "{who} ({rule}): {fired} (n={fired_n}) → {value} (n={n})",
)
_WORSE, _BETTER, _SAME, _GONE = (
    Text("继续恶化", "worse"),
    Text("有所好转", "better"),
    Text("没有变化", "unchanged"),
    Text("暂无数据", "no data"),
)
_COUNTS = Text("{firing} 项告警中，共 {members} 项", "{firing} of {members} alerts are firing")
_SINCE = Text("开始于 {at}", "since {at}")
_RESOLVED = Text("{begun} 至 {ended}", "{begun} to {ended}")
_CARES = Text("{by} 正在处理", "{by} takes care of it")
_RUNBOOK = Text("处理办法：{runbook}", "What to do: {runbook}")
_MORE = Text("……另有 {} 项", "… and {} more")
_DIGEST = Text(
    "{count} 项告警事件有新情况：{standing} 项未恢复，{over} 项已恢复",
    "{count} incidents: {standing} stand, {over} are over",
)
_AWAY = Text(
    "补发：未能及时通知期间 {count} 项告警事件有变化，{standing} 项未恢复，{over} 项已恢复",
    "While we were away: {count} incidents, {standing} stand, {over} are over",
)
_AWAY_LINE = Text("以下内容已过去一段时间，以大屏为准。", "This is some time ago; the wallboard has how it is now.")
_DIGEST_LINE = Text("【{severity}】{name}：{who}，{status}，{at}", "[{severity}] {name}: {who}, {status}, {at}")
_COPY = Text(
    "可能重复：上一次发送是否到达无法确认。", "This may be a second copy: nobody knows whether the first one arrived."
)
_ACKNOWLEDGE, _CONTACTS, _PAGE = (
    Text("认领", "Acknowledge"),
    Text("查看联络", "Contacts"),
    Text("打开大屏", "Wallboard"),
)
_TEST_TITLE = Text("测试消息", "A test message")
_TEST_LINES = (
    Text(
        "这是 `deskpulse notify test` 发出的测试消息，渠道：{channel}。",
        "`deskpulse notify test` sent this by the channel {channel}.",
    ),
    Text("能看到它，说明渠道可用，无需处理。", "Whoever reads it sees that the channel works; there is nothing to do."),
)
#: Of a digest's steps in a webhook, so many incidents are told at most.
_MOST_TOLD = 1000
_OPEN = frozenset({"firing", "escalated"})
_GRAVEST = ("critical", "warning", "info")


@dataclass(frozen=True)
class Directory:
    """Who people are, and what teams and queues are called."""

    people: Mapping[str, Person] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    units: UnitNames = field(default_factory=UnitNames)


@dataclass(frozen=True)
class Writer:
    """Writes messages. ``link``: incident → a link that acknowledges it, None: there are none; ``page``: the wallboard; ``names_in``:
    channels that show names of agents; ``behind``: an incident → where the contacts behind it are, None: nowhere.
    """

    zone: ZoneInfo
    language: Language
    page: str | None = None
    link: Callable[[str], str] | None = None
    behind: Callable[[Incident], str | None] = lambda _: None
    names_in: frozenset[str] = frozenset()
    directory: Directory = field(default_factory=Directory)
    #: Rule → the KPI that it watches.
    kpis: Mapping[str, str] = field(default_factory=dict)

    def compose(self, found: Gathered, incidents: Mapping[str, Incident], channel: str, now: int) -> Body:
        """The message about what was gathered for a channel."""
        made = self._composed(found, incidents, channel, now)
        return msgspec.structs.replace(made, step_at=max(one.step_at for one in found.steps))

    def _composed(self, found: Gathered, incidents: Mapping[str, Incident], channel: str, now: int) -> Body:
        language = found.steps[0].language
        if found.kind == "state":
            told = sorted(incidents.values(), key=lambda one: one.id)
            state = alertmanager.alerts(told, instant(now), language, self.page, self.behind)
            return Body(Message(language=language, severity="info", title=""), state)
        voice = _Voice(self, language, channel in self.names_in)
        called = tuple(dict.fromkeys(who for one in found.steps for who in one.called))
        if found.kind == "step":
            incident = incidents[found.steps[0].incident]
            steps = [step for step in incident.steps if step.number in {one.step for one in found.steps}]
            return Body(voice.step(incident, steps, called), self._step_data(incident, steps))
        return Body(voice.digest(found, incidents, called), self._digest_data(found, incidents))

    def _step_data(self, incident: Incident, steps: Sequence[IncidentStep]) -> dict[str, Any]:
        """For programs: the incident as the topic has it, without the steps that are not told now."""
        told = msgspec.to_builtins(msgspec.structs.replace(incident, steps=list(steps)))
        links = {"page": self.page, "contacts": self.behind(incident)}
        return {
            "type": "incident.step",
            "timestamp": told["changed"],
            "incident": told,
            **{name: link for name, link in links.items() if link},
        }

    def _digest_data(self, found: Gathered, incidents: Mapping[str, Incident]) -> dict[str, Any]:
        """For programs: which steps, and how each incident stands."""
        by_incident: dict[str, list[Waiting]] = {}
        for one in found.steps:
            by_incident.setdefault(one.incident, []).append(one)
        rows = [
            {
                "id": incident.id,
                "rule": incident.rule,
                "entity": incident.entity,
                "severity": incident.severity,
                "status": incident.status,
                "steps": [one.step for one in by_incident[incident.id]],
                **({"contacts": contacts} if (contacts := self.behind(incident)) else {}),
            }
            for incident in sorted((incidents[id] for id in by_incident if id in incidents), key=_rank)
        ]
        newest = max(one.step_at for one in found.steps)
        left_out = max(0, len(rows) - _MOST_TOLD)
        return {
            "type": f"incident.{found.kind}",
            "timestamp": instant(newest).isoformat(),
            "incidents": rows[:_MOST_TOLD],
            **({"more": left_out} if left_out else {}),
        }

    def test(self, channel: str, language: Language) -> Body:
        """A message that says that it is a test."""
        title, lines = _TEST_TITLE[language], tuple(line.format(channel=channel)[language] for line in _TEST_LINES)
        message = Message(language=language, severity="info", title=title, lines=lines)
        return Body(message, {"type": "deskpulse.test", "channel": channel, "alerts": []})


def as_copy(message: Message) -> Message:
    """The message as it is sent when it may have arrived before."""
    return msgspec.structs.replace(message, copy=_COPY[message.language])


@dataclass(frozen=True)
class _Voice:
    """One language, with names or without."""

    writer: Writer
    language: Language
    with_names: bool

    def step(self, incident: Incident, steps: Sequence[IncidentStep], called: Sequence[str]) -> Message:
        """What happened to one incident."""
        newest = steps[-1] if steps else None
        lines = [self._reason(incident, step) for step in steps]
        main = incident.members[0] if incident.members else None
        if main is not None:
            lines.append(_FIGURES.format(**self._figures(main, incident.kpi), trend=_trend(main))[self.language])
        total = len(incident.members) + incident.more_members
        if total > 1:
            lines.append(_COUNTS.format(firing=incident.firing, members=total)[self.language])
        begun = self._at(incident.opened)
        if incident.resolved is not None:
            lines.append(_RESOLVED.format(begun=begun, ended=self._at(incident.resolved))[self.language])
        else:
            lines.append(_SINCE.format(at=begun)[self.language])
        if incident.acknowledged is not None and (newest is None or newest.kind != "acknowledged"):
            lines.append(_CARES.format(by=self._person(incident.acknowledged.by))[self.language])
        runbook = incident.runbook_zh if self.language == "zh" else incident.runbook_en
        if runbook and incident.status in _OPEN:
            lines.append(_RUNBOOK.format(runbook=runbook)[self.language])
        return Message(
            language=self.language,
            severity=_colour(incident),
            title=self._title(incident, STEPS[newest.kind] if newest else STATUSES[incident.status]),
            lines=tuple(lines),
            roster=tuple(self._member(incident, one) for one in incident.members[1:]),
            left_out=incident.more_members,
            more=_MORE[self.language],
            links=self._links(incident),
            people=self._called(called),
        )

    def digest(self, found: Gathered, incidents: Mapping[str, Incident], called: Sequence[str]) -> Message:
        """What happened to several, the gravest that stand first."""
        told = sorted(incidents.values(), key=_rank)
        standing = sum(one.status != "resolved" for one in told)
        template = _AWAY if found.kind == "away" else _DIGEST
        severity: Severity = "resolved" if not standing else told[0].severity
        page = (Link(_PAGE[self.language], self.writer.page),) if self.writer.page else ()
        return Message(
            language=self.language,
            severity=severity,
            title=template.format(count=len(told), standing=standing, over=len(told) - standing)[self.language],
            lines=(_AWAY_LINE[self.language],) if found.kind == "away" else (),
            roster=tuple(map(self._line, told)),
            more=_MORE[self.language],
            links=page,
            people=self._called(called),
        )

    def _line(self, incident: Incident) -> str:
        newest = incident.steps[-1].at if incident.steps else incident.changed
        return _DIGEST_LINE.format(**self._of(incident), status=STATUSES[incident.status], at=self._at(newest))[
            self.language
        ]

    def _title(self, incident: Incident, status: Text) -> str:
        return _TITLE.format(**self._of(incident), status=status)[self.language]

    def _of(self, incident: Incident) -> dict[str, Any]:
        return {
            "severity": SEVERITIES[incident.severity],
            "name": Text(incident.name_zh or incident.rule, incident.name_en or incident.rule, **incident.names),
            "who": self._who(incident.entity),
        }

    def _who(self, entity: str) -> Text:
        kind = entity_kind(entity)
        if kind not in ENTITIES:
            return Text(entity, entity)
        return ENTITIES[kind].format(self._name(entity) or entity_id(entity))

    def _name(self, entity: str) -> Text | None:
        if entity_kind(entity) == "agent":
            return self.writer.directory.names.in_texts(entity_id(entity)) if self.with_names else None
        return self.writer.directory.units.in_texts(entity)

    def _person(self, id: str) -> str:
        return self.writer.directory.names.shown(id, self.language) if self.with_names else id

    def _reason(self, incident: Incident, step: IncidentStep) -> str:
        reason = {"zh": step.reason_zh, "en": step.reason_en, **step.reasons}.get(self.language, step.reason_en)
        for entity in dict.fromkeys((step.entity, incident.entity)):
            kind = entity_kind(entity)
            if kind in ENTITIES and kind != "all" and (name := self._name(entity)) is not None:
                by_id = ENTITIES[kind].format(entity_id(entity))[self.language]
                reason = reason.replace(by_id, ENTITIES[kind].format(name)[self.language], 1)
        return reason

    def _member(self, incident: Incident, member: IncidentMember) -> str:
        template = _MEMBER if member.rule == incident.rule else _MEMBER_RULE
        kpi = incident.kpi if member.rule == incident.rule else self.writer.kpis.get(member.rule)
        return template.format(**self._figures(member, kpi), who=self._who(member.entity), rule=member.rule)[
            self.language
        ]

    def _figures(self, member: IncidentMember, kpi: str | None) -> dict[str, Any]:
        unit = KPIS[kpi].unit if kpi in KPIS else ""

        def shown(value: float | None) -> str:
            return NONE if value is None else said(unit, value, self.language)

        return {
            "fired": shown(member.fired_value),
            "fired_n": member.fired_n,
            "value": shown(member.value),
            "n": member.n,
            "threshold": shown(member.threshold),
        }

    def _links(self, incident: Incident) -> tuple[Link, ...]:
        made = []
        if self.writer.link is not None and incident.status in _OPEN:
            made.append(Link(_ACKNOWLEDGE[self.language], self.writer.link(incident.id)))
        if (contacts := self.writer.behind(incident)) is not None:
            made.append(Link(_CONTACTS[self.language], contacts))
        if self.writer.page:
            made.append(Link(_PAGE[self.language], self.writer.page))
        return tuple(made)

    def _called(self, ids: Sequence[str]) -> tuple[Recipient, ...]:
        people = self.writer.directory.people
        return tuple(
            Recipient(self._person(id), people[id].chat_id, people[id].email) if id in people else Recipient(id)
            for id in ids
        )

    def _at(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.writer.zone):%m-%d %H:%M}"


def _trend(member: IncidentMember) -> Text:
    """How it goes on since it fired: whatever lies further from the threshold, on the side on which it fired, is worse."""
    if member.value is None or member.fired_value is None:
        return _GONE
    if member.value == member.fired_value:
        return _SAME
    fell = member.value < member.fired_value
    return _WORSE if fell == (member.fired_value <= member.threshold) else _BETTER


def _colour(incident: Incident) -> Severity:
    return "resolved" if incident.status == "resolved" else incident.severity


def _rank(incident: Incident) -> tuple[bool, int, datetime, str]:
    return incident.status == "resolved", _GRAVEST.index(incident.severity), incident.opened, incident.id
