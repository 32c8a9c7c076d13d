"""The compiled build: it says that it is one, and comes to what the source comes to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.conftest import lacking
from tests.property.found import FOLDER
from tests.support import ROOT
from tests.support.compiled import NoCompilerError, compiled

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

#: Less than the test has, so that what was said until then is not lost.
PATIENCE_SECONDS = 500

#: Every KPI by hand-made cases, each in four orders; desks in any order, in any batches, and against the reference; a worker on Kafka.
SAME = (
    "tests/acceptance/test_cases.py",
    "tests/property/test_order.py",
    "tests/property/test_reference.py",
    "tests/integration/test_restart.py::test_a_restart_between_two_halves_reads_nothing_again",
)


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Output of a program of this Python; fails with it where the program does, or takes too long. What it found stays."""
    try:
        done = subprocess.run(
            (sys.executable, "-m", *command), cwd=cwd, env=os.environ | environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, said = None, (late.stdout or b"").decode(errors="replace")
    if code != 0:
        for path in (cwd / "tests" / "property" / FOLDER.name).glob("*.json"):
            if not (FOLDER / path.name).exists():
                shutil.copy(path, FOLDER)
        pytest.fail(f"exit code {code}\n{said[-8000:]}", pytrace=False)
    return said


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where to import the compiled build from, in a copy of this project that has no other."""
    project = tmp_path_factory.mktemp("compiled") / "project"
    try:
        site = compiled(project, CFLAGS="-O0")  # any more of the C compiler takes it three times as long
    except NoCompilerError as missing:
        lacking(str(missing))
    shutil.rmtree(project / "streams")
    return site


def test_it_says_what_it_is(site: Path) -> None:
    assert run("streams", "--version", cwd=site).endswith(", compiled\n")
    assert not run("streams", "--version", cwd=ROOT).endswith(", compiled\n")


def test_it_comes_to_the_same(site: Path, settings: Settings) -> None:
    services = {"DESKPULSE_TEST_BROKER": settings.broker, "DESKPULSE_TEST_REDIS": settings.redis}
    run("pytest", "-q", "-n", "auto", *SAME, cwd=site.parent, PYTHONPATH=str(site), **services)
