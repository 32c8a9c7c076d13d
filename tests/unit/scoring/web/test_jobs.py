"""What takes long, as a process of its own does it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scoring.store.runs import RefusedStepError
from scoring.web.jobs import Job, Jobs
from tests.support.month_end import MARCH, Desk, card_file

pytestmark = pytest.mark.timeout(600)


def over(job: Job) -> Job:
    """The job once it has ended."""
    while not job.is_over:
        time.sleep(0.05)
    return job


def test_a_process_prepares_a_run_and_one_that_is_refused_says_why(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.does("prepare", str(card_file(tmp_path)), *MARCH, "--by", "lin")
    jobs = Jobs(desk)
    first = jobs.start("prepare", "ours", "2026-03", "lin")
    assert jobs.start("prepare", "ours", "2026-03", "lin") is first  # a second click begins nothing
    with pytest.raises(RefusedStepError, match="lin is changing this run just now"):
        jobs.start("approve", "ours", "2026-03", "boss")
    done = over(first)
    assert (done.state, done.stage, done.result["people"]) == ("done", "keeping", 3), done.why
    refused = over(jobs.start("approve", "ours", "2026-03", "boss"))
    assert (refused.state, refused.status) == ("refused", 409)
    assert "3 of 3 sheets are not reviewed" in str(refused.why)
    assert [one.kind for one in jobs.of("ours", "2026-03")] == ["approve", "prepare"]
