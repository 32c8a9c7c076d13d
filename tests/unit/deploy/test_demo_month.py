"""The demo's month shows each part of a score, by somebody with a name, and says where to look."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

from deploy.demo_month import CARD, CARD_ID, inputs_csv, on_card, people_csv, story
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.people.sheet import read_people
from streams.sources.simulated import roster
from tests.support.month_end import Desk


def day(person: RosterEntry, on: date, contacts: int, well: int) -> DailyFacts:
    """A day of so many contacts, each rated, so many of them well and for good."""
    sums = {
        "contacts_handled_known": contacts, "fcr_missed": contacts - well, "resolution_due": contacts, "resolved": well,
        "csat_ratings": contacts, "csat_satisfied": well,
    }  # fmt: skip
    return DailyFacts(entity=f"agent|{person.agent_id}", date=on, sums=sums)


def test_every_part_of_a_score_is_shown(tmp_path: Path) -> None:
    entries = on_card(roster(1))
    few, *others = entries
    facts = [
        day(few, date(2026, 3, 20), 4, 4),
        *(day(one, date(2026, 3, 20), 40, 30 + number % 9) for number, one in enumerate(others)),
    ]
    facts += [day(one, date(2026, 3, 31), 12, 10) for one in others]  # nobody can tell yet whether they come again
    desk = Desk(
        tmp_path,
        facts=facts,
        entries=entries,
        at=datetime(2026, 4, 1, 9, tzinfo=UTC),
        reached=datetime(2026, 3, 31, 5, tzinfo=UTC),
    )
    inputs, people = tmp_path / "inputs.csv", tmp_path / "people.csv"
    inputs.write_text(inputs_csv(entries), encoding="utf-8")
    people.write_text(people_csv(entries), encoding="utf-8")
    named = list(read_people(people).people.values())
    assert len({one.name_zh for one in named}) == len(entries) == 60
    run = (str(CARD), "--period", "2026-03")
    desk.does("import", str(inputs), "--card", *run, "--by", "hr")
    desk.does("prepare", *run, "--by", "hr")
    desk.does("files", *run, "--out", str(tmp_path / "scores"), "--format", "json")
    results = json.loads((tmp_path / "scores" / f"{CARD_ID}-2026-03.json").read_text(encoding="utf-8"))
    lines = list(
        story(results, {one.agent_id: one.name_zh or "" for one in named}.__getitem__, tmp_path, tmp_path, over=True)
    )
    assert len(lines) == 11
    said = {line.strip().partition("  ")[0]: line for line in lines}
    assert "the month 2026-03: 60 people, approved and published; grades: A " in lines[0]
    assert "pending" in said["a matured figure"]
    assert "level 1" in said["a level"]
    assert "veto" in said["a veto"]
    assert "n = 4, fewer than the 10 that the card asks for" in said["too few cases"]
    assert "grade A, rank 1; service_star" in said["a grade and an award"]
    assert lines[6] == "where to look"
