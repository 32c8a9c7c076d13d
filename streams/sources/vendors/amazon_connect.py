"""Amazon Connect: contact records are calls, the agent event stream is agents' states.

The two overlap, and each tells only what it tells best: agent events know no customer, so that a call told by both would be
two calls. Contacts handed on make one call (``InitialContactId``): a customer who is transferred does not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from streams.contracts import events as e
from streams.contracts.events import AgentState, AnyEvent, EndedBy, milliseconds
from streams.sources.table.rows import Version
from streams.sources.vendors.record import Pseudonym, Record

SOURCE = "amazon-connect"

#: Contacts that the customer began, or that go on from one: others (outbound, monitoring) are not offered to a queue.
_INBOUND = frozenset({"INBOUND", "TRANSFER", "QUEUE_TRANSFER", "CALLBACK", "WEBRTC_API"})
#: Reasons that say who ended it; of others it stays unsaid.
_ENDED_BY: dict[str, EndedBy] = {
    "CUSTOMER_DISCONNECT": "customer",
    "AGENT_DISCONNECT": "agent",
    "TELECOM_PROBLEM": "system",
    "CONTACT_FLOW_DISCONNECT": "system",
    "EXPIRED": "system",
    "API": "system",
}
#: Links of a chain within one second that are told apart.
_LONGEST_CHAIN = 1_000
_SAME_MOMENT_SECONDS = 1
_CONNECTED = frozenset({"CONNECTED", "CONNECTED_ONHOLD"})
#: Statuses by name. Any other is one that the operation made up: away, with the name as the reason.
_STATES: dict[str, AgentState] = {"available": "available", "offline": "offline", "training": "training"}


def version(fields: Mapping[str, Any]) -> Version | None:
    """Which version of its contact a record is, by its ``LastUpdateTimestamp``; the first where it has none. None of other records.

    Raises ValueError that names the record and the field.
    """
    if "ContactId" not in fields:
        return None
    record = Record(f"contact record {fields['ContactId']}", fields)
    changed = record.moment("LastUpdateTimestamp")
    return Version(f"{SOURCE}:{record.need(record.text, 'ContactId')}", 0 if changed is None else milliseconds(changed))


def chains(records: Iterable[Any]) -> dict[str, int]:
    """Contact id → how many contacts of these records it follows on (``PreviousContactId``)."""
    before: dict[str, str] = {}
    for record in records:
        if isinstance(record, Mapping) and isinstance(contact := record.get("ContactId"), str):
            previous = record.get("PreviousContactId")
            before[contact] = previous if isinstance(previous, str) else ""
    places: dict[str, int] = {}
    for at in before:
        chain: list[str] = []
        while at in before and at not in places and at not in chain[-_LONGEST_CHAIN:]:
            chain.append(at)
            at = before[at]
        place = places.get(at, -1)
        for link in reversed(chain):
            places[link] = place = place + 1
    return places


class AmazonConnect:
    """Turns records into events. Of a file it knows which contact follows on which, and remembers nothing."""

    def __init__(
        self,
        pseudonym: Pseudonym,
        chain: Mapping[str, int] | None = None,
        *,
        source: str = SOURCE,
        agent: Callable[[str], str] = str,
        queue: Callable[[str], str] = str,
        statuses: Mapping[str, AgentState] | None = None,
    ) -> None:
        """``chain``: ``chains`` of the file, or who it goes on from makes it the second. ``agent``, ``queue``: from Connect's name to the
        operation's id; ``statuses``: name of a status of their own → the state that it is.
        """
        self._pseudonym, self._chain, self._source = pseudonym, chain, source
        self._agent_of, self._queue_of, self._statuses = agent, queue, statuses or {}

    def __call__(self, fields: Mapping[str, Any]) -> list[AnyEvent] | None:
        """The events that a contact record or an agent event stands for; None of other channels, outbound calls, heartbeats.

        Raises ValueError that names the record and the field which cannot be read, or says why a record of another kind
        cannot be used.
        """
        if "AgentARN" in fields:
            return self._states(Record(f"agent event {fields.get('EventId')}", fields))
        if "ContactId" in fields:
            return self._call(Record(f"contact record {fields['ContactId']}", fields))
        if "Details" in fields:
            raise ValueError("a flow's Lambda event has no time, and cannot be placed: give contact records")
        if "snapshotTimestamp" in fields or any(_is_snapshot(part) for part in fields.values()):
            raise ValueError("a Streams snapshot does not name its agent: give the agent event stream")
        raise ValueError("neither a contact record (ContactId) nor an agent event (AgentARN)")

    def _call(self, record: Record) -> list[AnyEvent] | None:
        how = record.need(record.text, "InitiationMethod")
        if record.need(record.text, "Channel") != "VOICE" or how not in _INBOUND:
            return None
        told: list[AnyEvent] = []
        if record.text("PreviousContactId") is None:
            told.append(self._event(record, e.CallArrived, "arrived", "InitiationTimestamp"))
        queued = record.moment("Queue.EnqueueTimestamp")
        if queued is not None:
            told.append(self._event(record, e.CallQueued, "queued", "Queue.EnqueueTimestamp"))
        if record.value("Agent") is not None:
            return [*told, *self._agents_part(record, queued)]
        if queued is not None:
            told.append(self._unanswered(record, queued))
        return told

    def _unanswered(self, record: Record, queued: datetime) -> AnyEvent:
        field = "Queue.DequeueTimestamp"
        wait = record.elapsed(queued, record.need(record.moment, field), field)
        reason = record.text("DisconnectReason")
        handed_on = record.text("NextContactId") is not None
        # Older records have no reason: whose call was over when it left the queue hung up there.
        hung_up = reason == "CUSTOMER_DISCONNECT" or (reason is None and self._over_in_queue(record))
        by_caller = hung_up and not handed_on
        struct = e.CallAbandoned if by_caller else e.CallLeftQueue
        return self._event(record, struct, "left", field, wait_seconds=wait, reason=reason)

    def _over_in_queue(self, record: Record) -> bool:
        over, left = record.moment("DisconnectTimestamp"), record.moment("Queue.DequeueTimestamp")
        return over is not None and left is not None and (over - left).total_seconds() <= _SAME_MOMENT_SECONDS

    def _agents_part(self, record: Record, queued: datetime | None) -> list[AnyEvent]:
        agent = {"agent_id": self._agent(record, "Agent.ARN")}
        answered = record.need(record.moment, field := "Agent.ConnectedToAgentTimestamp")
        wait = None if queued is None else record.elapsed(queued, answered, field)
        over = (
            "Agent.AfterContactWorkStartTimestamp"
            if record.moment("Agent.AfterContactWorkStartTimestamp") is not None
            else "DisconnectTimestamp"
        )
        told = [self._event(record, e.CallAnswered, "answered", field, wait_seconds=wait, **agent)]
        if record.moment("TransferCompletedTimestamp") is not None:
            told.append(self._event(record, e.CallTransferred, "transferred", "TransferCompletedTimestamp", **agent))
        told.append(
            self._event(
                record,
                e.CallEnded,
                "ended",
                over,
                talk_seconds=record.number("Agent.AgentInteractionDuration"),
                hold_seconds=record.number("Agent.CustomerHoldDuration"),
                wrap_up_seconds=record.number("Agent.AfterContactWorkDuration"),
                ended_by=_ENDED_BY.get(record.text("DisconnectReason") or ""),
                **agent,
            )
        )
        return told

    def _event(self, record: Record, struct: type[Any], what: str, at: str, **values: Any) -> AnyEvent:
        contact = record.need(record.text, "ContactId")
        began = record.moment("InitiationTimestamp")
        event: AnyEvent = record.event(
            struct,
            id=f"{contact}-{what}",
            source=self._source,
            time=record.need(record.moment, at),
            contact_id=record.text("InitialContactId") or contact,
            customer_id=record.customer("CustomerEndpoint.Address", self._pseudonym),
            queue_id=None if (queue := record.text("Queue.Name")) is None else self._queue_of(queue),
            sequence=None if began is None else self._sequence(record, contact, began),
            **values,
        )
        return event

    def _sequence(self, record: Record, contact: str, began: datetime) -> int:
        """Clocks of whole seconds give the contacts of a call one time where it is handed on at once: they follow as they began, within a
        second as the chain has it. Their order in the file says nothing: who hands on is recorded when the work after it is done.
        """
        if self._chain is None:
            place = int(record.text("PreviousContactId") is not None)
        else:
            place = min(self._chain.get(contact, 0), _LONGEST_CHAIN - 1)
        return milliseconds(began) // 1000 * _LONGEST_CHAIN + place

    def _states(self, record: Record) -> list[AnyEvent] | None:
        """What the agent does from now on, and what they did before where their contacts say since when."""
        kind, agent = record.need(record.text, "EventType"), self._agent(record, "AgentARN")
        if kind == "HEART_BEAT":
            return None
        now = record.need(record.moment, "EventTimestamp")
        if kind == "LOGOUT":
            return [self._change(record, agent, now, "offline", None)]
        before, current = _work(record, "PreviousAgentSnapshot"), _work(record, "CurrentAgentSnapshot")
        told: list[AnyEvent] = []
        if before is not None:
            told.append(self._change(record, agent, before[1], before[0], None))
        if current is not None:
            if before is None or before[0] != current[0]:
                told.append(self._change(record, agent, now, current[0], None))
            return told
        name = record.need(record.text, "CurrentAgentSnapshot.AgentStatus.Name")
        state = self._statuses.get(name) or _STATES.get(name.lower(), "away")
        told.append(self._change(record, agent, now, state, name if state == "away" else None))
        return told

    def _change(self, record: Record, agent: str, at: datetime, state: AgentState, reason: str | None) -> AnyEvent:
        return record.event(
            e.AgentStateChanged,
            id=f"{state}-{milliseconds(at)}",
            source=self._source,
            time=at,
            agent_id=agent,
            state=state,
            reason=reason,
        )

    def _agent(self, record: Record, field: str) -> str:
        """The agent's id within the instance: the end of their ARN, the same in contact records and agent events."""
        arn: str = record.need(record.text, field)
        return self._agent_of(arn.rsplit("/agent/", 1)[-1])


def _work(record: Record, snapshot: str) -> tuple[AgentState, datetime] | None:
    """On a contact or working after one, and since when; None where a snapshot has neither."""
    told = [(part, part.need(part.text, "State")) for part in _contacts(record, snapshot)]
    if connected := [part for part, state in told if state in _CONNECTED]:
        return "on_contact", min(part.need(part.moment, "ConnectedToAgentTimestamp") for part in connected)
    if ended := [part for part, state in told if state == "ENDED"]:
        return "wrap_up", max(part.need(part.moment, "StateStartTimestamp") for part in ended)
    return None


def _contacts(record: Record, snapshot: str) -> list[Record]:
    """The contacts of a snapshot, each by its place."""
    found = record.value(f"{snapshot}.Contacts") or []
    if not isinstance(found, list) or not all(isinstance(contact, Mapping) for contact in found):
        raise record.wrong(f"{snapshot}.Contacts", "is no list of contacts")
    return [Record(f"{record.name}, {snapshot}.Contacts[{n}]", contact) for n, contact in enumerate(found)]


def _is_snapshot(part: Any) -> bool:
    return isinstance(part, Mapping) and "snapshotTimestamp" in part
