"""360-degree ratings: several raters a party, anonymous; who gave what is found nowhere, and too few do not count."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import MetaData, create_engine, select

from streams.contracts.outputs import DailyFacts
from tests.support.month_end import Desk, entry
from tests.support.scores_http import Client, client

CARD, QUARTER = "s1-b-360", ("--period", "2026-Q1")
PEERS = ("ben", "cleo", "dan", "eva")


class Survey(Desk):
    """A desk whose people are rated by customers, superior, peers and themselves, by quarter."""

    def begun(self) -> Survey:
        team = ("anna", *PEERS)
        self.entries = [entry(person, card=CARD) for person in team]
        sums = {"csat_ratings": 20, "csat_satisfied": 18}
        self.facts = [DailyFacts(entity=f"agent|{person}", date=date(2026, 2, 2), sums=dict(sums)) for person in team]
        for item in ("superior", "self"):
            self.hands_in("anna", item, "rating", "16")
        return self

    def hands_in(self, person: str, item: str, field: str, value: str) -> None:
        file = self.folder / "in.csv"
        file.write_text(f"person,item,field,value\n{person},{item},{field},{value}\n", encoding="utf-8")
        self.does("import", str(file), "--card", CARD, *QUARTER, "--by", "lin")

    def opens(self, *raters: str, person: str = "anna") -> dict[str, str]:
        """Rater → code."""
        named = [part for rater in raters for part in ("--rater", rater)]
        told = self.does("360", "open", CARD, *QUARTER, "--by", "lin", "--person", person, "--party", "peer", *named)
        return {
            words[0]: words[-1] for line in told.splitlines() if len(words := line.split()) == 4 and words[2] == "peer"
        }

    def rates(self, code: str, rating: str = "17") -> str:
        return self.does("360", "rate", code, f"peer={rating}")

    def closes(self) -> str:
        return self.does("360", "close", CARD, *QUARTER, "--by", "lin")

    def prepared(self) -> dict[str, Any]:
        """Anna's score as it stands."""
        self.does("prepare", CARD, *QUARTER, "--by", "lin")
        told: dict[str, Any] = json.loads(self.does("show", CARD, *QUARTER, "anna", "--json"))["score"]
        return told

    def status(self) -> dict[str, Any]:
        told: list[dict[str, Any]] = json.loads(self.does("360", "status", CARD, *QUARTER, "--json"))
        return told[0]

    def kept(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that the database has: table → rows, as text."""
        engine, tables = create_engine(f"sqlite:///{self.data_dir / 'scores.db'}"), MetaData()
        tables.reflect(engine)
        with engine.connect() as connection:
            made = {
                t.name: [dict(row) for row in connection.execute(select(t)).mappings()] for t in tables.sorted_tables
            }
        engine.dispose()
        return made


@pytest.fixture
def desk(tmp_path: Path) -> Survey:
    return Survey(tmp_path).begun()


def peer(score: dict[str, Any]) -> dict[str, Any]:
    return dict(next(item for item in score["items"] if item["id"] == "peer"))


def test_the_mean_of_a_party_counts_once_its_panel_is_closed(desk: Survey) -> None:
    codes = desk.opens(*PEERS)
    assert sorted(codes) == sorted(PEERS)
    for rater, rating in (("ben", "20"), ("cleo", "17"), ("dan", "14.5")):
        assert "thank you" in desk.rates(codes[rater], rating)
    waiting = peer(desk.prepared())
    assert waiting["points"] is None
    assert "3 of 4 raters have rated, and the panel is not closed yet" in waiting["reason_en"]
    assert desk.status()["sums"] is None, "before it is closed nobody is told what was given"
    assert "close them first" in desk.refuses("approve", CARD, *QUARTER, "--by", "boss", "--unreviewed", "x")

    assert "anna, peer: closed, 3 of 4 have rated" in desk.closes()
    counted = desk.prepared()
    assert peer(counted)["points"].startswith("17.1666")  # (20 + 17 + 14.5) ÷ 3
    assert "the mean of 3 anonymous raters, 4 were invited" in peer(counted)["reason_en"]
    assert "3 人匿名评分的平均值，邀请 4 人" in peer(counted)["reason_zh"]
    assert counted["total"] == "85.17"  # 36 of the customers, 16, 17.17, 16
    desk.does("approve", CARD, *QUARTER, "--by", "boss", "--unreviewed", "no columns")
    assert "the same bytes" in desk.does("verify", CARD, *QUARTER)


def test_too_few_raters_are_said_and_nothing_is_guessed(desk: Survey) -> None:
    codes = desk.opens(*PEERS)
    for rater in ("ben", "cleo"):
        desk.rates(codes[rater])
    assert "fewer than 3 are not anonymous, so it does not count" in desk.closes()
    score = desk.prepared()
    assert peer(score)["points"] is None
    assert "only 2 of 4 raters have rated: fewer than 3 are not anonymous and do not count" in peer(score)["reason_en"]
    assert "邀请 4 人，只有 2 人评分，不足 3 人，无法匿名，不计分" in peer(score)["reason_zh"]
    assert (score["total"], score["scored_max"]) == ("85.00", "100")  # 68 of 80: the others take over the weight
    assert [row["sums"] for row in desk.kept()["panel_results"]] == [{}], "what does not count is not kept"
    desk.hands_in("anna", "peer", "rating", "15")  # by name, as somebody answers for it
    assert peer(desk.prepared())["points"] == "15"


def test_who_gave_which_rating_is_found_nowhere(desk: Survey) -> None:
    """With all that is kept, in any order, every pairing of raters and ratings is as likely as any other."""
    codes = desk.opens(*PEERS)
    given = dict(zip(PEERS, ("3.25", "19.75", "11.55", "7.35"), strict=True))
    order = list(PEERS)
    random.Random(4).shuffle(order)
    for rater in order:
        desk.rates(codes[rater], given[rater])
        kept = desk.kept()
        (ratings,) = kept["panel_ratings"]
        assert ratings["ratings"]["peer"] == sorted(ratings["ratings"]["peer"], key=float), "by size, not by time"
        assert set(ratings) == {"panel", "ratings"}
        assert {key for row in kept["panel_codes"] for key in row} == {"digest", "panel", "used"}
        digests = [row["digest"] for row in kept["panel_codes"]]
        assert digests == sorted(digests), "not in the order in which raters were named"
        text = json.dumps(kept["audit"], default=str)
        assert not any(rating in text for rating in given.values())
        assert [row["action"] for row in kept["audit"]].count("360 opened") == 1
        assert "rate" not in {row["action"] for row in kept["audit"]}, "the trail has no times of ballots"
        assert not any(code in json.dumps(kept, default=str) for code in codes.values())
    desk.closes()
    desk.prepared()
    kept = desk.kept()
    assert (kept["panel_codes"], kept["panel_ratings"]) == ([], [])
    file = b"".join(path.read_bytes() for path in desk.data_dir.glob("scores.db*"))
    assert not any(rating.encode() in file for rating in ("3.25", "19.75")), "nor in what was deleted"
    told = (
        desk.does("360", "status", CARD, *QUARTER)
        + desk.does("preview", CARD, *QUARTER, "--json")
        + desk.does("audit", "--json")
    )
    assert "10.48" in told, "the mean is there"
    assert not any(rating in told for rating in ("3.25", "19.75"))


def test_a_code_is_good_once_for_ratings_that_can_be(desk: Survey) -> None:
    codes = desk.opens(*PEERS)
    for wrong, said in (
        ("peer=21", "'21' is not between 0 and 20"), ("peer=x", "is no number"), ("peer=nan", "is not between"), ("peer=1e99", "is not between"),
        ("peer=1.234", "more than two places"), ("superior=3", "superior is not asked here; asked are: peer"),
    ):  # fmt: skip
        assert said in desk.refuses("360", "rate", codes["ben"], wrong)
    desk.rates(codes["ben"])
    assert "this code was used already" in desk.refuses("360", "rate", codes["ben"], "peer=1")
    assert "this code is not known" in desk.refuses("360", "rate", "f" * 32, "peer=1")
    assert desk.status()["rated"] == 1
    desk.closes()
    assert "or its panel is closed" in desk.refuses("360", "rate", codes["cleo"], "peer=1")
    assert "no panel of s1-b-360 in 2026-Q1 is open" in desk.refuses("360", "close", CARD, *QUARTER, "--by", "lin")


@pytest.mark.parametrize(
    ("party", "raters", "said"),
    [
        ("peer", ("ben", "cleo"), "2 raters are too few to be anonymous, 3 are needed"),
        ("peer", ("ben", "cleo", "anna"), "anna does not rate themselves here"),
        ("peer", ("ben", "cleo", "ben"), "ben is named twice"),
        ("pear", PEERS, "has no such party of several raters; did you mean 'peer'? it has: peer"),
        ("superior", PEERS, "has no such party"),
    ],
)
def test_a_panel_that_cannot_be_opened(desk: Survey, party: str, raters: tuple[str, ...], said: str) -> None:
    named = [part for rater in raters for part in ("--rater", rater)]
    told = desk.refuses("360", "open", CARD, *QUARTER, "--by", "lin", "--person", "anna", "--party", party, *named)
    assert said in told
    assert desk.kept()["panels"] == []


def test_a_party_rates_either_by_a_panel_or_by_name(desk: Survey) -> None:
    desk.hands_in("ben", "peer", "rating", "15")
    named = [part for rater in ("anna", "cleo", "dan") for part in ("--rater", rater)]
    ask = ("360", "open", CARD, *QUARTER, "--by", "lin", "--party", "peer", *named)
    assert "peer was handed in by name; take that back first" in desk.refuses(*ask, "--person", "ben")
    desk.opens(*PEERS)
    file = desk.folder / "typed.csv"
    file.write_text("person,item,field,value\nanna,peer,rating,15\n", encoding="utf-8")
    told = desk.refuses("import", str(file), "--card", CARD, *QUARTER, "--by", "lin")
    assert "peer of anna is rated by 4 anonymous raters (peer); leave it out here" in told
    assert "has a panel already, open" in desk.refuses(
        "360",
        "open",
        CARD,
        *QUARTER,
        "--by",
        "lin",
        "--person",
        "anna",
        "--party",
        "peer",
        *named[2:],
        "--rater",
        "eva",
    )
    assert "peer" not in [
        need["item"] for need in json.loads(desk.does("missing", CARD, *QUARTER, "--json")).get("anna", [])
    ]


def test_ballots_as_sheets(desk: Survey, tmp_path: Path) -> None:
    who = tmp_path / "who.csv"
    pairs = [(person, rater) for person in ("anna", "ben") for rater in ("anna", *PEERS) if rater != person]
    who.write_text(
        "person,party,rater\n" + "".join(f"{person},peer,{rater}\n" for person, rater in pairs), encoding="utf-8"
    )
    told = desk.does("360", "open", CARD, *QUARTER, "--by", "lin", "--raters", str(who), "--out", str(tmp_path / "out"))
    assert "opened: 2 panels, 8 codes" in told
    assert "written: 5 ballots" in told
    files = sorted((tmp_path / "out").glob("*.xlsx"))
    for number, file in enumerate(files):
        book = load_workbook(file)
        sheet = book.active
        assert sheet is not None
        assert (sheet["B2"].protection.locked, sheet["G2"].protection.locked, sheet.protection.sheet) == (
            True,
            False,
            True,
        )
        for at in range(2, 2 + sum(rater == file.stem for _, rater in pairs)):
            sheet.cell(at, 7).value = 12 + number
        book.save(file)
    assert "taken: 8 ballots" in desk.does("360", "import", *map(str, files))
    again = desk.refuses("360", "import", str(files[0]))
    assert f"{files[0].name}: this code was used already" in again
    desk.closes()
    assert peer(desk.prepared())["points"] == "14.5"  # ben 13, cleo 14, dan 15, eva 16
    assert "no column code, item, rating" in desk.refuses("360", "import", str(who))


def test_rating_over_http_asks_nobody_who_they_are(desk: Survey) -> None:
    hr, agent = client(desk, role="hr"), client(desk, role="agent", person="ben")
    body = {"card": CARD, "period": "2026-Q1", "panels": [{"person": "anna", "party": "peer", "raters": list(PEERS)}]}
    assert agent.post("/api/panels", json=body).status_code == 403
    made = hr.post("/api/panels", json=body)
    assert made.status_code == 201
    holders = [Client(hr.app, {"Authorization": f"Bearer {one['code']}"}) for one in made.json()]
    asked = holders[0].get("/api/ballot").json()
    assert (asked["person"], [(ask["item"], ask["low"], ask["high"]) for ask in asked["asks"]]) == (
        "anna",
        [("peer", "0", "20")],
    )
    assert holders[0].post("/api/ballot", json={"ratings": {"peer": "99"}}).status_code == 422
    for holder in holders[:3]:
        assert holder.post("/api/ballot", json={"ratings": {"peer": "18"}}).status_code == 204
    used = holders[0].get("/api/ballot")
    assert (used.status_code, "used already" in used.json()["detail"]) == (401, True)
    assert hr.get("/api/ballot").status_code == 401, "a token is no code"
    assert holders[3].get("/api/me").status_code == 401, "a code is no token"
    where = {"card": CARD, "period": "2026-Q1"}
    assert agent.get("/api/panels", params=where).status_code == 403
    assert [(one["rated"], one["sums"]) for one in hr.get("/api/panels", params=where).json()["panels"]] == [(3, None)]
    closed = hr.post("/api/panels/closing", json=where)
    assert [(one["rated"], one["sums"]) for one in closed.json()] == [(3, {"peer": "54"})]
    assert hr.post("/api/panels/closing", json=where).status_code == 404
    assert hr.post("/api/panels", json={**body, "card": "no-such"}).status_code == 404
    assert peer(desk.prepared())["points"] == "18"


def test_what_an_appeal_brings_stands_before_the_mean(desk: Survey) -> None:
    codes = desk.opens(*PEERS)
    for rater in PEERS:
        desk.rates(codes[rater])
    desk.closes()
    desk.prepared()
    desk.does("approve", CARD, *QUARTER, "--by", "boss", "--unreviewed", "x")
    desk.does("publish", CARD, *QUARTER, "--by", "boss")
    desk.does(
        "appeal", "open", CARD, *QUARTER, "anna", "--item", "peer", "--reason", "dan was not there", "--by", "anna"
    )
    desk.does("appeal", "accept", "1", "--by", "boss", "--reason", "so it is", "--rate", "peer=19", "--yes")
    assert peer(json.loads(desk.does("show", CARD, *QUARTER, "anna", "--json"))["score"])["points"] == "19"


def test_the_customers_voice_is_at_least_40_percent(tmp_path: Path, desk: Survey) -> None:
    text = Path("docs/example/360.yaml").read_text(encoding="utf-8")
    card = tmp_path / "weak.yaml"
    card.write_text(text.replace("max: 40", "max: 30").replace("max: 20", "max: 30"), encoding="utf-8")
    told = desk.refuses(
        "360", "open", str(card), *QUARTER, "--by", "lin", "--person", "anna", "--party", "peers", "--rater", "ben"
    )
    assert "40" in told
    assert "customers" in told
