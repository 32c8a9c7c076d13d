"""One contact as its events so far tell it: the state that calls, chats and tickets fold their events into."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from streams.contacts.rules import Rules
from streams.contacts.slots import HAPPENED, Slot, Slots, Was, with_parts
from streams.contracts.events import ContactEvent
from streams.contracts.outputs import Sums
from streams.kpi.policy.names import folded
from streams.windows.clock import Days

#: Slots credited to the agent at the end of the contact: they move along when it gets another agent.
AT_THE_END = frozenset({
    "handled", "resolution", "rating", "bad_rating", "nps", "invited_csat", "invited_nps", "invited_ces", "review", "signals",
    "created", "open", "month", "closed", "met", "resolve_time", "complaint_closed", "followed_up",
})  # fmt: skip
#: Slots of a ticket that are of the desk where it is: what a queue has taken in and what it has finished go with the ticket.
WHERE_IT_IS = ("created", "open", "month", "closed")
#: Begins the name of a slot of a review by a form, which moves along as well.
REVIEW = "review:"
#: Slots with days of their own, whatever day the contact arrived.
OWN_DAYS = frozenset({"month", "closed"})
COMPLAINT = "complaint"
#: Gives money or goods back: the kind, and the part of contacts that are of that subject of the policy.
REFUND, RETURN = "refund", "return"
#: The slot of a refund, return or exchange of a known customer that was handled to its end.
GIVEN_BACK = "given_back"
_GIVEN_BACK: Sums = {"refunds_handled": 1}
#: The slot of a call, or of a chat's first session, that began in self-service; those of later sessions have their number behind it.
SELF_SERVICE = "self_service"
#: What is in it: people had it in the end, or nobody had to.
SERVED: Sums = {"self_service_sessions": 1}
CONTAINED: Sums = {"self_service_sessions": 1, "self_service_contained": 1}
#: Slots that follow from a contact's kind.
OF_ITS_KIND = (
    "complaint", "complaint_closed", "complaint_then", "complaint_24h", "complaint_late", "complaint_response",
    "complaint_rating", "follow_up", "follow_up_15d", "follow_up_rating", "refund", "refund_dispute", "reply", "praise",
    "task_late", "task_met",
)  # fmt: skip
#: Nobody hands a contact on more often: what comes beyond is no transfer.
_MOST_HANDED = 100
#: What stays of a ticket that went on as another: what people said, and what was done with it.
OF_THE_MERGED = frozenset({
    "first_response", "rating", "bad_rating", "nps", "invited_csat", "invited_nps", "invited_ces", "review", "signals",
    "strain",
})  # fmt: skip
#: What slots hold again and again. Shared: nobody changes a slot's sums.
_HANDLED: Sums = {"contacts_handled": 1, "fcr_unknown": 1}
_HANDLED_KNOWN: Sums = {"contacts_handled": 1, "contacts_handled_known": 1}
_HANDLED_SHARED: Sums = {"contacts_handled": 1, "fcr_unknown": 1, "contacts_shared": 1}
_UNRESOLVED: Sums = {"resolution_due": 1}
_RESOLVED: Sums = {"resolution_due": 1, "resolved": 1}
_NONE: Sums = {}
#: The slot of a contact that was not resolved at once, by what it tells itself or because its customer came back.
MISSED_FCR = "fcr_missed"
FCR_MISSED: Sums = {"fcr_missed": 1}


class Leg(Struct, array_like=True, kw_only=True, gc=False):
    """One passage of a call through a queue to an agent. Times in ms since 1970, durations in ms."""

    queue: str | None = None
    #: When it was queued or, where nobody said so, offered or answered (``implied``).
    queued_at: int = 0
    implied: bool = False
    answered_at: int | None = None
    agent: str | None = None
    team: str | None = None
    wait: int = 0
    #: Left the queue unanswered, and when.
    gone: bool = False
    gone_at: int | None = None
    transferred: bool = False
    ended_at: int | None = None
    talk: int | None = None
    hold: int = 0
    wrap_up: int = 0
    ended_by_agent: bool = False
    #: When its outcome was told first, by a source that may not tell how long it took.
    settled_at: int | None = None

    @property
    def over_at(self) -> int | None:
        """When the agent's part was over; None: it is not."""
        return self.settled_at if self.ended_at is None else self.ended_at


class Handed(Struct, array_like=True, frozen=True, gc=False):
    """A chat or ticket was handed on: when (ms since 1970), by whom, from which queue. Of calls their legs tell it."""

    at: int
    agent: str | None = None
    team: str | None = None
    queue: str | None = None


class Signals(Struct, array_like=True, kw_only=True, gc=False):
    """What analytics of another system say of a contact: switches and silences as counts, times in ms, all else in thousandths."""

    emotion: int | None = None
    emotion_start: int | None = None
    emotion_end: int | None = None
    keyword_coverage: int | None = None
    page_switches: int | None = None
    search: int | None = None
    speech_rate: int | None = None
    silences: int | None = None
    shift: int | None = None


class Session(Struct, array_like=True, kw_only=True, gc=False):
    """What a chat's customer has waited for since the conversation began, or began anew. Times in ms since 1970."""

    #: 1 for the first of the thread.
    number: int = 1
    #: When somebody wrote last, or it was started, handed over or ended.
    said_at: int | None = None
    #: It was told to be over; it or one before it was: who starts the thread from then on opens it again.
    over: bool = False
    again: bool = False
    #: It began with a message that came soon after the end of the one before: a word of thanks, until people take it up.
    after_end: bool = False
    #: A bot had it before people did; it has written since the customer did.
    bot: bool = False
    bot_last: bool = False
    #: People have it: it was given to somebody, handed over, or somebody has written.
    people: bool = False
    #: The customer waits, or has waited, for people; handed over, and nobody has answered since.
    asked: bool = False
    handed: bool = False
    #: It is the one in which the thread's customer first waited for people; a bot had it before.
    first_asked: bool = False
    after_bot: bool = False
    #: When the session in which the customer first waited for people was over.
    left_at: int | None = None
    #: The queue in which the customer asked for people, if it was known then.
    asked_in: str | None = None
    #: It began in self-service: a bot wrote before people had it.
    served: bool = False


class Contact(Struct, array_like=True, kw_only=True):
    """A contact's fold: all that later events and the repeats need to know of the earlier ones. Times in ms since 1970."""

    #: Time of the arrival event, and of the earliest event of any type: a contact without the one arrived at the other.
    arrived_at: int | None = None
    first_at: int | None = None
    #: The one of the two that counts, and the number of its period: the ordinal of its day, where facts are kept by day.
    at: int = 0
    day: int = 0
    known: bool = False
    agent: str | None = None
    team: str | None = None
    queue: str | None = None
    site: str | None = None
    #: By the names that the policy has for them (``Rules.topics``, ``Rules.kinds``).
    topic: str | None = None
    kind: str | None = None
    closed_at: int | None = None
    #: Calls.
    legs: list[Leg] = []
    missed: int = 0
    #: Chats: since when its customer first waited for people, and whether an agent has answered in this session. Tickets: the first
    #: public reply.
    asked_at: int | None = None
    responded: bool = False
    #: Tickets: when it must be resolved.
    due_at: int | None = None
    slots: Slots = {}
    #: The slots that have changed and are not added up yet, as they were: empty in what is stored.
    was: Was = {}
    #: Where the policy credits others than the agent at the end: who replied (agent and team), and who resolved it.
    replied: tuple[tuple[str | None, str | None], ...] = ()
    resolver: tuple[str | None, str | None] | None = None
    #: Since when it stands resolved; the last word on whether it is.
    solved_at: int | None = None
    solved: bool | None = None
    #: Surveys that the customer has answered; is there a review; what analytics say.
    answered: list[str] = []
    reviewed: bool = False
    signals: Signals | None = None
    #: Tickets: resolved or closed since then; went on as another ticket.
    finished_at: int | None = None
    merged: bool = False
    #: Handed on to another agent or queue; opened again after it was settled: not resolved at once.
    transferred: bool = False
    reopened: bool = False
    #: Chats: the customer's first message that waits for an answer, how many answers there were, and since when its agent has it.
    unanswered_at: int | None = None
    replies: int = 0
    held_since: int | None = None
    parts: int = 0
    #: Since when the customer's rating has been a bad one, and when somebody first told its root cause.
    bad_since: int | None = None
    explained_at: int | None = None
    #: Calls: when it was over before any queue had it.
    left_menu_at: int | None = None
    #: Its customer id is that of many callers (``shared.py``): who they are is unknown.
    shared: bool = False
    #: Chats: the conversation that goes on.
    session: Session | None = None
    #: Is its customer a VIP, is it urgent: the last word; None: nobody said. The parts for which it is to be counted apart.
    vip: bool | None = None
    urgent: bool | None = None
    apart: tuple[str, ...] = ()
    #: Tickets: since when the customer accepts how it was settled.
    accepted_at: int | None = None
    #: Tickets: is the customer awaited; since when the clocks stand still, and from when to when they did before.
    awaited: bool = False
    stopped_since: int | None = None
    pauses: tuple[tuple[int, int], ...] = ()
    #: Chats and tickets: each time that somebody handed it on.
    handed: tuple[Handed, ...] = ()
    #: The parts for which it is counted apart in what has been added up.
    added_apart: tuple[str, ...] = ()

    @property
    def identified(self) -> bool:
        """Does its customer id tell one customer, who may come back?"""
        return self.known and not self.shared

    @property
    def over_at(self) -> int | None:
        """When it was over, whoever had it; None: it is not."""
        if self.finished_at is not None:
            return self.finished_at
        return self.left_at if self.closed_at is None else self.closed_at

    @property
    def left_at(self) -> int | None:
        """When the caller was gone though nobody had answered; None: not so, or no call."""
        return self.legs[-1].gone_at if self.legs else self.left_menu_at

    def copy(self) -> Contact:
        """The same, to be changed by itself, with nothing left to be added up."""
        return replace(
            self,
            legs=[replace(leg) for leg in self.legs],
            slots=self.slots.copy(),
            was={},
            answered=self.answered.copy(),
            signals=None if self.signals is None else replace(self.signals),
            session=None if self.session is None else replace(self.session),
        )

    def keep(self, name: str, slot: Slot) -> None:
        """Have this slot; the same again costs nothing."""
        if self.slots.get(name) != slot:
            self.fill(name, slot)

    def fill(self, name: str, slot: Slot) -> None:
        """Put a slot, remembering what was there."""
        if name not in self.was:
            self.was[name] = self.slots.get(name)
        self.slots[name] = slot

    def put(  # noqa: PLR0913 - a slot has as many parts
        self,
        name: str,
        at: int,
        *,
        staff: Sums | None = None,
        desk: Sums | None = None,
        both: Sums | None = None,
        agent: str | None = None,
        team: str | None = None,
        queue: str | None = None,
        form: int = HAPPENED,
    ) -> None:
        """Fill a slot; ``both`` counts for staff and desk alike. Without ``agent``, the contact's agent and team are credited."""
        if agent is None:
            agent, team = self.agent, self.team
        slot = Slot(
            at,
            self.day,
            agent,
            team,
            queue or self.queue,
            self.site,
            staff or both or _NONE,
            desk or both or _NONE,
            form,
        )
        self.fill(name, slot)

    def counted(self) -> Slots:
        """The slots as they are to be added up, with what they hold for parts of all contacts."""
        return with_parts(self.slots, self.apart)

    def added(self) -> Slots:
        """The slots as they have been added up."""
        slots = {**self.slots, **self.was}
        return with_parts({name: slot for name, slot in slots.items() if slot is not None}, self.added_apart)

    def note_added_up(self) -> None:
        """What it counts for has been added up as it is now."""
        self.was.clear()
        self.added_apart = self.apart

    def changed(self) -> bool:
        """Is there anything to be added up?"""
        return bool(self.was) or self.apart != self.added_apart

    def drop(self, *names: str) -> None:
        """Empty slots; an empty one may be named."""
        for name in names:
            if (slot := self.slots.pop(name, None)) is not None and name not in self.was:
                self.was[name] = slot

    def hand_to(self, agent: str | None, team: str | None) -> bool:
        """The contact is this agent's from now on; None leaves it where it is. True where it has changed hands.

        One that was over before anybody was known to have it was handled by whoever is named first.
        """
        if agent is None or (agent == self.agent and (team is None or team == self.team)):
            return False
        self.agent, self.team = agent, team
        for name, slot in self.slots.items():
            if name in AT_THE_END or name.startswith(REVIEW):
                self.fill(name, replace(slot, agent=agent, team=team))
        if self.closed_at is not None and "handled" not in self.slots:
            self.close(self.closed_at)
        return True

    def hand_on(self, at: int, agent: str | None, team: str | None) -> None:
        """Somebody handed it on: who is named or, where nobody is, who has it."""
        if agent is None or agent == self.agent:
            agent, team = self.agent, team or self.team
        if agent is not None and len(self.handed) < _MOST_HANDED:
            self.handed = (*self.handed, Handed(at, agent, team, self.queue))

    def learn(self, event: ContactEvent, at: int, rules: Rules) -> bool:  # noqa: C901 - what any event tells of any contact, field by field
        """Take over what any event may tell: queue, site, topic, kind, and the earliest moment. True where that is news.

        This is the one place where words of sources become kinds and topics, by the policy of the contact's day.
        """
        news = False
        if self.first_at is None or at < self.first_at:
            self.first_at, news = at, True
            if self.arrived_at is None:
                self._place(at, rules.days)
        moved = False
        if event.queue_id is not None and event.queue_id != self.queue:
            self.queue, moved = event.queue_id, True
        if event.site_id is not None and event.site_id != self.site:
            self.site, moved = event.site_id, True
        if moved:
            news = True
            self._take_along()
        if (
            event.topic is not None
            and event.topic != self.topic
            and (topic := rules.topics[event.topic])
            and topic != self.topic
        ):
            self.topic, news = topic, True
        if (
            event.kind is not None
            and event.kind != self.kind
            and (kind := rules.kinds[event.kind])
            and kind != self.kind
        ):
            if self.kind is not None:  # what begins as a refund and becomes a dispute stays a refund, too
                was_refund = self.kind == "refund" and kind == "refund_dispute"
                self.drop(*(name for name in OF_ITS_KIND if not (was_refund and name == "refund")))
            self.kind, news = kind, True
        if event.vip is not None and event.vip != self.vip:
            self.vip, news = event.vip, True
        if event.priority is not None and (priority := folded(event.priority)):
            urgent = priority in rules.urgent
            if urgent != self.urgent:
                self.urgent, news = urgent, True
        if event.customer_id is not None and not self.known:
            self.known = news = True
        return news

    def go_to(self, queue: str | None) -> None:
        """The contact is in this queue from now on; None leaves it where it is."""
        if queue is not None and queue != self.queue:
            self.queue = queue
            self._take_along()

    def _take_along(self) -> None:
        for name in WHERE_IT_IS:
            if (slot := self.slots.get(name)) is not None:
                self.fill(name, replace(slot, queue=self.queue, site=self.site))

    def arrive(self, at: int, days: Days) -> None:
        """The arrival event: the first one counts."""
        if self.arrived_at is None:
            self.arrived_at = at
            self._place(at, days)

    def _place(self, at: int, days: Days) -> None:
        self.at = at
        day = days.of(at)
        if day != self.day:
            self.day = day
            for name, slot in self.slots.items():
                if name not in OWN_DAYS:
                    self.fill(name, replace(slot, day=day))

    def settle_merged(self) -> None:
        """After an event: a ticket that went on as another counts for nothing of its own; nobody came, so that nobody came back."""
        self.known = False
        self.drop(*(name for name in self.slots if name not in OF_THE_MERGED and not name.startswith(REVIEW)))

    def settle_fcr(self) -> None:
        """A handled contact of a known customer that was handed on, or opened again, was not resolved at once."""
        handled = self.slots.get("handled")
        if handled is None or not self.identified:
            self.drop(MISSED_FCR)
            return
        missed = replace(handled, staff=FCR_MISSED, desk=FCR_MISSED)
        if missed != self.slots.get(MISSED_FCR):
            self.fill(MISSED_FCR, missed)

    def settle_given_back(self) -> None:
        """A refund, return or exchange that a known customer got handled to its end, which no complaint is, counts where that does."""
        handled = self.slots.get("handled")
        gives = self.kind == REFUND or (RETURN in self.apart and self.kind != COMPLAINT)
        if handled is None or not gives or not self.identified:
            self.drop(GIVEN_BACK)
        else:
            self.keep(GIVEN_BACK, replace(handled, staff=_GIVEN_BACK, desk=_GIVEN_BACK))

    # -- what all channels do alike ------------------------------------------------------------------------------------

    def close(self, at: int) -> None:
        """The contact was handled to its end by its agent."""
        self.closed_at = at
        self.put("handled", at, both=self._handled())

    def share(self, shared: bool) -> None:
        """Its customer id is, or is no longer, that of many callers."""
        if shared == self.shared:
            return
        self.shared = shared
        if (handled := self.slots.get("handled")) is not None:
            sums = self._handled()
            self.fill("handled", replace(handled, staff=sums, desk=sums))
            self.settle_given_back()
        if self.transferred or self.reopened:
            self.settle_fcr()

    def identify(self) -> None:
        """Who its customer is has been told elsewhere. Where it went on as another ticket, nobody came."""
        if self.known or self.merged:
            return
        self.known = True
        if (handled := self.slots.get("handled")) is not None:
            sums = self._handled()
            self.fill("handled", replace(handled, staff=sums, desk=sums))
            self.settle_given_back()
        if self.transferred or self.reopened:
            self.settle_fcr()

    def _handled(self) -> Sums:
        if not self.known:
            return _HANDLED
        return _HANDLED_SHARED if self.shared else _HANDLED_KNOWN

    def resolve(self, at: int, resolved: bool) -> None:
        """The contact is due to be resolved and was, or was not; a later word replaces an earlier one."""
        self.say_solved(at, resolved)
        self.put("resolution", at, both=_RESOLVED if resolved else _UNRESOLVED)

    def say_solved(self, at: int, solved: bool | None) -> None:
        """Somebody says whether it is resolved (None: all is open again): that it is counts from the first time of saying so."""
        self.solved = solved
        self.solved_at = (at if self.solved_at is None else self.solved_at) if solved else None
