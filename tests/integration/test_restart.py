"""A worker that is told to end and started again goes on where it stood: nothing lost, nothing twice, nothing read again."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import pytest

from streams.contracts.decode import encode
from streams.pipeline import run
from streams.settings import Settings
from tests.integration.test_one_definition import day
from tests.operation import facts, metric, policy_file, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def test_a_restart_in_the_middle_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    operation = settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})
    events = day()
    plain = run([encode(event) for event in events], operation.policy)
    half = len(events) // 2
    with worker(operation) as metrics:
        send(operation, events[:half])
        deadline = monotonic() + 30
        while metric(metrics, "deskpulse_events_admitted_total") < half and monotonic() < deadline:
            sleep(0.1)
    with worker(operation) as metrics:
        send(operation, events[half:])
        settled(operation)
        assert metric(metrics, "deskpulse_events_in_total") == len(events) - half
        assert metric(metrics, "deskpulse_events_duplicate_total") == 0
        assert metric(metrics, "deskpulse_contributions_skipped_total") == 0
    assert facts(operation) == {key: fact.sums for key, fact in plain.facts.items() if fact.sums}
