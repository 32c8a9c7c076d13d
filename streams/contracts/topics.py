"""Every topic: name, key, what it carries, how long. Topics and AsyncAPI are made from this list; docs/architecture.md is held to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streams.contracts import events, outputs

_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    """A topic. ``partitions`` is None where the operation's own number applies (all of those are co-partitioned)."""

    name: str
    key: str
    carries: str
    schema: Any = field(hash=False)
    config: dict[str, str] = field(default_factory=dict, hash=False)
    partitions: int | None = None

    @property
    def largest_bytes(self) -> int:
        """How long a message of it may be, with its key and headers."""
        return int(self.config.get("max.message.bytes", USUAL_BYTES))


#: Longest message of topics that hold state or anybody's bytes.
LARGEST_BYTES = str(8 * 1024 * 1024)
#: Longest message of all others: what Kafka takes unless it is told otherwise.
USUAL_BYTES = str(1_048_588)


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)}


#: A segment goes as a whole: what is taken out of a topic by hand is on the disks until its segment goes.
_DAILY_SEGMENTS = {"segment.ms": str(_DAY_MS)}


_LARGE = {"max.message.bytes": LARGEST_BYTES}
_COMPACT = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.2", "segment.ms": str(_DAY_MS)}
#: State is written again and again, and read as a whole when a worker takes over: small segments are compacted soon, those to which little
#: comes within a day, and what has been removed is gone an hour after that: so it can be said when a customer who was forgotten is.
_STATE = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.3",
    "segment.ms": str(_DAY_MS // 24),
    "segment.bytes": str(32 * 1024 * 1024),
    "max.compaction.lag.ms": str(_DAY_MS),
    "delete.retention.ms": str(_DAY_MS // 24),
    **_LARGE,
}

CALLS = Topic("calls", "customer id, else contact id", "events of calls", events.CallEvent, _kept(90))
CHATS = Topic("chats", "customer id, else contact id", "events of chats", events.ChatEvent, _kept(90))
TICKETS = Topic("tickets", "customer id, else contact id", "events of tickets", events.TicketEvent, _kept(90))
AGENTS = Topic("agents", "agent id", "presence and schedules", events.PresenceEvent, _kept(90))
ROSTER = Topic("roster", "agent id", "who an agent is from when", list[outputs.RosterEntry], _COMPACT, partitions=1)
TARGETS = Topic(
    "targets",
    "kpi|of, kpi|of|weight",
    "what is to be reached from when, for whom",
    list[outputs.Target],
    _COMPACT,
    partitions=1,
)
BASELINES = Topic(
    "baselines",
    "against|kpi|weekday|hour|of",
    "what a KPI usually comes to at an hour of the week, and for those alike; a tombstone where too little is known",
    outputs.Baseline,
    _COMPACT,
    partitions=1,
)
REKEYED = Topic(
    "rekeyed",
    "customer id, else contact id; agent id",
    "events put in another partition than their key's, or whose customer others of their contact tell, on their way; headers: topic, "
    "partition, offset, reached, key, way; and what partitions note for each other of such contacts: note",
    None,
    {**_kept(7), **_DAILY_SEGMENTS},
)
CONTRIBUTIONS = Topic(
    "contributions",
    "none; the partition is that of the entities in it",
    "increments of measures, between the stages",
    outputs.Contributions,
    {**_kept(2), **_LARGE},
)
DAILY_FACTS = Topic(
    "daily-facts",
    "entity|date; entity|date+part",
    "one entity's day; what changes long after is a part of its own, to be added",
    outputs.DailyFacts,
    {**_COMPACT, **_LARGE},
)
#: What a forgotten customer's records said is gone within days; that they are, whoever follows them may hear a week later.
_RECORDS = {
    **_COMPACT,
    "cleanup.policy": "compact,delete",
    "retention.ms": str(90 * _DAY_MS),
    "max.compaction.lag.ms": str(_DAY_MS),
    "delete.retention.ms": str(7 * _DAY_MS),
    **_LARGE,
}
CONTACT_RECORDS = Topic(
    "contact-records",
    "channel|contact|date|digest of the customer",
    "what a contact is and what it counts for; a tombstone where it stands under another key",
    outputs.ContactRecord,
    _RECORDS,
)
PRESENCE_RECORDS = Topic(
    "presence-records",
    "agent|state|since|event, agent|shift|since",
    "an agent's interval in a state, or a shift, and what it counts for; a tombstone where it never was",
    outputs.PresenceRecord,
    _RECORDS,
)
CUSTOMERS = Topic("state-customers", "customer id, else contact id", "state: a customer's contacts", None, _STATE)
PRESENCE = Topic("state-presence", "agent id", "state: an agent's presence", None, _STATE)
ENTITIES = Topic("state-entities", "entity", "state: an entity's windows, plans and alerts", None, _STATE)
PROGRESS = Topic("state-progress", "topic|partition", "state: how far a partition has been taken in", None, _STATE)
ALERTS = Topic(
    "alerts",
    "rule|entity",
    "the life of an alert",
    outputs.Alert,
    {**_COMPACT, "cleanup.policy": "compact,delete", "retention.ms": str(90 * _DAY_MS)},
)
ALERT_ACTIONS = Topic(
    "alert-actions",
    "incident, silence or selectors",
    "what people do about alerts",
    outputs.AlertAction,
    _kept(90),
    partitions=1,
)
INCIDENTS = Topic(
    "incidents",
    "incident",
    "alerts of one cause, what people do about them, and each step that is to be told",
    outputs.Incident,
    {**_COMPACT, "cleanup.policy": "compact,delete", "retention.ms": str(90 * _DAY_MS)},
    partitions=1,
)
INCIDENT_STATE = Topic(
    "state-incidents",
    "incident|id; alert|rule|entity; silence|id; position|topic|partition; now",
    "state: incidents, their alerts, silences, and how far alerts and actions have been read",
    None,
    _STATE,
    partitions=1,
)
SCORES = Topic("scores", "card|period|person", "month-end results", outputs.Score, _COMPACT)
DEAD_LETTERS = Topic(
    "dead-letters",
    "as the source",
    "refused bytes as they were, the first 64 KiB; headers: reason, detail, topic, partition, offset, size, "
    "sha256, and of what was brought back before replay-origin and replay-count; notes of what was brought back: replayed, to, sha256",
    None,
    {**_kept(30), **_DAILY_SEGMENTS, **_LARGE},
)

#: In the order an event travels.
TOPICS = (
    CALLS, CHATS, TICKETS, AGENTS, REKEYED, ROSTER, TARGETS, BASELINES, CONTRIBUTIONS, DAILY_FACTS, CONTACT_RECORDS, PRESENCE_RECORDS,
    ALERTS, ALERT_ACTIONS, INCIDENTS, SCORES, DEAD_LETTERS, CUSTOMERS, PRESENCE, ENTITIES, PROGRESS, INCIDENT_STATE,
)  # fmt: skip
#: Topics of contacts, by the name of the channel's carrier.
CONTACT_TOPICS = (CALLS, CHATS, TICKETS)
#: Topics that others write: events.
EVENT_TOPICS = (*CONTACT_TOPICS, AGENTS)
