"""How dead letters are brought back, as far as no broker is needed: tests/integration/test_dead_letters.py has the rest."""

from __future__ import annotations

import pytest
from kafka.errors import InvalidProducerEpochError, KafkaError, MessageSizeTooLargeError, ProducerFencedError

from streams.kafka.connection import told_of

_AFTER = "Cannot perform send because at least one previous transactional or idempotent request has failed with errors."


@pytest.mark.parametrize(
    ("error", "shut_out"),
    [
        (ProducerFencedError(), True),
        (InvalidProducerEpochError("calls-0"), True),
        (KafkaError(_AFTER, ProducerFencedError()), True),
        (KafkaError(f"Cannot execute transactional method because we are in an error state: {ProducerFencedError()}"), True),
        (KafkaError(_AFTER, MessageSizeTooLargeError()), False),
        (KafkaError("no broker"), False),
    ],
)  # fmt: skip
def test_a_run_knows_that_another_shut_it_out_whichever_call_says_so(error: KafkaError, shut_out: bool) -> None:
    assert told_of(error, ProducerFencedError, InvalidProducerEpochError) == shut_out
