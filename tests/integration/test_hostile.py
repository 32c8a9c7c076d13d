"""What strangers and the careless do to the HTTP servers: nothing is kept of it, nobody else waits for it, nothing answers 500."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_port
from streams.doors import HEAD_SECONDS, MOST_WAITING
from tests.conftest import lacking
from tests.support import ROOT

RUN = "/api/runs/ours/2026-03"
BEN = f"{RUN}/people/ben"


@dataclass
class Server:
    """The scoring API on a published month."""

    process: subprocess.Popen[str]
    port: int
    hr: str
    anna: str

    def memory(self) -> int:
        """MB that it has taken at most."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            lacking("a system that tells the memory of its processes (/proc)")
        return (
            next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) // 1024
        )

    def ask(self, method: str, path: str, token: str | None = None, **what: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.request(method, url, headers=headers, timeout=60, trust_env=False, **what)  # type: ignore[arg-type]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port, folder = free_port(), tmp_path_factory.mktemp("scores")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.score_server", str(folder), str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        tokens = [process.stdout.readline().strip() for _ in range(2)]
        assert all(tokens), process.stderr and process.stderr.read()
        made = Server(process, port, *tokens)
        for _ in range(300):
            try:
                made.connect().close()
                break
            except OSError:
                time.sleep(0.1)
        yield made
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read()
        assert "Traceback" not in said, said


def test_200_mb_without_a_token_are_not_kept(server: Server) -> None:
    server.ask("GET", "/api/me", server.hr)
    before = server.memory()
    size, part = 200_000_000, bytes(1_000_000)
    with server.connect() as client:
        head = f"POST /api/inputs?name=a.csv HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        client.sendall(head.encode())
        for _ in range(size // len(part)):
            client.sendall(part)
        assert client.recv(100).startswith(b"HTTP/1.1 401")
    assert server.memory() - before < 20


@pytest.mark.parametrize("told", [True, False], ids=["its length told", "in chunks"])
@pytest.mark.parametrize(("path", "most"), [("/api/inputs?name=a.csv", 20_000_000), ("/api/appeals", 262_144)])
def test_what_is_too_long_is_refused(server: Server, path: str, most: int, told: bool) -> None:
    before = server.memory()
    body = bytes(most + 1)
    answer = server.ask("POST", path, server.hr, content=body if told else iter([body]))
    assert answer.status_code == 413
    assert "more than" in answer.json()["detail"]
    # Any answer can take a megabyte or two of its own, so only a body that is much more than that tells.
    assert server.memory() - before < (10 if told else 80)


def test_half_sent_requests_hold_nobody_up(server: Server) -> None:
    """1,200 clients begin a request and go silent: who asks is answered, and all of them are gone soon."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = 1200
    if soft < many + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, many + 500), hard))
    with ExitStack() as open_:
        clients = []
        for _ in range(many):
            client = open_.enter_context(server.connect())
            client.sendall(b"GET /api/me HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            clients.append(client)
        began = time.monotonic()
        assert server.ask("GET", "/api/me", server.anna).status_code == 200
        assert time.monotonic() - began < 5
        deadline = time.monotonic() + HEAD_SECONDS + 20
        standing = clients
        while standing and time.monotonic() < deadline:
            standing = [client for client in standing if not gone(client)]
            time.sleep(0.2)
        assert len(standing) == 0
    assert many > MOST_WAITING


def gone(client: socket.socket) -> bool:
    client.settimeout(0.001)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


OTHERS = [
    BEN, f"{BEN}/", f"{RUN}/people/BEN", f"{RUN}/people/ben%20", f"{RUN}/people/%62en", f"{RUN}/people/anna/../ben",
    f"{RUN}/people/anna%2F..%2Fben", f"{RUN}/people/anna/%2e%2e/ben", f"{RUN}/people/ben%00", f"{RUN}/people/anna%00ben",
    f"{RUN}//people/ben", f"/{BEN}", f"{BEN}?person=anna", f"{RUN}/people/anna;ben", f"{RUN}/people/ben;anna", f"{RUN}/people/*",
    f"{RUN}/people/%25", f"{RUN}/people/ben'%20OR%20'1'='1", "/api/runs/OURS/2026-03/people/ben", "/api/runs/ours/2026-3/people/ben",
    f"{BEN}/review", f"{RUN}/people/" + "b" * 9000, f"{RUN}/people/%F0%9F%98%80", f"{RUN}/people/%ff%fe",
]  # fmt: skip


@pytest.mark.parametrize("path", OTHERS, ids=range(len(OTHERS)))
def test_there_is_no_way_to_somebody_elses_sheet(server: Server, path: str) -> None:
    with server.connect() as client:  # as it is, which no library would leave it
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {server.anna}\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    status, body = int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]
    assert 400 <= status < 500, answer[:300]
    assert b'"score"' not in body


APPEAL = {"card": "ours", "period": "2026-03", "person": "anna", "items": ["exam"], "reason": "r"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**APPEAL, "items": ["x"] * 100_000}, 413),
        ({**APPEAL, "items": [""] * 65_000}, 422),
        ({**APPEAL, "items": ["exam"] * 501}, 422),
        ({**APPEAL, "items": ["x" * 200_000]}, 422),
        ({**APPEAL, "reason": "r" * 4001}, 422),
        ({**APPEAL, "reason": "\0"}, 422),
        ({**APPEAL, "reason": "\ud800"}, 422),
        ({**APPEAL, "corrections": {"exam.value": "9" * 201}}, 422),
        ({**APPEAL, "corrections": {"\ud800": "9"}}, 422),
        ({**APPEAL, "corrections": {"exam.value": "1e999999"}}, 422),
        ({**APPEAL, "exclusions": {"2026-03-02.resolved": -(10**40)}}, 422),
        ({**APPEAL, "exclusions": {"2026-03-02.resolved": float("nan")}}, 422),
        ({**APPEAL, "exclusions": {f"2026-03-02.m{n}": -1 for n in range(2000)}}, 422),
        ("[" * 100_000, 400),
        ("9" * 100_000, 400),
    ],
    ids=range(15),
)  # fmt: skip
def test_an_appeal_without_measure(server: Server, body: object, status: int) -> None:
    began = time.monotonic()
    text = body if isinstance(body, str) else json.dumps(body)
    answer = server.ask("POST", "/api/appeals", server.anna, content=text.encode())
    assert answer.status_code in {status, 422}, answer.text[:500]
    assert len(answer.content) < 10_000
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("id", ["0", "-1", "2147483648", "9" * 30, "x", "1.5", "1%00", "%C2%B2"])
def test_an_appeal_that_cannot_be(server: Server, id: str) -> None:
    for method, path in (("GET", f"/api/appeals/{id}"), ("POST", f"/api/appeals/{id}/decision")):
        assert server.ask(method, path, server.hr, json={"accepted": True, "reason": "r"}).status_code == 422
    assert server.ask("GET", "/api/appeals/2147483647", server.hr).status_code == 404


def test_every_answer_is_for_whoever_asked_only(server: Server) -> None:
    for path, token, status in (("/api/me", server.hr, 200), ("/api/me", None, 401), ("/none", server.hr, 404)):
        answer = server.ask("GET", path, token)
        assert answer.status_code == status
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
