"""A month as people decide it: prepared, reviewed, objected to, approved, appealed against; typed, and asked over HTTP."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from scoring.api import create_app
from scoring.cards.load import find
from tests.support.month_end import FORM, MARCH, Desk, card_file, day, entry
from tests.support.scores_http import Client, client

#: Contacts that were due and resolved. Ben's are too few to tell.
CONTACTS = {"anna": (10, 9), "ben": (4, 4), "cleo": (10, 8), "dan": (10, 7), "eva": (10, 10)}
#: What their superior gives for care, of 20.
CARE = {"anna": 14, "ben": 15, "cleo": 12, "dan": 18, "eva": 19}
#: Who has a token of HR.
HR = ("boss", "head")
SHEET = "person,item,field,value\n" + "".join(
    f"{person},exam,value,90\n{person},praise,praise,9\n{person},praise,complaints,1\n" for person in CONTACTS
)


def desk_of(folder: Path, database: str | None = None) -> Desk:
    """Five people of one team, and their March."""
    facts = [day(person, "2026-03-02", due, resolved) for person, (due, resolved) in CONTACTS.items()]
    return Desk(folder, database=database, facts=facts, entries=[entry(person) for person in CONTACTS])


class Month(ABC):
    """What people do in the month, by whichever way in."""

    def __init__(self, desk: Desk, card: str, people: Collection[str]) -> None:
        """``card``: an id, or the path of one of their own. ``people``: who is on it."""
        self.desk, self.card, self.people = desk, card, people
        self.id = find(card).id

    def prepared(self, sheet: str) -> None:
        file = self.desk.folder / f"{self.id}.csv"
        file.write_text(sheet, encoding="utf-8")
        self.desk.does("import", str(file), "--card", self.card, *MARCH, "--by", "lin")
        self.desk.does("prepare", self.card, *MARCH, "--by", "lin")

    def frozen(self) -> dict[str, Any]:
        """Person → their score as it stands in the newest revision."""
        told = json.loads(self.desk.does("show", self.card, *MARCH, "--json"))
        return {one["person"]: one for one in told["scores"]}

    @abstractmethod
    def signs(self, who: str, person: str, column: str, **ratings: object) -> None:
        """Somebody signs a column of a person's sheet."""

    @abstractmethod
    def sees(self) -> Mapping[str, Any]:
        """What the approver sees: person → their sheet as it would be."""

    @abstractmethod
    def own(self, person: str) -> Mapping[str, Any]:
        """What the person rated sees of their sheet."""

    @abstractmethod
    def agrees(self, person: str) -> None: ...

    @abstractmethod
    def objects(self, person: str, reason: str, evidence: str) -> None: ...

    @abstractmethod
    def lets_count(self, who: str, person: str, item: str, reason: str) -> None:
        """Somebody decides that a figure on too few cases counts."""

    @abstractmethod
    def is_refused_approval(self) -> str: ...

    @abstractmethod
    def approves(self) -> None: ...

    @abstractmethod
    def publishes(self) -> None: ...

    @abstractmethod
    def appeals(self, person: str, item: str, reason: str) -> int:
        """The number of the appeal."""

    @abstractmethod
    def would_change(self, appeal: int, **ratings: object) -> set[tuple[str, str]]:
        """What accepting the appeal with these ratings would change: person and what."""

    @abstractmethod
    def accepts(self, appeal: int, reason: str, **ratings: object) -> None: ...


class Typed(Month):
    """By command."""

    def _does(self, *words: str) -> str:
        return self.desk.does(words[0], self.card, *MARCH, *words[1:])

    def signs(self, who: str, person: str, column: str, **ratings: object) -> None:
        given = [f"{item}={rating}" for item, rating in ratings.items()]
        self._does("review", person, "--as", column, "--by", who, *given)

    def sees(self) -> Mapping[str, Any]:
        told = self._does("preview")
        assert all(person in told for person in self.people)
        return {one["person"]: one for one in json.loads(self._does("preview", "--json"))["sheets"]}

    def own(self, person: str) -> Mapping[str, Any]:
        return dict(json.loads(self._does("preview", person, "--json")))

    def agrees(self, person: str) -> None:
        self._does("agree", person, "--by", person)

    def objects(self, person: str, reason: str, evidence: str) -> None:
        self._does("object", person, "--by", person, "--reason", reason, "--evidence", evidence)

    def lets_count(self, who: str, person: str, item: str, reason: str) -> None:
        self._does("decide", person, item, "count", "--by", who, "--reason", reason)

    def is_refused_approval(self) -> str:
        return self.desk.refuses("approve", self.card, *MARCH, "--by", "boss")

    def approves(self) -> None:
        self._does("approve", "--by", "boss")

    def publishes(self) -> None:
        self._does("publish", "--by", "boss")

    def appeals(self, person: str, item: str, reason: str) -> int:
        told = self.desk.does(
            "appeal", "open", self.card, *MARCH, person, "--item", item, "--reason", reason, "--by", person
        )
        assert "whoever decides gives the new rating with --rate" in told
        return int(told.split()[1])

    def would_change(self, appeal: int, **ratings: object) -> set[tuple[str, str]]:
        told = json.loads(self.desk.does("appeal", "show", str(appeal), *_rated(ratings), "--json"))
        return {(one["person"], one["what"]) for one in told["changes"]}

    def accepts(self, appeal: int, reason: str, **ratings: object) -> None:
        accept = ("appeal", "accept", str(appeal), "--by", "boss", "--reason", reason, *_rated(ratings))
        asked = self.desk.type(*accept)  # nobody answers what is asked, and nothing is done
        assert (asked.exit_code, "accepting it would change" in asked.output) == (1, True)
        assert "accepting it would change" in self.desk.does(*accept, "--yes")


def month_of(desk: Desk, way_in: type[Month]) -> Month:
    """The month of the five."""
    desk.does("database", "upgrade")
    card = card_file(desk.folder, min_n={"shares": 10, "means": 5}, evaluators=FORM[:2])
    return way_in(desk, str(card), CONTACTS)


def _rated(ratings: Mapping[str, object]) -> list[str]:
    return [part for item, rating in ratings.items() for part in ("--rate", f"{item}={rating}")]


class Asked(Month):
    """Over HTTP, each with a token of their own."""

    def __init__(self, desk: Desk, card: str, people: Collection[str]) -> None:
        super().__init__(desk, card, people)
        self._run = f"/api/runs/{self.id}/2026-03"
        self._teams = {one.agent_id: one.team_id for one in desk.entries}
        self._app = create_app(desk)
        self._known: dict[str, Client] = {}

    def _as(self, who: str) -> Client:
        if who not in self._known:
            self._known[who] = client(self.desk, app=self._app, name=f"{who} for {self.id}", **self._role(who))
        return self._known[who]

    def _role(self, who: str) -> dict[str, str]:
        if who in HR:
            return {"role": "hr"}
        if who in self.people:
            return {"role": "agent", "person": who}
        team = self._teams.get(who) or self._teams[next(iter(self.people))]
        return {"role": "supervisor", "team": team or "", "person": who}

    def _post(self, who: str, path: str, **body: object) -> Any:
        answer = self._as(who).post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def signs(self, who: str, person: str, column: str, **ratings: object) -> None:
        given = {item: str(rating) for item, rating in ratings.items()}
        self._post(who, f"{self._run}/people/{person}/review", column=column, ratings=given)

    def sees(self) -> Mapping[str, Any]:
        assert self._as(next(iter(self.people))).get(f"{self._run}/preview").status_code == 403
        assert self._as("sue").get(f"{self._run}/preview").json()["changes"] == []
        return {one["person"]: one for one in self._as("boss").get(f"{self._run}/preview").json()["sheets"]}

    def own(self, person: str) -> Mapping[str, Any]:
        return dict(self._as(person).get(f"{self._run}/people/{person}").json())

    def agrees(self, person: str) -> None:
        self._post(person, f"{self._run}/people/{person}/acknowledgement", agreed=True)

    def objects(self, person: str, reason: str, evidence: str) -> None:
        path = f"{self._run}/people/{person}/acknowledgement"
        assert self._as("sue").post(path, json={"agreed": True}).status_code == 409  # nobody says it for them
        self._post(person, path, agreed=False, reason=reason, evidence=evidence)

    def lets_count(self, who: str, person: str, item: str, reason: str) -> None:
        path = f"{self._run}/people/{person}/few"
        assert self._as(person).post(path, json={}).status_code in (403, 422)
        self._post(who, path, item=item, decision="count", reason=reason)

    def is_refused_approval(self) -> str:
        answer = self._as("boss").post(f"{self._run}/approve", json={})
        assert answer.status_code == 409
        return str(answer.json()["detail"])

    def approves(self) -> None:
        self._post("boss", f"{self._run}/approve")

    def publishes(self) -> None:
        self._post("boss", f"{self._run}/publish")

    def appeals(self, person: str, item: str, reason: str) -> int:
        told = {"card": self.id, "period": "2026-03", "person": person, "items": [item], "reason": reason}
        return int(self._post(person, "/api/appeals", **told)["appeal"]["id"])

    def would_change(self, appeal: int, **ratings: object) -> set[tuple[str, str]]:
        given = {item: str(rating) for item, rating in ratings.items()}
        told = self._post("boss", f"/api/appeals/{appeal}/difference", ratings=given)
        return {(one["person"], one["what"]) for one in told["changes"]}

    def accepts(self, appeal: int, reason: str, **ratings: object) -> None:
        given = {item: str(rating) for item, rating in ratings.items()}
        self._post("boss", f"/api/appeals/{appeal}/decision", accepted=True, reason=reason, ratings=given)


def decided(month: Month) -> None:
    """The month, from the sheet to the accepted appeal."""
    month.prepared(SHEET)
    resolved = _item(month.frozen()["ben"], "resolved")
    assert (resolved["points"], resolved["flags"]) == (None, ["few"])
    assert "n = 4, fewer than the 10 that the card asks for: too few, until somebody decides" in resolved["reason_en"]
    assert "样本 4，少于规定的 10，样本量不足，待人工判定是否计分" in resolved["reason_zh"]

    for person, care in CARE.items():
        month.signs(person, person, "self", care=20)
        month.signs("sue", person, "superior", care=care)

    # The approver sees every rating and the total that it makes; what is frozen knows none yet.
    seen = month.sees()
    assert _item(month.frozen()["cleo"], "care")["points"] is None
    assert [(one["field"], one["value"], one["author"]) for one in seen["cleo"]["given"] if one["item"] == "care"] == [
        ("self", "20", "cleo"), ("superior", "12", "sue"),
    ]  # fmt: skip
    assert [(one["column"], one["author"]) for one in seen["cleo"]["signed"]] == [
        ("self", "cleo"), ("superior", "sue"),
    ]  # fmt: skip
    assert seen["cleo"]["signed"][0]["at"] < seen["cleo"]["signed"][1]["at"]
    assert {person: one["score"]["total"] for person, one in seen.items()} == {
        "anna": "94.00", "ben": "55.00", "cleo": "87.56", "dan": "89.11", "eva": "99.00",
    }  # fmt: skip

    month.objects("cleo", "the care of the 12th was praised", "ticket 4711")
    assert "cleo: the care of the 12th was praised (ticket 4711)" in month.is_refused_approval()
    month.signs("sue", "cleo", "superior", care=16)  # who has rated may rate anew
    assert month.own("cleo")["score"]["total"] == "91.56"
    for person in ("ben", "cleo"):
        month.agrees(person)
    month.lets_count("sue", "ben", "resolved", "ben was on leave, and all four were resolved")
    seen = month.sees()
    assert (seen["ben"]["score"]["total"], _says(seen["ben"])) == (
        "95.00",
        (True, True),
    )  # agreed before it was decided
    assert (seen["cleo"]["score"]["total"], _says(seen["cleo"])) == ("91.56", (True, False))

    month.approves()
    assert {person: score["total"] for person, score in month.frozen().items()} == {
        person: one["score"]["total"] for person, one in seen.items()
    }
    assert "经人工判定，仍按规则计分" in _item(month.frozen()["ben"], "resolved")["reason_zh"]
    month.publishes()

    # Anna does not know which points were right; whoever decides does.
    appeal = month.appeals("anna", "care", "the calls of the 20th were not listened to")
    assert month.would_change(appeal) == set()
    assert month.would_change(appeal, care=18) == {
        ("anna", "total"), ("anna", "item care"), ("anna", "2026-03 rank"), ("ben", "2026-03 rank"),
    }  # fmt: skip
    month.accepts(appeal, "listened to them", care=18)
    month.publishes()
    assert month.own("anna")["score"]["total"] == "98.00"
    assert {score.person: score.total for score in month.desk.sent}["anna"] == "98.00"
    assert "the same bytes" in month.desk.does("verify", month.card, *MARCH)
    assert "the trail is whole" in month.desk.does("audit")


def _item(score: Mapping[str, Any], id: str) -> dict[str, Any]:
    return dict(next(item for item in score["items"] if item["id"] == id))


def _says(sheet: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether they agree, and whether their sheet has changed since."""
    return sheet["says"]["agreed"], sheet["changed_since"] if "changed_since" in sheet else sheet["changed"]


@pytest.mark.parametrize("way_in", [Typed, Asked])
def test_a_month_is_decided(tmp_path: Path, way_in: type[Month]) -> None:
    decided(month_of(desk_of(tmp_path), way_in))
