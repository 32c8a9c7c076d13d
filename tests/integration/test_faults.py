"""Workers killed, frozen, joining and leaving, Kafka and Redis killed, events shuffled and doubled: as if nothing had happened.

The short form; ``python -m tests.faults`` runs long ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GivenService, lacking
from tests.faults.harness import disturbed, shuffled, true_desk, with_refused
from tests.faults.plan import plan

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


def test_nothing_is_lost_and_nothing_counts_twice(kafka: Any, tmp_path: Path) -> None:
    if isinstance(kafka, GivenService):
        lacking("a Kafka that may be killed: unset DESKPULSE_TEST_BROKER, and have Java and Maven")
    faults = list(
        plan(7, kills=5, rebalances=3, brokers=1, redises=1, freezes=1, aways=1, recreations=1, mean_seconds=2.5)
    )
    desk = true_desk(40_000, 7)
    told = disturbed(tmp_path, desk, with_refused(shuffled(desk, 7), 7), faults, rate=1500, say=print)
    assert told.faults.total() == len(faults)
    assert told.wrong == []


def test_a_plan_is_the_same_for_the_same_seed_and_stays_between_one_and_three_workers() -> None:
    numbers = {
        "kills": 50,
        "rebalances": 20,
        "brokers": 5,
        "redises": 5,
        "freezes": 2,
        "aways": 1,
        "recreations": 2,
        "histories": 3,
        "databases": 2,
    }
    faults = list(plan(1, **numbers))
    assert faults == list(plan(1, **numbers)) != list(plan(2, **numbers))
    assert len(faults) == sum(numbers.values())
    running, seen = 1, {1}
    for fault in faults:
        running += {"join": 1, "leave": -1}.get(fault.kind, 0)
        seen.add(running)
    assert seen == {1, 2, 3}
