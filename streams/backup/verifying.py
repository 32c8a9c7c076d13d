"""Is a backup whole? Every file is there, as it was written, and has what the manifest says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import pairwise

from streams.archive.files import DamagedError, offsets, whole
from streams.archive.store import Store
from streams.backup.manifest import Kept, Manifest, Part
from streams.backup.taking import topics_of

_BYTES = 4 * 1024 * 1024


def faults(store: Store, manifest: Manifest) -> Iterator[str]:
    """What is missing or damaged, a sentence each. Raises OSError where the place does not answer."""
    there, topics = set(store.names("")), topics_of(store)
    for part in manifest.topics:
        yield from _part(topics, part, there)
    for kept in _others(manifest):
        if kept.name not in there:
            yield f"{kept.name} is missing"
            continue
        digest = sha256()
        with store.load(kept.name) as content:
            while piece := content.read(_BYTES):
                digest.update(piece)
        if digest.hexdigest() != kept.sha256:
            yield f"{kept.name} is damaged: its bytes are not those that were written"


def refuse_damaged(store: Store, manifest: Manifest, note: Callable[[str], None]) -> None:
    """Raises ValueError where anything is missing or damaged; each is noted."""
    found = list(faults(store, manifest))
    for fault in found:
        note(fault)
    if found:
        raise ValueError(f"the backup {store.place} is not whole: {len(found)} faults, the first: {found[0]}")


def _others(manifest: Manifest) -> Iterable[Kept]:
    yield from (dump.file for dump in manifest.databases)
    yield from (each.file for each in manifest.files)
    yield from manifest.archive or ()


def _part(topics: Store, part: Part, there: set[str]) -> Iterator[str]:
    found = 0
    spans = sorted(part.spans(), key=lambda span: span.first)
    for one, other in pairwise(spans):
        if one.next != other.first:
            yield f"{part.topic}, partition {part.partition}: the files leave out the offsets {one.next:,} to {other.first - 1:,}"
    for span in spans:
        if f"topics/{span.name}" not in there:
            yield f"topics/{span.name} is missing"
            continue
        try:
            found += len(offsets(whole(topics, span)))
        except DamagedError as error:
            yield f"topics/{error}"
    if found != part.messages and all(f"topics/{span.name}" in there for span in spans):
        yield f"{part.topic}, partition {part.partition}: {found:,} messages, and the manifest says {part.messages:,}"
