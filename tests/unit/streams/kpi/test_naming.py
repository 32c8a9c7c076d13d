"""KPIs are called by the limit that holds."""

from __future__ import annotations

from typing import Any

import pytest

from streams.kpi.catalog import KPIS
from streams.kpi.naming import named
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import read


@pytest.mark.parametrize(
    ("id", "values", "queue", "zh", "en"),
    [
        ("service_level_20s", {}, None, "20秒接通率", "Answered within 20 s"),
        ("service_level_20s", {"service_level_seconds": 12.5}, None, "12.5秒接通率", "Answered within 12.5 s"),
        (
            "service_level_20s",
            {"service_level_seconds": 30, "service_level_seconds_by_queue": {"vip": 10, "mail": 60}},
            None,
            "30秒接通率（mail 60秒、vip 10秒）",
            "Answered within 30 s (mail 60 s, vip 10 s)",
        ),
        (
            "service_level_20s",
            {"service_level_seconds_by_queue": {"vip": 10}},
            "vip",
            "10秒接通率",
            "Answered within 10 s",
        ),
        (
            "service_level_20s",
            {"service_level_seconds_by_queue": {"vip": 10}},
            "q",
            "20秒接通率",
            "Answered within 20 s",
        ),
        (
            "service_level_20s",
            {"service_level_seconds_by_queue": dict.fromkeys("abcd", 10)},
            None,
            "20秒接通率（a 10秒、b 10秒、c 10秒…）",
            "Answered within 20 s (a 10 s, b 10 s, c 10 s…)",
        ),
        (
            "first_response_30s_rate",
            {"first_response_seconds_by_queue": {"vip": 10}},
            None,
            "30秒首响率（vip 10秒）",
            "First response within 30 s (vip 10 s)",
        ),
        (
            "complaint_resolution_24h_rate",
            {"complaint_resolution_hours": 48},
            None,
            "投诉48小时解决率",
            "Complaints resolved within 48 h",
        ),
        ("answer_rate", {"service_level_seconds": 30}, None, "接通率", "Answer rate"),
    ],
)
def test_a_name_says_the_limit_in_force(id: str, values: dict[str, Any], queue: str | None, zh: str, en: str) -> None:
    told = named(KPIS[id], Policy.model_validate(values), queue)
    assert (told.name.zh, told.name.en) == (zh, en)


def test_a_formula_says_it_too() -> None:
    told = named(KPIS["service_level_20s"], Policy(service_level_seconds=15))
    assert told.formula.en == "answered with wait ≤ threshold / denominator by policy; threshold 15 s"
    assert told.formula.zh.endswith("；阈值 15秒")
    late = named(KPIS["complaints_unknown"], Policy(complaint_resolution_hours=48))
    assert "24" not in late.formula.en + late.formula.zh


@pytest.mark.parametrize("id", [kpi.id for kpi in KPIS.values() if kpi.limit])
def test_limits_are_fields_that_the_kpi_depends_on(id: str) -> None:
    kpi = KPIS[id]
    assert kpi.limit in kpi.policy_fields
    by_queue = f"{kpi.limit}_by_queue"
    assert (by_queue in Policy.model_fields) == (by_queue in kpi.policy_fields)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"service_level_early_abandons": "in_time", "service_level_denominator": "answered"},
            "service_level_early_abandons: in_time needs a service_level_denominator with abandoned calls, not answered",
        ),
        (
            {"service_level_early_abandons": "in_time", "service_level_denominator": "answered_and_flow_outs"},
            "needs a service_level_denominator with abandoned calls",
        ),
        (
            {"service_level_early_abandons": "left_out", "service_level_denominator": "offered_less_short_abandons"},
            "both say what becomes of short calls; keep one",
        ),
        ({"service_level_seconds_by_queue": {"q": -1}}, "service_level_seconds_by_queue.q: "),
        ({"service_level_seconds_by_queue": 20}, "service_level_seconds_by_queue: "),
    ],
)
def test_values_that_contradict_each_other_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as told:
        read(values)
    assert says in str(told.value)


def test_a_queue_that_is_a_number_is_read_as_its_name() -> None:
    assert Policy.model_validate({"service_level_seconds_by_queue": {801: 10}}).service_level_ms("801") == 10_000
