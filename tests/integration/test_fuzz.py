"""Mutated messages through a real Kafka, good ones between them; ``python -m tests.fuzz`` sends 300,000."""

from __future__ import annotations

import pytest

from streams.settings import Settings
from tests.fuzz import fuzzed

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def test_every_good_message_counts_and_every_bad_one_is_a_dead_letter_for_its_reason(operation: Settings) -> None:
    told = fuzzed(operation, 2_000, 500, seed=3)
    assert told.wrong == []
    assert told.good > 20
    assert told.reasons.total() + told.accepted == 2_000
    assert len(told.reasons) >= 10
