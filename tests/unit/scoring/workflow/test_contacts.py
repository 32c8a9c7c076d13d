"""From the item of a frozen score to its contacts, as they were: by command and over HTTP, whatever has become of them since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.outputs import ContactRecord
from streams.entities.daily_facts import due
from streams.history.store import Told, open_history
from tests.support.cards import item, saved, section, written
from tests.support.desk import POLICY, Script, run_events
from tests.support.frozen import forgotten
from tests.support.histories import messages, take
from tests.support.month_browser import Month as AtTheDesk
from tests.support.month_browser import visitor
from tests.support.month_end import MARCH, Desk, entry
from tests.support.scores_http import client

RATIO = {"type": "ratio", "form": "actual_over_target"}
CSAT = "/api/runs/ours/2026-03/people/anna/items/csat/contacts"


def script() -> Script:
    """Anna: calls rated 5, 1 and 4 of 5 (c1, c2, c3), and one that nobody rated (c4); ben: one rated 4 (b1)."""
    made = Script()
    for contact, agent, score in (
        ("c1", "anna", 5),
        ("c2", "anna", 1),
        ("c3", "anna", 4),
        ("c4", "anna", 0),
        ("b1", "ben", 4),
    ):
        team = {"agent_id": agent, "team_id": "t1"}
        made.at("09:00:00", e.CallQueued, contact, queue_id="q", customer_id=f"k-{contact}")
        made.at("09:00:10", e.CallAnswered, contact, customer_id=f"k-{contact}", **team)
        made.at("09:01:00", e.CallEnded, contact, resolved=True, customer_id=f"k-{contact}", **team)
        if score:
            made.at("09:05:00", e.CallRated, contact, score=score, scale="1-5", customer_id=f"k-{contact}", **team)
    return made


class Month:
    """The month, approved; its contacts are in a history, which was there as it was prepared."""

    def __init__(self, folder: Path, url: str | None = None, kept: bool = True) -> None:
        self.desk = Desk(folder, policy=POLICY, entries=[entry("anna"), entry("ben")], facts=[])
        self.at: dict[Any, int] = {}
        self.opened = open_history(url, self.desk.data_dir, POLICY)
        self.history = self.opened.__enter__()
        self.history.begin()
        self.events = script()
        self.run = self.events.run(records=True)
        self.now = round(self.desk.at.timestamp() * 1000)
        take(self.history, messages(self.run), self.now, self.at)
        self.desk.history = self.history if kept else None
        self.desk.facts = [
            fact for fact in self.run.facts.values() if fact.entity.partition("|")[0] in ("agent", "team")
        ]
        for fact in self.desk.facts:
            due(fact, self.now)  # the month is over: what was planned in it counts
        items = [
            item("csat", 20, kpi="csat", rule=RATIO, target={"op": ">=", "value": 90}),
            item("team", 20, kpi="csat", entity="team", rule=RATIO, target={"op": ">=", "value": 90}),
            item("others", 20, kpi="csat", entity="members", rule=RATIO, target={"op": ">=", "value": 90}),
        ]
        saved(written(section("all", *items, item("care", 20))), folder)
        self.card = str(folder / "ours.yaml")
        self.desk.does("prepare", self.card, *MARCH, "--by", "lin", "--incomplete", "rescaled")
        self.desk.does("approve", self.card, *MARCH, "--by", "boss", "--unreviewed", "a test")

    def tell(self, told: list[Told]) -> None:
        take(self.history, {topics.CONTACT_RECORDS: told}, self.now, self.at)

    def records(self, contact: str) -> list[Told]:
        """What was told of a contact."""
        return [each for each in messages(self.run)[topics.CONTACT_RECORDS] if f"|{contact}|" in each.key]

    def told_later(self, script: Script) -> None:
        """The same contacts, by these events."""
        run = run_events(script.events, POLICY, records=True)
        told = []
        for key, value in messages(run)[topics.CONTACT_RECORDS]:
            record = msgspec.json.decode(value or b"", type=ContactRecord)
            told.append(Told(key, msgspec.json.encode(replace(record, version=record.version + 100))))
        self.tell(told)

    def explain(self, *more: str, item: str = "csat", by: str = "lin") -> dict[str, Any]:
        said: dict[str, Any] = json.loads(
            self.desk.does("explain", self.card, *MARCH, "anna", item, "--by", by, "--json", *more)
        )
        return said

    def trail(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Who has looked at whom."""
        entries = json.loads(self.desk.does("audit", "--json"))
        return [(one["author"], one["person"], one["detail"]) for one in entries if one["action"] == "look"]


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    made = Month(tmp_path)
    yield made
    made.opened.__exit__(None, None, None)


def contacts(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((line["told"]["contact_id"], line.get("part") or line["reason"]) for line in lines)


def test_an_item_leads_to_what_it_counted_and_what_it_left_out(month: Month) -> None:
    figure = month.explain()["figure"]
    assert (figure["kept"], figure["adds_up"], figure["listed"]) == (True, True, [figure["top"], figure["bottom"]])
    assert figure["value"] == pytest.approx(2 / 3)
    assert contacts(figure["lines"]) == [("c1", "numerator"), ("c2", "rest"), ("c3", "numerator")]
    assert contacts(figure["left_out"]) == [("c4", "not_rated")]
    assert not any(line["since"] for line in figure["lines"])
    assert month.trail() == [("lin", "anna", {"item": "csat", "of": "agent|anna", "revision": 1})]
    assert month.explain(by="anna")["figure"] == figure
    assert len(month.trail()) == 1  # one's own are nobody else's business


def test_what_was_put_right_afterwards_is_said_and_changes_nothing(month: Month) -> None:
    before = month.explain()["figure"]
    corrected = script()
    (rated,) = (event.id for event in corrected.events if isinstance(event, e.CallRated) and event.contact_id == "c2")
    corrected.at("10:00:00", e.CallCorrected, "c2", corrects=rated, score=5, scale="1-5", customer_id="k-c2")
    corrected.call("11:00:00", "late", agent="anna", team_id="t1", customer_id="k-late")
    corrected.at(
        "11:30:00", e.CallRated, "late", agent_id="anna", team_id="t1", score=2, scale="1-5", customer_id="k-late"
    )
    month.told_later(corrected)
    after = month.explain()["figure"]
    assert [after[name] for name in ("value", "n", "listed", "adds_up")] == [
        before[name] for name in ("value", "n", "listed", "adds_up")
    ]
    assert contacts(after["lines"]) == contacts(before["lines"])
    assert contacts(after["left_out"]) == contacts(before["left_out"])
    changed = {line["told"]["contact_id"]: line["since"] for line in after["lines"] if line["since"]}
    assert set(changed) == {"c2"}
    assert changed["c2"]["measures"] == {"csat_satisfied": [0, 1]}
    assert changed["c2"]["fields"] == {"csat_score": [1000, 5000]}
    assert contacts(after["new"]) == [("late", "rest")]
    assert after["now"] == [3, 4]
    said = month.desk.does("explain", month.card, *MARCH, "anna", "csat", "--by", "lin", "--contacts", "changed")
    assert "14.81 / 20" in said
    assert "calls:c2" in said
    assert "此后有变动 · changed since" in said
    assert "calls:late" in said
    assert "此后才计入 · counts since then only" in said
    assert (
        "the sum of the contacts is the figure\nsince then 1 of 3 have changed, and 1 count that did not: --contacts changed"
        in said
    )


def test_who_is_forgotten_afterwards_is_named_nowhere_and_counts_as_before(month: Month) -> None:
    before = month.explain()["figure"]
    assert {line["told"]["customer_id"] for line in before["lines"]} == {"k-c1", "k-c2", "k-c3"}
    month.tell(forgotten(month.records("c3")))
    after = month.explain()["figure"]
    assert after["adds_up"]
    assert contacts(after["lines"]) == contacts(before["lines"])
    assert {line["told"].get("customer_id") for line in after["lines"]} == {"k-c1", "k-c2", None}
    assert not after["new"]


def test_an_appeal_that_was_accepted_is_a_line_of_its_own(month: Month) -> None:
    month.desk.does("publish", month.card, *MARCH, "--by", "boss")
    month.desk.does("appeal", "open", month.card, *MARCH, "anna", "--item", "csat", "--reason", "not theirs", "--by", "anna",
                    "--exclude", "2026-03-02.csat_ratings=-1")  # fmt: skip
    month.desk.does("appeal", "accept", "1", "--yes", "--by", "boss", "--reason", "so it was")
    figure = month.explain()["figure"]
    assert (figure["value"], figure["adds_up"], figure["bottom"]) == (1.0, True, 2)
    assert [line["bottom"] for line in figure["lines"] if line["kind"] == "appeal"] == [-1]
    assert month.explain("--revision", "1")["figure"]["bottom"] == 3
    said = month.desk.does("explain", month.card, *MARCH, "anna", "csat", "--by", "lin")
    assert "申诉调整 · changed by an appeal" in said
    assert "计入分子 · in the numerator" in said


def test_a_teams_and_the_others_figures_have_their_own(month: Month) -> None:
    team = month.explain(item="team")
    assert (team["figure"]["entity"], team["figure"]["n"]) == ("team|t1", 4)
    others = month.explain(item="others")
    assert (others["figures"], contacts(others["figure"]["lines"])) == (["agent|ben"], [("b1", "numerator")])
    assert "was not made of such a figure" in month.desk.refuses(
        "explain", month.card, *MARCH, "anna", "others", "--by", "lin", "--of", "agent|cleo"
    )
    assert "it is handed in or rated" in month.desk.refuses(
        "explain", month.card, *MARCH, "anna", "care", "--by", "lin"
    )
    assert "'zoe' is not scored" in month.desk.refuses("explain", month.card, *MARCH, "zoe", "csat", "--by", "lin")


def test_where_nobody_kept_them_they_are_as_they_are_now_and_it_is_said(tmp_path: Path) -> None:
    month = Month(tmp_path, kept=False)
    assert (month.explain()["figure"]["kept"], month.explain()["figure"]["adds_up"]) == (False, True)
    month.tell([Told(month.records("c1")[0].key, None)])
    assert not month.explain()["figure"]["adds_up"]
    said = month.desk.does("explain", month.card, *MARCH, "anna", "csat", "--by", "lin")
    assert (
        "nobody kept the contacts when these facts were frozen: they are as they are now, and their sum is not the figure"
        in said
    )
    month.opened.__exit__(None, None, None)


def test_over_http_everybody_sees_theirs_and_it_is_written_down(month: Month) -> None:
    anna, ben = client(month.desk, "agent", person="anna"), client(month.desk, "agent", person="ben")
    assert anna.get(CSAT).status_code == 404  # approved, and not given out
    month.desk.does("publish", month.card, *MARCH, "--by", "boss")
    own = anna.get(CSAT).json()
    assert (own["total"], own["adds_up"], own["lines"], own["left_out"]) == (3, True, 3, 1)
    assert own["items"][0]["told"]["contact_id"] == "c1"
    assert ben.get(CSAT).status_code == 403
    assert anna.get(CSAT.replace("csat", "team")).status_code == 403
    assert month.trail() == []
    lead = client(month.desk, "supervisor", team="t1", person="sue")
    assert lead.get(CSAT, params={"which": "rest", "limit": 1}).json()["total"] == 1
    assert lead.get(CSAT.replace("csat", "team")).json()["n"] == 4
    assert client(month.desk, "supervisor", team="t2").get(CSAT).status_code == 403
    hr = client(month.desk, "hr")
    assert [one["reason"] for one in hr.get(CSAT, params={"which": "left-out"}).json()["items"]] == ["not_rated"]
    assert hr.get(CSAT.replace("csat", "care")).status_code == 422
    assert hr.get(CSAT, params={"which": "none"}).status_code == 422
    assert [author for author, *_ in month.trail()] == ["sue", "sue", "hr {}"]


def test_at_the_desk_everybody_sees_theirs_and_it_is_written_down(month: Month) -> None:
    desk, path = AtTheDesk(month.desk), CSAT.removeprefix("/api")
    anna, ben, hr = visitor("agent", "anna"), visitor("agent", "ben"), visitor("hr", "lin")
    assert desk.ask(anna, "GET", path).status_code == 404  # approved, and not given out
    month.desk.does("publish", month.card, *MARCH, "--by", "boss")
    own = desk.does(anna, "GET", path)
    assert (own["total"], own["adds_up"], own["lines"], own["left_out"], own["kept"]) == (3, True, 3, 1, True)
    assert [one["told"]["contact_id"] for one in own["items"]] == ["c1", "c2", "c3"]
    assert (own["item"]["id"], own["figures"]) == ("csat", ["agent|anna"])
    assert desk.ask(ben, "GET", path).status_code == 404  # her sheet does not exist for him
    team, others = (path.replace("/csat/", f"/{item}/") for item in ("team", "others"))
    assert desk.ask(anna, "GET", team).status_code == 403
    assert desk.ask(anna, "GET", others).status_code == 403
    assert month.trail() == []
    sue = visitor("supervisor", "sue", "t1")
    assert desk.does(sue, "GET", f"{path}?which=rest&limit=1")["total"] == 1
    assert desk.does(sue, "GET", team)["n"] == 4
    assert [one["told"]["agent"] for one in desk.does(sue, "GET", others)["items"]] == ["ben"]
    assert desk.ask(visitor("supervisor", "ole", "t2"), "GET", path).status_code == 404
    assert [one["reason"] for one in desk.does(hr, "GET", f"{path}?which=left-out")["items"]] == ["not_rated"]
    assert desk.ask(hr, "GET", path.replace("csat", "care")).status_code == 422
    assert desk.ask(hr, "GET", f"{path}?of=agent|ben").status_code == 422
    assert [author for author, *_ in month.trail()] == ["sue", "sue", "sue", "lin"]
    assert desk.looked == {("sue", "anna"), ("sue", "ben"), ("lin", "anna")}
