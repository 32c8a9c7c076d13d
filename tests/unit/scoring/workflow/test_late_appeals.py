"""Appeals after the last day that stands on the sheet: refused, unless HR takes one and says why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.support.month_end import MARCH, Desk, card_file
from tests.support.scores_http import client

#: Published on 2 April: seven days on, to the end of the day of the operation (UTC+8).
IN_TIME, TOO_LATE = datetime(2026, 4, 9, 15, 50, tzinfo=UTC), datetime(2026, 4, 9, 16, 0, tzinfo=UTC)


def published(folder: Path, at: datetime) -> Desk:
    desk = Desk(folder)
    desk.published()
    desk.at = at
    return desk


def asked(desk: Desk, *more: str, by: str = "anna") -> tuple[str, ...]:
    """An appeal of Anna's against her exam."""
    return ("appeal", "open", str(card_file(desk.folder)), *MARCH, "anna", "--item", "exam", "--reason", "r", "--by", by, *more)  # fmt: skip


def test_on_the_last_day_it_is_taken(tmp_path: Path) -> None:
    desk = published(tmp_path, IN_TIME)
    out = str(tmp_path / "out")
    desk.does(
        "files",
        str(card_file(tmp_path)),
        *MARCH,
        "--out",
        out,
        "--format",
        "json",
        "--sheets",
        "html",
        "--language",
        "en",
    )
    assert "The last day for an appeal is 2026-04-09" in (tmp_path / "out/ours-2026-03-sheets/anna.html").read_text(
        "utf-8"
    )
    assert "the appeal is in time; leave --late" in desk.refuses(*asked(desk, "--late", "why not"))
    assert "is open" in desk.does(*asked(desk))


def test_after_it_is_refused_with_the_day_and_hr_may_take_it(tmp_path: Path) -> None:
    desk = published(tmp_path, TOO_LATE)
    said = desk.refuses(*asked(desk))
    assert "the last day for an appeal against ours in 2026-03 was 2026-04-09; HR can take it all the same" in said
    assert "anna cannot let in an appeal of their own" in desk.refuses(*asked(desk, "--late", "ill"))
    assert "--late (`late`) says why" in desk.refuses(*asked(desk, "--late", " ", by="lin"))
    assert desk.does("appeal", "list", "--json").strip() == "[]"
    assert "appeal 1 of anna is open" in desk.does(*asked(desk, "--late", "ill until the 10th", by="lin"))
    assert "taken after the last day: ill until the 10th" in desk.does("appeal", "show", "1")
    trail = [one for one in json.loads(desk.does("audit", "--json")) if one["action"] == "appeal"]
    assert [(one["author"], one["detail"]["changes"]["late"]) for one in trail] == [("lin", "ill until the 10th")]


def test_a_new_publication_opens_the_time_anew(tmp_path: Path) -> None:
    desk = published(tmp_path, IN_TIME)
    desk.does(*asked(desk, "--correct", "exam.value=60"))
    desk.does("appeal", "accept", "1", "--by", "boss", "--reason", "r", "--yes")
    desk.at = TOO_LATE
    assert "was 2026-04-09" in desk.refuses(*asked(desk))
    desk.does("publish", str(card_file(tmp_path)), *MARCH, "--by", "boss")
    assert "appeal 2 of anna is open" in desk.does(*asked(desk))


def test_over_http_only_hr_takes_it(tmp_path: Path) -> None:
    desk = published(tmp_path, TOO_LATE)
    body = {"card": "ours", "period": "2026-03", "person": "anna", "items": ["exam"], "reason": "r"}
    anna, hr = client(desk, "agent", person="anna"), client(desk, "hr")
    refused = anna.post("/api/appeals", json=body)
    assert (refused.status_code, "was 2026-04-09" in refused.json()["detail"]) == (409, True)
    assert anna.post("/api/appeals", json={**body, "late": "ill"}).status_code == 403
    taken = hr.post("/api/appeals", json={**body, "late": "ill"})
    assert (taken.status_code, taken.json()["appeal"]["changes"]["late"]) == (201, "ill")
