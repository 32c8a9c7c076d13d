"""Where a follower keeps its place: one file, put in place whole; a lock, so that nobody else follows the same; files beside it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from streams.contracts.events import AnyEvent

T = TypeVar("T")
#: Bytes of a file beside the place, at which it is full.
_KEPT_BYTES = 10 << 20


class Sender(Protocol):
    """What events are sent to: ``EventProducer``."""

    def send(self, event: AnyEvent) -> None:
        """Take an event over."""

    def flush(self) -> None:
        """Return once every event is acknowledged."""

    def close(self) -> None:
        """Let go of the connection."""


class Place:
    """What one source's follower keeps between two runs."""

    def __init__(self, directory: Path, source: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._source = directory, source
        self._state = directory / f"{source}.json"

    def beside(self, what: str) -> Path:
        """A file beside the place: ``SOURCE.what``."""
        return self._directory / f"{self._source}.{what}"

    def load(self, kind: type[T], new: Callable[[], T], advice: str) -> T:
        """What was stored; ``new()`` at the very first start. Raises ValueError, with ``advice``, where it cannot be read."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=kind)
        except FileNotFoundError:
            return new()
        except msgspec.DecodeError as error:
            raise ValueError(f"{self._state} cannot be read ({error}): {advice}") from error

    def store(self, stored: object) -> None:
        """Put it in place of what was stored before: whoever reads finds the one or the other."""
        put(self._state, msgspec.json.encode(stored))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises ValueError where another process follows the same source."""
        with self._state.with_suffix(".lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ValueError(
                    f"another process follows {self._source} here; end it, or give this one another `source`"
                ) from error
            yield


def put(path: Path, content: bytes) -> None:
    """Write a file anew, whole or not at all; its owner alone may read it."""
    new = path.with_suffix(f"{path.suffix}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def append(path: Path, lines: Iterable[str]) -> None:
    """Write lines behind those of a file that its owner alone may read, unless it is full."""
    if (new := list(lines)) and (not path.exists() or path.stat().st_size < _KEPT_BYTES):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.writelines(new)
