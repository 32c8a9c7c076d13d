"""Records of other systems become events: small records of our own making, in the vendors' shapes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.sources.expressions.functions import pseudonyms
from streams.sources.replay import replay
from streams.sources.table.layout import TableError
from streams.sources.table.reader import KEY_VARIABLE
from streams.sources.table.rows import ReadRow, RejectedRow
from streams.sources.vendors.amazon_connect import AmazonConnect
from streams.sources.vendors.freeswitch import FreeSwitch
from streams.sources.vendors.reader import Vendor, read_records, record_reader
from tests.support.desk import figures, in_any_order, moment, run_events, sums, types

HASH = pseudonyms(b"key")
#: 2026-03-02 09:00:00 UTC.
NINE = 1_772_442_000


# -- FreeSWITCH --------------------------------------------------------------------------------------------------------


def fs(action: str, after: float = 0, **fields: Any) -> dict[str, str]:
    """An event fired so many seconds after nine: texts throughout, as the event socket writes them."""
    record = {"Event-Name": "CUSTOM", "Event-Subclass": "callcenter::info", "CC-Action": action}
    record["Event-Date-Timestamp"] = str(round((NINE + after) * 1_000_000))
    return record | {f"CC-{name.replace('_', '-')}": str(value) for name, value in fields.items()}


def member(action: str, after: float = 0, **fields: Any) -> dict[str, str]:
    """The same about a caller in a queue."""
    caller = {"Queue": "cards", "Member_UUID": "m1", "Member_Session_UUID": "s1", "Member_CID_Number": "020 7946 0001"}
    return fs(action, after, **{**caller, **fields})


ANSWERED = {
    "Agent": "anna@desk",
    "Member_Joined_Time": NINE,
    "Agent_Called_Time": NINE + 11,
    "Agent_Answered_Time": NINE + 15,
}
CALL = [
    member("member-queue-start", 0.4),
    member("agent-offering", 5, Agent="bert@desk"),
    member("bridge-agent-fail", 9, Agent="bert@desk", Hangup_Cause="NO_ANSWER"),
    member("agent-offering", 11.2, Agent="anna@desk"),
    member("bridge-agent-start", 15.1, **ANSWERED),
    member("bridge-agent-end", 75.1, **ANSWERED, Bridge_Terminated_Time=NINE + 75),
    member("member-queue-end", 75.2, Cause="Terminated", Member_Joined_Time=NINE, Member_Leaving_Time=NINE + 75),
]


def switch(*records: Mapping[str, Any]) -> list[AnyEvent]:
    read = FreeSwitch(HASH)
    return [event for record in records for event in read(record) or ()]


def test_a_call_through_mod_callcenter() -> None:
    told = switch(*CALL)
    assert types(told) == [
        "call.queued",
        "call.offered",
        "call.missed",
        "call.offered",
        "call.queued",
        "call.offered",
        "call.answered",
        "call.ended",
    ]
    rang, answered = told[5], told[6]
    assert isinstance(rang, e.CallOffered)
    assert rang.ring_seconds == 4
    assert isinstance(answered, e.CallAnswered)
    assert (answered.contact_id, answered.customer_id, answered.queue_id, answered.agent_id) == (
        "s1", HASH("020 7946 0001"), "cards", "anna@desk",
    )  # fmt: skip
    assert answered.time == moment("09:00:15")
    result = run_events(told)
    queue = sums(result, "queue|cards")
    counted = ("calls_offered", "calls_answered", "calls_handled", "wait_seconds", "talk_seconds")
    assert [queue[name] for name in counted] == [1, 1, 1, 15_000, 60_000]
    assert (sums(result, "agent|bert@desk")["calls_missed"], result.rejected) == (1, [])
    in_any_order(told)


AGENTS = [f"a{n}@desk" for n in range(10)]


@pytest.mark.parametrize(
    ("cause", "missed"), [("LOSE_RACE", 0), ("PICKED_OFF", 0), ("NO_ANSWER", 1), ("USER_BUSY", 1), (None, 1)]
)
def test_where_all_phones_ring_one_answers_and_nobody_else_has_missed_it(cause: str | None, missed: int) -> None:
    first, *others = AGENTS
    answered = {**ANSWERED, "Agent": first}
    ended = {"Hangup_Cause": cause} if cause else {}
    told = switch(
        member("member-queue-start", 0.1),
        *(member("agent-offering", 11, Agent=agent) for agent in AGENTS),
        member("bridge-agent-start", 15, **answered),
        *(member("bridge-agent-fail", 15, Agent=agent, Agent_Called_Time=NINE + 11, **ended) for agent in others),
        member("bridge-agent-end", 75, **answered, Bridge_Terminated_Time=NINE + 75, Hangup_Cause="NORMAL_CLEARING"),
    )
    result = run_events(told)
    assert [sums(result, f"agent|{agent}").get("calls_missed", 0) for agent in AGENTS] == [0, *[missed] * 9]
    assert [sums(result, f"agent|{agent}").get("calls_offered", 0) for agent in AGENTS] == [1, *[missed] * 9]
    assert (sums(result)["calls_answered"], sums(result)["calls_offered"], sums(result).get("calls_missed", 0)) == (
        1, 1, 9 * missed,
    )  # fmt: skip
    in_any_order(told)


def test_who_goes_while_it_rings_was_missed_by_nobody() -> None:
    gone = {"Member_Joined_Time": NINE, "Member_Leaving_Time": NINE + 8}
    told = switch(
        member("agent-offering", 5, Agent="bert@desk"),
        member("bridge-agent-fail", 8, Agent="bert@desk", Hangup_Cause="ORIGINATOR_CANCEL"),
        member("member-queue-end", 8, Cause="Cancel", Cancel_Reason="BREAK_OUT", **gone),
    )
    day = sums(run_events(told))
    assert (day["calls_offered"], day["calls_abandoned"], day.get("calls_missed", 0)) == (1, 1, 0)


@pytest.mark.parametrize("bridged", ["true", "false"])
def test_a_bridge_that_failed_is_no_answer(bridged: str) -> None:
    gone = {"Member_Joined_Time": NINE, "Member_Leaving_Time": NINE + 16}
    told = switch(
        member("bridge-agent-start", 15, **ANSWERED),
        member("bridge-agent-end", 16, **ANSWERED, Bridge_Terminated_Time=NINE + 16, Agent_Bridged=bridged),
        *(
            []
            if bridged == "true"
            else [member("member-queue-end", 16, Cause="Cancel", Cancel_Reason="BREAK_OUT", **gone)]
        ),
    )
    day = sums(run_events(told))
    spoke = bridged == "true"
    assert [day.get(name, 0) for name in ("calls_offered", "calls_answered", "calls_handled", "calls_abandoned")] == [
        1, spoke, spoke, not spoke,
    ]  # fmt: skip
    in_any_order(told)


def test_a_caller_whose_first_bridge_failed_is_answered_by_the_next_agent() -> None:
    again = {**ANSWERED, "Agent": "bert@desk", "Agent_Called_Time": NINE + 20, "Agent_Answered_Time": NINE + 24}
    told = switch(
        member("bridge-agent-start", 15, **ANSWERED),
        member("bridge-agent-end", 16, **ANSWERED, Bridge_Terminated_Time=NINE + 16, Agent_Bridged="false"),
        member("bridge-agent-start", 24, **again),
        member("bridge-agent-end", 60, **again, Bridge_Terminated_Time=NINE + 60, Agent_Bridged="true"),
    )
    result = run_events(told)
    assert (sums(result)["calls_answered"], sums(result)["wait_seconds"], sums(result)["talk_seconds"]) == (
        1, 24_000, 36_000,
    )  # fmt: skip
    assert "calls_answered" not in sums(result, "agent|anna@desk")


def test_the_bridge_alone_tells_the_call_and_a_doubled_record_changes_nothing() -> None:
    start, end = CALL[4], CALL[5]
    once, twice = sums(run_events(switch(start, end))), sums(run_events(switch(*[start, end] * 2)))
    assert once == twice
    assert (once["calls_offered"], once["wait_seconds"], once["talk_seconds"]) == (1, 15_000, 60_000)


@pytest.mark.parametrize(
    ("reason", "left", "abandoned"),
    [
        ("TIMEOUT", e.CallLeftQueue, 0),
        ("NO_AGENT_TIMEOUT", e.CallLeftQueue, 0),
        ("BREAK_OUT", e.CallAbandoned, 1),
        ("NONE", e.CallAbandoned, 1),
        ("EXIT_WITH_KEY", e.CallAbandoned, 1),
    ],
)
def test_who_leaves_the_queue_unanswered(reason: str, left: type[AnyEvent], abandoned: int) -> None:
    times = {"Member_Joined_Time": NINE, "Member_Leaving_Time": NINE + 42}
    told = switch(member("member-queue-end", 42, Cause="Cancel", Cancel_Reason=reason, **times))
    assert [type(event) for event in told] == [e.CallQueued, left]
    assert isinstance(told[1], e.CallAbandoned | e.CallLeftQueue)
    assert (told[1].wait_seconds, told[1].reason) == (42, reason)
    day = sums(run_events(told))
    assert (day["calls_offered"], day.get("calls_abandoned", 0), day.get("calls_answered", 0)) == (1, abandoned, 0)


def test_a_caller_in_two_queues_is_one_contact_offered_twice() -> None:
    times = {"Member_Joined_Time": NINE, "Member_Leaving_Time": NINE + 30}
    timed_out = member("member-queue-end", 30, Cause="Cancel", Cancel_Reason="TIMEOUT", **times)
    later = {
        **ANSWERED,
        "Member_Joined_Time": NINE + 31,
        "Agent_Called_Time": NINE + 35,
        "Agent_Answered_Time": NINE + 40,
    }
    told = switch(timed_out, member("bridge-agent-start", 40, Queue="loans", Member_UUID="m2", **later))
    assert {event.contact_id for event in told if isinstance(event, e.ContactEvent)} == {"s1"}
    result = run_events(told)
    assert [sums(result, f"queue|{queue}")["calls_offered"] for queue in ("cards", "loans")] == [1, 1]
    assert sums(result, "queue|loans")["wait_seconds"] == 9_000


def test_agents_of_the_switch() -> None:
    anna = {"Agent": "anna@desk"}
    told = switch(
        fs("agent-status-change", 0, **anna, Agent_Status="Available (On Demand)"),
        fs("agent-state-change", 10, **anna, Agent_State="Receiving"),
        fs("agent-state-change", 15, **anna, Agent_State="In a queue call"),
        fs("agent-state-change", 75, **anna, Agent_State="Waiting"),
        fs("agent-state-change", 80, **anna, Agent_State="In a queue call"),
        fs("agent-status-change", 85, **anna, Agent_Status="On Break"),
        fs("agent-state-change", 90, **anna, Agent_State="Waiting"),
        fs("agent-status-change", 95, **anna, Agent_Status="Logged Out"),
    )
    states = [(event.state, event.reason) for event in told if isinstance(event, e.AgentStateChanged)]
    assert states == [
        ("available", None),
        ("on_contact", None),
        ("available", None),
        ("on_contact", None),
        ("away", "On Break"),
        ("away", None),
        ("offline", None),
    ]


@pytest.mark.parametrize("number", ["", "anonymous", "Unknown", "0000000000", None])
def test_a_hidden_number_is_nobody(number: str | None) -> None:
    record: dict[str, Any] = {**CALL[0], "CC-Member-CID-Number": number}
    (event,) = switch(record)
    assert isinstance(event, e.CallQueued)
    assert event.customer_id is None


def test_what_the_switch_tells_of_neither_calls_nor_agents_is_left_out() -> None:
    read = FreeSwitch(HASH)
    assert read(fs("members-count", Count=3)) is None
    assert read({"Event-Name": "CUSTOM", "Event-Subclass": "sofia::register"}) is None


@pytest.mark.parametrize(
    ("record", "error"),
    [
        ({"Event-Name": "HEARTBEAT"}, "mod_callcenter event: CC-Action: is missing"),
        (
            {**fs("agent-status-change", Agent="a", Agent_Status="Available"), "Event-Date-Timestamp": None},
            "agent-status-change: Event-Date-Timestamp: is missing",
        ),
        (fs("agent-status-change", Agent="a", Agent_Status="Busy"), "CC-Agent-Status: 'Busy' is none of Available, "),
        (fs("agent-status-change", Agent_Status="Available"), "agent-status-change: CC-Agent: is missing"),
        ({**CALL[4], "CC-Agent-Answered-Time": "0"}, "bridge-agent-start: CC-Agent-Answered-Time: is missing"),
        ({**CALL[4], "CC-Agent-Answered-Time": "soon"}, "CC-Agent-Answered-Time: 'soon' is no number"),
        ({**CALL[4], "CC-Agent-Answered-Time": "1e300"}, r"CC-Agent-Answered-Time: 1e\+300 is no moment"),
        ({**CALL[4], "CC-Agent-Answered-Time": str(NINE - 1)}, "CC-Agent-Answered-Time: .* lies before"),
        ({**CALL[4], "CC-Member-Session-UUID": 7}, "CC-Member-Session-UUID: 7 is no text"),
        ({**CALL[4], "CC-Queue": "q" * 300}, r"bridge-agent-start: call.queued: .*queue_id"),
        (member("member-queue-end", Cause="Lost"), "CC-Cause: 'Lost' is neither Terminated nor Cancel"),
        (member("member-queue-end", Cause="Cancel", Cancel_Reason="X"), "CC-Cancel-Reason: 'X' is none of NONE"),
    ],
)
def test_what_cannot_be_read_of_the_switch_is_named(record: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        FreeSwitch(HASH)(record)


def test_what_a_switch_logs_within_a_second_stays_in_its_order(tmp_path: Path) -> None:
    """It timed out and went on to another queue within a second; the sequence of events is the place of their record."""
    left = {"Member_Joined_Time": NINE, "Member_Leaving_Time": NINE + 30, "Cause": "Cancel", "Cancel_Reason": "TIMEOUT"}
    log = [
        member("member-queue-start", 0),
        member("member-queue-end", 30.2, **left),
        member("member-queue-start", 30, Member_UUID="a0", Queue="general"),
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in log), encoding="utf-8")
    events = [
        event
        for row in read_records(path, Vendor.freeswitch, b"key")
        if isinstance(row, ReadRow)
        for event in row.events
    ]
    assert [(event.id, event.sequence) for event in events] == [
        ("m1-queued", 1),
        ("m1-queued", 2),
        ("m1-left", 2),
        ("a0-queued", 3),
    ]
    held = run_events(events)
    assert [sums(held, f"queue|{queue}")["calls_offered"] for queue in ("cards", "general")] == [1, 1]
    in_any_order(list({event.id: event for event in events}.values()))


# -- Amazon Connect ----------------------------------------------------------------------------------------------------

ARN = "arn:aws:connect:eu-west-2:000000000001:instance/i1"


def at(time: str) -> str:
    return f"2026-03-02T{time}Z"


def contact(**changes: Any) -> dict[str, Any]:
    """A contact record: 20 s in the queue, 95 s of talk, 5 s on hold, 40 s of work after it."""
    return {
        "AWSContactTraceRecordFormatVersion": "2017-03-10",
        "Agent": {
            "ARN": f"{ARN}/agent/anna",
            "AfterContactWorkDuration": 40,
            "AfterContactWorkStartTimestamp": at("09:02:20"),
            "AgentInteractionDuration": 95,
            "ConnectedToAgentTimestamp": at("09:00:40"),
            "CustomerHoldDuration": 5,
            "Username": "anna.b",
        },
        "Channel": "VOICE",
        "ContactId": "k1",
        "CustomerEndpoint": {"Address": "+442079460002", "Type": "TELEPHONE_NUMBER"},
        "DisconnectReason": "AGENT_DISCONNECT",
        "DisconnectTimestamp": at("09:02:20"),
        "InitialContactId": None,
        "InitiationMethod": "INBOUND",
        "InitiationTimestamp": at("09:00:00"),
        "NextContactId": None,
        "PreviousContactId": None,
        "Queue": {"EnqueueTimestamp": at("09:00:20"), "DequeueTimestamp": at("09:00:40"), "Name": "cards"},
        "TransferCompletedTimestamp": None,
        "SomethingNew": {"of": "next year"},
        **changes,
    }


def connect(*records: Mapping[str, Any]) -> list[AnyEvent]:
    read = AmazonConnect(HASH)
    return [event for record in records for event in read(record) or ()]


def test_a_contact_record_is_a_call() -> None:
    told = connect(contact())
    assert types(told) == ["call.arrived", "call.queued", "call.answered", "call.ended"]
    ended = told[-1]
    assert isinstance(ended, e.CallEnded)
    assert (ended.agent_id, ended.customer_id, ended.ended_by) == ("anna", HASH("+442079460002"), "agent")
    result = run_events(told)
    agent = sums(result, "agent|anna")
    measured = ("wait_seconds", "talk_seconds", "hold_seconds", "wrap_up_seconds", "handle_seconds")
    assert [agent[name] for name in measured] == [20_000, 95_000, 5_000, 40_000, 140_000]
    assert figures(result, "queue|cards")["service_level_20s"].value == 1
    in_any_order(told)


@pytest.mark.parametrize(
    ("changes", "left", "abandoned"),
    [
        ({"DisconnectReason": "CUSTOMER_DISCONNECT"}, e.CallAbandoned, 1),
        ({"DisconnectReason": "CONTACT_FLOW_DISCONNECT"}, e.CallLeftQueue, 0),
        ({"DisconnectReason": "CUSTOMER_DISCONNECT", "NextContactId": "k2"}, e.CallLeftQueue, 0),
    ],
)
def test_a_contact_record_without_an_agent(changes: dict[str, Any], left: type[AnyEvent], abandoned: int) -> None:
    told = connect(contact(Agent=None, **changes))
    assert [type(event) for event in told] == [e.CallArrived, e.CallQueued, left]
    day = sums(run_events(told))
    assert (day["calls_offered"], day.get("calls_abandoned", 0)) == (1, abandoned)


def test_who_hangs_up_in_the_flow_was_never_offered() -> None:
    told = connect(contact(Agent=None, Queue=None, DisconnectReason="CUSTOMER_DISCONNECT"))
    assert types(told) == ["call.arrived"]
    assert "calls_offered" not in sums(run_events(told))


def test_a_transferred_call_stays_one_contact_and_no_repeat() -> None:
    handed_on = contact(TransferCompletedTimestamp=at("09:02:20"), NextContactId="k2")
    taken = contact(
        ContactId="k2",
        InitialContactId="k1",
        PreviousContactId="k1",
        InitiationMethod="TRANSFER",
        Agent={
            "ARN": f"{ARN}/agent/bert",
            "ConnectedToAgentTimestamp": at("09:02:30"),
            "AgentInteractionDuration": 30,
        },
        DisconnectTimestamp=at("09:03:00"),
        Queue={"EnqueueTimestamp": at("09:02:20"), "DequeueTimestamp": at("09:02:30"), "Name": "loans"},
    )
    told = connect(handed_on, taken)
    result = run_events(told)
    day = sums(result)
    assert (day["contacts_handled"], day["calls_answered"], day["calls_transferred"]) == (1, 2, 1)
    assert sums(result, "agent|bert")["talk_seconds"] == 30_000
    in_any_order(told)


@pytest.mark.parametrize(
    "changes", [{"Channel": "CHAT"}, {"InitiationMethod": "OUTBOUND"}, {"InitiationMethod": "API"}]
)
def test_other_channels_and_calls_that_nobody_made_to_us_are_left_out(changes: dict[str, Any]) -> None:
    assert AmazonConnect(HASH)(contact(**changes)) is None


def snapshot(status: str = "Available", *contacts: dict[str, str]) -> dict[str, Any]:
    return {"AgentStatus": {"Name": status, "StartTimestamp": at("08:00:00")}, "Contacts": list(contacts)}


def of_agent(time: str, before: Any, now: Any, kind: str = "STATE_CHANGE") -> dict[str, Any]:
    return {
        "AgentARN": f"{ARN}/agent/anna",
        "EventId": f"e-{time}",
        "EventTimestamp": at(time),
        "EventType": kind,
        "PreviousAgentSnapshot": before,
        "CurrentAgentSnapshot": now,
    }


def busy(state: str, since: str) -> dict[str, str]:
    return {"State": state, "StateStartTimestamp": at(since), "ConnectedToAgentTimestamp": at("09:00:00")}


def test_agents_of_amazon_connect() -> None:
    ringing, talking = snapshot("Available", busy("CONNECTING", "08:59:50")), busy("CONNECTED", "09:00:00")
    held, ended = busy("CONNECTED_ONHOLD", "09:01:00"), busy("ENDED", "09:02:00")
    told = connect(
        of_agent("08:00:00", None, snapshot(), "LOGIN"),
        of_agent("08:59:50", snapshot(), ringing),
        of_agent("09:00:00", ringing, snapshot("Available", talking)),
        of_agent("09:00:30", snapshot("Available", talking), snapshot("Available", talking), "HEART_BEAT"),
        of_agent("09:01:00", snapshot("Available", talking), snapshot("Available", held)),
        of_agent("09:02:00", snapshot("Available", held), snapshot("Available", ended)),
        of_agent("09:02:45", snapshot("Available", ended), snapshot("Lunch")),
        of_agent("09:30:00", snapshot("Lunch"), snapshot("Training")),
        of_agent("10:00:00", snapshot("Training"), None, "LOGOUT"),
    )
    day = next(facts.sums for facts in run_events(told).daily_facts() if facts.entity == "agent|anna")
    in_state = {name: amount for name, amount in day.items() if name.endswith("_seconds")}
    assert in_state == {
        "available_seconds": 3_600_000,
        "working_seconds": 165_000,
        "on_contact_seconds": 120_000,
        "away_seconds": 1_635_000,
        "training_seconds": 1_800_000,
    }
    reasons = [event.reason for event in told if isinstance(event, e.AgentStateChanged) and event.state == "away"]
    assert reasons == ["Lunch"]


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (contact(ContactId=None), "contact record None: ContactId: is missing"),
        (contact(Agent={"ARN": "a"}), "contact record k1: Agent.ConnectedToAgentTimestamp: is missing"),
        (contact(Agent=[1]), r"contact record k1: Agent: \[1\] is no object"),
        (contact(DisconnectTimestamp="", Agent={**contact()["Agent"], "AfterContactWorkStartTimestamp": None}),
         "DisconnectTimestamp: is missing"),
        (contact(InitiationTimestamp="yesterday"), "InitiationTimestamp: 'yesterday' is no moment"),
        (contact(InitiationTimestamp="2026-03-02T09:00:00"), "InitiationTimestamp: .* has no offset from UTC"),
        (contact(Queue={"EnqueueTimestamp": at("09:01:00"), "Name": "q"}), "ConnectedToAgentTimestamp: .* lies before"),
        (contact(Agent={**contact()["Agent"], "AgentInteractionDuration": -1}), r"call.ended: .*talk_seconds"),
        (contact(Agent={**contact()["Agent"], "AgentInteractionDuration": float("nan")}), "nan is no number"),
        (of_agent("09:00:00", None, None), "agent event e-09:00:00: CurrentAgentSnapshot.AgentStatus.Name: is missing"),
        (of_agent("09:00:00", None, snapshot("Available", {"State": "ENDED"})),
         r"CurrentAgentSnapshot.Contacts\[0\]: StateStartTimestamp: is missing"),
        (of_agent("09:00:00", None, {"Contacts": 5}), "CurrentAgentSnapshot.Contacts: is no list of contacts"),
        ({"Name": "ContactFlowExecution", "Details": {}}, "a flow's Lambda event has no time"),
        ({"chatContact": {"snapshotTimestamp": 1}}, "a Streams snapshot does not name its agent"),
        ({}, "neither a contact record"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_of_amazon_connect_is_named(record: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        AmazonConnect(HASH)(record)


# -- files and the command line ----------------------------------------------------------------------------------------


def lines(*records: Any) -> str:
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def test_a_record_that_does_not_fit_is_rejected_and_the_others_go_on(tmp_path: Path) -> None:
    path, refused = tmp_path / "switch.jsonl.gz", tmp_path / "rejects.csv"
    old = {**CALL[4], **{name: str(int(CALL[4][name]) - NINE - 9000) for name in CALL[4] if name.endswith("-Time")}}
    text = lines("", CALL[4], "{broken", '{"CC-Action": "\\ud800"}', "[4]", old, fs("members-count", Count=1), CALL[5])
    path.write_bytes(gzip.compress(text.encode()))
    rows = list(read_records(path, Vendor.freeswitch, b"key"))
    assert [row.line for row in rows] == [2, 3, 4, 5, 6, 7, 8]
    reasons = [row.reason for row in rows if isinstance(row, RejectedRow)]
    assert [reason.split(":")[0] for reason in reasons] == [
        "no JSON",
        "half a character (a lone surrogate)",
        "no JSON object",
        "m1-queued",
    ]
    assert "1969" in reasons[3]
    sent: list[AnyEvent] = []

    class Kept:
        def send(self, event: AnyEvent) -> None:
            sent.append(event)

        def flush(self) -> None:
            assert sent

    report = replay([path], lambda file: read_records(file, Vendor.freeswitch, b"key"), Kept(), rejects=refused)
    assert (report.rows, report.events, report.left_out, report.rejected) == (7, 4, 1, 4)
    assert "{broken" in refused.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("text", [json.dumps(contact(), indent=1), json.dumps([contact()]), lines(contact())])
def test_documents_and_lines_give_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "contacts.json"
    path.write_text(text, encoding="utf-8")
    (row,) = read_records(path, Vendor.amazon_connect, b"key")
    assert isinstance(row, ReadRow)
    assert (row.line, types(row.events)) == (1, ["call.arrived", "call.queued", "call.answered", "call.ended"])


def test_a_file_that_cannot_be_read_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "contacts.json"
    path.write_text(" \n", encoding="utf-8")
    with pytest.raises(TableError, match="the file is empty"):
        read_records(path, Vendor.amazon_connect, b"key")
    with pytest.raises(TableError, match=r"cannot read .*absent\.json"):
        read_records(tmp_path / "absent.json", Vendor.amazon_connect, b"key")
    path.write_bytes(b"{}\n" + '{"a": "客服"}\n'.encode("gb18030"))
    with pytest.raises(TableError, match=r"line 2 is not UTF-8, .*iconv -f GB18030"):
        read_records(path, Vendor.amazon_connect, b"key")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(TableError, match=KEY_VARIABLE):
        read_records(path, Vendor.amazon_connect)


@pytest.mark.parametrize("command", ["replay", "facts compute"])
@pytest.mark.parametrize("options", [[], ["--mapping", "m.yaml", "--system", "freeswitch"]])
def test_commands_ask_what_the_files_are(tmp_path: Path, command: str, options: list[str]) -> None:
    result = CliRunner().invoke(app, [*command.split(), str(tmp_path / "x"), *options])
    assert result.exit_code == 1
    assert (
        "--mapping FILE for tables, or --system freeswitch|amazon-connect|asterisk|deskpulse for records"
        in result.output
    )


def test_facts_of_records_without_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "key")
    path = tmp_path / "switch.jsonl"
    path.write_text(lines(*CALL, {"CC-Action": "member-queue-start"}), encoding="utf-8")
    options = ["--system", "freeswitch", "--by", "agent", "--format", "json"]
    result = CliRunner().invoke(app, ["facts", "compute", str(path), *options])
    assert result.exit_code == 0, result.output
    rows = {row["id"]: row for row in json.loads(result.stdout)}
    assert (rows["anna@desk"]["wait_seconds"], rows["anna@desk"]["talk_seconds"]) == (15, 60)
    assert rows["bert@desk"]["calls_missed"] == 1
    why = "switch.jsonl, line 8: member-queue-start: Event-Date-Timestamp: is missing"
    assert f"left out: 1 rows that do not fit (the first: {why})" in result.stderr


# -- how Amazon Connect's files are written, and what they tell again ---------------------------------------------------


def in_file(tmp_path: Path, text: str, name: str = "contacts.json") -> list[AnyEvent]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    rows = list(read_records(path, Vendor.amazon_connect, b"key"))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [event for row in rows if isinstance(row, ReadRow) for event in row.events]


ONE, TWO = contact(), contact(ContactId="k2", CustomerEndpoint={"Address": "+442079460003"})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ONE) + json.dumps(TWO),
        json.dumps(ONE, indent=2) + json.dumps(TWO, indent=2),
        json.dumps(ONE, indent=2) + "\r\n" + json.dumps(TWO, indent=2) + "\r\n",
        json.dumps([ONE]) + json.dumps([TWO]),
        "\ufeff" + json.dumps(ONE) + ",\n" + json.dumps(TWO) + ",\n",
        lines(ONE, TWO),
    ],
)
def test_records_may_stand_one_behind_the_other_or_indented(tmp_path: Path, text: str) -> None:
    day = sums(run_events(in_file(tmp_path, text)))
    assert (day["calls_offered"], day["calls_answered"], day["talk_seconds"]) == (2, 2, 190_000)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_broken_record_among_them_is_one_reject_and_the_others_go_on(tmp_path: Path, indent: int | None) -> None:
    whole, cut = json.dumps(ONE, indent=indent), json.dumps(TWO, indent=indent)[:-90]
    path = tmp_path / "contacts.json"
    path.write_text(f"{cut}\n{whole}\n{cut}", encoding="utf-8")
    rows = list(read_records(path, Vendor.amazon_connect, b"key"))
    assert [type(row) for row in rows] == [RejectedRow, ReadRow, RejectedRow]
    assert rows[1].line == cut.count("\n") + 2


def version(talk: int, changed: str | None) -> dict[str, Any]:
    own = contact(Agent={**contact()["Agent"], "AgentInteractionDuration": talk})
    return own if changed is None else {**own, "LastUpdateTimestamp": at(changed)}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("files", [1, 3])
def test_the_latest_version_of_a_contact_record_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...], files: int
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "key")
    versions = [version(90, None), version(96, "09:05:00"), version(97, "09:06:00")]
    written = [json.dumps(versions[place]) for place in order]
    paths = [tmp_path / f"{n}.json" for n in range(files)]
    for path, text in zip(paths, written if files == 3 else ["".join(written)], strict=True):
        path.write_text(text, encoding="utf-8")
    options = ["--system", "amazon-connect", "--by", "all", "--format", "json"]
    result = CliRunner().invoke(app, ["facts", "compute", *map(str, paths), *options])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert (row["talk_seconds"], row["calls_answered"]) == (97, 1)


def test_a_version_that_is_sent_later_corrects_what_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "key")
    sent: list[AnyEvent] = []

    class Kept:
        def send(self, event: AnyEvent) -> None:
            sent.append(event)

        def flush(self) -> None:
            """Nothing is on its way."""

    for talk, changed in ((90, "09:05:00"), (97, "09:06:00"), (95, "09:05:30")):
        path = tmp_path / "contacts.json"
        path.write_text(json.dumps(version(talk, changed)), encoding="utf-8")
        replay([path], record_reader(Vendor.amazon_connect), Kept(), rejects=tmp_path / "rejects.csv", sort=True)
    result = run_events(sent)
    assert (sums(result)["talk_seconds"], sums(result)["calls_answered"], result.rejected) == (97_000, 1, [])


def leg(number: int, agent: str | None, queue: str, last: bool = False) -> dict[str, Any]:
    """A contact of a call that is handed on within the second in which it began; the last lasts a minute."""
    over = "09:01:00" if last else "09:00:00"
    part = {
        "ARN": f"{ARN}/agent/{agent}",
        "ConnectedToAgentTimestamp": at("09:00:00"),
        "AfterContactWorkStartTimestamp": at(over),
        "AgentInteractionDuration": 60 if last else 0,
        "AfterContactWorkDuration": 5,
    }
    return contact(
        ContactId=f"k{number}",
        InitialContactId="k1" if number > 1 else None,
        PreviousContactId=f"k{number - 1}" if number > 1 else None,
        NextContactId=None if last else f"k{number + 1}",
        InitiationMethod="TRANSFER" if number > 1 else "INBOUND",
        Queue={"EnqueueTimestamp": at("09:00:00"), "DequeueTimestamp": at("09:00:00"), "Name": queue},
        Agent=part if agent else None,
        DisconnectTimestamp=at(over),
        TransferCompletedTimestamp=None if last or agent is None else at("09:00:00"),
        DisconnectReason=None,
    )


@pytest.mark.parametrize(
    ("legs", "offered", "answered"),
    [
        ((leg(1, "anna", "cards"), leg(2, "bert", "loans"), leg(3, "anna", "cards", last=True)), 3, 3),
        ((leg(1, "anna", "cards"), leg(2, None, "loans"), leg(3, "bert", "vip", last=True)), 3, 2),
        ((leg(1, None, "cards"), leg(2, None, "loans"), leg(3, "anna", "cards", last=True)), 3, 1),
        ((leg(1, "anna", "cards"), leg(2, "bert", "cards"), leg(3, "cleo", "cards", last=True)), 3, 3),
    ],
)
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_contacts_handed_on_within_a_second_count_whatever_their_order_in_the_file(
    tmp_path: Path, legs: tuple[dict[str, Any], ...], offered: int, answered: int, order: tuple[int, ...]
) -> None:
    result = run_events(in_file(tmp_path, lines(*(legs[place] for place in order))))
    day = sums(result)
    assert [day[name] for name in ("calls_offered", "calls_answered", "calls_handled")] == [offered, answered, answered]


@pytest.mark.parametrize(
    ("left", "over", "following", "abandoned"),
    [
        ("09:00:50", "09:00:50", None, 1),
        ("09:00:50", "09:00:51", None, 1),
        ("09:00:50", "09:02:00", None, 0),  # the flow went on with it
        ("09:00:50", "09:00:50", "k2", 0),
    ],
)
def test_a_record_without_a_reason_was_abandoned_where_it_ended_in_the_queue(
    left: str, over: str, following: str | None, abandoned: int
) -> None:
    queue = {"EnqueueTimestamp": at("09:00:20"), "DequeueTimestamp": at(left), "Name": "cards"}
    record = contact(Agent=None, Queue=queue, DisconnectTimestamp=at(over), NextContactId=following)
    del record["DisconnectReason"]
    day = sums(run_events(connect(record)))
    assert (day["calls_offered"], day.get("calls_abandoned", 0)) == (1, abandoned)


def test_an_agent_who_hands_on_to_an_outside_number_is_done_though_the_caller_talks_on() -> None:
    own = {
        **contact()["Agent"],
        "AgentInteractionDuration": 11,
        "CustomerHoldDuration": 0,
        "AfterContactWorkDuration": 6,
    }
    record = contact(
        Agent={**own, "AfterContactWorkStartTimestamp": at("09:00:51")},
        TransferCompletedTimestamp=at("09:00:51"),
        TransferredToEndpoint={"Address": "+442079460009"},
        DisconnectTimestamp=at("09:25:00"),
        DisconnectReason="CUSTOMER_DISCONNECT",
    )
    agent = sums(run_events(connect(record)), "agent|anna")
    assert [agent[name] for name in ("talk_seconds", "calls_transferred", "wrap_up_seconds")] == [11_000, 1, 6_000]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"TransferredToEndpoint": {"Address": "+442079460009", "Type": "TELEPHONE_NUMBER"}}, "CUSTOMER_DISCONNECT"),
        ({"TransferredToEndpoint": None}, "CUSTOMER_DISCONNECT"),  # the endpoint is not told in every record
        ({"TransferredToEndpoint": {"Address": "+442079460009"}}, "THIRD_PARTY_DISCONNECT"),
        ({"TransferredToEndpoint": {"Address": "+442079460009"}}, None),
    ],
)
def test_however_an_outside_transfer_ends_the_talk_is_the_agents_own(
    changes: dict[str, Any], reason: str | None
) -> None:
    record = contact(
        TransferCompletedTimestamp=at("09:02:15"),
        DisconnectTimestamp=at("09:40:00"),
        DisconnectReason=reason,
        **changes,
    )
    day = sums(run_events(connect(record)))
    assert [day[name] for name in ("calls_answered", "calls_transferred", "talk_seconds", "hold_seconds")] == [
        1, 1, 95_000, 5_000,
    ]  # fmt: skip
    assert "short_calls" not in day


# -- events of the contracts, from a file -------------------------------------------------------------------------------


def test_events_kept_in_a_file_give_the_figures_of_their_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    told = switch(*CALL)
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n\n".join(encode(event) for event in reversed(told))))
    rows = list(read_records(path, Vendor.deskpulse))
    assert [event for row in rows if isinstance(row, ReadRow) for event in row.events] == told[::-1]
    arguments = ["facts", "compute", str(path), "--system", "deskpulse", "--by", "agent", "--format", "json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    own = {row["id"]: row for row in json.loads(result.stdout)}
    assert (own["anna@desk"]["wait_seconds"], own["anna@desk"]["talk_seconds"], own["bert@desk"]["calls_missed"]) == (
        15,
        60,
        1,
    )


def test_lines_that_are_no_events_are_refused_as_a_worker_would_and_the_others_go_on(tmp_path: Path) -> None:
    whole = encode(switch(*CALL)[0])
    path = tmp_path / "events.jsonl"
    broken = [
        b"{",
        b"[]",
        whole.replace(b"call.queued", b"call.quoted"),
        whole.replace(b"+00:00", b"").replace(b"Z", b""),
        b"\xff",
    ]
    path.write_bytes(b"\n".join([*broken, whole]))
    *refused, read = read_records(path, Vendor.deskpulse)
    assert isinstance(read, ReadRow)
    assert read.line == 6
    assert [row.reason.partition(":")[0] for row in refused if isinstance(row, RejectedRow)] == [
        "not_json", "not_json", "unknown_type", "bad_time", "not_json",
    ]  # fmt: skip
    for content, why in ((b"", "the file is empty"), (gzip.compress(whole * 9)[:40], "cannot read|damaged")):
        path.write_bytes(content)
        with pytest.raises(TableError, match=why):
            list(read_records(path, Vendor.deskpulse))


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ((b'"type"', b'"id":"other","type"'), "'id' stands twice"),
        ((b'"source"', b'"customer_id": "c9", "\\u0063ustomer_id" : "c8", "source"'), "'customer_id' stands twice"),
        (
            (b'"source"', b'"items":{"id":true,"source":false},"source"'),
            "",
        ),  # what an object within it has is another's
        ((b'"source"', b'"note":"a \\"id\\": b","source"'), ""),
    ],
)
def test_a_line_in_which_a_key_stands_twice_is_refused(
    tmp_path: Path, change: tuple[bytes, bytes], refused: str
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(switch(*CALL)[0]).replace(*change, 1))
    (row,) = read_records(path, Vendor.deskpulse)
    assert row.reason == f"not_json: {refused} in one object: keep one" if isinstance(row, RejectedRow) else not refused


@pytest.mark.parametrize("text", ["{}", "[{}]", "[{}, {}]"])
def test_a_record_in_which_a_key_stands_twice_is_refused_and_the_others_go_on(tmp_path: Path, text: str) -> None:
    twice = json.dumps(ONE, indent=1).replace('"Address"', '"Address": "+442079460009", "Address"', 1)
    path = tmp_path / "contacts.json"
    path.write_text(text.replace("{}", f"{twice}") + "\n" + json.dumps(TWO), encoding="utf-8")
    *refused, read = read_records(path, Vendor.amazon_connect, b"key")
    assert {row.reason for row in refused if isinstance(row, RejectedRow)} == {
        "'Address' stands twice in one object: keep one"
    }
    assert len(refused) == text.count("{}")
    assert isinstance(read, ReadRow)
