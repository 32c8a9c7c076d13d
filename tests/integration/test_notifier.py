"""The notifier as a process on a real Kafka: from an incident on the topic to a webhook and an acknowledgement, over a kill."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from deploy.local.ports import free_port
from streams.contracts.outputs import ContactRecord, Counted, Incident
from streams.contracts.topics import CONTACT_RECORDS, INCIDENTS
from streams.kafka.connection import open_producer
from streams.notifier.closing import close
from streams.notifier.config import MonthEnd
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.integration.test_screens import eventually
from tests.support.notifying import incident, notifier
from tests.support.operation import answers, http_get, messages, program, run_cli
from tests.support.receiving import Receiver, receiving

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

CONFIG = """
language: en
acknowledge: {url: "http://127.0.0.1:PORT", key: $KEY}
channels:
  hook: {type: webhook, url: $HOOK}
  desk: {type: wecom, url: $DESK}
  lead: {type: webhook, url: $LEAD}
routes:
  all: {to: [hook, desk]}
cases: {to: [lead]}
"""


def put(settings: Settings, *incidents: Incident) -> None:
    producer = open_producer(settings)
    for one in incidents:
        producer.send(settings.topic(INCIDENTS), key=one.id.encode(), value=msgspec.json.encode(one)).get(timeout=60)
    producer.close()


def rated(settings: Settings) -> None:
    """A contact record of a bad rating, as workers write it: once more each time."""
    at = machine_ms()
    day = instant(at).date()
    slot = Counted(at, day.toordinal(), agent="A", staff={"csat_ratings": 1, "csat_bad_1_5": 1})
    record = ContactRecord(
        format=1, version=1, channel="calls", contact_id="c1", customer_id="k1", date=day, arrived_at=at, heard_at=at, agent="A",
        csat_score=1000, csat_scale="1-5", counts={"rating": slot},
    )  # fmt: skip
    producer = open_producer(settings)
    producer.send(settings.topic(CONTACT_RECORDS), key=b"calls|c1", value=msgspec.json.encode(record)).get(timeout=60)
    producer.close()


def is_told(settings: Settings, there: Receiver) -> bool:
    """Has the rating become a case of which somebody was told? A follower begins at the end of the topic."""
    if not there.of("/lead"):
        rated(settings)
    return bool(there.of("/lead"))


def test_from_an_incident_to_a_message_and_back(
    operation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, file = free_port(), tmp_path / "notify.yaml"
    file.write_text(CONFIG.replace("PORT", str(port)), encoding="utf-8")
    here = operation.model_copy(update={"clock": "wall", "notify_file": file})
    with receiving() as (there, address):
        for name, value in {
            "KEY": "0123456789abcdef0123",
            "HOOK": f"{address}/hook",
            "DESK": f"{address}/desk",
            "LEAD": f"{address}/lead",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        page = f"http://127.0.0.1:{port}"
        with program(here, "notifier", "notifier", "--port", str(port)) as process:
            answers(f"{page}/healthz", process)
            eventually(lambda: http_get(f"{page}/readyz").status_code == 200, 60)
            put(here, incident("i1", at=instant(machine_ms())))
            eventually(lambda: len(there.of("/hook")) == 1 and len(there.of("/desk")) == 1, 60)
            text = there.of("/desk")[0][1]["markdown"]["content"]
            link = text.partition("[Acknowledge](")[2].partition(")")[0]
            assert http_get(link).status_code == 200
            assert messages(here, "alert-actions") == []
            assert httpx.post(link, data={"by": "sup-1"}, trust_env=False).status_code == 200
            (action,) = messages(here, "alert-actions")
            assert json.loads(action.value)["kind"] == "acknowledge"
            eventually(lambda: is_told(here, there), 60)
            # Killed before it has noted the answer, it would tell once more, as it should.
            eventually(
                lambda: all(one["state"] == "told" for one in json.loads(run_cli(here, "notify", "list", "--json")))
            )
            process.kill()
        (case,) = json.loads(run_cli(here, "case", "list", "--json"))
        run_cli(here, "case", "close", case["id"], "--by", "S", "--root-cause", "r", "--plan", "p")
        put(here, incident("i2", at=instant(machine_ms())))
        with program(here, "notifier-again", "notifier", "--port", str(port)) as process:
            answers(f"{page}/healthz", process)
            eventually(lambda: len(there.of("/hook")) == len(there.of("/desk")) == 2, 60)
            eventually(lambda: len(messages(here, "calls")) == 1 and len(there.of("/lead")) >= 2, 60)
            process.stop()
            assert process.exit_code == 0
    (explained,) = messages(here, "calls")
    assert (explained.key, json.loads(explained.value)["type"]) == (b"k1", "call.rating_explained")
    assert [step["kind"] for one in there.of("/lead") for step in one[1]["case"]["steps"]] == ["opened", "closed"]
    assert [one[1]["incident"]["id"] for one in there.of("/hook")] == ["i1", "i2"]
    assert "Traceback" not in (here.data_dir / "notifier-again.log").read_text(encoding="utf-8")
    log = "".join(path.read_text(encoding="utf-8") for path in here.data_dir.glob("notifier*.log"))
    assert address not in log  # addresses of channels are secrets
    told = json.loads(run_cli(here, "notify", "list", "--json"))
    assert {(one["incident"], one["channel"], one["state"]) for one in told if one["channel"] != "lead"} == {
        (i, c, "told") for i in ("i1", "i2") for c in ("hook", "desk")
    }


def test_the_journal_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    here = notifier(tmp_path, {"floor": "dingtalk", "hook": "webhook"}, url=postgres_url)
    here.database.upgrade()
    here.robots["floor"].faults = ["lost"]
    here.hears(incident("i1"), incident("i2", kinds=("opened", "resolved"), every=1))
    here.works(120)
    assert set(here.states().values()) == {"told"}
    assert (len(here.robots["floor"].seen), len(here.robots["hook"].seen)) == (3, 3)  # one of them a copy
    here.journal.forget(here.now + 91 * 86_400_000)
    assert {key[0] for key in here.states()} == {"i1"}
    assert here.journal.position("incidents") == 2
    here.close()


def test_a_month_is_closed_in_a_process_of_its_own(operation: Settings, tmp_path: Path) -> None:
    month = f"{instant(machine_ms()).date().replace(day=1) - timedelta(days=1):%Y-%m}"
    roster = tmp_path / "roster.csv"
    roster.write_text("agent_id,valid_from,team_id,card\nA01,2020-01-01,T1,s3-b-team-leader\n", encoding="utf-8")
    run_cli(operation, "roster", "import", str(roster))
    here = operation.model_copy(update={"clock": "wall"})
    found = close(here, MonthEnd(to=["hr"]), month, os.environ)
    (run,) = found.runs
    assert (run.card, run.period, run.state, run.people, run.trouble) == (
        "s3-b-team-leader",
        month,
        "prepared",
        1,
        None,
    )
    shares = [share for owed in found.owed for share in owed.shares]
    assert run.missing == sum(share.values for share in shares) > 0
    assert all(found.sheets[share.file or ""].startswith(b"PK") for share in shares)
