"""What Deskpulse gives out: contributions between its stages, daily facts, snapshots, alerts, scores, dead letters.

Sums are whole numbers throughout: counts as they are, seconds and points in thousandths (``streams.kpi.measures`` says which
measure is which). Whole numbers add up to the same figure in any order, floats do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol, TypeAlias, get_args

from msgspec import Meta, Struct, field

#: A date, where a field of that name hides the type.
Day: TypeAlias = date
#: Measure id → sum, see above for the unit.
Sums: TypeAlias = dict[str, int]
EntityKind: TypeAlias = Literal["agent", "team", "queue", "site", "all"]
#: From the person to the whole operation; the order in which screens and files list them.
ENTITY_KINDS: tuple[EntityKind, ...] = ("agent", "team", "queue", "site", "all")
#: The one entity of the kind "all".
ALL = "all|all"


def entity(kind: EntityKind, id: str) -> str:
    """Key of an entity: ``agent|A17``."""
    return f"{kind}|{id}"


def entity_kind(key: str) -> str:
    """Kind part of an entity key."""
    return key.split("|", 1)[0]


def entity_id(key: str) -> str:
    """Id part of an entity key; ids may contain ``|`` themselves."""
    return key.split("|", 1)[1]


class Cell(Struct, array_like=True, gc=False):
    """Sums of one minute of one day.

    ``minute`` is when it happened (minutes since 1970 UTC; rolling windows), ``day`` the day it belongs to (proleptic ordinal
    of the operation's local date on which the contact arrived; daily facts).
    """

    minute: int
    day: int
    sums: Sums


class Planned(Struct, array_like=True, gc=False):
    """Sums that begin to count at ``at`` (ms since 1970) unless taken back before, by the same sums negative."""

    at: int
    day: int
    sums: Sums


class Contribution(Struct, omit_defaults=True, kw_only=True):
    """What a batch of events adds to one entity."""

    cells: list[Cell] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    #: Contacts that began to wait in a queue: leg id → since, ms. Gone in ``left``.
    waiting: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    #: Team of an agent, as of their newest event.
    team: str | None = None


class Contributions(Struct, omit_defaults=True, kw_only=True):
    """What a batch of events adds to the entities of one partition: message value of ``contributions``, applied in order."""

    #: Highest event time that the sender has seen, ms since 1970.
    clock: int
    #: Entity → its share; nobody's where only the time is told.
    to: dict[str, Contribution] = field(default_factory=dict)
    #: Rules are judged here, as of this whole second of the operation's clock (ms since 1970): on all that lies before in the partition,
    #: and on nothing behind. None: they are not.
    second: int | None = None


class DailyFacts(Struct, omit_defaults=True, kw_only=True):
    """One entity's day: message value of ``daily-facts`` under the key ``entity|date``.

    What comes for a day that is long over is a ``part`` of its own, under the key ``entity|date+part``: the facts of
    a day are the sum of all its parts. ``revision`` counts the writes; ``offset`` is the offset of the last contributions
    message in it. ``planned`` sums do not count yet: they begin to at their moment (ms since 1970) unless taken back before.
    """

    entity: str
    date: date
    revision: int = 0
    offset: int = -1
    sums: Sums = field(default_factory=dict)
    planned: dict[int, Sums] = field(default_factory=dict)
    part: Day | None = None

    @property
    def key(self) -> str:
        """Message key."""
        day = f"{self.entity}|{self.date.isoformat()}"
        return day if self.part is None else f"{day}+{self.part.isoformat()}"


class Counted(Struct, array_like=True, frozen=True, gc=False):
    """One slot of a contact: what it counts for, for whom and when.

    ``staff`` sums count for the ``agent`` and the ``team``, ``desk`` sums for the ``queue``, the ``site`` and ``all|all``: once for each
    that is named, ``at`` a moment (ms since 1970), on a ``day`` (proleptic ordinal of the operation's local date). ``form``: 0, it
    happened; 1, it counts from that moment on, which may lie ahead, and ``again`` at other moments, each with its day; 2, somebody
    waits since then, and it counts for nothing.
    """

    at: int
    day: int
    agent: str | None = None
    team: str | None = None
    queue: str | None = None
    site: str | None = None
    staff: Sums = {}
    desk: Sums = {}
    form: int = 0
    again: tuple[tuple[int, int], ...] = ()


class Passage(Struct, omit_defaults=True, kw_only=True, gc=False):
    """One passage of a call through a queue to an agent. Moments in ms since 1970, durations in ms. ``gone``: it left unanswered."""

    queue: str | None = None
    agent: str | None = None
    team: str | None = None
    queued_at: int
    answered_at: int | None = None
    ended_at: int | None = None
    gone_at: int | None = None
    wait_ms: int = 0
    talk_ms: int | None = None
    hold_ms: int = 0
    wrap_up_ms: int = 0
    gone: bool = False
    transferred: bool = False


#: Which format of contact records this version writes: it rises where a reader of the one before would read something wrong.
RECORD_FORMAT: Literal[1] = 1
ContactStanding: TypeAlias = Literal["open", "waiting", "pending", "closed"]
ContactOutcome: TypeAlias = Literal["answered", "abandoned", "flowed_out", "self_served", "handled", "merged"]


class ContactRecord(Struct, omit_defaults=True, kw_only=True):
    """What a contact is and what it counts for: message value of ``contact-records`` under ``channel|contact|date|customer``.

    It is whole: a newer one replaces it, and a tombstone says that the contact stands under another key. ``counts``: every slot by
    its name; the sum of those of all records is the daily facts, for every measure, entity and day. Contacts are named ``channel:id``.
    Moments in ms since 1970, durations in ms, scores in thousandths of a point.
    """

    format: Literal[1]
    #: Grows with every record of the contact.
    version: int
    channel: Literal["calls", "chats", "tickets"]
    contact_id: str
    #: Pseudonym; None: nobody told, or they have been forgotten.
    customer_id: str | None = None
    #: The operation's local date on which it arrived, and when; the time of its newest event.
    date: Day
    arrived_at: int
    heard_at: int
    #: Where it is now, and all that had it, in order.
    queue: str | None = None
    agent: str | None = None
    team: str | None = None
    site: str | None = None
    queues: list[str] = []
    agents: list[str] = []
    #: By the names that the policy has for them.
    topic: str | None = None
    kind: str | None = None
    vip: bool | None = None
    urgent: bool | None = None
    #: Its customer id is that of many callers.
    shared: bool = False
    state: ContactStanding = "open"
    outcome: ContactOutcome | None = None
    #: The last word on whether it is resolved.
    resolved: bool | None = None
    closed_at: int | None = None
    due_at: int | None = None
    transferred: bool = False
    reopened: bool = False
    passages: list[Passage] = []
    missed: int = 0
    first_response_ms: int | None = None
    #: Surveys that the customer has answered; the last rating of satisfaction and its scale.
    surveys: list[str] = []
    csat_score: int | None = None
    csat_scale: str | None = None
    #: Form (empty: none was named) → score of the last review by it.
    reviews: dict[str, int] = {}
    #: The contacts with which its customer came back and complained again, as far as that counts; and those that it repeats so itself.
    repeated_by: str | None = None
    complaint_repeated_by: str | None = None
    repeats: list[str] = []
    counts: dict[str, Counted]


class PresenceRecord(Struct, omit_defaults=True, kw_only=True):
    """An agent's interval in a state, or a shift, and what it counts for: message value of ``presence-records`` under
    ``agent|state|since|event`` and ``agent|shift|since``.

    It is whole: a newer one replaces it, and a tombstone says that it never was. An interval has the levels of its state, up at its
    beginning and down at its end; a shift its own, the time at the post within it, and whether it was attended. Moments in ms since 1970.
    """

    format: Literal[1]
    #: Grows with every record of the agent.
    version: int
    kind: Literal["state", "shift"]
    agent_id: str
    team: str | None = None
    site: str | None = None
    state: str | None = None
    reason: str | None = None
    since: int
    #: Its end; until it is told, when it ends if nothing more is heard of the agent.
    until: int
    #: Of a shift: was the agent at it, in any state but away and offline, however shortly.
    attended: bool | None = None
    counts: dict[str, Counted]


class Figure(Struct, omit_defaults=True, gc=False):
    """A KPI's value as screens, alerts and sheets show it. ``value`` is None where there is no data.

    ``n``: how many things it is a share or mean of, ``low`` and ``high``: its 95 % interval, ``pending``: how many things are
    still to be judged, as their days have not matured.
    """

    value: float | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None
    pending: int = 0


#: The windows that every entity has: the rolling ones with their minutes, and the day so far. What each is called: ``kpi/labels.py``.
Window: TypeAlias = Literal["5m", "30m", "today"]
ROLLING: Mapping[str, int] = {"5m": 5, "30m": 30}
TODAY: Window = "today"
WINDOWS: tuple[Window, ...] = get_args(Window)
#: What a rule may watch: a window, this moment, or all since a share began to leave what it usually is.
NOW: Literal["now"] = "now"
CHANGE: Literal["change"] = "change"
WatchedWindow: TypeAlias = Literal[Window, "now", "change"]


class Staffing(Struct, omit_defaults=True, kw_only=True):
    """How many agents the calls of the last half hour need, and how many are on duty; None: nobody knows.

    By Erlang A where the policy knows callers' patience, and then ``erlang_c`` says how many if nobody hung up; else by Erlang C. It rests
    on ``offered`` calls of ``handle_seconds`` each; what half hours like this one truly need lies between ``low`` and ``high`` (95 %).
    """

    needed: int
    low: int
    high: int
    erlang_c: int | None = None
    on_duty: int | None = None
    offered: int
    handle_seconds: float


class Totals(Struct, omit_defaults=True, kw_only=True):
    """The sums of one entity as of a moment, as they stand in Redis: window → measure → amount, as they are kept, with the levels that
    the windows' panes have forgotten (None: there never was one).

    Whoever shows it makes a ``Snapshot`` of it: much more changes than anybody looks at. ``policy``: the version that judges it.
    """

    entity: str
    as_of: datetime
    windows: dict[str, Sums]
    policy: str
    levels: Sums | None = None
    team: str | None = None
    #: Contacts in the queue now, and how long the longest has waited (seconds; None: nobody waits).
    waiting: int = 0
    longest_wait: float | None = None


class Snapshot(Struct, omit_defaults=True, kw_only=True):
    """The KPIs of one entity as of a moment: window → KPI id → figure. A KPI that is not there has no data (a plain sum: 0).

    One that is kept apart by reason or topic has figures of these beside its own: ``away_time~lunch``.
    """

    entity: str
    as_of: datetime
    windows: dict[str, dict[str, Figure]]
    team: str | None = None
    #: Contacts in the queue now, and how long the longest has waited (seconds; None: nobody waits).
    waiting: int = 0
    longest_wait: float | None = None
    staffing: Staffing | None = None

    def figure(self, window: str, kpi: str) -> Figure:
        """A KPI in a window; one without data where the snapshot has none."""
        return self.windows[window].get(kpi, _NO_DATA)


_NO_DATA = Figure()


class Presence(Struct, omit_defaults=True, kw_only=True):
    """The state an agent is in.

    ``until``: how long it lasts if nothing more is heard of the agent; from then on nobody knows what they do. None: for ever.
    """

    agent_id: str
    state: str
    since: datetime
    reason: str | None = None
    team: str | None = None
    until: datetime | None = None


Severity: TypeAlias = Literal["info", "warning", "critical"]
#: From what can wait to what cannot.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
AlertStatus: TypeAlias = Literal["firing", "no_data", "resolved"]


class Alert(Struct, omit_defaults=True, kw_only=True):
    """One step in the life of an alert: message value of ``alerts`` under the key ``rule|entity``.

    ``no_data``: what fired has had too little data since then; ``value`` and ``n`` are the last that there was. ``update``: no step, only
    the present figures of an alert that goes on firing.
    """

    rule: str
    entity: str
    status: AlertStatus
    severity: Severity
    #: When this step happened, and since when the condition holds.
    at: datetime
    since: datetime
    kpi: str
    window: str
    threshold: float
    value: float | None = None
    n: int = 0
    #: Team of an agent, as of their newest event.
    team: str | None = None
    update: bool = False
    #: Why, for people; ``reasons``: in further languages, by their codes.
    reason_zh: str
    reason_en: str
    reasons: dict[str, str] = {}

    @property
    def key(self) -> str:
        """Message key."""
        return f"{self.rule}|{self.entity}"


ActionKind: TypeAlias = Literal["acknowledge", "unacknowledge", "note", "silence", "unsilence"]
_Said: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]


class AlertAction(Struct, omit_defaults=True, kw_only=True):
    """What somebody does about alerts: message value of ``alert-actions``. One that comes twice, by its ``id``, counts once.

    ``acknowledge`` (somebody takes care of ``incident``, until it clears), ``unacknowledge`` and ``note`` are about an ``incident``.
    ``silence``: until ``until`` nobody is told of ``incident``, or of what fits ``selectors`` (``queue:orders``, ``rule:low_*``; of several
    of one name one is enough, of several names each is needed); its id is that of the action. ``unsilence`` ends ``silence``, by its id.
    """

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    at: datetime
    by: _Said
    kind: ActionKind
    incident: _Said | None = None
    selectors: Annotated[list[_Said], Meta(max_length=20)] = []
    silence: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    #: What a note says, or why somebody does this.
    note: Annotated[str, Meta(max_length=2000)] = ""
    until: datetime | None = None

    @property
    def key(self) -> str:
        """Message key."""
        return self.incident or self.silence or ",".join(self.selectors)


IncidentStatus: TypeAlias = Literal["firing", "acknowledged", "escalated", "silenced", "resolved"]
StepKind: TypeAlias = Literal[
    "opened", "grew", "worse", "no_data", "acknowledged", "unacknowledged", "noted", "escalated", "silenced", "unsilenced", "merged",
    "resolved",
]  # fmt: skip


class IncidentMember(Struct, omit_defaults=True, kw_only=True):
    """An alert in an incident: with its figures as it fired, and as they are now or were last.

    ``inhibited_by``: the key of a firing alert about a wider place of which this one is a part.
    """

    rule: str
    entity: str
    status: AlertStatus
    severity: Severity
    #: Since when its condition holds, when it fired, and when it was last heard of.
    since: datetime
    fired: datetime
    changed: datetime
    threshold: float
    fired_value: float | None = None
    fired_n: int = 0
    value: float | None = None
    n: int = 0
    team: str | None = None
    site: str | None = None
    inhibited_by: str | None = None


class IncidentStep(Struct, omit_defaults=True, kw_only=True):
    """One thing that happened to an incident, which those concerned are told once. ``number``: from 1, without gaps.

    ``quiet``: nobody is to be told, as it happened while the incident was silenced, or is known to whoever would be told. ``status``,
    ``severity`` and the figures are those after it: of the gravest alert about the widest place.
    """

    number: int
    at: datetime
    kind: StepKind
    status: IncidentStatus
    severity: Severity
    by: str | None = None
    quiet: bool = False
    reason_zh: str
    reason_en: str
    reasons: dict[str, str] = {}
    entity: str
    value: float | None = None
    n: int = 0
    threshold: float = 0.0
    #: Alerts that fire, that have no data any more, and all there are in it.
    firing: int = 0
    no_data: int = 0
    members: int = 0


class Acknowledgement(Struct, omit_defaults=True, kw_only=True):
    """Who takes care of an incident."""

    by: str
    at: datetime
    note: str = ""


class Silence(Struct, omit_defaults=True, kw_only=True):
    """Who has had an incident, or what fits every selector, silenced, why and until when."""

    id: str
    by: str
    at: datetime
    until: datetime
    note: str = ""
    incident: str | None = None
    selectors: list[str] = []


class IncidentNote(Struct, omit_defaults=True, kw_only=True):
    """What somebody has noted on an incident; ``id``: that of the action."""

    id: str
    by: str
    at: datetime
    note: str


class Incident(Struct, omit_defaults=True, kw_only=True):
    """One cause and the alerts that it has set off: message value of ``incidents`` under its id. Each message is the whole of it.

    One that has no step yet is waiting for further alerts of its cause: there is nothing to tell. All times are of the operation's clock.
    A message is never longer than Kafka takes: ``more_members`` and ``more_notes`` say how many it leaves out; steps that it leaves out are
    the oldest, as the first number tells.
    """

    id: str
    #: Its cause: the rule, and the widest place of which it fires or fired.
    rule: str
    entity: str
    name_zh: str
    name_en: str
    names: dict[str, str] = {}
    kpi: str
    window: str
    severity: Severity
    status: IncidentStatus
    opened: datetime
    changed: datetime
    resolved: datetime | None = None
    #: The incident that it turned out to be a part of.
    merged_into: str | None = None
    #: Alerts that fire, that have no data any more, and all there are in it.
    firing: int = 0
    no_data: int = 0
    #: The widest places and the gravest first.
    members: list[IncidentMember] = []
    more_members: int = 0
    acknowledged: Acknowledgement | None = None
    escalated: datetime | None = None
    silenced: list[Silence] = []
    notes: list[IncidentNote] = []
    more_notes: int = 0
    runbook_zh: str = ""
    runbook_en: str = ""
    #: What it touches: ``site``, ``team``, ``queue``, ``agent`` → ids; ``channel``; and the rule's own labels.
    labels: dict[str, list[str]] = {}
    #: The routes by which it is told, and by which from its escalation on.
    notify: list[str] = []
    escalate_to: list[str] = []
    steps: list[IncidentStep] = []


class RosterEntry(Struct, omit_defaults=True, kw_only=True):
    """Who an agent is from a day on: message value of ``roster`` holds all their entries, oldest first."""

    agent_id: Annotated[str, Meta(min_length=1, max_length=256)]
    valid_from: date
    hr_number: str | None = None
    team_id: str | None = None
    site_id: str | None = None
    role: str | None = None
    card: str | None = None


class Target(Struct, omit_defaults=True, kw_only=True):
    """What is to be reached from a day on, in one of its versions: message value of ``targets`` under ``kpi|of`` holds all of them,
    oldest day first, of one day the newest version last.

    ``of``: for whom, ``team|T1``; kinds are those of entities, ``role`` and ``card``. ``kpi``: its id; of a card also an item's.
    ``value``: exact, as text, in the KPI's ``unit`` (0.9 of a ratio); None: from then on there is none. ``period``: over what it is to be
    reached; ``owner``: who answers for it, an agent id; ``due``: until when. ``author`` set this version ``at`` a time.
    ``sets`` `weight`: no target, but what the item ``kpi`` of a card weighs, in percent of what the card scores; under ``kpi|of|weight``.
    """

    sets: Literal["target", "weight"] = "target"
    kpi: Annotated[str, Meta(min_length=1, max_length=64)]
    of: Annotated[str, Meta(min_length=3, max_length=300)]
    valid_from: date
    version: int = 1
    op: Literal[">=", "<="] = ">="
    value: Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", max_length=20)] | None = None
    unit: str
    period: str | None = None
    owner: str | None = None
    due: Day | None = None
    author: str
    at: datetime

    @property
    def key(self) -> str:
        """Message key."""
        return f"{self.kpi}|{self.of}" if self.sets == "target" else f"{self.kpi}|{self.of}|{self.sets}"


Against: TypeAlias = Literal["usual", "peers"]
AGAINST: tuple[Against, ...] = get_args(Against)


class Baseline(Struct, omit_defaults=True, kw_only=True, frozen=True, gc=False):
    """What a KPI comes to at an hour of the week, for rules that go by it: message value of ``baselines``.

    ``against`` `usual`: what the entity ``kind|id`` itself had in the last eight weeks. `peers`: what each of those alike had in them all
    together; ``kind`` says of whom, ``id`` is the team of agents, of all others `all`. ``weekday``: of the operation's local day, 1 is
    Monday; ``hour``: the wall clock at which the hour begins. ``middle``: the median, ``low`` and ``high``: the quartiles, in the KPI's
    unit, a count's an hour; of ``n`` weeks, or peers. ``through``: the last day that is in it.
    """

    against: Against
    kpi: str
    kind: EntityKind
    id: str
    weekday: Annotated[int, Meta(ge=1, le=7)]
    hour: Annotated[str, Meta(pattern=r"^[0-2][0-9]:[0-5][0-9]$")]
    middle: float
    low: float
    high: float
    n: int
    through: date

    @property
    def key(self) -> str:
        """Message key."""
        return baseline_key(self.against, self.kpi, entity(self.kind, self.id), self.weekday, self.hour)


def baseline_key(against: Against, kpi: str, of: str, weekday: int, hour: str) -> str:
    """Key of a ``Baseline``; ``of``: its ``kind|id``."""
    return f"{against}|{kpi}|{weekday}|{hour}|{of}"


class Score(Struct, omit_defaults=True, kw_only=True):
    """A month-end result: message value of ``scores`` under the key ``card|period|person``."""

    card: str
    card_version: str
    period: str
    person: str
    #: Half-up to 2 places, as text so that no reader makes a float of it. None: not one item could be scored.
    total: str | None
    #: What the scored items could give at most, and what all items could.
    scored_max: str
    max: str
    complete: bool
    items: list[dict[str, Any]]
    #: Has somebody reviewed and approved it? False: published by ``score run`` as it came out.
    reviewed: bool = True

    @property
    def key(self) -> str:
        """Message key."""
        return f"{self.card}|{self.period}|{self.person}"


class Operation(Protocol):
    """What a command that is joined from outside ``streams`` may ask of the running operation."""

    def daily_facts(self, first: date, last: date, kind: EntityKind) -> Iterable[DailyFacts]:
        """The newest facts of every entity of a kind, from ``first`` to ``last``, both included."""

    def roster(self, day: date) -> Mapping[str, RosterEntry]:
        """Agent id → their entry in force on a day; empty where there is no roster."""

    def publish_scores(self, scores: Iterable[Score]) -> int:
        """Put scores on the ``scores`` topic; returns how many the broker has acknowledged."""

    def published_scores(self, card: str, period: str) -> Iterable[Score]:
        """The scores of a card and period that stand on the ``scores`` topic."""


class Marked(Struct, kw_only=True):
    """In which KPIs an agent differs from the rest of their team: KPI id → ``better``, ``worse``, ``higher``, ``lower``.

    ``adjusted``: of those that were held against what the others reach on the same work, KPI id → the share of the agent's cases that could
    be; the others were compared as they are.
    """

    differs: dict[str, str]
    adjusted: dict[str, float] = {}


class MarkedDays(Struct, kw_only=True):
    """The closed days by which agents have been compared: of each KPI the last 28 of them that have matured. ``by``: what the same work is,
    ``queue`` or ``topic``, as the policy says of the last day.
    """

    first: date
    last: date
    by: Literal["queue", "topic"] = "queue"


class SharedId(Struct, kw_only=True):
    """A customer id that many callers share: since when, the last day on which contacts arrived under it, and how many did then."""

    since: date
    seen: date
    contacts: int
