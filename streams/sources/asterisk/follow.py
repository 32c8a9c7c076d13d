"""A queue_log on its way to Kafka: read on where the last acknowledged line ended, however often it is cut off.

Where it stands, and what the log has told so far, is stored once Kafka has acknowledged the events. What was sent and not stored is sent
again as the same events, which count once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
from kafka.errors import KafkaError

from streams.sources.asterisk.ami.live import Live
from streams.sources.asterisk.files import read_line
from streams.sources.asterisk.lines import QueueLog, parse
from streams.sources.asterisk.names import Config, Names
from streams.sources.asterisk.story import Story
from streams.sources.asterisk.tail import Position, Tail
from streams.sources.live import metrics
from streams.sources.live.health import MOST_NAMES, Health
from streams.sources.live.place import Place, Sender, append
from streams.sources.producer import SendError
from streams.sources.table.rows import RejectedRow
from streams.sources.vendors.record import Pseudonym
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Between two looks at a log to which nothing was written, and two tries of what could not be had. Seconds.
_LOOK_SECONDS, _AGAIN_SECONDS = 0.5, 5.0


class Stored(msgspec.Struct):
    """What is kept between two runs. ``since``: what lies before (ms since 1970) was not sent at the first start; ``spoke``: agent → when
    AMI last told of them (ms).
    """

    since: int
    position: Position = msgspec.field(default_factory=Position)
    story: Story = msgspec.field(default_factory=Story)
    spoke: dict[str, int] = msgspec.field(default_factory=dict)


class Follower:
    """Follows one Asterisk's log."""

    def __init__(
        self,
        config: Config,
        pseudonym: Pseudonym,
        directory: Path,
        connect: Callable[[], Sender],
        first: int,
        health: Health,
        live: Callable[[Names], Live] | None = None,
    ) -> None:
        """``directory``: where it keeps its place. ``connect`` opens a producer. ``first``: at the very first start, what lies before (ms
        since 1970) is not sent. ``live`` makes what AMI adds.
        """
        self.config, self.names = config, Names(config)
        self._live = None if live is None else live(self.names)
        self._queues_shown: set[str] = set()
        self._pseudonym, self._connect, self._first, self._health = pseudonym, connect, first, health
        self._place = Place(directory, config.source)
        self._refused, self._differs = self._place.beside("refused"), self._place.beside("differs")

    def run(self, stop: Event) -> None:
        """Until ``stop``. Raises ValueError where another process follows the same source, its place cannot be read, or AMI does not let
        it in.
        """
        with self._place.alone(), self._connected():
            while not stop.is_set():
                try:
                    self._follow(stop)
                except (SendError, KafkaError, OSError) as error:
                    metrics.TROUBLES.labels(self.config.source).inc()
                    _LOG.warning("%s; trying again, nothing is lost: %s", self.config.source, error)
                    self._health.beat({}, f"trying again: {str(error).partition(';')[0]}")
                    stop.wait(_AGAIN_SECONDS)

    def _follow(self, stop: Event) -> None:
        stored = self._place.load(
            Stored, lambda: Stored(self._first), "remove it, and the log is read anew; what was sent counts once"
        )
        log = QueueLog(self.config.source, self._pseudonym, self.names, self.config.region, stored.story)
        tail = Tail(self.config.queue_log, stored.position, stored.since / 1000, second_of)
        sender: Sender | None = None
        if self._live is not None:
            self._live.log_again()
            self._live.floor.spoke = {**stored.spoke, **self._live.floor.spoke}
        try:
            while not stop.is_set():
                if self._live is not None:
                    self._live.take()
                lines = tail.more()
                if lines or (self._live is not None and self._live.pending):
                    sender = sender or self._connect()
                    self._send(lines, log, stored.since, sender)
                    stored.position, stored.story = tail.position, log.story
                    if self._live is not None:
                        stored.spoke = self._live.floor.spoke
                    self._place.store(stored)
                self._tell(tail, log.story)
                if not lines:
                    stop.wait(_LOOK_SECONDS)
        finally:
            tail.close()
            if sender is not None:
                sender.close()

    def _send(self, lines: Sequence[bytes], log: QueueLog, since: int, sender: Sender) -> None:
        label, sent, became = self.config.source, 0, {"told": 0, "left_out": 0, "refused": 0}
        refused: list[RejectedRow] = []
        for raw in lines:
            row = read_line(log, 0, raw)
            if isinstance(row, RejectedRow):
                refused.append(row)
                became["refused"] += 1
                continue
            told = [event for event in row.events if event.at >= since]
            became["told" if told else "left_out"] += 1
            for event in told:
                sender.send(event)
                if self._live is not None:
                    self._live.pending += self._live.log_said(event)
            sent += len(told)
        if self._live is not None:  # behind the events of the log that they are about
            for event in self._live.pending:
                sender.send(event)
            sent += len(self._live.pending)
        sender.flush()
        if self._live is not None:
            self._live.pending.clear()
        self._keep(refused)
        metrics.EVENTS.labels(label).inc(sent)
        for what, count in became.items():
            metrics.LINES.labels(label, what).inc(count)

    def _tell(self, tail: Tail, story: Story) -> None:
        label, names = self.config.source, self.names
        metrics.UNREAD_BYTES.labels(label).set(tail.unread)
        metrics.LAST_SECONDS.labels(label).set(story.second)
        metrics.UNMAPPED.labels(label, "agents").set(len(names.unknown_agents))
        metrics.UNMAPPED.labels(label, "queues").set(len(names.unknown_queues))
        metrics.LOST.labels(label).set(bool(tail.lost))
        said: dict[str, Any] = {
            "reading": tail.reading,
            "unread_bytes": tail.unread,
            "calls": len(story.calls),
            "unmapped": names.unmapped(MOST_NAMES),
            "not_read": dict(names.unread.most_common(MOST_NAMES)),
        }
        if story.second:
            said["last_line"] = instant(story.second * 1000).isoformat()
        if tail.lost:
            said["lost"] = tail.lost
        if self._live is not None:
            said["ami"] = self._tell_live(self._live, story.second * 1000)
        there = self.config.queue_log.exists()
        self._health.beat(said, "" if there else f"{self.config.queue_log} is not there (yet)")

    def _tell_live(self, live: Live, log_read_until: int) -> dict[str, Any]:
        label = self.config.source
        new = live.differences(log_read_until)
        for each in new:
            _LOG.warning("%s: %s", label, each)
            metrics.DIFFERS.labels(label, each.what).inc()
        append(self._differs, (f"{msgspec.json.encode(each).decode()}\n" for each in new))
        metrics.AMI_UP.labels(label).set(live.floor.live)
        metrics.COMPARED.labels(label).set(live.calls.compared)
        waiting = {queue: count for queue, (count, _) in live.calls.waiting.items()}
        shown = self._queues_shown | waiting.keys() if live.floor.live else set()
        for queue in self._queues_shown - shown:  # nobody knows who waits: that is not 0
            metrics.WAITING.remove(label, queue)
        for queue in shown:
            metrics.WAITING.labels(label, queue).set(waiting.get(queue, 0))
        self._queues_shown = shown
        return live.told()

    @contextmanager
    def _connected(self) -> Iterator[None]:
        if self._live is None:
            yield
            return
        self._live.reader.start()
        try:
            yield
        finally:
            self._live.reader.stop()

    def _keep(self, refused: Sequence[RejectedRow]) -> None:
        """Refused lines go to a file, for whoever mends them; the health page says why, without callers' numbers."""
        if not refused:
            return
        for row in refused:
            self._health.refused.append({"reason": row.reason})
            _LOG.warning("%s: a line was refused: %s; it is in %s", self.config.source, row.reason, self._refused)
        append(self._refused, (f"{row.text}\t{row.reason}\n" for row in refused))


def second_of(raw: bytes) -> int | None:
    """The time of a line, seconds since 1970; None where it has none."""
    try:
        return parse(raw.decode("utf-8", "replace")).second
    except ValueError:
        return None
