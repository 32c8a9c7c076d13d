"""Single events taken out, or put right, by an appeal: as if the desk had never recorded them, in the day they counted in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.entities.daily_facts import due
from streams.pipeline import run
from tests.support.cards import item, saved, section, written
from tests.support.desk import POLICY, Script
from tests.support.month_end import MARCH, Desk, entry

RATIO = {"type": "ratio", "form": "actual_over_target"}


def script() -> Script:
    """Anna: a call rated 5 of 5 (c1), one rated 1 (c2); ben: one rated 4 (c3)."""
    made = Script()
    for contact, agent, score in (("c1", "anna", 5), ("c2", "anna", 1), ("c3", "ben", 4)):
        made.at("09:00:00", e.CallQueued, contact, queue_id="q").at("09:00:10", e.CallAnswered, contact, agent_id=agent)
        made.at("09:01:00", e.CallEnded, contact, agent_id=agent, resolved=True)
        made.at("09:05:00", e.CallRated, contact, agent_id=agent, score=score, scale="1-5")
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The month, published: its facts are those of the events."""
    events = script().events
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(encode(event) for event in events) + b"\n")
    facts = [fact for fact in run(map(encode, events), POLICY).facts.values() if fact.entity.startswith("agent|")]
    made = Desk(tmp_path, facts=facts, policy=POLICY, entries=[entry("anna"), entry("ben")])
    for fact in facts:
        due(fact, round(made.at.timestamp() * 1000))  # the month is over: what was planned in it counts
    kpis = (("csat", 1), ("csat_mean", 4), ("answer_rate", 90))
    items = [item(id, 20, kpi=id, rule=RATIO, target={"op": ">=", "value": at}) for id, at in kpis]
    saved(written(section("all", *items, item("care", 20))), tmp_path)
    card = str(tmp_path / "ours.yaml")
    made.does("prepare", card, *MARCH, "--by", "lin", "--incomplete", "rescaled")
    made.does("approve", card, *MARCH, "--by", "boss", "--unreviewed", "a test")
    made.does("publish", card, *MARCH, "--by", "boss")
    return made


def opened(desk: Desk, *arguments: str, item: str = "csat_mean") -> tuple[str, ...]:
    what = ("--item", item, "--reason", "the wrong customer", "--by", "anna", *arguments)
    return ("appeal", "open", str(desk.folder / "ours.yaml"), *MARCH, "anna", *what)


def mean(desk: Desk, person: str) -> tuple[float, int]:
    told = json.loads(desk.does("show", str(desk.folder / "ours.yaml"), *MARCH, person, "--json"))
    one = next(item for item in told["score"]["items"] if item["id"] == "csat_mean")
    return one["value"], one["n"]


def test_a_rating_taken_out_counts_no_more(desk: Desk) -> None:
    file = str(desk.folder / "events.jsonl")
    assert mean(desk, "anna") == (3.0, 2)
    said = desk.does(*opened(desk, "--events", file, "--without", "c2/e7"))
    assert "item csat_mean" in said
    assert mean(desk, "anna") == (3.0, 2)  # shown, not done
    desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "so it was")
    assert mean(desk, "anna") == (5.0, 1)
    assert mean(desk, "ben") == (4.0, 1)
    assert "revision 2: the same bytes" in desk.does("verify", str(desk.folder / "ours.yaml"), *MARCH)
    trail = json.loads(desk.does("audit", "--json"))
    (asked,) = (one["detail"]["changes"]["events"] for one in trail if one["action"] == "appeal")
    assert [(one["type"], one["corrects"]) for one in asked["events"]] == [("call.retracted", "e7")]
    assert asked["file"] == "events.jsonl"
    again = desk.refuses(*opened(desk, "--events", file, "--without", "c2/e7"))
    assert "the event e7 of the contact c2 was amended by the appeal 1 already" in again


def test_a_whole_contact_counts_nowhere(desk: Desk) -> None:
    desk.does(*opened(desk, "--events", str(desk.folder / "events.jsonl"), "--without", "c2"))
    desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "so it was")
    assert mean(desk, "anna") == (5.0, 1)
    told = json.loads(desk.does("show", str(desk.folder / "ours.yaml"), *MARCH, "anna", "--json"))
    assert {item["id"]: item["n"] for item in told["score"]["items"]}["answer_rate"] == 1


def test_a_contact_that_was_anothers_goes_to_him(desk: Desk) -> None:
    amend = [
        {"type": "call.corrected", "id": f"a{at}", "source": "hr", "time": "2026-03-02T10:00:00Z", "contact_id": "c2",
         "corrects": id, "agent_id": "ben"}
        for at, id in enumerate(("e5", "e6", "e7"))
    ]  # fmt: skip
    (desk.folder / "amend.jsonl").write_text("\n".join(map(json.dumps, amend)))
    files = ("--events", str(desk.folder / "events.jsonl"), "--amend", str(desk.folder / "amend.jsonl"))
    desk.does(*opened(desk, *files))
    desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "ben took it")
    assert mean(desk, "anna") == (5.0, 1)
    assert mean(desk, "ben") == (2.5, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--without", "c2/e7"), "say with --events FILE what was recorded"),
        (("--events", "events.jsonl"), "events.jsonl alone changes nothing: say what with --without"),
        (("--events", "events.jsonl", "--without", "c9"), "--without c9: no such event in events.jsonl; it has contacts c1, c2, c3"),
        (("--events", "events.jsonl", "--without", "c3"), "these events count for ben, not for anna"),
        (("--events", "april.jsonl", "--without", "c2"), "these events count on 2026-04-02, not in 2026-03"),
        (("--events", "broken.jsonl", "--without", "c2"), "broken.jsonl, line 2: no event of the contract: not_json"),
        (("--events", "absent.jsonl", "--without", "c2"), "absent.jsonl"),
        (("--events", "events.jsonl", "--amend", "events.jsonl"), "the event e0 amends nothing; give *.corrected"),
    ],
)  # fmt: skip
def test_what_is_refused(desk: Desk, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    text = Path("events.jsonl").read_text()
    Path("april.jsonl").write_text(text.replace("2026-03-02", "2026-04-02"))
    Path("broken.jsonl").write_text(text.splitlines()[0] + "\nno event\n")
    assert said in desk.refuses(*opened(desk, *arguments)).replace("\n", " ")


def test_events_that_the_item_does_not_count(desk: Desk) -> None:
    files = ("--events", str(desk.folder / "events.jsonl"), "--without", "c2/e7")
    assert "these events count nothing for answer_rate; they count: bad_rating_cases, csat_" in desk.refuses(
        *opened(desk, *files, item="answer_rate")
    )


def test_the_sheet_says_what_was_left_out_and_why(desk: Desk) -> None:
    desk.does(*opened(desk, "--events", str(desk.folder / "events.jsonl"), "--without", "c2/e7"))
    desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "so it was")
    out = ("--out", str(desk.folder / "files"), "--sheets", "html", "--format", "json", "--format", "csv")
    said = desk.does("files", str(desk.folder / "ours.yaml"), *MARCH, "--revision", "2", *out)
    assert "ours 2026-03, revision 2 (not published), 2 people" in said
    sheets = {
        name: (desk.folder / "files" / "ours-2026-03-sheets" / f"{name}.html").read_text() for name in ("anna", "ben")
    }
    assert "联络 c2：剔除事件 e7" in sheets["anna"]
    assert "appeal 1: the wrong customer; accepted by boss: so it was" in sheets["anna"]
    assert "c2" not in sheets["ben"]
    told = json.loads((desk.folder / "files" / "ours-2026-03.json").read_text())
    assert (told["revision"], [one["total"] for one in told["people"]]) == (2, ["60.00", "60.00"])
    # What was published stays as it was.
    desk.does("files", str(desk.folder / "ours.yaml"), *MARCH, *out)
    assert json.loads((desk.folder / "files" / "ours-2026-03.json").read_text())["revision"] == 1
    assert "剔除事件" not in (desk.folder / "files" / "ours-2026-03-sheets" / "anna.html").read_text()
