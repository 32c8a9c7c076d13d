"""An Amazon Connect instance on its way to Kafka: shards and files are read on from where the last acknowledged batch ended.

Records are sent, acknowledged, and then noted as read, with what they told. What was sent and not noted is read and sent again as the same
events, which count once. While Kafka is away, the records wait at AWS.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from kafka.errors import KafkaError

from streams.sources.connect.files import Bucket
from streams.sources.connect.kinesis import Stream
from streams.sources.connect.names import Config
from streams.sources.connect.place import Place
from streams.sources.connect.told import Records
from streams.sources.expressions.people import caller
from streams.sources.live import metrics, place
from streams.sources.live.health import Health
from streams.sources.live.names import Named
from streams.sources.producer import SendError
from streams.sources.vendors.amazon_connect import AmazonConnect
from streams.sources.vendors.reader import record_of, records_in
from streams.sources.vendors.record import Pseudonym
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Between two looks at shards, at files, and at which shards there are; and two tries of what could not be had. Seconds.
_LOOK_SECONDS, _FILES_SECONDS, _SHARDS_SECONDS, _AGAIN_SECONDS = 1.0, 30.0, 30.0, 5.0
#: A contact may change for so long after its end, ms.
_CHANGES_MS = 32 * 86_400_000
_HOUR_MS, _MOST_NAMES = 3_600_000, 100
AwsError = (ClientError, BotoCoreError)


def clients(config: Config) -> tuple[Any, Any]:
    """Of Kinesis and S3. Raises BotoCoreError."""
    session = boto3.Session(region_name=config.aws_region)
    return session.client("kinesis", endpoint_url=config.endpoint), session.client("s3", endpoint_url=config.endpoint)


def reader_of(config: Config, pseudonym: Pseudonym, names: Named) -> AmazonConnect:
    """What makes events of a record, with the operation's names."""

    def customer(number: Any) -> str | None:
        return pseudonym(number if number is None or config.region is None else caller(str(number), config.region))

    return AmazonConnect(customer, source=config.source, agent=names.agent, queue=names.queue, statuses=config.statuses)


class Follower:
    """Follows one instance."""

    def __init__(
        self,
        config: Config,
        pseudonym: Pseudonym,
        directory: Path,
        connect: Callable[[], place.Sender],
        first: int,
        health: Health,
        aws: tuple[Any, Any],
        clock: Callable[[], int],
    ) -> None:
        """``directory``: where it keeps its place. ``connect`` opens a producer. ``first``: at the very first start, what lies before (ms
        since 1970) is not sent. ``aws``: clients of Kinesis and S3. ``clock``: this machine's, ms since 1970.
        """
        self.config, self.names = config, Named(config.agents, config.queues)
        self._pseudonym, self._connect, self._first = pseudonym, connect, first
        self._health, self._aws, self._clock = health, aws, clock
        self._beside = place.Place(directory, config.source)
        self._path = directory / f"{config.source}.sqlite"
        self._last_told = 0
        self._streams: list[Stream] = []

    def run(self, stop: Event) -> None:
        """Until ``stop``. Raises ValueError where another process follows the same source, or its place cannot be read."""
        with self._beside.alone():
            while not stop.is_set():
                kept = Place(self._path)
                try:
                    self._follow(stop, kept)
                except (SendError, KafkaError, OSError, *AwsError) as error:
                    metrics.TROUBLES.labels(self.config.source).inc()
                    _LOG.warning("%s; trying again, nothing is lost: %s", self.config.source, error)
                    self._health.beat({}, f"trying again: {str(error).partition(';')[0]}")
                    stop.wait(_AGAIN_SECONDS)
                finally:
                    kept.close()

    def _follow(self, stop: Event, kept: Place) -> None:
        since = kept.since(self._first)
        records = Records(reader_of(self.config, self._pseudonym, self.names), kept, since)
        self._streams = [Stream(self._aws[0], stream, since) for stream in self.config.streams]
        buckets = [Bucket(self._aws[1], files) for files in self.config.files]
        listed: dict[str, dict[str, list[str]]] = {}
        shards_at = files_at = 0
        sender = self._connect()
        try:
            while not stop.is_set():
                now, any_read = self._clock(), False
                if now - shards_at >= _SHARDS_SECONDS * 1000:
                    shards_at = now
                    listed = {stream.name: stream.shards() for stream in self._streams}
                    for stream in self._streams:
                        kept.forget_shards(stream.name, set(listed[stream.name]))
                    kept.forget(now - _CHANGES_MS)
                for stream in self._streams:
                    any_read = self._read_stream(stream, listed[stream.name], kept, records, sender) or any_read
                if now - files_at >= _FILES_SECONDS * 1000:
                    files_at = now
                    for bucket in buckets:
                        any_read = self._read_files(bucket, since, now, kept, records, sender) or any_read
                self._tell()
                if not any_read:
                    stop.wait(_LOOK_SECONDS)
        finally:
            sender.close()

    def _read_stream(
        self, stream: Stream, listed: dict[str, list[str]], kept: Place, records: Records, sender: place.Sender
    ) -> bool:
        """A look at each shard. Gives whether there was anything."""
        places, any_read = kept.shards(stream.name), False
        for shard in stream.due(places, listed):
            before = places.get(shard, (None, False))[0]
            if (batch := stream.read(shard, before)) is None:
                continue
            if batch.records or batch.done:
                any_read = True
                with kept.at_once():
                    texts = (text for raw in batch.records for text in _texts(raw))
                    self._send(texts, f"{stream.name}/{shard}", records, sender)
                    kept.read_shard(stream.name, shard, batch.sequence, done=batch.done)
        return any_read

    def _read_files(
        self, bucket: Bucket, since: int, now: int, kept: Place, records: Records, sender: place.Sender
    ) -> bool:
        """Files that were not read yet. Gives whether there were any."""
        any_read = False
        newest = min(now, kept.newest_file(bucket.place))
        for file in bucket.list(max(since, newest - self.config.late_hours * _HOUR_MS)):
            if kept.has_file(bucket.place, file.key, file.etag):
                continue
            any_read = True
            with kept.at_once():
                try:
                    texts = list(_texts(bucket.read(file)))
                except ValueError as error:
                    self._refuse("", str(error))
                    texts = []
                self._send(texts, f"{bucket.place}: {file.key}", records, sender)
                kept.read_file(bucket.place, file.key, file.etag, file.at)
            self._tell()
        return any_read

    def _send(self, texts: Iterable[str], where: str, records: Records, sender: place.Sender) -> None:
        label, sent = self.config.source, 0
        for text in texts:
            try:
                told = records(record_of(text))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                self._refuse(text, f"{where}: {error}")
                continue
            metrics.LINES.labels(label, "told" if told else "left_out").inc()
            for event in told or ():
                sender.send(event)
                self._last_told = max(self._last_told, event.at)
            sent += len(told or ())
        sender.flush()
        metrics.EVENTS.labels(label).inc(sent)

    def _refuse(self, text: str, why: str) -> None:
        """To a file, for whoever mends it; the health page says why, without callers' numbers."""
        metrics.LINES.labels(self.config.source, "refused").inc()
        self._health.refused.append({"reason": why})
        path = self._beside.beside("refused")
        _LOG.warning("%s: a record was refused: %s; it is in %s", self.config.source, why, path)
        place.append(path, [f"{' '.join(text.split())}\t{why}\n"])

    def _tell(self) -> None:
        label, names = self.config.source, self.names
        metrics.LAST_SECONDS.labels(label).set(self._last_told / 1000)
        metrics.UNMAPPED.labels(label, "agents").set(len(names.unknown_agents))
        metrics.UNMAPPED.labels(label, "queues").set(len(names.unknown_queues))
        lost = [stream.lost for stream in self._streams if stream.lost]
        metrics.LOST.labels(label).set(bool(lost))
        said: dict[str, Any] = {
            "streams": {
                stream.name: {"behind_seconds": stream.behind_ms / 1000, "throttled": stream.throttled}
                for stream in self._streams
            },
            "unmapped": names.unmapped(_MOST_NAMES),
        }
        if self._last_told:
            said["last_event"] = instant(self._last_told).isoformat()
        if lost:
            said["lost"] = lost
        self._health.beat(said)


def _texts(raw: bytes) -> Iterator[str]:
    """Records, one behind the other, with or without anything between them; what is no UTF-8 is refused as one."""
    yield from records_in(raw.decode("utf-8-sig", "replace"))
