"""The notation of formulas: what each word makes, and what is refused where it is written."""

from __future__ import annotations

import pytest

from streams.kpi.notation import (
    NOTHING,
    by_policy,
    by_side,
    change,
    for_each,
    less,
    level_now,
    level_of,
    mean,
    named_by,
    percentile,
    plus,
    ratio,
    share,
    sum_of,
)
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Amount, Formula, Kpi, Terms

POLICY = Policy(service_level_early_abandons="left_out", first_response_channels=("chat", "ticket"))
EARLY = by_policy(
    "service_level_early_abandons", missed=NOTHING, left_out="calls_abandoned_within_20s", in_time=NOTHING
)


@pytest.mark.parametrize(
    ("amount", "desk", "staff"),
    [
        (NOTHING, {}, {}),
        (plus("calls_answered"), {"calls_answered": 1}, {"calls_answered": 1}),
        (plus("refunds", "refunds"), {"refunds": 2}, {"refunds": 2}),
        (
            less(plus("calls_answered", "calls_abandoned"), EARLY),
            {"calls_answered": 1, "calls_abandoned": 1, "calls_abandoned_within_20s": -1},
            {"calls_answered": 1, "calls_abandoned": 1, "calls_abandoned_within_20s": -1},
        ),
        (by_side(desk="calls_offered", staff=NOTHING), {"calls_offered": 1}, {}),
        (less("shifts", by_side(desk="shifts", staff="shifts_attended")), {"shifts": 0}, {"shifts": 1, "shifts_attended": -1}),
        (
            for_each("first_response_channels", "{}_first_responses"),
            {"chat_first_responses": 1, "ticket_first_responses": 1},
            {"chat_first_responses": 1, "ticket_first_responses": 1},
        ),
        (named_by("csat_mean_scale", str.upper), {"1-5": 1}, {"1-5": 1}),
    ],
)  # fmt: skip
def test_a_sum_is_measures_with_coefficients_under_a_policy_and_a_side(
    amount: Amount, desk: Terms, staff: Terms
) -> None:
    assert amount(POLICY, "desk") == desk
    assert amount(POLICY, "staff") == staff


@pytest.mark.parametrize(
    ("formula", "kind", "top", "bottom"),
    [
        (sum_of("refunds"), "count", {"refunds": 1}, None),
        (level_of("tickets_open"), "level", {"tickets_open": 1}, None),
        (level_now(), "level", {}, {}),
        (share(of="csat_satisfied", among="csat_ratings"), "rate", {"csat_satisfied": 1}, {"csat_ratings": 1}),
        (ratio(of="refund_disputes", to="refunds"), "rate", {"refund_disputes": 1}, {"refunds": 1}),
        (mean(of="wait_seconds", over="calls_answered"), "mean", {"wait_seconds": 1}, {"calls_answered": 1}),
        (percentile(90, of="backlog_age", among="tickets_open"), "percentile", {"backlog_age": 1}, {"tickets_open": 1}),
        (
            change(of=mean(of="talk_seconds", over="calls_handled"), since=mean(of="hold_seconds", over="calls_held")),
            "change", {"talk_seconds": 1}, {"calls_handled": 1},
        ),
    ],
)  # fmt: skip
def test_a_formula_is_a_kind_and_what_is_above_and_below_the_line(
    formula: Formula, kind: str, top: Terms, bottom: Terms | None
) -> None:
    assert (formula.kind, formula(POLICY, "desk")) == (kind, (top, bottom))


def test_a_formula_knows_the_fields_of_the_policy_that_it_depends_on() -> None:
    formula = change(
        of=mean(of=less("calls_offered", EARLY), over="calls_handled"),
        since=mean(of="calls_offered", over=for_each("first_response_channels", "{}_first_responses")),
    )
    assert formula.policy_fields == {"service_level_early_abandons", "first_response_channels"}
    assert sum_of("refunds").policy_fields == frozenset()


def test_a_kpi_names_the_fields_that_its_formula_depends_on() -> None:
    with pytest.raises(ValueError, match=r"^early: its formula depends on service_level_early_abandons; name it in"):
        Kpi(
            id="early", zh="早", en="Early", unit="n", better="lower", formula=sum_of(EARLY), formula_zh="早",
            formula_en="early", needs=("call.abandoned",), policy_fields=("short_abandon_seconds",),
        )  # fmt: skip


def test_what_there_is_not_is_refused_where_it_is_written_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no measure is called 'call_offered'; nearest: calls_offered.*write it into"):
        share(of="calls_answered", among="call_offered")
    with pytest.raises(ValueError, match=r"no measure is called 'xyz'; write it into streams/kpi/measures/"):
        sum_of("xyz")
    with pytest.raises(ValueError, match=r"no field of the policy is called 'repeat_day'; nearest: repeat_days"):
        for_each("repeat_day", "{}")
    with pytest.raises(ValueError, match=r"say a sum for each of missed, left_out, in_time; there are missed"):
        by_policy("service_level_early_abandons", missed=NOTHING)
    with pytest.raises(ValueError, match="no measure is called 'fax_first_responses'"):
        for_each("first_response_channels", "{}_first_responses")(
            POLICY.model_copy(update={"first_response_channels": ("fax",)}), "desk"
        )
