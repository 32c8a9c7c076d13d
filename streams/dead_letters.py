"""The dead letters of an operation: which there are, what has become of them, and how they come back to their topics exactly once.

A message that is brought back and the note of it are written in one transaction, under one transactional id: whoever opens that next
shuts out whoever was at it, and reads every note before writing anything. So no death and no second run brings a message back twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any, Literal, NamedTuple, TypeAlias

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, MessageSizeTooLargeError, ProducerFencedError

from streams.accepted import event_clocks
from streams.contracts import topics
from streams.contracts.decode import Rejected, decode_contact, decode_presence
from streams.contracts.events import AnyEvent
from streams.kafka import reading
from streams.kafka.connection import TAKEN_OVER, open_producer, told_of
from streams.settings import Settings
from streams.sources.sent import Sent
from streams.worker.dead_letters import At, Letter, Note, read_letter

#: What becomes of a letter: brought back now; brought back before; too late, so that only loading its day anew can mend it; no message of
#: an event topic; no more to be had whole; longer than its topic takes from us.
Outcome: TypeAlias = Literal["back", "before", "older_days", "no_event", "gone", "too_long"]

#: Letters and bytes of one transaction, about.
_LETTERS, _BYTES = 500, 4_000_000
_LONGEST_BYTES = 128 * 1024 * 1024
_LINGER_MS, _BATCH_BYTES = 20, 262_144

_Notes: TypeAlias = dict[tuple[At | None, str], Note]


class Whole(NamedTuple):
    """A message as it came: its key and its value. ``still``: the reason for which this version refuses it again, as it is."""

    key: bytes | None
    value: bytes
    still: str | None = None


class Mail:
    """The letters that stand in ``dead-letters`` when it is made. ``notes``: what was brought back, by ``Letter.identity``."""

    def __init__(self, settings: Settings, decided: bool = False) -> None:
        """Reads the notes; ``decided``: what another run or a worker has not ended with is not waited for.

        Raises ConnectionError where no Kafka answers or there is no such topic.
        """
        self._settings, self._decided = settings, decided
        self._name = settings.topic(topics.DEAD_LETTERS)
        self._ends: dict[TopicPartition, int] = {}
        self.notes: _Notes = {}
        self.read_notes()
        self._letters_end = self._ends

    def read_notes(self) -> None:
        """Take in the notes that have been written since. Raises as the constructor."""
        with reading.answering(self._settings, *TAKEN_OVER):
            before, self._ends = self._ends, reading.ends(self._settings, self._name, decided=self._decided)
            if not self._ends:
                raise ConnectionError(
                    f"Kafka at {self._settings.broker} has no topic {self._name}, or does not show it to this user: "
                    "is this the right broker and prefix, "
                    "and have workers run on it?"
                )
            for each in self._read(self._ends, before):
                if isinstance(each, Note):
                    self.notes[each.identity] = each

    def letters(self) -> Iterator[Letter]:
        """All of them, those of a partition in order. Raises ConnectionError."""
        with reading.answering(self._settings, *TAKEN_OVER):
            yield from (each for each in self._read(self._letters_end, {}) if isinstance(each, Letter))

    def _read(
        self, ends: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int]
    ) -> Iterator[Letter | Note]:
        with closing(reading.reader(self._settings)) as consumer:
            for record in reading.read(consumer, ends, begins):
                yield read_letter(record)


class Sources:
    """The topics of events, to take messages from as they came, and how far they have been taken in. A context manager."""

    def __init__(self, settings: Settings, machine: int, decided: bool = False) -> None:
        """``machine`` is the machine's clock, ms since 1970; ``decided`` as for Mail. Raises ConnectionError where no Kafka answers."""
        self._settings, policy = settings, settings.policy
        self._consumer: KafkaConsumer | None = None
        self._agents = settings.topic(topics.AGENTS)
        self.names = {settings.topic(topic) for topic in topics.EVENT_TOPICS}
        with reading.answering(settings, *TAKEN_OVER):
            clocks = event_clocks(settings, policy, machine, decided)
        self._earliest = {
            place: clock.now - policy.allowed_lateness_ms for place, clock in clocks.items() if clock.now is not None
        }

    def __enter__(self) -> Sources:
        return self

    def __exit__(self, *error: object) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def whole(self, letter: Letter) -> Whole | None:
        """The message of a letter: what it carries, or where that is cut what stands in the message's place; None where that is gone, or
        another message than the one that was refused.

        Raises ConnectionError where no Kafka answers.
        """
        if not letter.cut:
            return Whole(letter.key, letter.head)
        if letter.at is None:
            return None
        with reading.answering(self._settings, *TAKEN_OVER):
            record = self._record(letter.at)
        value = b"" if record is None else record.value or b""
        same = record is not None and len(value) == letter.size and sha256(value).hexdigest() == letter.sha256
        return Whole(record.key, value) if record is not None and same else None

    def has(self, at: At) -> bool:
        """Is there such a partition? Raises ConnectionError where no Kafka answers."""
        with reading.answering(self._settings, *TAKEN_OVER):
            return at.partition in (self._open().partitions_for_topic(at.topic) or ())

    def decoded(self, at: At, value: bytes) -> AnyEvent | Rejected:
        """A message as a worker reads it there."""
        return decode_presence(value) if at.topic == self._agents else decode_contact(value)

    def too_late(self, at: At, event: AnyEvent) -> bool:
        """Would an event be refused there for its age, even where it was not before?"""
        earliest = self._earliest.get(at[:2])
        return earliest is not None and event.at < earliest

    def _record(self, at: At) -> Any:
        if not self.has(at):
            return None
        consumer, part = self._open(), TopicPartition(at.topic, at.partition)
        end = consumer.end_offsets([part])[part]
        found = reading.read(consumer, {part: min(end, at.offset + 1)}, {part: at.offset})
        return next((record for record in found if record.offset == at.offset), None)

    def _open(self) -> KafkaConsumer:
        if self._consumer is None:
            self._consumer = reading.reader(self._settings)
        return self._consumer


def judge(letter: Letter, notes: Collection[tuple[At | None, str]], sources: Sources) -> Whole | Outcome:  # noqa: PLR0911 - a reason each
    """What of a letter is to be brought back, or why nothing. Raises ConnectionError where no Kafka answers."""
    if letter.reason == "internal" or letter.at is None or letter.at.topic not in sources.names:
        return "no_event"
    if letter.identity in notes:
        return "before"
    if letter.reason == "too_late":
        return "older_days"
    if not sources.has(letter.at):
        return "gone"
    whole = sources.whole(letter)
    if whole is None:
        return "gone"
    event = sources.decoded(letter.at, whole.value)
    if isinstance(event, Rejected):
        return whole._replace(still=event.reason)
    return "older_days" if sources.too_late(letter.at, event) else whole


def bring_back(
    settings: Settings, machine: int, wanted: Callable[[Letter], bool], tell: Callable[[Letter, Outcome], None]
) -> None:
    """Bring back all letters that are ``wanted``, each to its topic and partition, and ``tell`` what becomes of each. ``machine`` is the
    machine's clock, ms since 1970.

    Raises ConnectionError where no Kafka answers, RuntimeError where another run took over: what had been told by then stands.
    """
    try:
        with (
            reading.answering(settings, *TAKEN_OVER),
            _Postman(settings, tell) as postman,
            Sources(settings, machine) as sources,
        ):
            for letter in filter(wanted, postman.mail.letters()):
                found = judge(letter, postman.known, sources)
                if isinstance(found, Whole):
                    postman.take(letter, found)
                else:
                    tell(letter, found)
            postman.go()
    except TAKEN_OVER as error:
        raise RuntimeError(
            "another replay of dead letters took over: wait until it has ended, then run this again; nothing is "
            "brought back twice"
        ) from error


class _Postman:
    """Brings letters back, some in one transaction. ``known``: what has been brought back, or is about to be."""

    def __init__(self, settings: Settings, tell: Callable[[Letter, Outcome], None]) -> None:
        self._settings, self._tell = settings, tell
        self._chunk: list[tuple[Letter, Whole]] = []
        self._bytes = 0
        self._producer = opened(self._settings)
        # Only now: a run before this one may have been writing until it was shut out.
        self.mail = Mail(settings)
        self.known = set(self.mail.notes)

    def __enter__(self) -> _Postman:
        return self

    def __exit__(self, *error: object) -> None:
        self._producer.close()

    def take(self, letter: Letter, whole: Whole) -> None:
        """This one is to go too, soon."""
        size = len(whole.value) + len(whole.key or b"")
        if len(self._chunk) >= _LETTERS or self._bytes + size > _BYTES:
            self.go()
        self._chunk.append((letter, whole))
        self._bytes += size
        self.known.add(letter.identity)

    def go(self) -> None:
        """Bring back those that were taken."""
        chunk, self._chunk, self._bytes = self._chunk, [], 0
        if chunk and not self._sent(chunk):
            for each in chunk:
                if each[0].identity in self.mail.notes:  # by another run, while this one was shut out
                    self._tell(each[0], "before")
                elif len(chunk) == 1 or not self._sent([each]):
                    self._tell(each[0], "too_long")

    def _sent(self, chunk: list[tuple[Letter, Whole]]) -> bool:
        """All of them in one transaction, or none; False where one of them is longer than its topic takes."""
        try:
            self._transaction(chunk)
        except KafkaError as error:
            if told_of(error, *TAKEN_OVER):
                raise ProducerFencedError(str(error)) from error
            if not told_of(error, MessageSizeTooLargeError):
                raise
            # The client counts what was refused, and could send nothing more.
            self._producer.close(timeout=0)
            self._producer = opened(self._settings)
            self.mail.read_notes()
            self.known.update(self.mail.notes)
            return False
        for letter, _ in chunk:
            self._tell(letter, "back")
        return True

    def _transaction(self, chunk: list[tuple[Letter, Whole]]) -> None:
        self._producer.begin_transaction()
        sent = []
        for letter, whole in chunk:
            assert letter.at is not None  # judged before
            key, value, headers = letter.back(whole.key, whole.value)
            sent.append(
                self._producer.send(
                    letter.at.topic, key=key, value=value, headers=headers, partition=letter.at.partition
                )
            )
        self._producer.flush()
        places = [future.get(timeout=0) for future in sent]
        for (letter, _), place in zip(chunk, places, strict=True):
            key, value, headers = letter.note(At(place.topic, place.partition, place.offset))
            self._producer.send(
                self._settings.topic(topics.DEAD_LETTERS),
                key=key,
                value=value,
                headers=headers,
                partition=letter.partition,
            )
        self._producer.commit_transaction()


def opened(settings: Settings) -> KafkaProducer:
    """The producer of whoever changes what stands in ``dead-letters``, one at a time: who had it before is shut out, and what they had
    begun is rolled back. Raises KafkaError where no broker answers.
    """
    producer = open_producer(
        settings,
        compression_type="gzip",
        linger_ms=_LINGER_MS,
        batch_size=_BATCH_BYTES,
        max_request_size=_LONGEST_BYTES,
        allow_auto_create_topics=False,
        transactional_id=f"{settings.group}-dead-letters",
    )
    producer.init_transactions()
    return producer


def refused_of(settings: Settings, begins: Mapping[TopicPartition, int], sent: Sent) -> Counter[str]:
    """How many of these messages were refused, by reason: their dead letters from ``begins`` (of ``dead-letters``) to its end.

    Raises ConnectionError where no Kafka answers.
    """
    found: dict[At, str] = {}
    with reading.answering(settings, *TAKEN_OVER), closing(reading.reader(settings)) as consumer:
        for record in reading.read(consumer, reading.ends(settings, settings.topic(topics.DEAD_LETTERS)), begins):
            letter = read_letter(record)
            if isinstance(letter, Letter) and letter.at and sent.has(letter.at[:2], letter.at.offset):
                found[letter.at] = letter.reason
    return Counter(found.values())


class Group(NamedTuple):
    """By what letters are counted."""

    reason: str
    source: str
    topic: str


class Count:
    """Letters of a group: how many, how many of them were brought back, how many are of messages that had been brought back before;
    when the first and the last were refused (ms since 1970), and the place of the last.
    """

    def __init__(self) -> None:
        self.letters = self.back = self.again = 0
        self.first = self.last = 0
        self.example: At | None = None

    def add(self, letter: Letter, back: bool) -> None:
        """Count one."""
        if not self.letters or letter.refused < self.first:
            self.first = letter.refused
        if not self.letters or letter.refused >= self.last:
            self.last, self.example = letter.refused, letter.at
        self.letters += 1
        self.back += back
        self.again += letter.times > 0


def counted(mail: Mail, wanted: Callable[[Letter], bool]) -> Mapping[Group, Count]:
    """Letters by reason, source and topic, the largest groups first. Raises ConnectionError where no Kafka answers."""
    found: dict[Group, Count] = {}
    for letter in filter(wanted, mail.letters()):
        group = Group(letter.reason, letter.source, letter.at.topic if letter.at else "")
        found.setdefault(group, Count()).add(letter, letter.identity in mail.notes)
    return dict(sorted(found.items(), key=lambda item: (-item[1].letters, item[0])))
