"""What is committed of the desk's page is what its sources build, to the byte; the page is small."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import lacking
from tests.support import ROOT

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

WEB = ROOT / "streams" / "web"
#: What a browser fetches for its first look, packed.
MOST_BYTES = 300_000


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*command: str, cwd: Path = ROOT, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)


def test_the_built_page_is_that_of_its_sources(tmp_path: Path) -> None:
    made = run("make", ".venv-web/.installed")
    if made.returncode:
        lacking(f"no Node: `make .venv-web/.installed` fails: {made.stderr.strip()[-300:]}")
    frontend = tmp_path / "frontend"
    shutil.copytree(WEB / "frontend", frontend, ignore=shutil.ignore_patterns("node_modules"))
    node = ROOT / ".venv-web" / "bin"
    fetched = run("npm", "--silent", "ci", cwd=frontend, path=node)
    if fetched.returncode:
        lacking(f"npm's registry does not give what the page is built with: {fetched.stderr.strip()[-300:]}")
    for script in ("check", "build"):
        ran = run("npm", "--silent", "run", script, cwd=frontend, path=node)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    built, committed = files(tmp_path / "static"), files(WEB / "static")
    assert sorted(built) == sorted(committed), "run `make web`"
    assert [name for name in built if built[name] != committed[name]] == [], "run `make web`"
    assert sum(len(gzip.compress(body)) for body in built.values()) < MOST_BYTES


def test_the_lock_names_packages_and_their_digests_and_no_registry() -> None:
    lock = (WEB / "frontend" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 30
