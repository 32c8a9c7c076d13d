"""A log that is followed as it is written: rotated under its reader by renaming or by copying, and found again after any break.

Where a reader stands is the first line of a file, as a digest, and how many bytes of that file have been read: so the file is found by
what it holds, whatever it is called by then.
"""

from __future__ import annotations

import gzip
import os
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO

from msgspec import Struct

#: Bytes that are read at once; a line that is longer is none.
_CHUNK = 1 << 20
#: Bytes of a first line by which a file is known.
_HEAD = 1024


class Position(Struct):
    """Where reading goes on: ``head``, the digest of the file's first line (empty: nothing was read yet), bytes of it that were read, and
    the time of the last line (seconds since 1970).
    """

    head: str = ""
    offset: int = 0
    second: int = 0


class Tail:
    """The lines of a log, of what it was rotated to as well, each once and in order. ``lost``: says what could not be found again."""

    def __init__(self, path: Path, position: Position, since: float, second_of: Callable[[bytes], int | None]) -> None:
        """``since``: at the very first start, files that were last written before then (seconds since 1970) are left alone.
        ``second_of``: the time of a line, None where it has none.
        """
        self.path, self.position, self.lost = path, position, ""
        self._second_of = second_of
        self._file: IO[bytes] | None = None
        self._name = path
        self._next: deque[Path] = deque()
        self._told_before = 0
        self._begin(since)

    @property
    def reading(self) -> str:
        """The name of the file that is read."""
        return self._name.name

    @property
    def unread(self) -> int:
        """Bytes of the log that wait to be read: of files that have been rotated away, those that are known of."""
        waiting = 0
        with suppress(OSError):
            waiting = sum(path.stat().st_size for path in (self._name, *self._next)) - self.position.offset
        return max(0, waiting)

    def more(self) -> list[bytes]:
        """The next whole lines; none where nothing more is written. Raises OSError where a file cannot be read."""
        if not self._next and self._rewritten():
            self._find()
        if self._file is None and not self._open_next():
            return []
        if lines := self._lines():
            return lines
        if not self._next:
            self._look_for_rotation()
        if self._next and self._begun(self._next[0]):
            lines = self._lines() or self._rest()  # what was written before the log was taken up anew
            if not lines:
                self._open_next()
                return self._lines()
        return lines

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    # -- one file -------------------------------------------------------------------------------------------------------

    def _lines(self) -> list[bytes]:
        if self._file is None:
            return []
        self._file.seek(self.position.offset)
        raw = self._file.read(_CHUNK)
        end = raw.rfind(b"\n") + 1
        if not end and len(raw) == _CHUNK:
            end = len(raw)  # no line of any log: it is refused as it is
        if end and not self.position.head:
            self.position.head = _digest(raw)
        self.position.offset += end
        return self._new(line for line in raw[:end].splitlines() if line.strip())

    def _new(self, lines: Iterable[bytes]) -> list[bytes]:
        """Where a file was lost, what others tell of before that has been told."""
        new = [line for line in lines if (self._second_of(line) or self._told_before) >= self._told_before]
        if new and (second := self._second_of(new[-1])) is not None:
            self.position.second = second
        return new

    def _rest(self) -> list[bytes]:
        """What stands behind the last end of a line, in a file that nobody writes any more."""
        assert self._file is not None
        self._file.seek(self.position.offset)
        raw = self._file.read(_CHUNK)
        self.position.offset += len(raw)
        return self._new([raw] if raw.strip() else [])

    def _open_next(self) -> bool:
        self.close()
        name = self._next.popleft() if self._next else self.path
        try:
            self._file = _opened(name)
        except FileNotFoundError:
            return False
        self._name, self.position = name, Position(second=self.position.second)
        return True

    def _begun(self, path: Path) -> bool:
        return path != self.path or bool(_head(path))

    # -- rotation -------------------------------------------------------------------------------------------------------

    def _rewritten(self) -> bool:
        """Does the file that is read begin in another way than it did: copied away and emptied?"""
        if self._file is None or not self.position.head:
            return False
        self._file.seek(0)
        return _digest(self._file.read(_HEAD)) != self.position.head

    def _look_for_rotation(self) -> None:
        """Is there another file under the log's name than the one that is read?"""
        if self._name == self.path and (head := _head(self.path)) and self.position.head and head != self.position.head:
            self._next.extend(self._after(self.position.head))
        elif self._name != self.path or self._is_another():
            self._next.append(self.path)

    def _is_another(self) -> bool:
        """Was a file renamed in which nothing stood?"""
        assert self._file is not None
        try:
            return not self.position.head and os.fstat(self._file.fileno()).st_ino != self.path.stat().st_ino
        except FileNotFoundError:
            return False

    def _begin(self, since: float) -> None:
        if self.position.head:
            self._find()
            return
        old = [path for _, path in self._siblings() if path.stat().st_mtime >= since]
        self._next.extend([*old, self.path])

    def _find(self) -> None:
        """Open the file in which reading stopped, and line up what came after it."""
        self.close()
        self._next.clear()
        head, offset = self.position.head, self.position.offset
        for path in (self.path, *(path for _, path in self._siblings())):
            if _head(path) == head and _size(path) >= offset:
                self._file, self._name = _opened(path), path
                if path != self.path:
                    self._next.extend(self._after(head))
                return
        self.lost = (
            f"the file of which {offset:,} bytes were read is no longer beside {self.path}: what was written to it since is missing; "
            "`deskpulse source reconcile` with that file sends it"
        )
        self._told_before = self.position.second
        self._next.extend([*(path for second, path in self._siblings() if second >= self._told_before), self.path])

    def _after(self, head: str) -> list[Path]:
        """The files that were begun after the one with that first line, in order, and the log itself."""
        siblings = self._siblings()
        known = [index for index, (_, path) in enumerate(siblings) if _head(path) == head]
        later = [path for _, path in siblings[known[-1] + 1 :]] if known else []
        return [*later, self.path]

    def _siblings(self) -> list[tuple[int, Path]]:
        return rotated(self.path, self._second_of)


def rotated(log: Path, second_of: Callable[[bytes], int | None]) -> list[tuple[int, Path]]:
    """What a log was rotated to, each once, by the time of its first line."""
    found: dict[str, tuple[int, float, Path]] = {}
    for path in log.parent.glob(f"{log.name}[.-]*"):
        line, head = _first(path), _head(path)
        if head and (second := second_of(line)) is not None and head != _head(log):
            found.setdefault(head, (second, path.stat().st_mtime, path))
    return [(second, path) for second, _, path in sorted(found.values())]


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    return path.open("rb", buffering=0)  # what was buffered of a file that is emptied meanwhile is no longer there


def _first(path: Path) -> bytes:
    """The first line of a file, of its beginning what a file is known by; empty where there is none."""
    try:
        with _opened(path) as file:
            return _first_of(file.read(_HEAD))
    except (OSError, EOFError):
        return b""


def _first_of(raw: bytes) -> bytes:
    end = raw.find(b"\n")
    return raw[:end] if end >= 0 else raw if len(raw) >= _HEAD else b""


def _digest(raw: bytes) -> str:
    line = _first_of(raw[:_HEAD])
    return blake2b(line, digest_size=12).hexdigest() if line else ""


def _head(path: Path) -> str:
    line = _first(path)
    return blake2b(line, digest_size=12).hexdigest() if line else ""


def _size(path: Path) -> int:
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                return file.seek(0, 2)
        return path.stat().st_size
    except (OSError, EOFError):
        return -1
