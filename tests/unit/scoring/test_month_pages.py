"""What HR sees of where a month stands."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI, Request

from scoring.month_pages import router
from tests.support.month_end import MARCH, Desk, card_file


def ask(desk: Desk, path: str) -> Any:
    """What HR is answered."""
    app = FastAPI()
    app.include_router(router(desk))

    @app.middleware("http")
    async def as_hr(request: Request, call: Any) -> Any:
        request.state.visitor = SimpleNamespace(roles={"hr"})
        return await call(request)

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
            return await http.get(path)

    return asyncio.run(asked()).json()


def test_before_anything_is_prepared_there_is_nothing(tmp_path: Path) -> None:
    assert ask(Desk(tmp_path), "/api/month/runs") == []


def test_a_run_under_review_says_who_has_signed_and_whose_turn_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    card = str(card_file(tmp_path))
    desk.does("prepare", card, *MARCH, "--by", "lin", "--incomplete", "rescaled")
    desk.does("review", card, *MARCH, "anna", "--as", "self", "--by", "anna", "care=20")
    desk.does("object", card, *MARCH, "ben", "--reason", "not my calls", "--by", "ben")
    (run,) = ask(desk, "/api/month/runs")
    assert (run["state"], run["people"], run["signed"], run["objections"]) == ("prepared", 3, 0, 1)
    assert {one["column"]: one["people"] for one in run["due"]} == {"superior": 1, "self": 2}
    whole = ask(desk, "/api/month/runs/ours/2026-03")
    people = {one["person"]: one for one in whole["persons"]}
    assert people["anna"]["next"] == {"zh": "上级", "en": "superior"}
    assert [one["column"] for one in people["anna"]["signed"]] == ["self"]
    assert people["ben"]["says"]["reason"] == "not my calls"
    assert people["cleo"]["says"] is None
    assert "score" not in str(whole)


def test_a_published_run_waits_for_its_appeals(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.published()
    about = ("--item", "care", "--reason", "unheard", "--by", "anna")
    desk.does("appeal", "open", str(card_file(tmp_path)), *MARCH, "anna", *about)
    (run,) = ask(desk, "/api/month/runs")
    assert (run["state"], run["signed"], run["due"], run["appeals_open"]) == ("published", 3, [], 1)
