"""The doors of HTTP servers, one by one; ``tests/integration/test_hostile.py`` stands before them as a stranger does."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from deploy import demo
from deploy.local.ports import free_port
from streams import health_pages
from streams.addresses import is_free
from streams.doors import REQUESTS, KnownHosts, Measured, Translated, refusal, serve
from streams.settings import Settings
from streams.wallboard.app import create_app
from streams.worker import health
from tests.support import ROOT


def asked(app: ASGIApp, path: str = "/", **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:
            return await http.get(path, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8090", True),
        ("localhost:8090", True),
        ("LOCALHOST", True),
        ("[::1]:8090", True),
        ("10.1.2.3", True),
        ("screens.example", True),
        ("Screens.Example.:443", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("screens.example.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_a_stranger_cannot_have_their_name_point_here(host: str, known: bool) -> None:
    answer = asked(KnownHosts(PlainTextResponse("figures"), ["screens.example"]), host=host)
    assert (answer.status_code, answer.text == "figures") == ((200, True) if known else (421, False))
    if not known:
        assert "--allow-host" in answer.json()["detail"]


#: As FastAPI tells a part of a request that does not fit.
_FAULT = {"loc": ["query", "n"], "msg": "Input should be greater than or equal to 3", "type": "greater_than_equal"}


@pytest.mark.parametrize(
    ("accepted", "why", "told"),
    [
        ("zh-CN,zh;q=0.9", "not yours to see", "无权查看"),
        ("zh", "nothing is known of 'agent|A1' at present", "目前没有 'agent|A1' 的数据"),
        ("zh", "something that nobody has translated", None),
        ("zh", [_FAULT, "what"], [{**_FAULT, "msg": "须不小于 3"}, "what"]),
        ("zh", [{**_FAULT, "msg": "nobody has translated it"}], None),
        ("zh", [{"n": n} for n in range(20)] + [_FAULT], None),
        ("en", [_FAULT], None),
        ("zh", "nothing is known of " + "x" * 500 + " at present", None),
        ("en,zh;q=0.5", "not yours to see", None),
        ("", "not yours to see", None),
    ],
)
def test_a_refusal_is_told_in_the_language_that_is_asked_for(accepted: str, why: object, told: object) -> None:
    answer = asked(Translated(refusal(403, why, {"X-Kept": "1"})), **{"accept-language": accepted})
    assert (answer.status_code, answer.headers["x-kept"], answer.headers["vary"]) == (403, "1", "Accept-Language")
    assert answer.json() == {"detail": told or why}
    assert answer.headers.get("content-language") == ("zh" if told else None)


def test_what_is_no_refusal_passes_as_it_is() -> None:
    answer = asked(Translated(PlainTextResponse("not yours to see")), **{"accept-language": "zh"})
    assert (answer.text, "vary" in answer.headers) == ("not yours to see", False)


def test_the_wallboard_stands_in_no_frame() -> None:
    for path in ("/", "/api/meta", "/nothing"):
        headers = asked(create_app(Settings()), path).headers
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_metrics_are_where_they_are_told() -> None:
    port = free_port()
    server = health_pages.serve(port, health.Health())
    try:
        assert server.server_address[0] == "127.0.0.1"
        assert not is_free(port)
        assert httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 503
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(ValueError, match="give another --metrics-port"):
        health_pages.serve(port, health.Health(), "203.0.113.1")


def test_silent_clients_do_not_keep_the_metrics_from_others(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health_pages._Handler, "timeout", 0.5)
    port = free_port()
    server = health_pages.serve(port, health.Health())
    silent = []
    try:
        for _ in range(200):
            silent.append(socket.create_connection(("127.0.0.1", port), 5))
            silent[-1].sendall(b"GET /met")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                assert "python_info" in httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        else:
            pytest.fail("nobody was answered")
    finally:
        for client in silent:
            client.close()
        server.shutdown()
        server.server_close()
    assert "Traceback" not in capfd.readouterr().err


#: Begins as a shell begins what stands before an ``&``: Ctrl-C is not for it.
_BACKGROUND = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
from deploy import demo
def run(plan, say):
    say(f"{plan.settings.data_dir} {plan.scores}")
    sys.stdout.flush()
    time.sleep(60)
demo.run = run
from streams.cli import main
sys.argv = ["deskpulse", "demo"]
main()
"""


def test_the_demo_ends_when_told_to_in_the_background_too() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _BACKGROUND], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "DESKPULSE_DATA_DIR": "/data/here"},
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline().split() == ["/data/here/demo", "/data/here/scores"]
    began = time.monotonic()
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert time.monotonic() - began < 20
    assert child.returncode != -signal.SIGTERM  # in order, not killed by it


def test_a_demo_takes_nothing_of_others_away(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    (data / "kafka").mkdir(parents=True)
    demo._clear(data)
    assert not data.exists()
    demo._clear(data)
    data.mkdir()
    (data / "thesis.odt").touch()
    with pytest.raises(ValueError, match=r"thesis\.odt"):
        demo._clear(data)
    assert (data / "thesis.odt").exists()


def test_a_second_server_on_one_port_says_that_it_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ValueError, match=rf"127\.0\.0\.1:{port} is taken: another server listens there.*--port"):
            serve(PlainTextResponse("ours"), "127.0.0.1", port)


def test_requests_are_counted_and_metrics_answer_who_asks_by_address() -> None:
    def served(path: str) -> ASGIApp:
        return refusal(404, "nothing") if path == "/gone" else PlainTextResponse("figures")

    before = REQUESTS.labels("404")._value.get()
    assert asked(Measured(served("/gone")), "/gone").status_code == 404
    assert REQUESTS.labels("404")._value.get() == before + 1
    metrics = asked(Measured(served("/")), "/metrics")
    assert 'deskpulse_http_requests_total{status="404"}' in metrics.text
    assert "deskpulse_http_request_seconds_bucket" in metrics.text
    # A proxy that passes everything on passes these, too; its name is not one of this machine's.
    assert asked(Measured(served("/")), "/metrics", host="screens.example").status_code == 421
