"""Puts a backup back: into topics, databases and folders that are empty."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError
from kafka.structs import OffsetAndMetadata

from streams.archive.files import rows, whole
from streams.archive.store import Store
from streams.backup import databases, manifest
from streams.backup.manifest import Manifest, Part
from streams.backup.rewriting import LAST_WORDS, ORDER, Message, Rewriter, as_written, last_words, topic_of
from streams.backup.taking import topics_of
from streams.backup.verifying import refuse_damaged
from streams.contracts import topics
from streams.contracts.topics import TOPICS, Topic
from streams.kafka import reading
from streams.kafka.connection import open_admin, open_consumer, open_producer
from streams.kafka.topics import begin_restore, delete_topics, end_restore, restore_begun
from streams.settings import Settings
from streams.worker.state.own_partition import is_mark
from streams.worker.state.progress import position_of

_PATIENCE_MS = 20_000
_LINGER_MS, _BATCH_BYTES, _REQUEST_BYTES = 20, 512 * 1024, 33_554_432
#: Messages on their way, at most, before it is looked whether those before have arrived.
_UNDER_WAY = 20_000


def read(store: Store) -> Manifest:
    """The manifest of a backup. Raises ValueError where there is none that this version can read, OSError."""
    return manifest.read(store, version("deskpulse"))


def refuse_members(settings: Settings) -> None:
    """Raises ValueError where workers or the incidents' process run on this operation; KafkaError where no Kafka answers."""
    groups = [settings.group, f"{settings.group}-incidents"]
    with closing(open_admin(settings, _PATIENCE_MS)) as admin:
        told = _described(admin, groups)
    for group in groups:
        if members := (told.get(group) or {}).get("members") or ():
            raise ValueError(
                f"{len(members)} processes work on this operation (consumer group {group}): stop workers, incidents, history, notifier, "
                "archive and whoever sends events; one that was killed is missed after 10 s"
            )


def _described(admin: KafkaAdminClient, groups: list[str]) -> dict[str, Any]:
    """Who is in the groups. A cluster that nobody has used makes the topic of its groups only when it is asked for one."""
    ends = monotonic() + _PATIENCE_MS / 1000
    while True:
        try:
            return admin.describe_groups(groups)  # type: ignore[no-any-return]
        except CoordinatorNotAvailableError:
            if monotonic() >= ends:
                raise
            sleep(0.5)


class Restoring:
    """One restore. ``note`` is told what is done, a line each."""

    def __init__(self, settings: Settings, store: Store, made: Manifest, note: Callable[[str], None]) -> None:
        """Raises ValueError where the backup does not fit the settings."""
        self._settings, self._store, self._made, self._note = settings, store, made, note
        self._files = topics_of(store)
        self.rewriter = Rewriter(made.prefix, settings.prefix, made.partitions, settings.partitions)
        #: Topic and partition → messages that were written to it.
        self._sent: Counter[TopicPartition] = Counter()

    def run(self, *, archive: Path | None, files: Path | None) -> None:
        """Do all of it; ``archive``, ``files``: the folders for the archive and the operator's files, None: not these.

        Raises ValueError where the backup is damaged or anything is not empty; ConnectionError, OSError, RuntimeError, StoreError.
        """
        made = self._made
        refuse_damaged(self._store, made, self._note)
        with reading.answering(self._settings):
            refuse_members(self._settings)
            again = restore_begun(self._settings)
            if again:
                self._note(
                    "a restore has begun here and not ended: what it has written is deleted, and all begins anew"
                )
            else:
                self._refuse_full()
        # Each is filled at once or not at all: where a restore has begun, one that is full is of this backup.
        empty = [each for each in made.databases if not again or not databases.is_full(self._settings, each)]
        databases.refuse_full(self._settings, empty)
        for folder in (archive if made.archive else None, files if made.files else None):
            if not again and folder is not None and folder.exists() and any(folder.iterdir()):
                raise ValueError(
                    f"{folder} is not empty: a restore fills folders that are; move it away, or name another"
                )
        if again:
            delete_topics(self._settings)
        begin_restore(self._settings)
        databases.restore(self._settings, self._store, empty, self._note)
        self._copy(archive, files)
        self.fill()
        databases.move_positions(self._settings, made.prefix, made.databases, self.rewriter.positions)
        end_restore(self._settings)

    def fill(self) -> None:
        """Write all topics, and tell the group how far its workers are. Their topics are there and empty.

        Raises ConnectionError, OSError, RuntimeError where Kafka has not got all of it.
        """
        settings = self._settings
        by_topic: dict[Topic, list[Part]] = {}
        for part in self._made.topics:
            by_topic.setdefault(topic_of(part.topic), []).append(part)
        with (
            reading.answering(settings),
            closing(
                open_producer(
                    settings,
                    linger_ms=_LINGER_MS,
                    batch_size=_BATCH_BYTES,
                    max_request_size=_REQUEST_BYTES,
                    enable_idempotence=True,
                )
            ) as producer,
        ):
            for topic in ORDER:
                for part in by_topic.get(topic, ()):
                    self._fill(producer, topic, part)
                if count := sum(n for part, n in self._sent.items() if part.topic == settings.topic(topic)):
                    self._note(f"{settings.topic(topic)}: {count:,} messages")
            self._check()
            self._commit(by_topic.get(topics.PROGRESS, []))

    def _fill(self, producer: KafkaProducer, topic: Topic, part: Part) -> None:
        name = self._settings.topic(topic)
        under_way: list[Any] = []
        messages = last_words(self._messages(part)) if topic in LAST_WORDS else self._messages(part)
        for message in messages:
            for target, said in self.rewriter.rewritten(topic, part.partition, message):
                for key, value in as_written(topic, said):
                    under_way.append(
                        producer.send(
                            name,
                            key=key,
                            value=value,
                            headers=said.headers,
                            partition=target,
                            timestamp_ms=said.timestamp,
                        )
                    )
                    self._sent[TopicPartition(name, target)] += 1
            if len(under_way) >= _UNDER_WAY:
                _arrived(producer, under_way)
        _arrived(producer, under_way)

    def _messages(self, part: Part) -> Iterator[Message]:
        for span in sorted(part.spans(), key=lambda span: span.first):
            for offset, timestamp, key, value, headers in rows(
                whole(self._files, span), "offset", "timestamp", "key", "value", "headers"
            ):
                told = [(header["name"], header["content"]) for header in headers or ()]
                yield Message(offset, timestamp, key, value, told)

    def _check(self) -> None:
        """Raises RuntimeError where a partition has not as many messages as were written: somebody else writes there."""
        names = [self._settings.topic(topic) for topic in TOPICS]
        for part, end in reading.ends(self._settings, *names).items():
            if end != self._sent[part]:
                raise RuntimeError(
                    f"{part.topic}[{part.partition}] ends at {end:,}, and {self._sent[part]:,} messages were written: somebody else writes "
                    "there; stop whoever sends events, and run the restore again"
                )

    def _commit(self, progress: Iterable[Part]) -> None:
        """The group's offsets, for tools that show lag: workers go by their state."""
        told: dict[TopicPartition, OffsetAndMetadata] = {}
        for part in progress:
            for message in last_words(self._messages(part)):
                if message.value is None or is_mark(message.key or b""):
                    continue
                name = (message.key or b"").decode().rpartition("|")[0].removeprefix(self._made.prefix)
                for target, position in self.rewriter.positions(name, part.partition, position_of(message.value)):
                    place = TopicPartition(self._settings.topic(topic_of(name)), target)
                    told[place] = OffsetAndMetadata(position, "", -1)
        if told:
            with closing(open_consumer(self._settings, self._settings.group)) as consumer:
                consumer.commit(told)

    def _refuse_full(self) -> None:
        names = [self._settings.topic(topic) for topic in TOPICS]
        ends = reading.ends(self._settings, *names)
        if full := sorted({part.topic for part, end in ends.items() if end}):
            raise ValueError(
                f"Kafka at {self._settings.broker} has messages of this operation already ({', '.join(full)}): a restore fills topics "
                "that are empty. Give another cluster, another DESKPULSE_PREFIX, or delete these topics if you know that nobody needs them "
                "(`deskpulse topics delete`)"
            )

    def _copy(self, archive: Path | None, files: Path | None) -> None:
        if archive is not None:
            for kept in self._made.archive or ():
                _fetch(self._store, kept.name, archive / kept.name.removeprefix("archive/"))
        if files is not None:
            for each in self._made.files:
                target = files / Path(each.file.name).name
                _fetch(self._store, each.file.name, target)
                self._note(f"{target}: give it as DESKPULSE_{each.setting.upper()}")


def _fetch(store: Store, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    with store.load(name) as source, unfinished.open("wb") as file:
        shutil.copyfileobj(source, file)
    unfinished.replace(target)


def _arrived(producer: KafkaProducer, under_way: list[Any]) -> None:
    """Wait for these messages. Raises KafkaError where one was not taken."""
    producer.flush()
    for each in under_way:
        each.get(timeout=_PATIENCE_MS / 1000)
    under_way.clear()


def refuse_moved(settings: Settings, made: Manifest) -> None:
    """Raises ValueError where anything has come to a topic since the backup, as it would be lost; KafkaError where no Kafka answers."""
    before = {(settings.topic(topic_of(part.topic)), part.partition): part.next for part in made.topics}
    now = reading.ends(settings, *(settings.topic(topic) for topic in TOPICS))
    moved = sorted({part.topic for part, end in now.items() if end != before.get((part.topic, part.partition), 0)})
    if moved:
        raise ValueError(
            f"the operation has gone on since the backup (messages on {', '.join(moved)}): stop all processes and whoever sends events, "
            "and begin again with another place for the backup"
        )
