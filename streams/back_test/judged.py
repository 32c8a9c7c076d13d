"""What workers judged rules on: the contributions of an operation with the moments among them, as its topic and archive keep them.

A worker's alerts follow from the messages of a partition, and from nothing else: whoever reads these again by the same rules gets the
steps that were told then, figure for figure, whatever the load was and however often workers were restarted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from heapq import merge
from itertools import dropwhile, pairwise

import msgspec
from kafka import TopicPartition

from streams.alerts.baselines import Baselines
from streams.alerts.rules import Rule
from streams.archive.files import about, rows, whole
from streams.archive.store import Span, Store
from streams.contracts.outputs import Alert, Contribution, Contributions
from streams.contracts.topics import CONTRIBUTIONS
from streams.entities.stage import KpisStage
from streams.kafka import reading
from streams.kpi.policy.versions import AnyPolicy
from streams.pipeline import Run
from streams.settings import Settings
from streams.targets.book import Targets

_decode = msgspec.json.Decoder(Contributions).decode
_MINUTE_MS = 60_000
#: From so long before a day on what is archived is lived through: cumulative sums remember two weeks.
RUN_IN = timedelta(days=28)

#: Partition number → its messages: offset and value, in order of offsets.
Partitions = Mapping[int, Iterable[tuple[int, bytes | None]]]


def run_as_judged(
    partitions: Partitions,
    policy: AnyPolicy,
    rules: Sequence[Rule],
    result: Run,
    *,
    targets: Targets | None = None,
    baselines: Baselines | None = None,
    heard: Callable[[str, Contribution], None] | None = None,
) -> Iterator[tuple[int, list[Alert]]]:
    """The steps of alerts with the second (ms since 1970) as of which they were told, in order of time; and every minute, also where it has
    none. Entities, and how many messages say more than that, go into ``result``. ``heard``: is given what each entity is contributed.

    What cannot be read is passed over, as a worker does. Nothing is known of what was before the first message.
    """
    passed = 0
    parts = [
        _of_one(
            number, messages, KpisStage(policy, rules, result.entities, result.facts, targets, baselines), result, heard
        )
        for number, messages in sorted(partitions.items())
    ]
    for second, _, steps in merge(*parts, key=lambda told: told[:2]):
        result.now = max(second, result.now or 0)
        minute = second // _MINUTE_MS
        if minute > passed or steps:
            yield second, steps
        passed = max(minute, passed)


def _of_one(
    number: int,
    messages: Iterable[tuple[int, bytes | None]],
    stage: KpisStage,
    result: Run,
    heard: Callable[[str, Contribution], None] | None,
) -> Iterator[tuple[int, int, list[Alert]]]:
    """The seconds as of which rules were judged in a partition, each with the steps that came of it."""
    for offset, value in messages:
        try:
            found = _decode(value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        for key, contribution in found.to.items():
            stage.apply(key, contribution, offset)
            if heard is not None:
                heard(key, contribution)
        result.admitted += bool(found.to)
        if found.second is not None:
            stage.judge_at(found.second, offset, None)
            stage.judge_due()
            yield found.second, number, stage.drain_steps()


def of_topic(settings: Settings) -> Partitions:
    """What Kafka keeps of the contributions, up to its present end.

    Raises ConnectionError where no Kafka answers, or there is no such topic; later KafkaError and ConnectionError, as it is read.
    """
    topic = settings.topic(CONTRIBUTIONS)
    with reading.answering(settings):
        ends = reading.ends(settings, topic, decided=True)
    if not ends:
        raise ConnectionError(
            f"Kafka at {settings.broker} has no topic {topic}: is this the right broker and prefix, and have workers run on it?"
        )
    return {part.partition: _of_part(settings, part, end) for part, end in ends.items()}


def _of_part(settings: Settings, part: TopicPartition, end: int) -> Iterator[tuple[int, bytes | None]]:
    with reading.answering(settings), closing(reading.reader(settings)) as consumer:
        for record in reading.read(consumer, {part: end}):
            yield record.offset, record.value


def of_archive(store: Store, prefix: str, first: date | None) -> Partitions:
    """What is archived of the contributions: all of it, or what came from four weeks before a day on.

    Raises ValueError where nothing is, or a part is missing; OSError where the place cannot be read.
    """
    found = store.spans([f"{prefix}{CONTRIBUTIONS.name}"])
    if not found:
        raise ValueError(
            f"{store.place} keeps no contributions: let `deskpulse archive --contributions` run beside the workers; of the last two days "
            "Kafka has them (--as-judged topic)"
        )
    since = date.min if first is None else first - RUN_IN
    return {place[1]: _of_files(store, _from(spans, since)) for place, spans in found.items()}


def _from(spans: Sequence[Span], since: date) -> Sequence[Span]:
    """The files from a day on, without a gap."""
    own = list(dropwhile(lambda span: span.day < since, spans)) or list(spans[-1:])
    for before, span in pairwise(own):
        if span.first > before.next:
            raise _missing(span, before.next, span.first)
    return own


def _of_files(store: Store, spans: Sequence[Span]) -> Iterator[tuple[int, bytes | None]]:
    read = -1
    for span in spans:
        body = whole(store, span)
        if span is not spans[0] and (kept := about(body, span).kept_from) > span.first:
            raise _missing(span, span.first, kept)  # Kafka had deleted them before they were archived
        for offset, value in rows(body, "offset", "value"):
            if offset > read:
                read = offset
                yield offset, value


def _missing(span: Span, begin: int, end: int) -> ValueError:
    return ValueError(
        f"{span.topic}, partition {span.partition}: the offsets {begin:,} to {end - 1:,} are not archived, and nothing follows from what "
        f"lies behind a gap: give --from {span.day + RUN_IN} or a later day"
    )
