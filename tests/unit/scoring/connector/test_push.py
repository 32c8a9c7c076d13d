"""The connector against a real HTTP server that fails, is slow and drops connections: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from typer.testing import CliRunner, Result

from deploy.local.ports import free_port
from scoring.commands.main import score
from scoring.connector import Journal, Mapping, MappingError, load_mapping, push
from scoring.connector.mapping import mapped
from scoring.connector.push import key_of
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example" / "mapping.yaml"
KEYS = {id: f"{id}|2010-08|s2-a-core|1|1" for id in ("anna", "ben", "carl")}


@dataclass
class HrSystem:
    """An HR system that keeps what it gets, once a key; ``plan`` says how it treats its next requests, after that it is well."""

    plan: list[str | int] = field(default_factory=list)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(system: HrSystem, port: int = 0) -> Iterator[HrSystem]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            key = self.headers["Idempotency-Key"]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            how = system.plan.pop(0) if system.plan else 201
            system.asked.append((key, str(how)))
            system.headers.append(dict(self.headers))
            if how == "slow":
                time.sleep(0.6)
            if how in (201, "slow", "kept and dropped"):
                system.kept.setdefault(key, body)
            if how in ("dropped", "kept and dropped"):
                self.close_connection = True
                self.connection.close()
                return
            status = how if isinstance(how, int) else 201
            answer = b"" if status < 400 else "员工不存在 no such employee".encode()
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "7")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def finish(self) -> None:
            with suppress(OSError, ValueError):  # it has hung up itself
                super().finish()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # the other side has gone

    with Server(("127.0.0.1", port), Handler) as server:
        system.url = f"http://127.0.0.1:{server.server_port}/api/scores"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield system
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def hr() -> Iterator[HrSystem]:
    with serving(HrSystem()) as system:
        yield system


def results(*people: str, **more: Any) -> dict[str, Any]:
    return {
        "schema": "deskpulse/results/1",
        "card": "s2-a-core",
        "card_version": "1",
        "period": "2010-08",
        "revision": 1,
        "people": [
            {
                "person": id,
                "hr_number": f"HR-{id}",
                "total": "80.50",
                "items": [{"id": "csat", "points": "13.5"}],
                "outcome": {"grade": "B"},
                **more,
            }
            for id in people
        ],
    }


def to(system: HrSystem, **more: Any) -> Mapping:
    return Mapping.model_validate(
        {
            "schema": "deskpulse/mapping/1",
            "url": system.url,
            "fields": {"employee.no": "hr_number", "score": "total", "month": "period", "csat": "items.csat.points"},
            "timeout_seconds": 0.3,
            "attempts": 3,
            "longest_wait_seconds": 20,
            **more,
        }
    )


def sent(
    system: HrSystem, document: dict[str, Any], folder: Path, waits: list[float] | None = None, **more: Any
) -> dict[str, tuple[str, str]]:
    slept: list[float] = [] if waits is None else waits
    with Journal.opened(folder / "journal.db") as journal, httpx.Client(trust_env=False) as client:
        made = push(document, to(system, **more), journal, client, sleep=slept.append)
    return {one.person: (one.state, one.why) for one in made.outcomes}


def states(made: dict[str, tuple[str, str]]) -> list[str]:
    return [state for state, _ in made.values()]


def test_each_result_goes_once(hr: HrSystem, tmp_path: Path) -> None:
    document = results("anna", "ben")
    assert states(sent(hr, document, tmp_path)) == ["sent", "sent"]
    assert hr.kept == {
        KEYS[id]: {"employee": {"no": f"HR-{id}"}, "score": "80.50", "month": "2010-08", "csat": "13.5"}
        for id in ("anna", "ben")
    }
    assert hr.headers[0]["Content-Type"] == "application/json"
    again = sent(hr, results("anna", "ben", "carl"), tmp_path)
    assert states(again) == ["already", "already", "sent"]
    assert again["anna"][1].startswith("acknowledged ")
    assert [key for key, _ in hr.asked] == [KEYS["anna"], KEYS["ben"], KEYS["carl"]]


@pytest.mark.parametrize(
    ("plan", "state", "asked"),
    [
        ([503, 502], "sent", 3),
        (["dropped"], "sent", 2),
        (["kept and dropped"], "sent", 2),
        (["slow"], "sent", 2),
        (["slow", "dropped", 503], "failed", 3),
        ([400], "refused", 1),
        ([401], "refused", 1),
    ],
)
def test_what_fails_on_the_way(hr: HrSystem, tmp_path: Path, plan: list[str | int], state: str, asked: int) -> None:
    hr.plan = list(plan)
    made = sent(hr, results("anna"), tmp_path)
    assert (states(made), len(hr.asked)) == ([state], asked)
    assert {key for key, _ in hr.asked} == {KEYS["anna"]}, "the system knows a message it has had already"
    assert states(sent(hr, results("anna"), tmp_path)) == ["already" if state == "sent" else "sent"]
    assert list(hr.kept) == [KEYS["anna"]]


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ([503] * 3, "HTTP 503, 3 attempts; run the command again later"),
        (["slow"] * 3, "no answer in time, 3 attempts; run the command again later"),
        ([404], "HTTP 404 员工不存在 no such employee"),
    ],
)
def test_it_is_told_plainly(hr: HrSystem, tmp_path: Path, plan: list[str | int], why: str) -> None:
    hr.plan = list(plan)
    assert sent(hr, results("anna"), tmp_path)["anna"][1] == why


def test_it_waits_longer_each_time_or_as_asked(hr: HrSystem, tmp_path: Path) -> None:
    hr.plan = [429, 503]
    waits: list[float] = []
    assert states(sent(hr, results("anna"), tmp_path, waits)) == ["sent"]
    assert waits[0] == 7.0
    assert 0 <= waits[1] <= 1.0
    hr.plan, waits = [429], []
    sent(hr, results("ben"), tmp_path, waits, longest_wait_seconds=2)
    assert waits == [2.0]


def test_one_persons_trouble_does_not_stop_the_others(hr: HrSystem, tmp_path: Path) -> None:
    hr.plan = [201, 422, 201]
    assert states(sent(hr, results("anna", "ben", "carl"), tmp_path)) == ["sent", "refused", "sent"]
    assert set(hr.kept) == {KEYS["anna"], KEYS["carl"]}


def test_a_system_that_is_down_loses_nothing(tmp_path: Path) -> None:
    port = free_port()
    people = [f"p{at}" for at in range(8)]
    with serving(HrSystem(plan=[201]), port) as system:
        assert states(sent(system, results("p0"), tmp_path)) == ["sent"]
    made = sent(system, results(*people), tmp_path)
    assert states(made) == ["already", *["failed"] * 3, *["not tried"] * 4]
    assert made["p1"][1].startswith("no connection (")
    with serving(HrSystem(), port) as back:
        assert states(sent(back, results(*people), tmp_path)) == ["already", *["sent"] * 7]
        assert len(back.kept) == len(back.asked) == 7


def test_a_process_that_dies_between_two_people_goes_on_where_it_was(hr: HrSystem, tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def stop(_: object) -> None:
        raise KilledError

    with (
        pytest.raises(KilledError),
        Journal.opened(tmp_path / "journal.db") as journal,
        httpx.Client(trust_env=False) as client,
    ):
        push(results("anna", "ben"), to(hr), journal, client, told=stop)
    assert states(sent(hr, results("anna", "ben"), tmp_path)) == ["already", "sent"]
    assert len(hr.asked) == 2


def test_a_result_that_changed_needs_a_revision(hr: HrSystem, tmp_path: Path) -> None:
    sent(hr, results("anna"), tmp_path)
    changed = results("anna", total="81.00")
    assert sent(hr, changed, tmp_path)["anna"] == (
        "refused",
        "revision 1 was acknowledged with another content; to send the change, give --revision 2",
    )
    assert states(sent(hr, {**changed, "revision": 2}, tmp_path)) == ["sent"]
    assert [key for key, _ in hr.asked] == [KEYS["anna"], "anna|2010-08|s2-a-core|1|2"]


def test_what_the_mapping_requires(hr: HrSystem, tmp_path: Path) -> None:
    made = sent(hr, results("anna", hr_number=None), tmp_path, required=["employee.no"])
    assert made["anna"] == ("refused", "employee.no is empty, and the mapping requires it; hand it in and score again")
    assert hr.asked == []


def test_a_key_is_ascii_and_ones_own() -> None:
    document = results()
    keys = {id: key_of(document, id) for id in ("a|b", "a", "张三", "x" * 300, "y" * 300)}
    assert all(key.isascii() and len(key) <= 200 for key in keys.values())
    assert len(set(keys.values())) == 5
    assert keys["a|b"] == "a%7Cb|2010-08|s2-a-core|1|1"


def test_the_example_says_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = load_mapping(EXAMPLE)
    document = results("anna", scored_max="100")
    assert mapped(mapping, document, document["people"][0]) == (
        {
            "employee": {"no": "HR-anna", "login": "anna"},
            "month": "2010-08",
            "card": "s2-a-core",
            "score": "80.50",
            "scored_out_of": "100",
            "grade": 4,
            "satisfaction_points": "13.5",
            "source": "Deskpulse",
        },
        [],
    )
    lacking = results("anna", outcome=None, hr_number=None, items=[])
    body, missing = mapped(mapping, lacking, lacking["people"][0])
    assert (body["grade"], body["satisfaction_points"], missing) == (None, None, ["employee.no"])
    with pytest.raises(MappingError, match=r"outcome\.grade is 'S', and the codes have none for it"):
        mapped(mapping, document, {"outcome": {"grade": "S"}})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"url": "hr.example"}, "mapping.yaml:2: url: 'hr.example' is no address"),
        (
            {"fields": {"a": "salary"}},
            "mapping.yaml:4: fields.a: results have no 'salary'; they have: person, hr_number",
        ),
        ({"fields": {"a": "total", "a.b": "total"}}, "a is a value here and a parent in a.b; rename one"),
        ({"required": ["z"]}, "'z' is no field of the mapping"),
        ({"headers": {"Idempotency-Key": "x"}}, "the header Idempotency-Key is set by the connector"),
        ({"method": "GET"}, "Input should be 'POST' or 'PUT'"),
        ({"attempts": 0}, "greater than or equal to 1"),
    ],
)
def test_a_mapping_that_cannot_be_used(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    body = {"schema": "deskpulse/mapping/1", "url": "https://hr.example", "fields": {"no": "hr_number"}, **changed}
    file = tmp_path / "mapping.yaml"
    file.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    with pytest.raises(MappingError) as error:
        load_mapping(file)
    assert message in str(error.value)


def typed(folder: Path, system: HrSystem, *arguments: str, document: dict[str, Any] | None = None) -> Result:
    file, mapping = folder / "r.json", folder / "mapping.yaml"
    file.write_text(json.dumps(document or results("anna", "ben")), encoding="utf-8")
    body = {
        "schema": "deskpulse/mapping/1",
        "url": "${HR_URL}",
        "headers": {"Authorization": "Bearer ${HR_TOKEN}"},
        "fields": {"no": "hr_number"},
        "attempts": 1,
    }
    mapping.write_text(yaml.safe_dump(body), encoding="utf-8")
    environment = {"HR_URL": system.url, "HR_TOKEN": "secret", "NO_PROXY": "127.0.0.1"}
    return CliRunner().invoke(score, ["push", str(file), "--mapping", str(mapping), *arguments], env=environment)


def test_the_command(hr: HrSystem, tmp_path: Path) -> None:
    hr.plan = [201, 404]
    first = typed(tmp_path, hr)
    assert (first.exit_code, first.stdout, first.stderr) == (
        1,
        "s2-a-core 2010-08: 1 sent, 0 there already, 1 refused, 0 waiting for the next time\n",
        "ben: refused: HTTP 404 员工不存在 no such employee\n",
    )
    assert hr.headers[0]["Authorization"] == "Bearer secret"
    again = typed(tmp_path, hr)
    assert (again.exit_code, again.stdout) == (
        0,
        "s2-a-core 2010-08: 1 sent, 1 there already, 0 refused, 0 waiting for the next time\n",
    )
    assert (tmp_path / "push-journal.db").exists()
    assert typed(tmp_path, hr, "--revision", "2").stdout.startswith("s2-a-core 2010-08: 2 sent")


def test_a_dry_run_sends_nothing(hr: HrSystem, tmp_path: Path) -> None:
    done = typed(tmp_path, hr, "--dry-run")
    assert (done.exit_code, done.stdout) == (0, '{"no": "HR-anna"}\n{"no": "HR-ben"}\n')
    assert hr.asked == []


def test_what_the_command_refuses(hr: HrSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.opened(tmp_path / "push-journal.db"):
        done = typed(tmp_path, hr)
    assert done.exit_code == 1
    assert "another push is using it; wait for its end" in done.stderr
    wrong = typed(tmp_path, hr, document={"schema": "other"})
    assert "no results (`schema` is not deskpulse/results/1)" in wrong.stderr
    unset = typed(tmp_path, HrSystem())
    assert "the environment variable HR_URL, which is not set; set it" in unset.stderr
    assert hr.asked == []
