"""Events that are not in Kafka yet, on disk: a system that tells each thing once is heard on while Kafka is away, and nothing that
was heard is lost when the process is killed.

What was heard goes into the outbox before it counts as heard (``put``, then the place with its mark). It leaves by another thread, oldest
first; what was sent and not noted as sent is sent again as the same events, which count once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from io import BufferedRandom, FileIO
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TypeAlias

from kafka.errors import KafkaError

from streams.contracts.decode import Rejected, decode_any, encode
from streams.contracts.events import AnyEvent
from streams.sources.live.place import Sender, put
from streams.sources.producer import SendError

_LOG = logging.getLogger(__name__)
#: Between two looks at an empty outbox, and two tries while Kafka is away. Seconds.
_LOOK_SECONDS, _AGAIN_SECONDS = 0.2, 5.0
#: Bytes that are sent before they are noted as sent; and at which an outbox that is empty begins anew.
_AT_ONCE, _BEGINS_ANEW = 1 << 18, 1 << 22


#: Which file, and bytes of it that count: what the place keeps of an outbox.
Mark: TypeAlias = tuple[int, int]


class Outbox:
    """The outbox of one follower. One thread puts in, one of its own sends."""

    def __init__(self, path: Path, mark: Mark, connect: Callable[[], Sender]) -> None:
        """``mark``: as the place has it; what stands behind was never taken for heard. ``connect`` opens a producer. Raises ValueError
        where events are gone that were to be sent.
        """
        self._path, self._noted, self._connect = path, path.with_suffix(".sent"), connect
        self._lock, self._stop = Lock(), Event()
        self._number, self._size = mark
        self.trouble = ""
        #: Events that Kafka has acknowledged since the process began, and times that it could not be had.
        self.acknowledged = self.troubles = self._asked = 0
        noted = self._noted.read_text().split() if self._noted.exists() else ["0", "0"]
        later = int(noted[0]) > self._number  # a new file had been begun: all of this one was in Kafka
        self._sent = self._size if later else min(int(noted[1]), self._size) if int(noted[0]) == self._number else 0
        self._file = self._open()
        there = self._file.seek(0, os.SEEK_END)
        if there < self._size and self._sent < self._size:
            raise ValueError(
                f"{self._name()} has {there:,} bytes where {self._size:,} were written: events that were not sent yet are gone; remove "
                f"{path.with_suffix('.json')}, and what is under way is looked up anew"
            )
        self._file.truncate(self._size)
        self._thread = Thread(target=self._run, name="outbox", daemon=True)

    def _name(self) -> Path:
        return self._path.with_suffix(f".outbox{self._number}")

    def _open(self) -> BufferedRandom:
        for old in self._path.parent.glob(f"{self._path.stem}.outbox*"):
            if old != self._name():
                old.unlink()
        descriptor = os.open(self._name(), os.O_RDWR | os.O_CREAT, 0o600)
        return BufferedRandom(FileIO(descriptor, "r+b"))

    @property
    def unsent(self) -> int:
        """Bytes that wait."""
        with self._lock:
            return self._size - self._sent

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, patience_seconds: float) -> None:
        """Send what there is, for so long at most, and end."""
        self._stop.set()
        self._thread.join(patience_seconds)
        self._file.close()

    def taken(self) -> int:
        """Events that Kafka has acknowledged since this was asked last."""
        with self._lock:
            new, self._asked = self.acknowledged - self._asked, self.acknowledged
            return new

    def put(self, events: Iterable[AnyEvent]) -> Mark:
        """Behind the others, on the disk; gives the mark that the place is to have."""
        lines = b"".join(encode(event) + b"\n" for event in events)
        with self._lock:
            if self._size == self._sent and self._size > _BEGINS_ANEW:
                self._number, self._size, self._sent = self._number + 1, 0, 0
                put(self._noted, f"{self._number} 0".encode())
                self._file.close()
                self._file = self._open()
            if lines:
                self._file.seek(self._size)
                self._file.write(lines)
                self._file.flush()
                os.fsync(self._file.fileno())
                self._size += len(lines)
            return self._number, self._size

    def _run(self) -> None:
        sender: Sender | None = None
        while True:
            ending = self._stop.is_set()
            with self._lock:
                self._file.seek(self._sent)
                part = self._file.read(min(_AT_ONCE, self._size - self._sent))
            part = part[: part.rfind(b"\n") + 1]
            if not part:
                if ending:
                    break
                self._stop.wait(_LOOK_SECONDS)
                continue
            try:
                sender = sender or self._connect()
                self._send(part, sender)
                self.trouble = ""
            except (SendError, KafkaError, OSError) as error:
                self.troubles += 1
                self.trouble = str(error).partition(";")[0]
                _LOG.warning("trying again, nothing is lost: %s", error)
                _let_go(sender)
                sender = None
                if ending:
                    break
                self._stop.wait(_AGAIN_SECONDS)
        _let_go(sender)

    def _send(self, part: bytes, sender: Sender) -> None:
        events = [event for line in part.splitlines() if not isinstance(event := decode_any(line), Rejected)]
        for event in events:
            sender.send(event)
        sender.flush()
        with self._lock:
            self._sent += len(part)
            put(self._noted, f"{self._number} {self._sent}".encode())
        self.acknowledged += len(events)


def _let_go(sender: Sender | None) -> None:
    if sender is not None:
        try:
            sender.close()
        except (SendError, KafkaError, OSError) as error:
            _LOG.warning("%s", error)
