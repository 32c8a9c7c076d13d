"""From where a source goes on: stored whole or not at all, and by one process at a time; and files of what was refused."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

#: Bytes of a file that keeps what was refused, or differs.
_KEPT_BYTES = 10 << 20
_T = TypeVar("_T")


def load_place(path: Path, type_: type[_T], advice: str) -> _T | None:
    """What is stored; None where nothing is. Raises ValueError, with ``advice``, where it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} cannot be read ({error}): {advice}") from error


def store_place(path: Path, stored: object) -> None:
    """Store it in place of what was stored before."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(msgspec.json.encode(stored))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


@contextmanager
def alone(path: Path, source: str) -> Iterator[None]:
    """Be the only process with this place. Raises ValueError where another one has it."""
    with path.with_suffix(".lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(
                f"another process follows {source} here; end it, or give this one another `source`"
            ) from error
        yield


def append(path: Path, lines: Iterable[str]) -> None:
    """Write lines behind those of a file that its owner alone may read, unless it is full."""
    if (new := list(lines)) and (not path.exists() or path.stat().st_size < _KEPT_BYTES):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.writelines(new)
