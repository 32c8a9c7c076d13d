"""The history's tables. Moments are in ms since 1970; ``starts`` is the wall clock of the operation's zone.

SQLite keeps dates as ``2026-03-02`` and JSON as text; PostgreSQL has types for both, and parts the large tables by day.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

#: Text in SQLite, which reads JSON in it.
Json = Text().with_variant(JSONB(), "postgresql")
#: Large tables are in parts on PostgreSQL, one for each day of this column.
_BY_DAY: dict[str, Any] = {"postgresql_partition_by": "RANGE (date)"}


def _told(name: str, of: Any, comment: str, **how: Any) -> Column[Any]:
    return Column(name, of, comment=comment, **how)


def _key(name: str, of: Any, comment: str) -> Column[Any]:
    return _told(name, of, comment, primary_key=True)


#: How far each partition of a topic has been taken in.
positions = Table(
    "history_positions",
    metadata,
    _key("topic", Text(), "name of the topic"),
    _key("partition", Integer(), "number of the partition"),
    _told("next", BigInteger(), "the next offset", nullable=False),
)
contacts = Table(
    "history_contacts",
    metadata,
    _key("date", Date(), "the operation's local date on which the contact arrived"),
    _key("record", Text(), "key of its record: channel|contact|date|digest of the customer"),
    _told("version", BigInteger(), "grows with every record of the contact", nullable=False),
    _told("channel", Text(), "calls, chats or tickets", nullable=False),
    _told("contact_id", Text(), "id of the contact in its source", nullable=False),
    _told("customer_id", Text(), "pseudonym of the customer; null: nobody told, or they have been forgotten"),
    _told("arrived_at", BigInteger(), "when it arrived, ms since 1970", nullable=False),
    _told("starts", Text(), "the quarter hour in which it arrived, by the wall clock", nullable=False),
    _told("policy", Text(), "version of the policy that judges its day", nullable=False),
    _told("queue", Text(), "where it is now"),
    _told("agent", Text(), "who has it now"),
    _told("team", Text(), "their team"),
    _told("site", Text(), "their site"),
    _told("topic", Text(), "what it is about, by the policy's name"),
    _told("kind", Text(), "what it is, by the policy's name"),
    _told("vip", Boolean(), "is its customer a VIP?"),
    _told("urgent", Boolean(), "is it urgent?"),
    _told("state", Text(), "open, waiting, pending or closed", nullable=False),
    _told("outcome", Text(), "answered, abandoned, flowed_out, self_served, handled or merged"),
    _told("resolved", Boolean(), "the last word on whether it is resolved"),
    _told("closed_at", BigInteger(), "when it was closed, ms since 1970"),
    _told("first_response_ms", BigInteger(), "how long its customer waited for the first response, ms"),
    _told("csat_score", BigInteger(), "last rating of satisfaction, thousandths of a point"),
    _told("csat_scale", Text(), "the scale of that rating"),
    _told("transferred", Boolean(), "was it handed on?", nullable=False),
    _told("reopened", Boolean(), "was it opened again?", nullable=False),
    _told("repeated_by", Text(), "the contact with which its customer came back, channel:id"),
    _told("told", Json, "all else that its record says, as on the topic, but for what it counts for"),
    **_BY_DAY,
)
Index(None, contacts.c.agent, contacts.c.date)
Index(None, contacts.c.queue, contacts.c.date)
Index(None, contacts.c.contact_id)
presence = Table(
    "history_presence",
    metadata,
    _key("record", Text(), "key of the record: agent|state|since|event or agent|shift|since"),
    _told("version", BigInteger(), "grows with every record of the agent", nullable=False),
    _told("date", Date(), "the operation's local date on which it began", nullable=False),
    _told("kind", Text(), "state or shift", nullable=False),
    _told("agent", Text(), "id of the agent", nullable=False),
    _told("team", Text(), "their team"),
    _told("site", Text(), "their site"),
    _told("state", Text(), "the state they were in; null: it is a shift"),
    _told("reason", Text(), "why they were away"),
    _told("since", BigInteger(), "its beginning, ms since 1970", nullable=False),
    _told("until", BigInteger(), "its end, ms since 1970; until it is told, when it ends if nothing more is heard", nullable=False),
    _told("attended", Boolean(), "of a shift: was the agent at it?"),
)  # fmt: skip
Index(None, presence.c.agent, presence.c.date)
Index(None, presence.c.date)
#: What contacts and presence count for: a row for each quarter hour and whom it is credited to. ``date`` is that of the record, by
#: which the table is in parts; ``day`` that on which it counts.
counts = Table(
    "history_counts",
    metadata,
    _told("date", Date(), "date of the record", nullable=False),
    _told("record", Text(), "key of the record in history_contacts or history_presence", nullable=False),
    _told("day", Date(), "the operation's local date on which it counts", nullable=False),
    _told("starts", Text(), "the quarter hour in which it counts, by the wall clock", nullable=False),
    _told("starts_at", BigInteger(), "its beginning, ms since 1970", nullable=False),
    _told("ends_at", BigInteger(), "its end, ms since 1970", nullable=False),
    _told("counts_from", BigInteger(), "the moment from which on it counts, ms since 1970; 0: it happened", nullable=False),
    _told("channel", Text(), "calls, chats or tickets; null: presence"),
    _told("topic", Text(), "topic of the contact"),
    _told("contact_kind", Text(), "kind of the contact"),
    _told("agent", Text(), "the agent to whom it is credited"),
    _told("team", Text(), "the team to which it is credited"),
    _told("queue", Text(), "the queue to which it is credited"),
    _told("site", Text(), "the site to which it is credited"),
    _told("staff", Json, "sums that count for agent and team: measure → amount, as it is stored"),
    _told("desk", Json, "sums that count for queue, site and the whole operation"),
    _told("staff_grows", Json, "by how much sums of staff grow with each ms up to ends_at"),
    _told("desk_grows", Json, "the same of the desk's"),
    **_BY_DAY,
)  # fmt: skip
Index(None, counts.c.record)
# Whose it is comes first: days are asked for from one to another, and a range ends what an index can narrow down.
Index(None, counts.c.agent, counts.c.day)
Index(None, counts.c.queue, counts.c.day)
Index(None, counts.c.team, counts.c.day)
Index(None, counts.c.day)


def _cells(name: str, of: str, *keys: Column[Any]) -> Table:
    """Sums of ``history_counts``, added up as they are written; those of a moment that lies ahead in rows of their own."""
    made = Table(
        name,
        metadata,
        _key("cell", Text(), "what the sums are of: its other keys, as JSON"),
        _told("kind", Text(), "agent, team, queue, site or all", nullable=False),
        _told("id", Text(), "id of the entity", nullable=False),
        _told("date", Date(), "the operation's local date on which it counts", nullable=False),
        *keys,
        _told("ends_at", BigInteger(), f"the end of the {of}, ms since 1970", nullable=False),
        _told("counts_from", BigInteger(), "the moment ahead from which on it counts, ms since 1970; 0: it does", nullable=False),
        _told("sums", Json, "measure → amount, as it is stored", nullable=False),
        _told("grows", Json, f"by how much sums grow with each ms up to the end of the {of}"),
    )  # fmt: skip
    ahead = made.c.counts_from > 0
    Index(None, made.c.kind, made.c.id, made.c.date)
    Index(None, made.c.date)
    Index(None, made.c.counts_from, postgresql_where=ahead, sqlite_where=ahead)
    return made


#: By quarter hour, of contacts and of presence.
quarter_hours = _cells(
    "history_quarter_hours",
    "quarter hour",
    _told("starts", Text(), "the quarter hour, by the wall clock", nullable=False),
    _told(
        "hour", Text(), "its hour, by the wall clock; hours are counted from the beginning of the day", nullable=False
    ),
    _told("starts_at", BigInteger(), "its beginning, ms since 1970", nullable=False),
)
#: By what contacts are about, of contacts alone.
topic_days = _cells(
    "history_topic_days",
    "day",
    _told("channel", Text(), "calls, chats or tickets", nullable=False),
    _told("topic", Text(), "topic of the contacts"),
    _told("contact_kind", Text(), "kind of the contacts"),
)
#: Days whose contacts are kept as they were, once a run of scores has frozen their facts. What changes after it is kept beside the present
#: as it was; what does not, stands in the present.
freezes = Table(
    "history_freezes",
    metadata,
    _key("number", Integer(), "its number; a later one has a greater"),
    _told("facts", Text(), "digest of the facts that were frozen", nullable=False, unique=True),
    _told("first", Date(), "the first day of which contacts are kept as they were", nullable=False),
    _told("last", Date(), "the last of them", nullable=False),
    _told("now", BigInteger(), "as of when, by the operation's own clock, ms since 1970", nullable=False),
)
#: Records as they were before they changed for the first time after a freeze.
superseded = Table(
    "history_superseded",
    metadata,
    _key("record", Text(), "key of the record; of one that is gone since, without the digest of its customer"),
    _key("number", Integer(), "number of the last freeze before it changed"),
    _told("date", Date(), "date of the record", nullable=False),
    _told(
        "customer_id",
        Text(),
        "pseudonym of the customer; null: nobody told, or it may be that they have been forgotten",
    ),
    _told("was", Json, "its row in history_contacts or history_presence; null: there was no such record"),
)
Index(None, superseded.c.date)
#: What those counted for.
superseded_counts = Table(
    "history_superseded_counts",
    metadata,
    _told("number", Integer(), "number of the freeze, as in history_superseded", nullable=False),
    *(Column(each.name, each.type, comment=each.comment, nullable=each.nullable) for each in counts.c),
)
Index(None, superseded_counts.c.record)
Index(None, superseded_counts.c.agent, superseded_counts.c.day)
#: Daily facts, each part by itself; what is planned in rows of its own.
facts = Table(
    "history_facts",
    metadata,
    _key("record", Text(), "key of the daily facts: entity|date or entity|date+part"),
    _key("counts_from", BigInteger(), "the moment from which on it counts, ms since 1970; 0: it does"),
    _told("kind", Text(), "agent, team, queue, site or all", nullable=False),
    _told("id", Text(), "id of the entity", nullable=False),
    _told("date", Date(), "the operation's local date", nullable=False),
    _told("ends_at", BigInteger(), "the day's end, ms since 1970", nullable=False),
    _told("sums", Json, "measure → amount, as it is stored", nullable=False),
    _told("grows", Json, "by how much sums grow with each ms up to the day's end"),
)
Index(None, facts.c.kind, facts.c.id, facts.c.date)
Index(None, facts.c.date)
alerts = Table(
    "history_alerts",
    metadata,
    _key("rule", Text(), "id of the rule"),
    _key("entity", Text(), "about whom: kind|id"),
    _key("at", BigInteger(), "when this step happened, ms since 1970"),
    _key("status", Text(), "firing, no_data or resolved"),
    _told("since", BigInteger(), "since when the condition held, ms since 1970", nullable=False),
    _told("severity", Text(), "info, warning or critical", nullable=False),
    _told("kpi", Text(), "id of the KPI", nullable=False),
    _told("seen_in", Text(), "the window that was watched", nullable=False),
    _told("threshold", Float(), "the bound, in the KPI's unit", nullable=False),
    _told("value", Float(), "the figure"),
    _told("n", BigInteger(), "what it rested on", nullable=False),
    _told("reason_zh", Text(), "why, in Chinese", nullable=False),
    _told("reason_en", Text(), "why, in English", nullable=False),
)
Index(None, alerts.c.at)
incidents = Table(
    "history_incidents",
    metadata,
    _key("id", Text(), "id of the incident"),
    _told("rule", Text(), "the rule that is its cause", nullable=False),
    _told("entity", Text(), "the widest place of which it fires or fired", nullable=False),
    _told("kpi", Text(), "id of the KPI", nullable=False),
    _told("severity", Text(), "info, warning or critical", nullable=False),
    _told("status", Text(), "firing, acknowledged, escalated, silenced or resolved", nullable=False),
    _told("opened", BigInteger(), "when it began, ms since 1970", nullable=False),
    _told("changed", BigInteger(), "when it last changed, ms since 1970", nullable=False),
    _told("resolved", BigInteger(), "when it was over, ms since 1970"),
    _told("acknowledged_by", Text(), "who took care of it"),
    _told("acknowledged_at", BigInteger(), "since when, ms since 1970"),
    _told("merged_into", Text(), "the incident that it turned out to be a part of"),
    _told("told", Json, "the whole incident with its steps, as on the topic", nullable=False),
)
Index(None, incidents.c.opened)
scores = Table(
    "history_scores",
    metadata,
    _key("card", Text(), "id of the score card"),
    _key("period", Text(), "the period"),
    _key("person", Text(), "id of the person"),
    _told("card_version", Text(), "version of the card", nullable=False),
    _told("total", Text(), "points, exact; null: not one item could be scored"),
    _told("max", Text(), "what all items could give at most", nullable=False),
    _told("complete", Boolean(), "could every item be scored?", nullable=False),
    _told("reviewed", Boolean(), "has somebody reviewed and approved it?", nullable=False),
    _told("items", Json, "each item's points and reasons, as on the topic", nullable=False),
)
#: As of when what grows, is planned or matures is judged: one row, the operation's own clock.
clock = Table(
    "history_clock",
    metadata,
    _key("now", BigInteger(), "the operation's own clock, ms since 1970"),
    _told("read_on", Date(), "the local date on which all that the topics told had last been read"),
)
#: Every day of which there is anything, with the policy that judges it.
days = Table(
    "history_days",
    metadata,
    _key("date", Date(), "the operation's local date"),
    _told("policy", Text(), "version of the policy in force", nullable=False),
    _told("week", Date(), "Monday of its week", nullable=False),
    _told("month", Text(), "its month, like 2026-03", nullable=False),
    _told("ends_at", BigInteger(), "its end, ms since 1970", nullable=False),
)
maturing = Table(
    "history_maturing",
    metadata,
    _key("date", Date(), "the operation's local date"),
    _key("field", Text(), "the policy field by which KPIs of it mature"),
    _told("matures_at", BigInteger(), "the moment from which on its figures are final, ms since 1970", nullable=False),
)
kpis = Table(
    "history_kpis",
    metadata,
    _key("kpi", Text(), "id of the KPI, as in the catalogue"),
    _told("en", Text(), "its name in English", nullable=False),
    _told("zh", Text(), "its name in Chinese", nullable=False),
    _told("unit", Text(), "n, ratio, s, points, days, per_hour, per_mille or index", nullable=False),
    _told("better", Text(), "higher, lower or range", nullable=False),
    _told("formula_en", Text(), "how it is made, in words", nullable=False),
    _told("formula_zh", Text(), "the same in Chinese", nullable=False),
)
#: The catalogue's formulas as data: one for each version of the policy and side; see ``streams.kpi.spec.Bound``.
formulas = Table(
    "history_formulas",
    metadata,
    _key("policy", Text(), "version of the policy"),
    _key("side", Text(), "desk (queue, site, all) or staff (agent, team)"),
    _key("kpi", Text(), "id of the KPI"),
    _told("form", Text(), "count, rate, mean, percentile, level or change", nullable=False),
    _told("plain", Boolean(), "is it a plain sum, divided by nothing?", nullable=False),
    _told("up", BigInteger(), "what the numerator is multiplied by", nullable=False),
    _told("down", BigInteger(), "what the denominator is multiplied by", nullable=False),
    _told("per_n", BigInteger(), "stored units of the denominator that make one of n", nullable=False),
    _told("spread", Boolean(), "are the squares known, so that a mean has an interval?", nullable=False),
    _told("grain", BigInteger(), "what squares are rounded to a multiple of", nullable=False),
    _told("least", Float(), "the least value there can be"),
    _told("most", Float(), "the greatest value there can be"),
    _told("percent", Integer(), "which percentile", nullable=False),
    _told("only_mature", Boolean(), "are days left out that have not matured?", nullable=False),
    _told("mixing", Text(), "versions of the policy are added up only where this is the same", nullable=False),
)
terms = Table(
    "history_terms",
    metadata,
    _key("policy", Text(), "version of the policy"),
    _key("side", Text(), "desk or staff"),
    _key("measure", Text(), "id of the measure"),
    _key("kpi", Text(), "id of the KPI"),
    _key("part", Text(), "top, bottom, squares, base_top, base_bottom, base_squares, untold or bucket"),
    _told("times", BigInteger(), "the coefficient", nullable=False),
    _told("matures", Text(), "the policy field by which the KPI matures"),
    _told("bucket", Integer(), "of a distribution: its place among the buckets", nullable=False),
    _told("amount", BigInteger(), "of a distribution: the amount that stands for the bucket"),
    _told("form", Text(), "form of the KPI, as in history_formulas"),
)
student = Table(
    "history_student",
    metadata,
    _key("freedom", Integer(), "degrees of freedom, 1 to 30"),
    _told("t", Float(), "quantile 0.975 of Student's t", nullable=False),
)
#: Written anew from the program at each start.
GENERATED = (student, kpis, formulas, terms)
#: In parts by day on PostgreSQL.
BY_DAY = (contacts, counts)
#: Sums of counts.
CELLS = (quarter_hours, topic_days)
