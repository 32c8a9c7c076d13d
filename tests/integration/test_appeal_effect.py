"""What leaving an event out changes, as the operation on its Kafka computes it: with the teams of its roster."""

from __future__ import annotations

from datetime import date

import pytest

from streams.commands.shared.context import Deployment
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.outputs import RosterEntry
from streams.kafka.topics import ensure_topics
from streams.operation import KafkaOperation
from streams.settings import Settings
from tests.support.desk import POLICY, Script

pytestmark = pytest.mark.services


def test_a_rating_left_out_is_taken_from_agent_and_team(settings: Settings) -> None:
    ensure_topics(settings)
    anna = RosterEntry(agent_id="anna", valid_from=date(2026, 1, 1), team_id="t1")
    KafkaOperation(settings).publish_roster({"anna": [anna]})
    script = Script().at("09:00:00", e.CallAnswered, agent_id="anna").at("09:01:00", e.CallEnded, agent_id="anna")
    script.at("09:05:00", e.CallRated, agent_id="anna", score=1, scale="1-5")
    taken = Script().at("09:05:00", e.CallRetracted, corrects="e2")
    taken.events[0].id = "a0"
    operation = Deployment(broker=settings.broker, prefix=settings.prefix)
    changed = operation.effect([encode(one) for one in script.events], [encode(one) for one in taken.events], POLICY)
    assert {fact.key: fact.sums["csat_ratings"] for fact in changed} == {
        "agent|anna|2026-03-02": -1,
        "team|t1|2026-03-02": -1,
    }
