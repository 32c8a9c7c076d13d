"""The desk's users, sessions and journal on PostgreSQL: the same as on SQLite, of which the unit tests are."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import Settings
from streams.web.store import desk_database, entries
from tests.support import month_end
from tests.unit.streams.web.desk import PASSWORD, Desk, add_everybody

pytestmark = [pytest.mark.services, pytest.mark.timeout(120)]


def test_logged_in_looked_acted_and_put_out(postgres_url: str, tmp_path: Path) -> None:
    with desk_database(postgres_url, tmp_path) as database:
        database.upgrade()
        with database.write() as connection:
            add_everybody(connection)
    desk = Desk(Settings(database=postgres_url, data_dir=tmp_path), month_end.Desk(tmp_path))
    browser = desk.browser()
    assert browser.post("/api/login", json={"name": "supervisor", "password": "not the password"}).status_code == 401
    answer = browser.post("/api/login", json={"name": "supervisor", "password": PASSWORD})
    browser.headers["X-Form-Token"] = answer.json()["token"]
    assert browser.get("/api/incidents/of-T1").status_code == 200
    assert browser.get("/api/incidents/of-T2").status_code == 404
    assert browser.post("/api/incidents/of-T1/actions", json={"kind": "acknowledge"}).status_code == 202
    (session,) = browser.get("/api/sessions").json()
    administrator = desk.browser(desk.begin("administrator"))
    assert administrator.request("DELETE", f"/api/sessions/{session['id']}").status_code == 204
    assert browser.get("/api/me").status_code == 401
    with desk.writing() as connection:
        found = [(one.author, one.action, one.subject) for one in entries(connection, 4)]
    assert found[:3] == [("supervisor", "login-failed", ""), ("supervisor", "login", ""), ("S1", "looked", "A1")]
    assert found[3][:2] == ("administrator", "session-ended")
    desk.close()
