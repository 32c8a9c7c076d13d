"""Both HTTP servers, asked what nobody has thought of, by their own descriptions: all phases of Schemathesis, and nothing answers 500."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_port
from streams.settings import Settings, environment
from streams.system_clock import machine_ms
from streams.worker.screen_writer import Screens
from tests.support import ROOT
from tests.support.operation import http_get

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
pytestmark = pytest.mark.timeout(600)


def everything_is_asked(port: int, *options: str) -> None:
    """Examples, coverage, fuzzing and stateful: no check fails."""
    command = [
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"),
        f"http://127.0.0.1:{port}/openapi.json", *options,
        "--checks", CHECKS, "--max-examples", "10", "--seed", "1", "--request-timeout", "30", "--no-color",
        "--phases", "examples,coverage,fuzzing,stateful",
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    passed = re.search(r"(\d+) generated, (\d+) passed", ran.stdout)
    assert passed is not None, ran.stdout[-3000:]
    assert passed[1] == passed[2]
    assert int(passed[1]) > 50


@contextmanager
def running(*command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **variables},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def until_there(port: int) -> None:
    for _ in range(600):
        try:
            http_get(f"http://127.0.0.1:{port}/")
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail("it does not answer")


@pytest.mark.parametrize("who", [0, 1], ids=["hr", "an agent"])
def test_the_scoring_api(tmp_path: Path, who: int) -> None:
    port = free_port()
    with running("tests.support.score_server", str(tmp_path), str(port)) as server:
        assert server.stdout is not None
        tokens = [server.stdout.readline().strip() for _ in range(2)]
        until_there(port)
        everything_is_asked(port, "-H", f"Authorization: Bearer {tokens[who]}")


@pytest.mark.services
def test_the_wallboard(redis_url: str) -> None:
    settings, port = Settings(redis=redis_url, prefix=f"t{secrets.token_hex(4)}."), free_port()

    async def written() -> None:
        screens, now = Screens(settings), machine_ms()
        assert await screens.write({}, [], [], now=now, machine=now, behind={})
        await screens.close()

    asyncio.run(written())
    with running("streams", "wallboard", "--port", str(port), **environment(settings)):
        until_there(port)
        # The stream has no end: what it takes is what the other paths take.
        everything_is_asked(port, "--exclude-path", "/api/stream")
