"""Is the archive whole? Offsets without gap or double, files as they were written, as many messages as each says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from streams.archive.collecting import missing
from streams.archive.files import DamagedError, about, offsets, whole
from streams.archive.store import Span, Store
from streams.contracts.records import Place


@dataclass
class Verified:
    """What came of it. ``faults``: what is lost, doubled or damaged, a sentence each; ``notes``: what Kafka had deleted before it could be
    archived, and files that were written anew, with the reason. ``holes``: offsets within files at which Kafka had no message (markers of
    transactions, what was compacted or rolled back).
    """

    files: int = 0
    messages: int = 0
    bytes: int = 0
    holes: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(store: Store, topics: Iterable[str], day: date | None = None) -> Verified:
    """Look at every file, or at those of a day, and at what lies between them.

    Raises ValueError where nothing is archived, OSError where the place does not answer.
    """
    found, spans = Verified(), store.spans(topics)
    if not spans:
        raise ValueError(f"nothing is archived at {store.place}: is it the right place and prefix?")
    for place, own in spans.items():
        found.faults += _between(place, own, day)
        for span in own:
            if day in (None, span.day):
                _look(store, span, found)
    if day is not None and not found.files and not found.faults:
        raise ValueError(f"nothing is archived of {day} at {store.place}")
    return found


def _between(place: Place, spans: list[Span], day: date | None) -> Iterator[str]:
    """Gaps and doubles of a partition; of a day: those that its files may be concerned by."""
    topic, number = place
    for first, following in missing(spans):
        if day is None or _days_about(spans, first)[0] <= day <= _days_about(spans, first)[1]:
            yield (
                f"{topic}, partition {number}: a file is missing: no file has the offsets {first:,} to {following - 1:,}; "
                "`deskpulse archive --once` reads them again, where Kafka still has them"
            )
    for one, other in pairwise(spans):
        if other.first < one.next and day in (None, one.day, other.day):
            yield (
                f"{topic}, partition {number}: {one.name} and {other.name} have the same offsets: keep the one that goes on to the later "
                "offset"
            )


def _days_about(spans: list[Span], gap: int) -> tuple[date, date]:
    """The days of the files before and behind a gap."""
    before = [span.day for span in spans if span.first < gap]
    behind = [span.day for span in spans if span.first > gap]
    return before[-1], behind[0]


def _look(store: Store, span: Span, found: Verified) -> None:
    try:
        body = whole(store, span)
        said, read = about(body, span), offsets(body)
    except DamagedError as error:
        found.files += 1
        found.faults.append(
            f"{error}; remove it, and `deskpulse archive --once` reads it again, where Kafka still has it"
        )
        return
    found.files, found.messages, found.bytes = found.files + 1, found.messages + len(read), found.bytes + len(body)
    if len(read) != said.messages or not _in_order(read, said.kept_from, span.next):
        found.faults.append(
            f"{span.name} has {len(read):,} messages of the {said.messages:,} that it says, or not in their order"
        )
    found.notes += [f"{span.name} was written anew on {line}" for line in said.rewritten]
    if said.kept_from > span.first:
        found.notes.append(
            f"{span.topic}, partition {span.partition}: Kafka had deleted the offsets {span.first:,} to {said.kept_from - 1:,} before they "
            "could be archived"
        )
    if holes := span.next - said.kept_from - len(read):
        found.holes[span.topic] = found.holes.get(span.topic, 0) + holes


def _in_order(offsets: list[int], first: int, following: int) -> bool:
    return all(one < other for one, other in pairwise([first - 1, *offsets, following]))
