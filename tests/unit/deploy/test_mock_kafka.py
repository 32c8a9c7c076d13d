"""The test broker of machines without Java."""

from __future__ import annotations

import sys

import pytest

from deploy.local.mock_kafka import MockKafka
from deploy.local.tools import MissingToolError


def test_without_librdkafka_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(MissingToolError, match=r"pip install 'deskpulse\[broker\]'; or install Java"):
        MockKafka().start()
