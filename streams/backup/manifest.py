"""What a backup says of itself, in ``manifest.json``. It is written last: a backup without one has not ended."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import msgspec
from msgspec import Struct

from streams.archive.store import Span, Store, span_of

#: The format that this version writes, and those that it reads.
FORMAT, READ = 1, frozenset({1})
NAME = "manifest.json"


class Part(Struct, frozen=True):
    """A partition of a topic (named without prefix): ``messages`` of it at the offsets from ``first`` to before ``next``, in these
    ``files``, each by its path in the backup.
    """

    topic: str
    partition: int
    first: int
    next: int
    messages: int
    files: list[str]

    def spans(self) -> list[Span]:
        """Its files. Raises ValueError where one of them has no name that a backup gives."""
        found = [span_of(name.removeprefix("topics/")) for name in self.files]
        if None in found:
            raise ValueError(f"the manifest names a file that is none of a backup: {self.files}")
        return [span for span in found if span is not None]


class Kept(Struct, frozen=True):
    """A file: its path in the backup, how long it is, and its SHA-256."""

    name: str
    bytes: int
    sha256: str


class Position(Struct, frozen=True):
    """How far a database has read a partition (its topic without prefix) when it was backed up."""

    table: str
    topic: str
    partition: int
    next: int


class Dump(Struct, frozen=True):
    """A database. ``setting``: which (``database`` or ``history``); ``kind``: ``sqlite`` or ``postgresql``; ``revisions``: of its tables,
    by the table that tells it.
    """

    setting: str
    kind: str
    file: Kept
    revisions: dict[str, str]
    positions: list[Position]


class OperatorFile(Struct, frozen=True):
    """A file that a setting names."""

    setting: str
    file: Kept


class Manifest(Struct, kw_only=True):
    """``program``: the version that wrote it; ``taken``: when its topics were noted (ms since 1970)."""

    format: int
    program: str
    taken: int
    prefix: str
    partitions: int
    clock: str
    topics: list[Part]
    databases: list[Dump] = []
    files: list[OperatorFile] = []
    #: Files of the archive; None: it is not in the backup.
    archive: list[Kept] | None = None

    @property
    def messages(self) -> int:
        """How many messages are in it."""
        return sum(part.messages for part in self.topics)


def _release(version: str) -> tuple[int, ...]:
    """A version's numbers, to be compared: ``0.10.2`` → (0, 10, 2); what follows them (``rc1``) is not looked at."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


class _Format(Struct):
    format: int
    program: str = "another version"


def write(store: Store, manifest: Manifest) -> None:
    """Have the backup be one. Raises OSError where it cannot be written."""
    store.save(NAME, BytesIO(msgspec.json.format(msgspec.json.encode(manifest))))


def read(store: Store, program: str) -> Manifest:
    """The manifest of a backup, for this ``program``'s version.

    Raises ValueError where there is none, or it is of a format or a version that this program cannot read; OSError where the place does
    not answer.
    """
    if NAME not in store.names(""):
        raise ValueError(
            f"{store.place} holds no backup, or one that has not ended: there is no {NAME}, which is written last. Take one anew, to "
            "another place"
            if not store.empty
            else f"{store.place} is empty, or is not there: is it the right place?"
        )
    with store.load(NAME) as file:
        raw: Any = file.read()
    try:
        told = msgspec.json.decode(raw, type=_Format)
        if told.format not in READ:
            raise ValueError(
                f"{store.place} is a backup of format {told.format}, written by {told.program}; this is {program}, which reads "
                f"format {', '.join(map(str, sorted(READ)))}: install deskpulse {told.program}, restore with it, then upgrade"
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{store.place}/{NAME} is damaged: {error}; take another backup") from error
    if _release(manifest.program) > _release(program):
        raise ValueError(
            f"{store.place} was written by deskpulse {manifest.program}, and this is {program}: it may not read the state in it; "
            f"install {manifest.program} or later"
        )
    return manifest
