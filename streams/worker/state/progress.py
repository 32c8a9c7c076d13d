"""How far each partition has been taken in: its offset and its event clock, stored in the same transaction as the state that follows
from them. Where a worker goes on is read here and nowhere else; the group's committed offsets only tell others how far we are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec
from msgspec import Struct

from streams.contracts import topics
from streams.contracts.records import Place
from streams.entities.day_parts import Starts
from streams.entities.stage import Time
from streams.windows.clock import EventClock
from streams.worker.state.own_partition import format_mark, is_mark
from streams.worker.state.store import BrokenStateError, LaterStateError, StateStore


class _Mark(Struct, array_like=True):
    """As it is stored: offset of the next record, event clock (ms since 1970), and a jump of the clock that is not believed yet; of
    contributions also from where ``daily-facts`` is to be read; the id of the topic that the offset is of, where it is known;
    whether the operation is on the event clock (None: stored before that was told); and of contributions as of when (ms) rules had been
    judged, and by which.
    """

    offset: int
    now: int | None = None
    doubted: tuple[int, str] | None = None
    starts: Starts = []
    topic_id: str = ""
    event_time: bool | None = None
    judged: tuple[Time, str] | None = None


#: The newest format of a worker's state that this version reads. A version that writes another notes it in each partition
#: (``format_mark``), in the transaction that writes the first of it, and comes one release after a version that reads it: else there is
#: no way back.
FORMAT = 1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Mark).decode


def moved_mark(value: bytes, offset: Callable[[int], int], days: Callable[[int], int]) -> bytes:
    """A stored mark of the same place in topics that were filled anew: ``offset`` says where one of the topic lies now, ``days`` one of
    ``daily-facts``. Raises MsgspecError where it is no mark.
    """
    mark = _decode(value)
    starts = [(day, days(begin)) for day, begin in mark.starts]
    return _encode(msgspec.structs.replace(mark, offset=offset(mark.offset), starts=starts, topic_id=""))


def position_of(value: bytes) -> int:
    """The offset that a stored mark tells. Raises MsgspecError where it is no mark."""
    return _decode(value).offset


def refuse_later(marks: StateStore, number: int) -> None:
    """Raises LaterStateError where the state of a partition is of a format that this version does not read."""
    raw = marks.partition(number).get(format_mark(number))
    if raw is None:
        return
    try:
        found = msgspec.json.decode(raw, type=int)
    except msgspec.DecodeError as error:
        raise BrokenStateError(topics.PROGRESS.name, format_mark(number).decode(), error) from error
    if found > FORMAT:
        raise LaterStateError(f"{topics.PROGRESS.name}[{number}]", found, FORMAT)


class Progress:
    """``taken``: (topic, partition) → offset of the next record to be taken in; ``clocks``: the event clock of each; ``starts``:
    from where the daily facts of a partition of contributions are to be read; ``judged``: as of when (ms) rules had been judged there,
    and by which; ``made_anew``: those whose topic is another now than
    when they were stored, so that no offset of theirs means anything. ``event_time``: is the operation on the event clock? None:
    nobody has told.
    """

    def __init__(self, topic_ids: Mapping[str, str] = MappingProxyType({}), *, event_time: bool | None = None) -> None:
        """``topic_ids``: topic → its id now, as far as it is known; may change. ``event_time``: as the worker was told; what marks
        tell is learnt where it was not.
        """
        self._topic_ids = topic_ids
        self._told = event_time
        self.event_time = event_time
        self.made_anew: set[Place] = set()
        self.taken: dict[Place, int] = {}
        self.clocks: dict[Place, EventClock] = {}
        self.starts: dict[Place, Starts] = {}
        self.judged: dict[Place, tuple[Time, str]] = {}
        self._moved: set[Place] = set()
        #: Places that began anew although the topic's id was still known as this: the position is not one of that topic.
        self._not_of: dict[Place, str] = {}

    def load(self, key: bytes, value: bytes) -> None:
        """Go on where a stored mark says; one that tells something else is passed over."""
        if is_mark(key):
            return
        topic, partition = key.decode().rsplit("|", 1)
        mark, place = _decode(value), (topic, int(partition))
        self.starts[place] = mark.starts
        if mark.judged is not None:
            self.judged[place] = mark.judged
        if self._told is None and mark.event_time is not None:
            self.event_time = mark.event_time
        self.clocks[place] = EventClock(mark.now, mark.doubted)
        known = self._topic_ids.get(topic)
        if known and mark.topic_id and known != mark.topic_id:
            self.made_anew.add(place)
        else:
            self.taken[place] = mark.offset
            if known and not mark.topic_id:
                self._moved.add(place)  # is to be stored with the id

    def load_stored(self, marks: StateStore, numbers: Iterable[int]) -> None:
        """Go on where the stored marks of these partitions say."""
        for number in numbers:
            refuse_later(marks, number)
            for key, value in marks.partition(number).items():
                try:
                    self.load(key, value)
                except Exception as error:
                    raise BrokenStateError(topics.PROGRESS.name, key.decode("utf-8", "replace"), error) from error

    def clock(self, place: Place) -> EventClock:
        """The event clock of a partition."""
        clock = self.clocks.get(place)
        if clock is None:
            clock = self.clocks[place] = EventClock()
        return clock

    def take(self, place: Place, offset: int) -> None:
        """Everything before ``offset`` has been taken in."""
        self.taken[place] = offset
        self._moved.add(place)

    def begin_anew(self, place: Place, offset: int) -> None:
        """The topic is another: it is read from ``offset``, where it begins."""
        if place not in self.made_anew:  # seen by its offsets, before its id was
            self._not_of[place] = self._topic_ids.get(place[0], "")
        self.made_anew.discard(place)
        self.take(place, offset)

    def moved(self) -> list[Place]:
        """Places that have moved since the last call."""
        moved, self._moved = sorted(self._moved), set()
        return moved

    def mark(self, marks: StateStore, place: Place, offset: int, now: int | None = None) -> None:
        """Store that a place has come to ``offset``; ``now``: with its clock at this (ms), where that was not last."""
        clock = self.clock(place)
        known = self._topic_ids.get(place[0], "")
        mark = _Mark(
            offset,
            clock.now if now is None else now,
            clock.doubted,
            self.starts.get(place, []),
            "" if self._not_of.get(place) == known else known,
            self.event_time,
            self.judged.get(place),
        )
        marks.put(place[1], f"{place[0]}|{place[1]}".encode(), _encode(mark))
