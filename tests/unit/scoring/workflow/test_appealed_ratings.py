"""Who decides on an appeal gives the new rating: what they may give, and what it would change first."""

from __future__ import annotations

from pathlib import Path

from tests.support.month_end import MARCH, Desk, card_file


def test_what_whoever_decides_may_give(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.published()
    card = str(card_file(tmp_path))
    items = ("--item", "care", "--item", "exam", "--reason", "unheard", "--by", "anna")
    desk.does("appeal", "open", card, *MARCH, "anna", *items)
    show = ("appeal", "show", "1", "--rate")
    assert "the appeal is about care, exam; rate one of these" in desk.refuses(*show, "praise=1")
    assert "exam is not rated" in desk.refuses(*show, "exam=3")
    assert "not between 0 and 20; correct it" in desk.refuses(*show, "care=21")
    assert "care.self: write care=…" in desk.refuses(*show, "care.self=20")
    assert "item care" in desk.does(*show, "care=20")
    accept = ("appeal", "accept", "1", "--reason", "r", "--yes", "--by")
    assert "changes nothing" in desk.refuses(*accept, "boss")
    assert "sue has given care.superior and cannot decide on it" in desk.refuses(*accept, "sue", "--rate", "care=20")
    assert "appeal 1 is accepted: revision 3" in desk.does(*accept, "boss", "--rate", "care=20")
    desk.does("publish", card, *MARCH, "--by", "boss")
    out = str(tmp_path / "out")
    desk.does("files", card, *MARCH, "--out", out, "--format", "json", "--sheets", "html", "--language", "en")
    sheet = (tmp_path / "out" / "ours-2026-03-sheets" / "anna.html").read_text(encoding="utf-8")
    assert "care.reviewer is now 20" in sheet
