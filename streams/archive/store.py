"""Where archived files lie: a folder of this machine, or an object store by its URL. What a file holds is its name.

``<topic>/<day>/<partition>_<first>_<next>_<digest>.parquet`` has every message that Kafka had of a partition at the offsets from ``first``
to before ``next``. So there is no manifest that could say something else than there is: how far the archive has come is read off the
names. A file is there whole or not at all, and is never changed: where a customer is forgotten, another one takes its place.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO, NamedTuple

from streams.archive.arrow import arrow
from streams.contracts.records import Place

_NAME = re.compile(r"(\d{5})_(\d{19})_(\d{19})_([0-9a-f]{16})\.parquet")
_UNFINISHED = ".unfinished"
_COPIED_BYTES = 4 * 1024 * 1024
_DIGITS = 16


class Span(NamedTuple):
    """A file: what it holds, and the beginning of the SHA-256 of its bytes. ``day``: the UTC day on which its first message came."""

    topic: str
    partition: int
    first: int
    next: int
    day: date
    digest: str

    @property
    def name(self) -> str:
        """Its path within the archive."""
        return f"{self.topic}/{self.day}/{self.partition:05d}_{self.first:019d}_{self.next:019d}_{self.digest}.parquet"

    @property
    def place(self) -> Place:
        """Topic and partition."""
        return self.topic, self.partition


def digest_of(body: bytes) -> str:
    """What a file's name says of its bytes."""
    return sha256(body).hexdigest()[:_DIGITS]


def span_of(name: str) -> Span | None:
    """What a file holds, by its path within the archive; None: it is none of the archive's."""
    topic, _, rest = name.partition("/")
    day, _, file = rest.partition("/")
    found = _NAME.fullmatch(file)
    if found is None:
        return None
    try:
        on = date.fromisoformat(day)
    except ValueError:
        return None
    return Span(topic, int(found[1]), int(found[2]), int(found[3]), on, found[4])


class Store:
    """The archive at a place: a folder, or a URL that pyarrow knows (``s3://bucket/prefix?region=…``)."""

    def __init__(self, place: str) -> None:
        """Raises ValueError for a URL that is none, or where pyarrow is not installed."""
        self.place = place
        self._folder: Path | None = None
        if "://" in place and not place.startswith("file://"):
            try:
                self._files, self._root = arrow(".fs").FileSystem.from_uri(place)
            except (ValueError, OSError) as error:
                raise ValueError(f"{place} is no place for an archive: {error}; give a folder or s3://…") from error
        else:
            self._folder = Path(place.removeprefix("file://")).absolute()
            self._files, self._root = arrow(".fs").LocalFileSystem(), str(self._folder)

    def spans(self, topics: Iterable[str]) -> dict[Place, list[Span]]:
        """Every file of these topics, by partition, in order of offsets. Raises OSError where the place does not answer."""
        found: dict[Place, list[Span]] = {}
        for topic in topics:
            for name in self._names(topic):
                if (span := span_of(name)) is not None:
                    found.setdefault(span.place, []).append(span)
        return {place: sorted(own, key=_by_offset) for place, own in sorted(found.items())}

    def read(self, span: Span) -> bytes:
        """The bytes of a file. Raises OSError where it is not there any more."""
        with self._files.open_input_stream(f"{self._root}/{span.name}") as stream:
            body: bytes = stream.read()
        return body

    def put(self, span: Span, body: bytes) -> None:
        """Have a file, whole or not at all, whatever happens meanwhile. Raises OSError where it cannot be written."""
        if self._folder is None:
            path = f"{self._root}/{span.name}"
            with self._files.open_output_stream(path) as stream:
                stream.write(body)  # an object is there once it is closed
            if self._files.get_file_info(path).size != len(body):
                self._files.delete_file(path)
                raise OSError(f"{self.place} has not taken {span.name} whole")
            return
        file_path = self._folder / span.name
        file_path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file_path.with_name(f"{file_path.name}{_UNFINISHED}")
        with unfinished.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(file_path)
        _settle(file_path.parent)

    def remove(self, span: Span) -> None:
        """Have a file no more. Raises OSError where it cannot be removed."""
        self._files.delete_file(f"{self._root}/{span.name}")

    @property
    def empty(self) -> bool:
        """Is nothing there? Raises OSError where the place does not answer."""
        fs: Any = arrow(".fs")
        return not self._files.get_file_info(fs.FileSelector(self._root, recursive=True, allow_not_found=True))

    def save(self, name: str, content: BinaryIO) -> None:
        """Have a file of another kind, under its path. Raises OSError where it cannot be written."""
        path = f"{self._root}/{name}"
        self._files.create_dir(path.rpartition("/")[0], recursive=True)
        part = path if self._folder is None else f"{path}{_UNFINISHED}"
        with self._files.open_output_stream(part) as stream:
            copyfileobj(content, stream, _COPIED_BYTES)
        if part != path:
            self._files.move(part, path)

    @contextmanager
    def load(self, name: str) -> Iterator[BinaryIO]:
        """A file of another kind, to be read. Raises OSError where it is not there."""
        with self._files.open_input_stream(f"{self._root}/{name}") as stream:
            yield stream

    def names(self, folder: str) -> list[str]:
        """The paths of all files in a folder and below. Raises OSError where the place does not answer."""
        return sorted(self._names(folder))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who writes here, where this machine can say so; what another has left unfinished is removed.

        Raises ValueError where another process does. An object store cannot say it: what two have written is double, and is read once.
        """
        if self._folder is None:
            yield
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ValueError(f"another process writes the archive {self._folder}; one is enough") from error
            for left in self._folder.glob(f"*/*/*{_UNFINISHED}"):
                left.unlink()
            yield

    def _names(self, topic: str) -> Iterator[str]:
        fs: Any = arrow(".fs")
        selector = fs.FileSelector(f"{self._root}/{topic}", recursive=True, allow_not_found=True)
        for info in self._files.get_file_info(selector):
            if info.type == fs.FileType.File:
                yield info.path[len(self._root) + 1 :]


def _by_offset(span: Span) -> tuple[int, int]:
    return span.first, span.next


def _settle(folder: Path) -> None:
    """Have the new name on the disk, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
