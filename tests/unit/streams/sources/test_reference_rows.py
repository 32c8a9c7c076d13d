"""Two real months through their mappings: the events alone, simply counted, give the reference figures."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from streams.contracts.events import (
    AgentEvent,
    AnyContactEvent,
    CallAbandoned,
    CallAnswered,
    CallArrived,
    CallEnded,
    CallMissed,
    CallQueued,
    CallRated,
)
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow
from tests.support import ROOT

MAPPINGS = ROOT / "tests" / "mappings"
SETS = {"bank-august": "calls.csv.gz", "pwc": "calls.csv"}
Counts = dict[str, Counter[str]]


@dataclass
class Month:
    """A set's events: by contact, in order, and what is counted from them by day, by agent, and by both."""

    contacts: dict[str, list[AnyContactEvent]] = field(default_factory=lambda: defaultdict(list))
    days: Counts = field(default_factory=lambda: defaultdict(Counter))
    agents: Counts = field(default_factory=lambda: defaultdict(Counter))
    agent_days: Counts = field(default_factory=lambda: defaultdict(Counter))
    rows: int = 0
    left_out: int = 0


@cache
def read(data: Path, name: str) -> Month:
    """A set read by its mapping, once. Every row must fit."""
    month = Month()
    for row in read_table(data / name / SETS[name], load_mapping(MAPPINGS / f"{name}.yaml")):
        assert isinstance(row, ReadRow), row
        month.rows += 1
        month.left_out += not row.kept
        for event in row.events:
            assert not isinstance(event, AgentEvent)
            month.contacts[event.contact_id].append(event)
    for events in month.contacts.values():
        count(month, events)
    return month


def count(month: Month, events: list[AnyContactEvent]) -> None:
    """Add a contact to the day it arrived on; an offer to the agent who answered or missed it, else to nobody."""
    first = next((event for event in events if isinstance(event, CallArrived)), events[0])
    day = first.time.date().isoformat()
    agent = next((e.agent_id for e in events if isinstance(e, CallAnswered | CallMissed)), None) or "(none)"
    seen: Counter[str] = Counter()
    for event in events:
        match event:
            case CallQueued():
                seen["offered"] += 1
            case CallAnswered(wait_seconds=wait):
                assert wait is not None
                seen += Counter(answered=1, wait_s=int(wait), n_lt20=wait < 20, n_le20=wait <= 20, n_le30=wait <= 30)
            case CallAbandoned():
                seen["abandoned"] += 1
            case CallEnded(talk_seconds=talk, resolved=resolved):
                assert talk is not None
                seen += Counter(handle_s=int(talk), resolved=bool(resolved))
            case CallRated(score=score):
                seen += Counter(csat_n=1, csat_sum=int(score), satisfied=score >= 4)
    for counts, keys in (
        (month.days, [day]),
        (month.agents, [agent, "(ALL)"]),
        (month.agent_days, [f"{agent} {day}"]),
    ):
        for key in keys:
            counts[key] += seen


def reference(data: Path, name: str, by: str) -> dict[str, dict[str, str]]:
    """A reference file: rows by key."""
    keys = {"agent": ("agent",), "day": ("day",), "agent_day": ("agent", "day")}[by]
    with (data / name / f"reference.{by}.csv").open(encoding="utf-8", newline="") as file:
        return {" ".join(row[key] for key in keys): row for row in csv.DictReader(file)}


def figures(counts: Counter[str]) -> dict[str, float | None]:
    """Counts in the columns of the reference files; None where there is nothing to divide by."""
    answered, rated = counts["answered"], counts["csat_n"]
    return {
        **{
            column: counts[column]
            for column in ("offered", "answered", "n_lt20", "n_le20", "n_le30", "abandoned", "csat_n")
        },
        "asa_s": counts["wait_s"] / answered if answered else None,
        "aht_s": counts["handle_s"] / answered if answered else None,
        "csat_mean": counts["csat_sum"] / rated if rated else None,
        "csat_pct": 100 * counts["satisfied"] / rated if rated else None,
    }


def differences(counts: Counts, rows: dict[str, dict[str, str]]) -> Iterable[str]:
    """Every figure that is not the reference's, to its four decimals."""
    for key, row in rows.items():
        for column, found in figures(counts.get(key, Counter())).items():
            expected = float(row[column]) if row[column] else None
            if expected != found and (expected is None or found is None or abs(expected - found) > 5.1e-5):
                yield f"{key} {column}: {found}, reference {expected}"


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("by", ["day", "agent", "agent_day"])
def test_every_figure_of_the_reference_comes_from_the_events(shared_data: Path, name: str, by: str) -> None:
    month, rows = read(shared_data, name), reference(shared_data, name, by)
    counts: Counts = {"day": month.days, "agent": month.agents, "agent_day": month.agent_days}[by]
    assert list(differences(counts, rows)) == []
    # and nothing is counted that the reference does not have
    assert {key for key, seen in counts.items() if seen["offered"]} <= rows.keys() | {
        key for key in counts if key.startswith("(none)")
    }


def test_overall_figures_of_the_bank(shared_data: Path) -> None:
    month = read(shared_data, "bank-august")
    total = month.agents["(ALL)"]
    assert (month.rows, month.left_out, len(month.contacts)) == (42_078, 310, 41_768)
    assert (total["offered"], total["answered"], total["n_le20"], total["abandoned"]) == (38_711, 31_402, 15_857, 7_309)
    assert round(total["wait_s"] / total["answered"], 2) == 73.81
    assert round(total["handle_s"] / total["answered"], 2) == 184.40


def test_overall_figures_of_pwc(shared_data: Path) -> None:
    total = read(shared_data, "pwc").agents["(ALL)"]
    assert (total["offered"], total["answered"], total["n_le20"]) == (5_000, 4_054, 374)
    assert round(100 * total["resolved"] / total["answered"], 2) == 89.94
    assert round(total["csat_sum"] / total["csat_n"], 3) == 3.404


def test_contacts_who_come_again_within_seven_days_are_the_references(shared_data: Path) -> None:
    """A later arrival of the same known customer, the voice menu included, within 7 days of an answered contact."""
    month = read(shared_data, "bank-august")
    arrivals: dict[str, list[tuple[float, str, bool]]] = defaultdict(list)
    for contact, events in month.contacts.items():
        (arrived,) = (event for event in events if isinstance(event, CallArrived))
        if arrived.customer_id is not None:
            answered = any(isinstance(event, CallAnswered) for event in events)
            arrivals[arrived.customer_id].append((arrived.time.timestamp(), contact, answered))
    known = repeats = 0
    for contacts in arrivals.values():
        times = sorted(time for time, _, _ in contacts)
        for time, _, answered in contacts:
            if answered:
                known += 1
                repeats += any(time < later <= time + 7 * 86_400 for later in times)
    assert repeats == 9_758
    assert round(100 * repeats / known, 2) == 65.32


def test_traps_of_the_bank_have_their_stated_outcome(shared_data: Path) -> None:
    month = read(shared_data, "bank-august")
    queued_late = answered_before = past_midnight = without_agent = 0
    for events in month.contacts.values():
        at = {type(event): event.time for event in events}
        if CallAnswered in at:
            queued_late += at[CallQueued] > at[CallAnswered]
            answered_before += at[CallAnswered] < at[CallArrived]
            past_midnight += at[CallAnswered].date() > at[CallArrived].date()
            without_agent += any(isinstance(event, CallAnswered) and event.agent_id is None for event in events)
    assert (queued_late, answered_before, without_agent) == (0, 0, 391)
    assert past_midnight > 0
    waits = [e.wait_seconds for events in month.contacts.values() for e in events if isinstance(e, CallAnswered)]
    assert waits.count(20) == 144
    assert all(e.customer_id != "0" for events in month.contacts.values() for e in events)
