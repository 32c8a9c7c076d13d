"""The gateway's answers: what Kafka has, what it has not, and who is told to come again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from fastapi import FastAPI
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts.events import AnyEvent
from streams.gateway import server
from streams.gateway.config import Config, Known, known, load
from streams.gateway.link import AwayError
from streams.settings import Settings
from streams.system_clock import machine_ms
from tests.support.webhooks import Conversation
from tests.unit.streams.gateway.test_intake import NOW, queued

TOKEN = {"Authorization": "Bearer t"}


class Client:
    """Asks the application as a sender does."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def request(self, method: str, path: str, **what: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://127.0.0.1") as http:
                return await http.request(method, path, **what)

        return asyncio.run(asked())

    def get(self, path: str, **what: Any) -> httpx.Response:
        return self.request("GET", path, **what)

    def post(self, path: str, **what: Any) -> httpx.Response:
        return self.request("POST", path, **what)


class Kafka:
    """What stands in for Kafka: takes events, or is away."""

    def __init__(self, _: Settings) -> None:
        self.trouble, self.took = "", list[AnyEvent]()

    async def send(self, events: Sequence[AnyEvent]) -> None:
        if self.trouble:
            raise AwayError(self.trouble)
        self.took += events


def sources(**more: Any) -> dict[str, Known]:
    config = Config.model_validate({"sources": {"ivr": {"token": "$T", **more}, "crm": {"token": "$U"}}})
    return known(config, {"T": "t", "U": "u"})


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(server, "Link", Kafka)
    served = server.create_app(Settings(), sources(), b"key", lambda: NOW)
    return Client(served), served.state.gateway


def test_2xx_says_that_kafka_has_it(gateway: Any) -> None:
    client, state = gateway
    answer = client.post("/events/ivr", json=queued(), headers=TOKEN)
    assert (answer.status_code, answer.json()) == (200, {"taken": 1, "left_out": 0, "refused": []})
    assert [event.id for event in state.link.took] == ["C1-queued"]


def test_what_is_refused_is_named_and_the_rest_is_taken(gateway: Any) -> None:
    client, state = gateway
    answer = client.post("/events/ivr", json=[queued("1"), queued("2", type="x"), queued("3")], headers=TOKEN)
    assert answer.status_code == 422
    assert answer.json()["taken"] == 2
    assert [(one["line"], one["id"], one["reason"]) for one in answer.json()["refused"]] == [(2, "2", "unknown_type")]
    assert answer.json()["detail"].startswith("1 refused, 2 taken")
    assert [event.id for event in state.link.took] == ["1", "3"]


def test_without_kafka_nothing_is_ever_2xx(gateway: Any) -> None:
    client, state = gateway
    state.link.trouble = "Kafka is away"
    for body in (queued(), [queued("1"), {}]):
        answer = client.post("/events/ivr", json=body, headers=TOKEN)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"state": "waiting", "reason": "Kafka is away"})
    state.link.trouble = ""
    assert client.get("/readyz").json() == {"state": "taking"}


def test_who_is_nobody_is_told_so(gateway: Any) -> None:
    client, state = gateway
    assert client.post("/events/ivr", json=queued()).status_code == 401
    assert client.post("/events/ivr", json=queued(), headers={"Authorization": "Bearer u"}).status_code == 401
    assert client.post("/events/ivr?token=t", json=queued()).status_code == 200
    assert client.post("/events/none", json=queued(), headers=TOKEN).status_code == 404
    assert (
        client.post("/events/crm?token=u", json=queued(source="ivr")).json()["refused"][0]["reason"] == "other_source"
    )
    assert len(state.link.took) == 1


async def chunks() -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(5):
        yield b" " * (server.MOST_BYTES // 4)


def test_bounds(gateway: Any) -> None:
    client, state = gateway
    assert client.post("/events/ivr", content=b" " * (server.MOST_BYTES + 1), headers=TOKEN).status_code == 413
    assert client.post("/events/ivr", content=chunks(), headers=TOKEN).status_code == 413
    state._of["ivr"] = server.MOST_OF_ONE
    answer = client.post("/events/ivr", json=queued(), headers=TOKEN)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    state._of |= {"ivr": server.MOST_OF_ONE - 1, "crm": server.MOST_AT_ONCE - server.MOST_OF_ONE + 1}
    assert client.post("/events/ivr", json=queued(), headers=TOKEN).status_code == 503
    state._of |= {"ivr": 0, "crm": 0}
    assert client.post("/events/ivr", json=queued(), headers=TOKEN).status_code == 200
    assert (state._of["ivr"], state._bytes) == (0, 0)


def test_deliveries_say_what_came_without_anybodys_data(gateway: Any) -> None:
    client, _ = gateway
    phone = "13912345678"
    client.post("/events/ivr", json=[queued(customer_id=phone), queued("2", agent_id=5), {}], headers=TOKEN)
    client.post("/events/ivr", json=queued("3", type=phone), headers=TOKEN)
    client.post("/events/ivr", json=queued())
    told = client.get("/deliveries")
    own = told.json()["sources"]["ivr"]
    assert (own["events"], own["requests"]) == (1, {"422": 2, "401": 1})
    assert own["refused"] == {"wrong_type": 1, "unknown_type": 2, "no_credentials": 1}
    assert [one["status"] for one in own["last"]] == [401, 422, 422]
    page = client.get("/deliveries", headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
    assert "事件接收记录" in page.text
    assert "Events taken" in client.get("/deliveries", headers={"Accept": "text/html"}).text
    for text in (told.text, page.text):
        assert phone not in text
        assert "C1" not in text


def test_pages_are_not_answered_under_a_proxys_name_and_events_are(gateway: Any) -> None:
    client, _ = gateway
    named = {"Host": "hooks.example.org"}
    for path in ("/deliveries", "/readyz", "/openapi.json"):
        assert client.get(path, headers=named).status_code == 421
    assert client.post("/events/ivr", json=queued(), headers=TOKEN | named).status_code == 200


def test_the_description_has_the_events_of_the_contract(gateway: Any) -> None:
    client, _ = gateway
    told = client.get("/openapi.json").json()
    schemas = told["components"]["schemas"]
    assert {each["$ref"].rpartition("/")[2] for each in schemas["DeskpulseEvent"]["anyOf"]} >= {
        "CallQueued",
        "ChatMessage",
    }
    text = json.dumps(told)
    wanted = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert wanted <= set(schemas)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({}, "sources"),
        ({"ivr": {}}, "who it is shows nobody"),
        ({"ivr": {"token": "abc"}}, "$NAME"),
        ({"ivr": {"token": "$T", "sends": ["mails"]}}, "calls"),
        ({"ivr": {"token": "$T", "region": "China"}}, "CN"),
        ({"ivr": {"tokens": "$T"}}, "tokens"),
        ({"IVR": {"token": "$T"}}, "IVR"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, sources: Any, said: str) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(json.dumps({"sources": sources}))
    with pytest.raises(ValueError) as caught:
        load(path)
    assert said in str(caught.value)


def test_the_example_is_sound_and_check_says_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IVR_TOKEN", "DESKPULSE_PSEUDONYM_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "gateway.yaml"
    path.write_text(run("gateway", "example").output)
    wrong = run("gateway", "check", str(path))
    assert wrong.exit_code == 1
    assert "IVR_TOKEN" in wrong.output
    assert "DESKPULSE_PSEUDONYM_KEY is not set" in wrong.output
    monkeypatch.setenv("IVR_TOKEN", "t")
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "k")
    assert run("gateway", "check", str(path)).output == "ivr: sends calls, agents to /events/ivr\n"


def test_a_mapping_of_ones_own_is_tried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "k")
    mapping = run("gateway", "example", "chatwoot").output.replace(
        "source: chatwoot", "where: id != 9\nsource: chatwoot"
    )
    (tmp_path / "own.yaml").write_text(mapping)
    file, body = tmp_path / "gateway.yaml", tmp_path / "body.json"
    file.write_text("sources: {shop: {mapping: own.yaml, token: $T}}\n")
    body.write_text(json.dumps([Conversation(5, machine_ms() / 1000).created(), {"id": 9}, {"event": 5}, "x"]))
    tried = run("gateway", "check", str(file), "--source", "shop", "--body", str(body))
    assert tried.exit_code == 1
    assert '"type":"chat.started","id":"5-started","source":"shop"' in tried.output
    assert "1 taken, 1 left out, 2 refused" in tried.output
    assert run("gateway", "example", "none").exit_code == 2
    assert run("gateway", "check", str(file), "--source", "shop").exit_code == 2


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)
