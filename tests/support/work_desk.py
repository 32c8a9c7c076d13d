"""A desk on which there is work: a day of an agent, a published March that sets interviews off, an April under way, cases of two teams."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from deploy.local.ports import free_port
from streams.cases import case as life
from streams.cases import store
from streams.cases.case import About, CaseKind, Terms
from streams.doors import Translated
from streams.notifier.journal import open_journal
from tests.support.board import NOW, target, totals
from tests.support.month_end import MARCH, card_file, day, entry
from tests.unit.streams.web.desk import Desk, opened

HOUR_MS = 3_600_000
#: Every hour counts, as the policy has no business hours; due after a day, call backs after four hours.
TERMS = Terms(lambda at, span: at + span, 24 * HOUR_MS, 4 * HOUR_MS, 4 * HOUR_MS)
#: Those on the card: all of team T1 but A2. A6 is on none.
PEOPLE = ("A1", "A3", "A4", "A5", "A2")


def add_case(
    desk: Desk, key: str, kind: CaseKind, hours_ago: float, owner: str | None = "S1", agent: str | None = "A1", team: str = "T1", **more: Any
) -> str:  # fmt: skip
    """A case that was opened so long ago, and what time has done to it since; its id."""
    now, ago = desk.ms(), round(hours_ago * HOUR_MS)
    about = About(key=key, kind=kind, happened=now - ago - HOUR_MS, agent=agent, team=team, queue="orders", **more)
    with open_journal(None, desk.settings.data_dir) as journal, journal.database.write() as connection:
        made = life.passed(life.opened(about, owner, now - ago, TERMS), now, TERMS, lambda who, at: None)
        store.keep(connection, made)
    return made.id


def add_cases(desk: Desk) -> dict[str, str]:
    """Cases of every kind → their ids; ``other``: of team T2."""
    return {
        "new": add_case(desk, "r1", "bad_rating", 2, channel="calls", contact_id="c1", score=2, scale="1-5", topic="refund"),
        "overdue": add_case(desk, "r2", "bad_rating", 30, channel="chats", contact_id="chat-2026-03-01-000000000000917", score=1, scale="1-5"),
        "again": add_case(desk, "p1", "repeat_complaint", 22, agent="A3", channel="tickets", contact_id="tk77", topic="delivery"),
        "call": add_case(desk, "b1", "call_back", 1, agent=None, channel="calls", contact_id="c4"),
        "late": add_case(desk, "b2", "call_back", 5, agent=None, owner="A1", channel="calls", contact_id="c5"),
        "alert": add_case(
            desk, "i1", "incident", 3, agent=None, said_zh="班组 T1：20秒服务水平 61.0%，低于告警线 80%。",
            said_en="Team T1: answered within 20 s 61.0 %, below its threshold of 80 %.",
        ),
        "other": add_case(desk, "r9", "bad_rating", 3, agent="A2", team="T2", owner="S2", channel="calls", contact_id="c0", score=1),
    }  # fmt: skip


def a_month(desk: Desk, folder: Path) -> None:
    """March published, with an interview for everybody; April prepared, nobody has rated."""
    month = desk.month
    month.entries = [
        *(entry(one, team="T2" if one == "A2" else "T1") for one in PEOPLE), entry("A6", card=None, team="T1"),
    ]  # fmt: skip
    month.facts = [day(one, f"2026-03-0{number + 2}", 20, 12 + number) for number, one in enumerate(PEOPLE)]
    month.at = datetime(2026, 4, 2, 8, tzinfo=UTC)
    card = str(card_file(folder))
    sheet = month.filled("in.xlsx", A1_exam_value=90, A3_exam_value=45, A1_praise_praise=9, A1_praise_complaints=1)
    month.does("import", str(sheet), "--by", "lin", "--card", card)
    month.does("prepare", card, *MARCH, "--by", "lin")
    for one in PEOPLE:
        month.does("review", card, *MARCH, one, "--as", "self", "--by", one, "care=20")
        month.does("review", card, *MARCH, one, "--as", "superior", "--by", "S1", f"care={18 if one == 'A1' else 5}")
        month.does("review", card, *MARCH, one, "--as", "reviewer", "--by", "rob", "--absent", "agrees")
    month.does("approve", card, *MARCH, "--by", "boss")
    month.does("publish", card, *MARCH, "--by", "boss")
    month.at = datetime(2026, 4, 20, 8, tzinfo=UTC)
    month.does("prepare", card, "--period", "2026-04", "--by", "lin")


def a_day(desk: Desk) -> None:
    """Figures of A1: one that has reached its target, one that has missed it, one of too few."""
    sums = {
        "calls_offered": 20, "calls_answered": 20, "calls_answered_within_20s": 18, "csat_ratings": 12, "csat_satisfied": 11,
        "first_responses_due": 4, "first_responses_within_30s": 3, "handled_contacts": 24,
    }  # fmt: skip
    desk.floor.tell(totals("agent|A1", "T1", NOW, **sums))
    desk.floor.targets(
        target("service_level_20s", "all|all", "0.8"), target("csat", "all|all", "0.95"), target("first_response_30s_rate", "all|all", "0.9"),
    )  # fmt: skip
    desk.floor.marks("A1", csat="better")


def at_work(folder: Path) -> Desk:
    """All of it, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    desk = opened(folder)
    a_month(desk, folder)
    add_cases(desk)
    a_day(desk)
    return desk


@contextmanager
def served(desk: Desk, port: int | None = None) -> Iterator[str]:
    """The desk's address, until the end."""
    port = port or free_port()
    config = uvicorn.Config(Translated(desk.app), port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
