"""Takes a customer out of an operation: asks the workers to forget them, takes them out of dead letters, and finds what else names them.

The workers do the first part as they do everything, exactly once (``contacts/forgetting.py``). The rest may be broken off anywhere and
done again. What no program can take out, events on topics that are only ever deleted by their age, has a last day.
"""

from __future__ import annotations

import gzip
import os
import re
import secrets
import time
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from msgspec import structs
from redis import Redis
from redis.exceptions import RedisError

from streams.archive.files import DamagedError, Stored, rows
from streams.archive.forgetting import Forgotten
from streams.archive.forgetting import forget as forget_archived
from streams.archive.store import Store
from streams.contacts import customer as customers
from streams.contacts.customer import Customer
from streams.contacts.forgetting import tells_customer
from streams.contacts.joining import Forget, Note
from streams.contacts.recorded import record_key, record_key_by_lot
from streams.contacts.shared import customer_of, id_of
from streams.contracts import redis_keys, topics
from streams.contracts.outputs import ContactRecord
from streams.contracts.records import Place
from streams.contracts.topics import Topic
from streams.dead_letters import opened
from streams.history.store import History
from streams.kafka import reading
from streams.kafka.connection import open_producer, open_records_producer
from streams.kafka.drained import taken_in, wait_until_taken_in
from streams.kafka.topics import configs, delete_before
from streams.kafka.transactions import partition_of
from streams.refusals import address_shown, with_remedy
from streams.settings import Settings
from streams.sources.expressions.people import pseudonyms
from streams.worker.customer_ids import is_pseudonym
from streams.worker.rekeyed import note_message
from streams.worker.state.store import MemoryStore

#: An id that is shorter may be any number: it is looked for between quotes only.
_TELLING = 6
#: What partitions tell each other of one event goes so often from one to the next at most.
_HOPS = 4
#: Records and bytes of one transaction of dead letters, about.
_RECORDS, _BYTES = 500, 4_000_000
_PIECE = 1 << 20
#: Kafka looks for what is over every few minutes, and deletes it a minute later.
_BROKER_SLACK = timedelta(hours=1)
#: A file of this name says that a folder is Kafka's own.
_KAFKAS = "meta.properties"
#: Topics that are only ever deleted by age, and whose records name customers.
BY_AGE = (*topics.CONTACT_TOPICS, topics.REKEYED, topics.DEAD_LETTERS)


class _Named(msgspec.Struct):
    customer_id: str | None = None
    contact_id: str | None = None


_named = msgspec.json.Decoder(_Named)
_decode_record, _encode = msgspec.json.Decoder(ContactRecord).decode, msgspec.json.Encoder().encode


def spellings(settings: Settings, written: str) -> list[str]:
    """The ids that stand for a customer in this operation: what was written, and its pseudonym where the operation has a key for them.

    Raises ValueError where it stands for nobody, or is none that a spreadsheet has left whole.
    """
    if not written or any(ord(mark) < 2 for mark in written):
        raise ValueError(f"{written!r} is no customer id")
    if is_pseudonym(written) or not settings.pseudonym_key:
        return [written]
    pseudonym = pseudonyms(settings.pseudonym_key.encode())(written)
    if pseudonym is None:
        raise ValueError(f"{written!r} stands for nobody, and nothing is kept by it")
    return [written, pseudonym]


class Mentions:
    """Does a text name one of these customers? As a word of its own; where an id is so short that it may be any number, in quotes."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = frozenset(ids)
        words = []
        for id in self.ids:
            raw = re.escape(id.encode())
            words.append(rb"(?<![0-9A-Za-z])" + raw + rb"(?![0-9A-Za-z])" if len(id) >= _TELLING else b'"' + raw + b'"')
        self._found = re.compile(b"|".join(words)).search
        self.longest = max(len(id.encode()) for id in self.ids) + 2

    def __call__(self, text: bytes) -> bool:
        return self._found(text) is not None

    def record(self, record: Any) -> bool:
        """The same of a record of Kafka: its key, value and headers."""
        key, value = record.key or b"", record.value or b""
        if self(value) or key.decode("utf-8", "replace") in self.ids or self(key):
            return True
        if any(self(content or b"") for _, content in record.headers or ()):
            return True
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _named.decode(value).customer_id in self.ids  # however it is escaped
        return False


def kept(settings: Settings, ids: Collection[str]) -> dict[str, int]:
    """Customer id → how many contacts the workers keep under it; those of which nothing is kept are left out.

    Raises ConnectionError where no Kafka answers or there are no such topics.
    """
    found = dict.fromkeys(ids, 0)
    for id, customer in _held(settings, found):
        found[id] += sum(map(tells_customer, customer.contacts.values()))
    return {id: contacts for id, contacts in found.items() if contacts}


def _held(settings: Settings, ids: Collection[str]) -> Iterator[tuple[str, Customer]]:
    """What the workers keep of these customers, each part with their id. Raises as ``kept``."""
    name = settings.topic(topics.CUSTOMERS)
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:
        ends = reading.ends(settings, name)
        if not ends:
            raise ConnectionError(
                f"Kafka at {settings.broker} has no topic {name}, or does not show it to this user: "
                "is this the right broker and prefix, and have workers run on it?"
            )
        homes = {partition_of(id.encode(), len(ends)) for id in ids}
        store = MemoryStore()
        for record in reading.read(consumer, {part: end for part, end in ends.items() if part.partition in homes}):
            if record.key is not None and id_of(record.key.decode("utf-8", "replace")) in ids:
                store.restore(record.partition, record.key, record.value)
    for key in store:
        yield id_of(key.decode()), customers.load(store.get(key) or b"", customer_of(key.decode()))


def forget(settings: Settings, ids: Sequence[str], seconds: float) -> None:
    """Have the workers forget these customers: once they have taken in what was there before, they are asked, and have done it when this
    returns. ``seconds``: for how long each step may take.

    Raises TimeoutError, which says whether they have been asked; ConnectionError where no Kafka answers.
    """
    rekeyed = settings.topic(topics.REKEYED)
    try:
        sources = map(settings.topic, topics.CONTACT_TOPICS)
        wait_until_taken_in(settings, _ends(settings, *sources, rekeyed), seconds)
        for _ in range(_HOPS):
            wait_until_taken_in(settings, _ends(settings, rekeyed), seconds)
    except TimeoutError as error:
        raise TimeoutError(
            f"nobody has been forgotten yet. {error}. Do the workers run (`deskpulse doctor`)? Start them, or give them longer "
            "(--wait), and run this again"
        ) from error
    numbers = sorted(part.partition for part in _ends(settings, rekeyed))
    with reading.answering(settings), closing(open_producer(settings)) as producer:
        sent = []
        for id in ids:
            key, value, headers = note_message(Note(None, "", Forget(id)))
            sent += [
                producer.send(rekeyed, key=key, value=value, headers=headers, partition=number) for number in numbers
            ]
        for future in sent:
            future.get(timeout=30)
    try:
        wait_until_taken_in(settings, _ends(settings, rekeyed), seconds)
    except TimeoutError as error:
        raise TimeoutError(
            f"the workers have been asked, and have not done it yet: {error}. They will once they run; then run this again for the rest"
        ) from error


def _ends(settings: Settings, *names: str) -> dict[TopicPartition, int]:
    with reading.answering(settings):
        return reading.ends(settings, *names, decided=True)


def trim(settings: Settings) -> None:
    """Have ``rekeyed`` begin where the workers are: it is a way, and no store. Raises ConnectionError."""
    done = taken_in(settings, settings.topic(topics.REKEYED))
    delete_before(settings, {part: offset for part, offset in done.items() if offset})


# -- contact records -----------------------------------------------------------------------------------------------------


def clean_records(settings: Settings, ids: Collection[str]) -> int:
    """Have the records of these customers' older contacts, those that the workers have let go of before, say no more whose they are;
    returns how many. What they count for stays. Those that the workers keep they have written anew themselves.

    Broken off and done again, no record is written twice. Raises ConnectionError where no Kafka answers.
    """
    name = settings.topic(topics.CONTACT_RECORDS)
    newest: dict[tuple[int, bytes], Any] = {}
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:
        for record in reading.read(consumer, reading.ends(settings, name)):
            if record.value is not None and _customer_of_record(record.value) in ids:
                newest[record.partition, record.key] = record
            else:
                newest.pop((record.partition, record.key), None)
    # Whoever has called since is a new customer, whose records the workers write.
    of_now = {
        record_key(contact, memory.record.day, customer.id).encode()
        for _, customer in _held(settings, ids)
        for contact, memory in customer.contacts.items()
        if memory.record.day
    }
    old = [record for (_, key), record in newest.items() if key not in of_now]
    if not old:
        return 0
    with reading.answering(settings), closing(open_records_producer(settings)) as producer:
        for start in range(0, len(old), _RECORDS):
            producer.begin_transaction()
            for each in old[start : start + _RECORDS]:
                whole = _decode_record(each.value)
                nameless = structs.replace(whole, customer_id=None, version=whole.version + 1)
                key = record_key_by_lot(each.key.decode(), secrets.token_hex(8)).encode()
                for place, value in ((each.key, None), (key, _encode(nameless))):
                    producer.send(
                        name, key=place, value=value, partition=each.partition, timestamp_ms=each.timestamp
                    )  # fmt: skip
            producer.commit_transaction()
    return len(old)


def _customer_of_record(raw: bytes) -> str | None:
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        return _named.decode(raw).customer_id
    return None


# -- dead letters ------------------------------------------------------------------------------------------------------


def clean_dead_letters(settings: Settings, mentions: Mentions) -> int:
    """Take letters that name somebody out of ``dead-letters``; returns how many.

    Kafka deletes from the beginning only: the others that lie there are written again behind them first, as they were. Broken off, it
    leaves all of them, some twice at most; done again, none is written twice. Raises ConnectionError where no Kafka answers.
    """
    taken_out = 0
    with (
        reading.answering(settings),
        closing(opened(settings)) as producer,
        closing(reading.reader(settings)) as consumer,
    ):
        for part, end in reading.ends(settings, settings.topic(topics.DEAD_LETTERS)).items():
            found, behind = _found(consumer, part, end, mentions)
            if not found:
                continue
            others = (
                record
                for record in reading.read(consumer, {part: max(found) + 1})
                if record.offset not in found and _digest(record) not in behind
            )
            _write_again(producer, others)
            delete_before(settings, {part: max(found) + 1})
            taken_out += len(found)
    return taken_out


def _found(consumer: KafkaConsumer, part: TopicPartition, end: int, mentions: Mentions) -> tuple[set[int], set[bytes]]:
    """Offsets of the letters that name somebody, and what stands behind the last of them."""
    found: set[int] = set()
    behind: set[bytes] = set()
    for record in reading.read(consumer, {part: end}):
        if mentions.record(record):
            found.add(record.offset)
            behind.clear()
        else:
            behind.add(_digest(record))
    return found, behind


def _digest(record: Any) -> bytes:
    return sha256(repr((record.timestamp, record.key, record.value, record.headers)).encode()).digest()


def _write_again(producer: KafkaProducer, records: Iterable[Any]) -> None:
    chunk: list[Any] = []
    size = 0
    for record in records:
        chunk.append(record)
        size += len(record.value or b"")
        if len(chunk) >= _RECORDS or size >= _BYTES:
            _in_one_transaction(producer, chunk)
            chunk, size = [], 0
    _in_one_transaction(producer, chunk)


def _in_one_transaction(producer: KafkaProducer, records: Sequence[Any]) -> None:
    if not records:
        return
    producer.begin_transaction()
    for each in records:
        producer.send(
            each.topic,
            key=each.key,
            value=each.value,
            headers=list(each.headers),
            partition=each.partition,
            timestamp_ms=each.timestamp,
        )
    producer.commit_transaction()


# -- the archive ---------------------------------------------------------------------------------------------------------


def clean_archive(settings: Settings, place: str, mentions: Mentions, today: date) -> Forgotten | None:
    """Take them out of the archived files of events, which are written anew; None: there is no archive.

    Raises DamagedError, OSError where a file cannot be read or written, ValueError where pyarrow is not installed.
    """
    if "://" not in place and not Path(place).is_dir():
        return None
    names = [settings.topic(topic) for topic in topics.CONTACT_TOPICS]
    return forget_archived(Store(place), names, mentions.ids, mentions.record, today)


def not_archived(settings: Settings, reached: Mapping[Place, int], mentions: Mentions) -> int:
    """How many messages in Kafka name them that are not archived yet, but will be. Raises ConnectionError where no Kafka answers."""
    names = [settings.topic(topic) for topic in topics.CONTACT_TOPICS]
    begins = {TopicPartition(*place): offset for place, offset in reached.items()}
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:
        found = reading.read(consumer, reading.ends_for(consumer, *names), begins)
        return sum(mentions.record(record) for record in found)


# -- the history ---------------------------------------------------------------------------------------------------------


def left_in_history(history: History, ids: Collection[str], seconds: float) -> int | None:
    """Of how many contacts the history says that they are theirs, once it has had so many seconds to read that they are not; None: there is
    no history. What SQLite's journal has of them goes, too. Raises StoreError.
    """
    if not history.database.begun:
        return None
    deadline = time.monotonic() + seconds
    while (left := history.contacts_of(ids)) and time.monotonic() < deadline:
        time.sleep(0.5)
    if not left and history.database.sqlite:
        history.database.wipe()
    return left


# -- Redis, files, the database ----------------------------------------------------------------------------------------


def shown(settings: Settings, ids: Iterable[str]) -> list[str]:
    """Those of the ids that Redis has, as ids that many callers share. Raises ConnectionError where it does not answer."""
    with _Connected(settings) as redis:
        return [id for id in ids if redis.hexists(settings.redis_key(redis_keys.SHARED), id)]


def write_dump(settings: Settings) -> str | None:
    """Have Redis write its files anew, where it keeps any; what it says where it does not. Raises ConnectionError."""
    with _Connected(settings) as redis:
        try:
            if redis.info("persistence").get("aof_enabled"):
                redis.bgrewriteaof()
            redis.bgsave()
        except RedisError as error:
            return str(error)
    return None


class _Connected:
    """Redis, whose errors say what to do."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redis = Redis.from_url(settings.redis, socket_timeout=10, socket_connect_timeout=10)

    def __enter__(self) -> Any:
        return self._redis

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._redis.close()
        if isinstance(error, RedisError):
            raise ConnectionError(
                f"Redis at {address_shown(self._settings.redis)} does not answer: {with_remedy('Redis', error)}; see DESKPULSE_REDIS"
            ) from error


def files(folder: Path, mentions: Mentions) -> Iterator[Path]:
    """Files below a folder that name somebody, also within ``.gz``, ZIP (XLSX) and archived messages. Topics that a Kafka of this machine
    keeps there are passed over: what becomes of them is said by topic.
    """
    for place, folders, names in os.walk(folder):
        if _KAFKAS in names:
            folders.clear()
            continue
        for name in sorted(names):
            path = Path(place, name)
            try:
                if (
                    mentions(os.fsencode(name))
                    or any(_in_file(file, mentions) for file in _opened(path))
                    or (path.suffix == ".parquet" and _in_archived(path, mentions))
                ):
                    yield path
            except (OSError, EOFError, zlib.error, zipfile.BadZipFile, DamagedError):
                continue  # it has gone, or is no file that can be read


def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    with path.open("rb") as file:
        yield file
    if path.suffix == ".gz":
        with gzip.open(path) as unpacked:
            yield unpacked
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as part:
                    yield part


def _in_archived(path: Path, mentions: Mentions) -> bool:
    """Raises ValueError where pyarrow is not installed: then nobody can say it."""
    for key, value, headers in rows(path.read_bytes(), "key", "value", "headers"):
        if mentions.record(Stored(0, 0, key, value, [(header["name"], header["content"]) for header in headers])):
            return True
    return False


def _in_file(file: IO[bytes] | gzip.GzipFile, mentions: Mentions) -> bool:
    before = b""
    while piece := file.read(_PIECE):
        if mentions(before + piece):
            return True
        before = piece[-mentions.longest :]
    return False


# -- until when --------------------------------------------------------------------------------------------------------


class Until(NamedTuple):
    """When a topic has nothing more of what stands in it now, at the latest; None: ``why`` nobody can say."""

    topic: str
    at: datetime | None
    why: str = ""


def last_days(settings: Settings, now: datetime) -> Iterator[Until]:
    """Of each topic in which a customer may stand. Raises ConnectionError where no Kafka answers."""
    compacted = topics.CUSTOMERS, topics.CONTACT_RECORDS
    told = configs(settings, [settings.topic(topic) for topic in (*BY_AGE, *compacted)])
    for topic, reckon in (*((topic, _by_age) for topic in BY_AGE), *((topic, _compacted) for topic in compacted)):
        yield _until(settings, topic, told.get(settings.topic(topic)), reckon, now)


_Reckon = Callable[[Mapping[str, str]], "timedelta | str"]


def _until(settings: Settings, topic: Topic, config: Mapping[str, str] | None, reckon: _Reckon, now: datetime) -> Until:
    name = settings.topic(topic)
    if config is None:
        return Until(name, None, "Kafka does not tell its settings to this user")
    left = reckon(config)
    return Until(name, None, left) if isinstance(left, str) else Until(name, now + left + _BROKER_SLACK)


def _by_age(config: Mapping[str, str]) -> timedelta | str:
    """A segment is closed when it is as old as ``segment.ms``, and deleted when its newest record is as old as ``retention.ms``."""
    segment, retention = (_time(config, name) for name in ("segment.ms", "retention.ms"))
    if "delete" not in config.get("cleanup.policy", ""):
        return "its cleanup.policy is not `delete`"
    return "its retention.ms keeps it for ever" if retention is None or segment is None else segment + retention


def _compacted(config: Mapping[str, str]) -> timedelta | str:
    """The segment is closed, then compacted, so that the values go; the key goes with the compaction after ``delete.retention.ms``."""
    lag = _time(config, "max.compaction.lag.ms")
    segment, kept_for = _time(config, "segment.ms"), _time(config, "delete.retention.ms")
    if lag is None or segment is None or kept_for is None:
        return "it is compacted some day: set max.compaction.lag.ms=86400000 (kafka-configs.sh --alter --entity-type topics)"
    return min(segment, lag) + lag + kept_for + lag


#: No time: Kafka's largest number, and -1.
_EVER = timedelta(days=36_500)


def _time(config: Mapping[str, str], name: str) -> timedelta | None:
    ms = int(config.get(name, -1))
    return None if ms < 0 or ms >= _EVER / timedelta(milliseconds=1) else timedelta(milliseconds=ms)
