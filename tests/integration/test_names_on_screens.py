"""205 people on the wallboard and in alerts by name, for those who may; and no name in any byte of Kafka and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from redis import Redis

from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.settings import Settings
from tests.integration.test_screens import eventually
from tests.support.operation import http_get, messages, run_cli, send, settled, wallboard, worker
from tests.support.people import NAMESAKES, PEOPLE, Staff, staff

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

START = datetime(2026, 3, 25, 9, 0, tzinfo=UTC)
#: Both namesakes are badly rated, which fires an alert by this rule.
RATED_BADLY = NAMESAKES
RULES = """\
rules:
  - {id: bad, zh: 满意度低, en: Low satisfaction, kpi: csat, window: 30m, below: 0.8, min_n: 5, for: 60, scope: [agent, team]}
"""


def events(made: Staff) -> Iterator[AnyEvent]:
    """Everybody is on duty; the namesakes have six bad ratings each."""
    for number, id in enumerate(made.people):
        at = START + timedelta(seconds=number)
        yield e.AgentStateChanged(id=f"s{number}", source="test", time=at, agent_id=id, state="available")
    for call in range(12):
        at, id = START + timedelta(seconds=300 + 10 * call), RATED_BADLY[call % 2]
        who: dict[str, Any] = {"source": "test", "contact_id": f"c{call}", "customer_id": f"k{call}", "agent_id": id}
        yield e.CallAnswered(id=f"a{call}", time=at, wait_seconds=3, **who)
        yield e.CallEnded(id=f"e{call}", time=at + timedelta(seconds=2), talk_seconds=2, **who)
        yield e.CallRated(id=f"r{call}", time=at + timedelta(seconds=3), score=1, scale="1-5", **who)


def later() -> Iterator[AnyEvent]:
    """Ten minutes go by, so that what has begun to hold goes on holding."""
    for second in range(0, 600, 20):
        at = START + timedelta(seconds=500 + second)
        yield e.CallArrived(id=f"t{second}", source="test", time=at, contact_id=f"t{second}")


def test_names_for_those_who_may_see_them_and_not_a_byte_in_kafka_or_redis(
    operation: Settings, redis_url: str, tmp_path: Path
) -> None:
    made = staff(tmp_path)
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    operation = operation.model_copy(update={"rules_file": rules})
    run_cli(operation, "people", "import", str(made.people_csv), "--by", "hr-1")
    run_cli(operation, "roster", "import", str(made.roster_csv))
    assert "205 people, 205 on the roster, 0 of them without a name" in run_cli(operation, "people", "check")
    units = tmp_path / "units.csv"
    units.write_text("kind,id,name_zh,name_en\nteam,team-1,热线一组,Hotline one\n", encoding="utf-8")
    assert "imported: 1 new" in run_cli(operation, "units", "import", str(units), "--by", "hr-1")
    tokens = {
        role: run_cli(operation, "score", "token", "add", role, "--role", role, "--by", "hr-1", *whose).split()[0]
        for role, whose in (("hr", ()), ("supervisor", ("--team", "team-9")), ("agent", ("--person", "P001")))
    }
    with worker(operation), wallboard(operation) as page:
        send(operation, events(made))
        settled(operation)
        eventually(lambda: get(page, "api/snapshots?kind=agent")["total"] == PEOPLE)
        send(operation, later())
        settled(operation)
        eventually(lambda: len(get(page, "api/alerts")["open"]) >= 2)
        names = {role: get(page, "api/names", token)["agents"] for role, token in tokens.items()}
        assert get(page, "api/names") == {
            "agents": {},
            "units": {"team|team-1": {"zh": "热线一组", "en": "Hotline one"}},
        }
        assert set(names["hr"]) == set(made.people)
        in_team = {id for id in made.people if id.endswith("9")} | {"P003"}  # who changed team twice is there by now
        assert set(names["supervisor"]) == in_team
        assert names["agent"] == {"P001": {"zh": "李娜（P001）", "en": "Li Na (P001)"}}
        assert http_get(f"{page}api/names", headers={"Authorization": "Bearer none"}).status_code == 401
        reasons = {alert["entity"]: alert for alert in get(page, "api/alerts", tokens["hr"])["open"]}
        assert reasons["agent|P002"]["reason_zh"].startswith("坐席 李娜（P002） 近30分钟")
        assert "agent Li Na (P002), in the last 30 min" in reasons["agent|P002"]["reason_en"]
        plain = get(page, "api/alerts")["open"] + get(page, "api/alerts")["recent"]
        assert [alert for alert in plain if "李娜" in str(alert) or "Li Na" in str(alert)] == []
        assert reasons["team|team-1"]["reason_zh"].startswith("班组 热线一组 近30分钟")
        run_cli(operation, "people", "delete", "P002", "--by", "hr-1")
        assert get(page, "api/names", tokens["hr"])["agents"]["P001"] == {"zh": "李娜", "en": "Li Na"}
        after = {alert["entity"]: alert for alert in get(page, "api/alerts", tokens["hr"])["open"]}
        assert after["agent|P002"]["reason_zh"].startswith("坐席 P002 近30分钟")
    whole = b"".join([*everything_in_kafka(operation), *everything_in_redis(operation, redis_url)])
    assert all(id.encode() in whole for id in made.people)  # it is the right heap
    assert [text for text in made.written() if text.encode() in whole or text.encode("unicode_escape") in whole] == []


def get(page: str, path: str, token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = http_get(f"{page}{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything_in_kafka(settings: Settings) -> Iterator[bytes]:
    """Key, value and headers of every record of every topic of the operation, unpacked."""
    consumer = KafkaConsumer(**kafka_python_options(settings))
    topics = sorted(topic for topic in consumer.topics() if topic.startswith(settings.prefix))
    consumer.close()
    assert len(topics) > 10
    for topic in topics:
        for record in messages(settings, topic.removeprefix(settings.prefix)):
            yield record.key or b""
            yield record.value or b""
            yield from (value for _, value in record.headers)


def everything_in_redis(settings: Settings, url: str) -> Iterator[bytes]:
    """Every value of every key of the operation."""
    redis = Redis.from_url(url)
    keys = list(redis.scan_iter(f"{settings.prefix}*"))
    assert keys
    for key in keys:
        match redis.type(key):
            case b"hash":
                for field, value in redis.hgetall(key).items():
                    yield from (field, value)
            case b"list":
                yield from redis.lrange(key, 0, -1)
            case b"string":
                yield redis.get(key)
            case b"set":
                yield from redis.smembers(key)
            case other:
                raise AssertionError(f"{key!r} is a {other!r}: read it here too")
    redis.close()
