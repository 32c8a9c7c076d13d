"""What opens cases: bad ratings, repeat complaints, customers to call back, incidents whose rule says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.cases.case import About, CaseKind
from streams.contracts.outputs import ContactRecord, Counted, Incident, entity_id, entity_kind

#: Measures of a rating that the policy calls bad.
_BAD = ("csat_bad_1_5", "csat_bad_others")
#: The label by which an alert rule says that its incidents open a case.
CASE_LABEL = "case"


def contact_key(record: ContactRecord) -> str:
    """A contact, whoever its customer turns out to be. Contact ids are used again: its day tells them apart."""
    return f"{record.channel}|{record.contact_id}|{record.date.isoformat()}"


def bad_rating(record: ContactRecord) -> About | None:
    """The customer's last rating is bad by the policy's line; None: it is not, or there is none."""
    slot = record.counts.get("rating")
    if slot is None or not any(_sum(slot, measure) for measure in _BAD):
        return None
    score = None if record.csat_score is None else record.csat_score / 1000
    return _about(record, "bad_rating", slot.at, f"rating|{contact_key(record)}", score=score, scale=record.csat_scale)


def repeat_complaint(record: ContactRecord) -> About | None:
    """Its customer complained about the same again: the case is about how the first complaint was handled."""
    again = record.complaint_repeated_by
    if again is None:
        return None
    return _about(record, "repeat_complaint", record.heard_at, f"complaint|{contact_key(record)}", contacts=(again,))


def hung_up(record: ContactRecord, wait_ms: int) -> About | None:
    """The caller waited for so long or longer and gave up; None: they did not."""
    if record.outcome != "abandoned" or record.channel != "calls" or record.customer_id is None or record.shared:
        return None
    waited = [passage for passage in record.passages if passage.gone and passage.wait_ms >= wait_ms]
    if not waited:
        return None
    last = waited[-1]
    seconds = last.wait_ms // 1000
    return _about(
        record, "call_back", last.gone_at or record.heard_at, f"wait|{contact_key(record)}",
        said_zh=f"排队 {seconds} 秒后挂断", said_en=f"hung up after {seconds} s in the queue",
    )  # fmt: skip


def came_again(record: ContactRecord, key: str, contacts: tuple[str, ...]) -> About:
    """The same customer has turned to us so often within a day. ``key``: of customer and day, without the customer's id."""
    return _about(
        record, "call_back", record.arrived_at, f"again|{key}", contacts=contacts,
        said_zh=f"同一客户24小时内第 {len(contacts)} 次联系", said_en=f"contact {len(contacts)} of one customer within 24 h",
    )  # fmt: skip


def of_incident(incident: Incident) -> About | None:
    """An incident whose rule has the label ``case``; None: it has not, or the incident is silenced or was merged into another."""
    if CASE_LABEL not in incident.labels or incident.merged_into is not None or incident.status == "silenced":
        return None
    kind, id = entity_kind(incident.entity), entity_id(incident.entity)
    own: dict[str, Any] = {kind: id} if kind in ("agent", "team", "queue", "site") else {}
    for name in ("team", "queue", "site"):
        values = incident.labels.get(name, ())
        if name not in own and len(values) == 1:
            own[name] = values[0]
    newest = incident.steps[-1] if incident.steps else None
    return About(
        key=f"incident|{incident.id}", kind="incident", happened=round(incident.opened.timestamp() * 1000),
        said_zh=newest.reason_zh if newest else incident.name_zh, said_en=newest.reason_en if newest else incident.name_en, **own,
    )  # fmt: skip


_DAY_MS = 86_400_000


def within_a_day(visits: Mapping[str, int], contact: str) -> tuple[str, ...]:
    """The contacts (→ when they arrived, ms) within 24 hours up to this one, in order."""
    end = visits[contact]
    own = sorted((at, id) for id, at in visits.items() if end - _DAY_MS < at <= end)
    return tuple(id for _, id in own)


def _about(record: ContactRecord, kind: CaseKind, happened: int, key: str, **given: Any) -> About:
    return About(
        key=key, kind=kind, happened=happened, channel=record.channel, contact_id=record.contact_id, customer_id=record.customer_id,
        agent=record.agent, team=record.team, queue=record.queue, site=record.site, topic=record.topic, **given,
    )  # fmt: skip


def _sum(slot: Counted, measure: str) -> int:
    return slot.staff.get(measure, 0) or slot.desk.get(measure, 0)
