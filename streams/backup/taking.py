"""Takes a backup: topics, databases, files and archive of a running operation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.archive.files import About, Stored, packed
from streams.archive.store import Store
from streams.backup import databases, manifest
from streams.backup.cut import note_ends
from streams.backup.manifest import Kept, Manifest, OperatorFile, Part
from streams.contracts.records import Place
from streams.contracts.topics import TOPICS
from streams.kafka import reading
from streams.kafka.topics import ensure_topics, partitions_of, restore_begun
from streams.settings import Settings

_LOG = logging.getLogger(__name__)
#: Messages and bytes of a file, at most; bytes that wait to be one, of all partitions of a topic.
_ROWS, _BYTES, _WAITING = 100_000, 16 * 1024 * 1024, 256 * 1024 * 1024
#: What is compacted lies still for longer than this: segments that have just been written are not touched.
_TAIL_SECONDS, _TRIES = 30.0, 4
#: Settings that name a file of the operator's.
FILES = ("policy_file", "rules_file", "notify_file", "gateway_file", "sign_on_file")


class _Partition:
    """What is read of a partition and is no file yet."""

    def __init__(self, name: str, place: Place, first: int) -> None:
        self.name, self.place = name, place
        self.first = self.next = first
        self.messages, self.size = 0, 0
        self.rows: list[Stored] = []
        self.files: list[str] = []


class Taking:
    """One backup. ``note`` is told what is done, a line each; ``now``: the machine's clock, ms since 1970."""

    def __init__(self, settings: Settings, store: Store, note: Callable[[str], None], now: Callable[[], int]) -> None:
        self._settings, self._store, self._note, self._now = settings, store, note, now
        self._topics = topics_of(store)
        self._parts: dict[Place, _Partition] = {}

    def run(self, *, archive: Store | None) -> Manifest:
        """Take it, with an ``archive`` where one is given; returns its manifest.

        Raises ValueError where the place is not empty or there is no operation; ConnectionError, OSError, RuntimeError, StoreError.
        """
        settings = self._settings
        self._refuse()
        # What there is by now, however long that takes; then, at one moment, where all ends; then what came meanwhile. State is compacted:
        # what lay before the end must be read before what comes behind it takes its place.
        with reading.answering(settings):
            self._read(None)
        self._note(f"topics: {sum(part.messages for part in self._parts.values()):,} messages so far")
        dumps = databases.dump(settings, self._store, self._note)
        taken = self._now()
        ends = self._read_to_one_moment()
        parts = [self._settled(place, end) for place, end in sorted(ends.items())]
        self._note(f"topics: {sum(part.messages for part in parts):,} messages")
        made = Manifest(
            format=manifest.FORMAT,
            program=version("deskpulse"),
            taken=taken,
            prefix=settings.prefix,
            partitions=settings.partitions,
            clock=settings.clock,
            topics=parts,
            databases=dumps,
            files=list(self._files()),
            archive=None if archive is None else self._archive(archive),
        )
        manifest.write(self._store, made)
        return made

    def _read_to_one_moment(self) -> dict[Place, int]:
        """Read on to where everything ends at one moment; returns these ends."""
        for _ in range(_TRIES):
            ends, began = note_ends(self._settings), monotonic()
            with reading.answering(self._settings):
                self._read(ends)
            if monotonic() - began < _TAIL_SECONDS:
                return ends
            self._note(
                "what came meanwhile took long to read: once more, so that Kafka has compacted nothing of it away"
            )
        raise RuntimeError(
            f"what comes while the topics are read takes longer than {_TAIL_SECONDS:.0f} s to read, {_TRIES} times in a row: stop the "
            "workers for as long as the backup takes, or take it on a machine nearer to Kafka"
        )

    def _refuse(self) -> None:
        settings = self._settings
        if not self._store.empty:
            raise ValueError(
                f"{self._store.place} is not empty: each backup has a place of its own, such as {self._store.place}/"
                f"{datetime.fromtimestamp(self._now() / 1000, UTC):%Y-%m-%dT%H%M}"
            )
        if restore_begun(settings):
            raise ValueError("a restore of this operation has begun and not ended: half of it is nothing to keep")
        found = partitions_of(settings)
        if found is None:
            raise ValueError(
                f"Kafka at {settings.broker} has no topics of an operation with the prefix {settings.prefix!r}: is it the right broker and "
                "prefix?"
            )
        if found != settings.partitions:
            raise ValueError(
                f"this operation has {found} partitions, and not the {settings.partitions} of DESKPULSE_PARTITIONS: set "
                f"DESKPULSE_PARTITIONS={found}"
            )
        ensure_topics(settings)  # one that a later version has, and this operation has not yet

    def _read(self, ends: Mapping[Place, int] | None) -> None:
        """Read on to these ends, or to where everything ends now."""
        for topic in TOPICS:
            name = self._settings.topic(topic)
            with closing(reading.reader(self._settings)) as consumer:
                known = reading.ends_for(consumer, name)
                wanted = {
                    part: end if ends is None else ends.get((part.topic, part.partition), 0)
                    for part, end in known.items()
                }
                begins = self._begin(consumer, topic.name, wanted)
                for record in reading.read(consumer, wanted, begins):
                    self._take(record, len(wanted))
                for part, end in wanted.items():
                    self._parts[part.topic, part.partition].next = max(end, begins[part])
            for place in [place for place in self._parts if place[0] == name]:
                self._write(self._parts[place])

    def _begin(self, consumer: KafkaConsumer, name: str, wanted: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        firsts = consumer.beginning_offsets(list(wanted)) if wanted else {}
        begins = {}
        for part, first in firsts.items():
            place = part.topic, part.partition
            if place not in self._parts:
                self._parts[place] = _Partition(name, place, first)
            begins[part] = self._parts[place].next
        return begins

    def _take(self, record: Any, partitions: int) -> None:
        part = self._parts[record.topic, record.partition]
        headers = [(name, content) for name, content in record.headers or ()]
        part.rows.append(Stored(record.offset, record.timestamp, record.key, record.value, headers))
        part.size += len(record.key or b"") + len(record.value or b"") + 64
        part.next = record.offset + 1
        if part.size > min(_BYTES, _WAITING // partitions) or len(part.rows) >= _ROWS:
            self._write(part)

    def _write(self, part: _Partition) -> None:
        """Make a file of what waits."""
        if not part.rows:
            return
        day = datetime.fromtimestamp(part.rows[0].timestamp / 1000, UTC).date()
        about = About(part.name, part.place[1], part.first, part.next, part.first, len(part.rows))
        span, body = packed(about, day, part.rows)
        self._topics.put(span, body)
        part.files.append(f"topics/{span.name}")
        part.messages += len(part.rows)
        part.first, part.rows, part.size = part.next, [], 0

    def _settled(self, place: Place, end: int) -> Part:
        part = self._parts[place]
        first = min((span.first for span in Part("", 0, 0, 0, 0, part.files).spans()), default=part.first)
        return Part(part.name, place[1], first, max(end, first), part.messages, part.files)

    def _files(self) -> Iterable[OperatorFile]:
        for setting in FILES:
            path: Path | None = getattr(self._settings, setting)
            if path is not None:
                yield OperatorFile(setting, databases.keep(self._store, f"files/{setting}/{path.name}", path))

    def _archive(self, archive: Store) -> list[Kept]:
        found = []
        for name in archive.names(""):
            if name.endswith(".parquet"):
                with archive.load(name) as content:
                    found.append(databases.keep_stream(self._store, f"archive/{name}", content))
        self._note(f"archive: {len(found):,} files")
        return found


def topics_of(store: Store) -> Store:
    """Where the files of topics lie in a backup."""
    root, mark, query = store.place.partition("?")
    return Store(f"{root.rstrip('/')}/topics{mark}{query}")
