"""Single sign-on by a provider that nobody here wrote: npm's oidc-provider, with a desk that it reaches, too."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.web.app import Joined, create_app
from streams.web.provider import Provider
from streams.web.sign_on import SignOn
from streams.web.store import desk_database
from tests.conftest import lacking
from tests.support import ROOT
from tests.support.operation import answers

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]

LI = {"preferred_username": "li", "employee_id": "S7", "groups": ["leads"], "teams": ["T1"]}


class There:
    """The provider; ``people``: subject → claims, from now on."""

    def __init__(self, folder: Path, desk: str) -> None:
        made = subprocess.run(["make", ".venv-web/.installed"], cwd=ROOT, capture_output=True, text=True)
        if made.returncode:
            lacking(f"no Node: `make .venv-web/.installed` fails: {made.stderr.strip()[-300:]}")
        shutil.copytree(ROOT / "tests" / "support" / "oidc", folder, dirs_exist_ok=True)
        path = {"PATH": f"{ROOT / '.venv-web' / 'bin'}:{os.environ['PATH']}"}
        command = ["npm", "--silent", "ci"]
        fetched = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | path)
        if fetched.returncode:
            lacking(f"npm's registry does not give oidc-provider: {fetched.stderr.strip()[-300:]}")
        self.issuer = f"http://127.0.0.1:{free_port()}"
        command = [str(ROOT / ".venv-web" / "bin" / "node"), "provider.js", self.issuer.rpartition(":")[2], desk]
        self.process = ServerProcess(command, directory=folder, log=folder / "log")
        self.process.start()
        answers(f"{self.issuer}/.well-known/openid-configuration", self.process)

    def people(self, people: dict[str, Any]) -> None:
        """Have these people there, and nobody else."""
        httpx.post(f"{self.issuer}/people", json=people, trust_env=False).raise_for_status()


class Clock:
    """The desk's; ``ahead``: of the machine's. ms."""

    ahead = 0

    def __call__(self) -> int:
        return machine_ms() + self.ahead


@pytest.fixture
def desk() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def there(desk: str, clock: Clock, tmp_path: Path) -> Iterator[There]:
    """The provider, and a desk beside it whose users are its own."""
    provider = There(tmp_path / "there", desk)
    settings = Settings(data_dir=tmp_path)
    with desk_database(None, tmp_path) as database, database.write():
        pass
    file = SignOn.model_validate(
        {"issuer": provider.issuer, "client": "deskpulse", "person": "employee_id", "teams": "teams", "roles": {"are": {"leads": "supervisor"}}}
    )  # fmt: skip
    asked = Provider(file, "s3cret:with/signs", f"{desk}/login/back", clock)
    app = create_app(settings, Joined(lambda _: None, clock, (), follows=False, provider=asked), clock)
    server = uvicorn.Server(uvicorn.Config(app, port=int(desk.rpartition(":")[2]), log_level="warning", lifespan="off"))
    running = Thread(target=server.run)
    running.start()
    try:
        answers(f"{desk}/healthz", provider.process)
        yield provider
    finally:
        server.should_exit = True
        running.join()
        asked.close()
        app.state.database.close()
        provider.process.stop()


def comes_in(desk: str, who: str) -> httpx.Client:
    """A browser in which somebody has logged in there and agreed."""
    browser = httpx.Client(follow_redirects=True, trust_env=False, timeout=30)
    page = browser.get(f"{desk}/login")
    for form in ({"prompt": "login", "login": who, "password": "any"}, {"prompt": "consent"}):
        page = browser.post(str(page.url), data=form)
    assert str(page.url) == f"{desk}/", page.text
    return browser


def test_people_come_by_it_are_renewed_by_it_and_are_out_when_they_are_out_there(
    desk: str, there: There, clock: Clock
) -> None:
    there.people({"u-li": LI})
    with closing(comes_in(desk, "u-li")) as browser:
        me = browser.get(f"{desk}/api/me").json()
        assert (me["name"], me["person"], me["roles"], me["teams"]) == ("li", "S7", ["supervisor"], ["T1"])
        clock.ahead += 20 * 60_000
        assert browser.get(f"{desk}/api/me").status_code == 200  # by its refresh token
        there.people({"u-li": LI | {"groups": ["others"]}})
        assert browser.get(f"{desk}/api/me").status_code == 200
        clock.ahead += 11 * 60_000
        assert browser.get(f"{desk}/api/me").status_code == 401
    there.people({"u-li": LI})
    clock.ahead = 0
    with closing(comes_in(desk, "u-li")) as browser:
        goes = browser.post(
            f"{desk}/api/logout", headers={"X-Form-Token": browser.get(f"{desk}/api/me").json()["token"]}
        )
        assert browser.get(f"{desk}/api/me").status_code == 401
        assert browser.get(goes.json()["next"]).status_code == 200
    with closing(comes_in(desk, "u-li")) as here:
        # Whoever logs out there, by another application, is out here: the provider tells the desk so.
        page = here.get(f"{there.issuer}/session/end")
        secret = page.text.partition('name="xsrf" value="')[2].partition('"')[0]
        here.post(f"{there.issuer}/session/end/confirm", data={"xsrf": secret, "logout": "yes"}, follow_redirects=False)
        deadline = time.monotonic() + 10
        while here.get(f"{desk}/api/me").status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert here.get(f"{desk}/api/me").status_code == 401
