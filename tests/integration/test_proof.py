"""Records on a real Kafka prove a day's facts, and one that is wrong is found."""

from __future__ import annotations

import json
from datetime import date, timedelta

import msgspec
import pytest
from kafka import KafkaProducer
from msgspec.structs import replace
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import ENTITY_KINDS, ContactRecord, entity_id
from streams.history.behind import keep
from streams.history.store import open_history
from streams.kafka.connection import kafka_python_options
from streams.kpi.case_mix import strata_in
from streams.operation import KafkaOperation
from streams.settings import Settings, environment
from tests.support.desk import Script, moment
from tests.support.histories import figures_in, figures_of, follow, query, same
from tests.support.operation import messages, policy_file, run_cli, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

DAY = "2026-03-02"


def a_day() -> list[AnyEvent]:
    """Calls of a few customers, of whom some come again, and the agents who take them; told late, twice, corrected, retracted, and one as
    another customer's.
    """
    script = Script()
    for number in range(60):
        when = f"{9 + number // 20:02}:{number % 20 * 3:02}:00"
        script.call(when, f"c{number}", agent=f"a{number % 5}", customer_id=f"k{number % 25}", team_id="t")
    states = [
        e.AgentStateChanged(
            id=f"s{agent}-{hour}", source="s", time=moment(f"{hour:02}:00:00"), agent_id=f"a{agent}", state=state, team_id="t"
        )
        for agent in range(5)
        for hour, state in ((8, "available"), (12, "away"), (13, "available"), (17, "offline"))
    ]  # fmt: skip
    shifts = [
        e.AgentScheduled(
            id=f"p{agent}", source="s", time=moment("07:00:00"), agent_id=f"a{agent}", starts=moment("08:00:00"), ends=moment("16:00:00")
        )
        for agent in range(5)
    ]  # fmt: skip
    first = script.events[0]
    corrected = e.CallCorrected(
        id="w", source="script", time=first.time + timedelta(hours=3), contact_id="c0", corrects="e1", agent_id="a3"
    )
    never = e.CallMissed(
        id="never", source="script", time=moment("09:03:02"), contact_id="c1", agent_id="a2", team_id="t"
    )
    retracted = e.CallRetracted(id="r", source="script", time=moment("09:30:00"), contact_id="c1", corrects="never")
    # By a source that does not always tell the customer: of whom it tells several, the last holds.
    moved = {"source": "partly", "contact_id": "moved", "queue_id": "q"}
    told = [
        e.CallQueued(id="m1", time=moment("16:00:00"), **moved),
        e.CallAnswered(id="m2", time=moment("16:00:05"), agent_id="a4", team_id="t", customer_id="k1", **moved),
        e.CallEnded(
            id="m3", time=moment("16:01:05"), agent_id="a4", team_id="t", customer_id="k2", talk_seconds=60, **moved
        ),
    ]
    first = [*script.events[::2], never, *told[:2], *states, *shifts]
    return [*first, *script.events[1::2], *script.events[:30], corrected, retracted, told[2]]


def strata_are_the_facts(operation: Settings) -> None:
    """Every call of the script is in the queue ``q``: what an agent's day has of it is all that the day has."""
    kafka, day = KafkaOperation(operation), date.fromisoformat(DAY)
    measures = {"calls_handled", "handle_seconds", "contacts_handled"}
    facts = {entity_id(one.entity): one.sums for one in kafka.daily_facts(day, day, "agent")}
    assert {agent: strata_in(own)["q"] for (agent, _), own in kafka.strata(day, day, measures).items()} == {
        agent: {name: n for name, n in sums.items() if name in measures} for agent, sums in facts.items()
    }


def history_has_the_facts(operation: Settings) -> None:
    """What ``deskpulse history`` reads of the topics says what the facts say."""
    kafka, day = KafkaOperation(operation), date.fromisoformat(DAY)
    assert keep(operation, "facts", day, day) is None  # nobody runs one yet
    with open_history(None, operation.data_dir, operation.policy) as history:
        follow(history, operation)
        assert keep(operation, "facts", day, day) is None
        assert history.has_frozen("facts")
        found = figures_in(history, "day", "date")
        assert query(history, "SELECT COUNT(*) FROM history_contacts") == [(61,)]
    facts = [fact for kind in ENTITY_KINDS for fact in kafka.daily_facts(day, day, kind)]
    on_the_day = {cell: figure for cell, figure in found.items() if cell[1] == DAY}
    wanted = figures_of(facts, lambda fact: fact.date.isoformat(), operation.policy, kafka.clock())
    assert same(on_the_day, wanted, bounds=1e-9) > 100


def contacts_have_their_events(operation: Settings) -> None:
    """What each event of a contact changed, as Kafka has it."""
    told = {
        contact: json.loads(run_cli(operation, "history", "contact", f"calls:{contact}", "--json"))["events"]
        for contact in ("c0", "c1", "moved")
    }
    types = {
        contact: [(one["type"], one["verdict"]) for one in events if one["contact"] == f"calls:{contact}"]
        for contact, events in told.items()
    }
    assert types["c0"].count(("call.queued", "repeated")) == 1
    # In order of Kafka's milliseconds: in which of two partitions something came first within one, nobody knows.
    assert types["c0"].index(("call.corrected", "counted")) > types["c0"].index(("call.ended", "counted"))
    assert {("call.missed", "counted"), ("call.retracted", "counted")} <= set(types["c1"])
    assert [verdict for _, verdict in types["moved"]] == ["counted"] * 3
    assert [one["fields"]["repeated_by"] for one in told["c0"] if "repeated_by" in one["fields"]] == [
        [None, "calls:c25"]
    ]
    assert "ignored: it had come before" in run_cli(operation, "history", "contact", "calls:c0")


def test_records_prove_a_day_and_one_flipped_slot_is_named(settings: Settings, tmp_path: object) -> None:
    operation = settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})  # type: ignore[arg-type]
    events = a_day()
    with worker(operation):
        send(operation, events[:150])
        with worker(operation):  # partitions go over in the middle
            send(operation, events[150:])
            settled(operation)
            assert f"{DAY}: proven, " in run_cli(operation, "facts", "prove", "--day", DAY)
        history_has_the_facts(operation)
        strata_are_the_facts(operation)
        contacts_have_their_events(operation)
    newest = {(each.partition, each.key): each for each in messages(operation, "contact-records")}
    records = {
        record.contact_id: (each, record)
        for each in newest.values()
        if each.value is not None
        for record in (msgspec.json.decode(each.value, type=ContactRecord),)
    }
    flipped = {}
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        name = operation.topic(topics.CONTACT_RECORDS)
        for contact in ("c0", "c1", "c30", "moved"):  # corrected, retracted, neither, of another customer
            stored, record = records[contact]
            slot = record.counts["answer1"]
            record.counts["answer1"] = replace(slot, staff={**slot.staff, "calls_answered": 7})
            flipped[contact] = [f"agent|{slot.agent}", *([f"team|{slot.team}"] if slot.team else [])]
            producer.send(name, key=stored.key, value=msgspec.json.encode(record), partition=stored.partition)
        producer.flush()
    day = date.fromisoformat(DAY)
    assert "has not read everything" in str(keep(operation, "later facts", day, day, seconds=0.1))
    result = CliRunner().invoke(app, ["facts", "prove", "--day", DAY], env=environment(operation))
    assert result.exit_code == 1, result.output
    assert flipped["c30"] == ["agent|a0", "team|t"]
    for contact, entities in flipped.items():
        for entity in entities:
            assert f"calls:{contact} {entity} calls_answered: 1 is true, 7 stands in its record" in result.output
    assert "no contact that is kept explains it" not in result.output
    none = CliRunner().invoke(app, ["facts", "prove", "--day", "2026-01-01"], env=environment(operation))
    assert (none.exit_code != 0, "there are no facts of 2026-01-01" in none.output) == (True, True)
