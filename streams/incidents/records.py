"""What is remembered of incidents between two messages, as it is stored."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from streams.contracts.outputs import Acknowledgement, Alert, Incident, IncidentNote, IncidentStep, Severity


class Member(Struct, omit_defaults=True, kw_only=True):
    """An alert in an incident: its last message, and its figures as it fired. ``site``: of whom it is about, as far as it is known."""

    incident: str
    alert: Alert
    fired: datetime
    fired_value: float | None = None
    fired_n: int = 0
    team: str | None = None
    site: str | None = None


class RuleFacts(Struct, omit_defaults=True, kw_only=True):
    """What an incident tells of its rule: kept, as the rule may be gone before the incident is over. ``known``: it stood in the file."""

    name_zh: str
    name_en: str
    kpi: str
    window: str
    known: bool = True
    channel: str | None = None
    runbook_zh: str = ""
    runbook_en: str = ""
    labels: dict[str, str] = {}
    notify: list[str] = []
    escalate_after: float | None = None
    escalate_to: list[str] = []


class Case(Struct, omit_defaults=True, kw_only=True):
    """An incident at work, without its members. Times in ms since 1970 of the operation's clock.

    ``entity``: the widest place so far; ``placed`` and ``joined``: when the first and the latest alert came; ``waits``: since when somebody
    is to acknowledge it; ``cleared``: since when nothing of it fires or is without data; ``silent``: since when nothing fires, but
    something has no data. ``told_*``: as the last step of its size told it. ``steps`` are the newest; ``number`` counts them all.
    ``final``: as it was told when it was over, with its alerts, which nobody else keeps then.
    """

    id: str
    rule: str
    facts: RuleFacts
    entity: str
    severity: Severity
    opened: datetime
    placed: int
    joined: int
    waits: int
    announced: bool = False
    told_at: int = 0
    told_members: int = 0
    told_width: int = 0
    cleared: int | None = None
    silent: int | None = None
    acknowledged: Acknowledgement | None = None
    escalated: datetime | None = None
    silenced: bool = False
    resolved: datetime | None = None
    merged_into: str | None = None
    changed: datetime
    number: int = 0
    steps: list[IncidentStep] = []
    notes: list[IncidentNote] = []
    more_notes: int = 0
    final: Incident | None = None
