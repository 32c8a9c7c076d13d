"""Resolution, due times and reopening of tickets."""

from __future__ import annotations

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from tests.support.desk import Script, figures, moment, sums

A = {"agent_id": "a", "team_id": "t"}


def ticket(due: str | None = None, later: str = "18:00:00") -> Script:
    fields = {"due": moment(due)} if due else {}
    script = Script().at("09:00:00", e.TicketCreated, queue_id="mail", **fields).at("09:05:00", e.TicketAssigned, **A)
    return script.at(later, e.CallArrived, "another contact")


@pytest.mark.parametrize(
    ("script", "resolved", "due"),
    [
        (ticket(), None, 0),
        (ticket().at("10:00:00", e.TicketResolved, **A), 1, 1),
        (ticket().at("10:00:00", e.TicketResolved, resolved=False, **A), None, 1),
        (ticket().at("10:00:00", e.TicketClosed, **A), None, 0),
        (ticket().at("10:00:00", e.TicketResolved, **A).at("10:30:00", e.TicketClosed, **A), 1, 1),
        (ticket().at("10:00:00", e.TicketResolved, **A).at("10:30:00", e.TicketClosed, resolved=False, **A), None, 1),
        (ticket().at("10:00:00", e.TicketResolved, **A).at("11:00:00", e.TicketReopened), None, 0),
        (ticket().at("10:00:00", e.TicketResolved).at("11:00:00", e.TicketReopened).at("12:00:00", e.TicketResolved), 1, 1),
        (ticket(due="12:00:00"), None, 1),
        (ticket(due="18:00:01"), None, 0),
        (ticket(due="12:00:00").at("11:59:00", e.TicketResolved, **A), 1, 1),
        (ticket(due="12:00:00").at("13:00:00", e.TicketResolved, **A), 1, 1),
        (ticket(due="12:00:00").at("10:00:00", e.TicketResolved, **A).at("11:00:00", e.TicketReopened), None, 1),
    ],
    ids=[
        "open", "resolved", "resolved false counts below", "closed without a word", "resolved, then closed",
        "closed as not resolved", "reopened", "reopened: to the last", "overdue", "not yet due", "in time", "resolved late",
        "reopened and overdue",
    ],
)  # fmt: skip
def test_resolution(script: Script, resolved: int | None, due: int) -> None:
    for entity in ("all|all", "queue|mail", "agent|a", "team|t"):
        held = sums(script.run(), entity)
        assert (held.get("resolved"), held.get("resolution_due", 0)) == (resolved, due), entity


def test_the_first_public_reply_is_the_first_response() -> None:
    script = ticket().at("09:10:00", e.TicketReplied, public=False, **A).at("09:30:00", e.TicketReplied, **A)
    script.at("09:40:00", e.TicketReplied, **A)
    both = Policy(time_zone="UTC", first_response_channels=("chat", "ticket"))
    assert figures(script.run(both), "agent|a", both)["first_response_time"].value == 1800
    assert figures(script.run(), "agent|a")["first_response_time"].value is None
    assert figures(script.run())["first_response_30s_rate"].n == 0
