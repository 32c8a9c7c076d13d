"""One event file gives the same value of each KPI on the page, in the day's facts and in the month's score."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import msgspec
import pytest

from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import Figure, RosterEntry, Score, Snapshot
from streams.kafka.topics import ensure_topics
from streams.kpi.catalog import KPIS
from streams.operation import KafkaOperation
from streams.settings import Settings
from tests.support.operation import http_get, messages, policy_file, run_cli, send, settled, wallboard, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEOPLE = [f"a{number}" for number in range(4)]

#: KPIs that a day has as soon as it happens: not those of this moment, nor those that are known only days later.
IN_A_DAY = [id for id, kpi in KPIS.items() if not kpi.live and not kpi.only_mature]


def day() -> list[AnyEvent]:
    """Half an hour of every channel: 60 calls, 40 chats, 20 tickets; some late, unanswered, unresolved, repeated, complained of."""
    events: list[AnyEvent] = []

    def add(type_: type[AnyEvent], contact: str, seconds: float, **fields: Any) -> None:
        at = START + timedelta(seconds=seconds)
        events.append(type_(id=f"{contact}-{len(events)}", source="test", time=at, contact_id=contact, **fields))

    for n in range(60):
        contact, agent, begin = f"call-{n}", PEOPLE[n % 4], 30.0 * n
        who = {
            "customer_id": f"k{n % 25}",
            "topic": f"topic-{n % 3}",
            "queue_id": "hotline",
            "kind": "complaint" if n % 5 == 0 else None,
        }
        wait = (n * 7) % 40
        add(e.CallQueued, contact, begin, **who)
        if n % 9 == 0:
            add(e.CallAbandoned, contact, begin + wait, wait_seconds=wait, **who)
            continue
        add(e.CallAnswered, contact, begin + wait, agent_id=agent, wait_seconds=wait, **who)
        add(e.CallEnded, contact, begin + wait + 60, agent_id=agent, talk_seconds=60 + n, resolved=n % 4 != 0, **who)
        add(e.CallRated, contact, begin + wait + 70, score=1 + n % 5, scale="1-5", **who)
    for n in range(40):
        contact, agent, begin = f"chat-{n}", PEOPLE[n % 4], 40.0 * n
        who = {"customer_id": f"k{n % 30}", "queue_id": "web"}
        add(e.ChatStarted, contact, begin, **who)
        add(e.ChatAssigned, contact, begin + 1, agent_id=agent, **who)
        add(e.ChatMessage, contact, begin + 2, sender="customer", **who)
        if n % 6:
            add(e.ChatMessage, contact, begin + 2 + (n * 5) % 50, sender="agent", agent_id=agent, **who)
        add(e.ChatEnded, contact, begin + 120, resolved=n % 3 != 0, **who)
    for n in range(20):
        contact, agent, begin = f"ticket-{n}", PEOPLE[n % 4], 60.0 * n
        add(e.TicketCreated, contact, begin, customer_id=f"k{n}")
        add(e.TicketReplied, contact, begin + 90, agent_id=agent, customer_id=f"k{n}")
        add(e.TicketResolved, contact, begin + 300, agent_id=agent, customer_id=f"k{n}")
    return events


@pytest.fixture(scope="module")
def fresh() -> Callable[[Settings, Path], Settings]:
    def settings_in_utc(settings: Settings, tmp_path: Path) -> Settings:
        return settings.model_copy(update={"policy_file": policy_file(tmp_path, time_zone="UTC")})

    return settings_in_utc


def test_page_facts_and_score_agree(
    settings: Settings, tmp_path: Path, fresh: Callable[[Settings, Path], Settings]
) -> None:
    operation = fresh(settings, tmp_path)
    ensure_topics(operation)
    roster = {
        agent: [RosterEntry(agent_id=agent, valid_from=START.date(), team_id=f"t{agent[-1] in '01'}")]
        for agent in PEOPLE
    }
    assert KafkaOperation(operation).publish_roster(roster) == 4
    with worker(operation), wallboard(operation) as address:
        send(operation, day())
        settled(operation)
        exported: dict[tuple[str, str], dict[str, str]] = {}
        for kind in ("agent", "team", "queue", "all"):
            text = run_cli(operation, "facts", "export", "--by", kind, "--per", "day")
            exported |= {(kind, row["id"]): row for row in csv.DictReader(io.StringIO(text))}
        assert {key for key in exported if key[0] != "agent"} == {
            ("team", "tTrue"), ("team", "tFalse"), ("queue", "hotline"), ("queue", "web"), ("all", "all"),
        }  # fmt: skip
        compared = 0
        for (kind, id), row in exported.items():
            shown = today(address, kind, id, row)
            for kpi in IN_A_DAY:
                fact = float(row[kpi]) if row[kpi] else None
                figure = shown.get(kpi, Figure(0 if KPIS[kpi].is_plain_sum else None))
                assert (figure.value, figure.n) == (fact, int(row[f"{kpi}.n"])), (kind, id, kpi)
                compared += fact is not None
        assert compared > 80
        run_cli(
            operation,
            "score",
            "run",
            "--month",
            "2026-03",
            "--card",
            "s2-a-core",
            "--out",
            str(tmp_path / "scores"),
            "--publish",
            "--as-of",
            "2026-04-01",
        )
        scores = [msgspec.json.decode(record.value, type=Score) for record in messages(operation, "scores")]
        assert {score.person for score in scores} == set(PEOPLE)
        for score in scores:
            shown = today(address, "agent", score.person, exported["agent", score.person])
            items = {item["kpi"]: item for item in score.items if item.get("kpi")}
            assert set(items) == {
                "avg_response_time", "csat_mean", "fcr", "first_response_time", "resolution_rate", "script_compliance_rate",
            }  # fmt: skip
            for kpi, item in items.items():
                figure = shown.get(kpi, Figure())
                if kpi == "fcr":  # on the page nothing has matured yet, for the month as of April everything has
                    assert (figure.value, figure.pending) == (None, item["n"])
                    continue
                assert item["value"] == figure.value, (score.person, kpi)
                assert item["n"] == figure.n


def today(address: str, kind: str, id: str, row: dict[str, str]) -> dict[str, Figure]:
    """The page's figures of an entity once they have come as far as its facts."""
    deadline = monotonic() + 20
    while True:
        answer = http_get(f"{address}api/entity/{kind}/{id}")
        if answer.status_code == 200:
            shown = msgspec.convert(answer.json()["snapshot"], Snapshot).windows["today"]
            if all(shown.get(kpi, Figure()).n == int(row[f"{kpi}.n"]) for kpi in IN_A_DAY) or monotonic() > deadline:
                return shown
        assert monotonic() < deadline, answer.text
        sleep(0.2)
