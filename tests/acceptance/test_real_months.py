"""Real months in no order, by the stages alone: to the last digit what others have computed from them.

That workers on a real Kafka come to the same: ``tests/integration/test_main_job.py``, in the order of the file and, of a smaller month, in none.
"""

from __future__ import annotations

from pathlib import Path

from streams.kpi.policy.model import Policy
from tests.support.real_months import (
    EVERY_ID,
    SPAN_DAYS,
    compare_with_reference,
    from_events,
    reference_rows,
    shuffled,
)


def test_shuffled_rows_change_no_daily_figure(shared_data: Path) -> None:
    folder = shared_data / "bank-august"
    policy = Policy(allowed_lateness_days=SPAN_DAYS, max_customer_contacts_per_day=EVERY_ID)
    assert compare_with_reference(from_events(shuffled(folder), policy), folder) == reference_rows(folder)
