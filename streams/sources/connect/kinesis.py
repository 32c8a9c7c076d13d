"""A Kinesis stream, shard by shard: where each was read last, also when shards are split or merged, iterators expire, or AWS throttles."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

_LOG = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Records of one answer at most; five answers a second are what AWS gives of a shard.
_AT_ONCE = 1000
_AGAIN = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "KMSThrottlingException",
        "ThrottlingException",
    }
)


@dataclass(frozen=True)
class Batch:
    """What one answer of a shard had; ``sequence``: the last record's, ``done``: the shard is over and read."""

    shard: str
    records: Sequence[bytes]
    sequence: str | None
    done: bool


class Stream:
    """One stream. ``behind_ms``: how far reading is behind it, by its own word; ``lost``: what was gone before it was read."""

    def __init__(self, client: Any, stream: str, since: int) -> None:
        """``stream``: name or ARN. ``since``: a shard that was never read is read from there on, ms since 1970."""
        self._client, self._since = client, since
        self._stream = {"StreamARN" if stream.startswith("arn:") else "StreamName": stream}
        self.name, self.lost = stream, ""
        self.throttled = 0
        self._iterators: dict[str, str] = {}
        self._behind: dict[str, int] = {}

    @property
    def behind_ms(self) -> int:
        """Of the shard that is furthest behind."""
        return max(self._behind.values(), default=0)

    def shards(self) -> dict[str, list[str]]:
        """Shard → those that it was made of. Raises ClientError."""
        found: dict[str, list[str]] = {}
        asked: dict[str, Any] = dict(self._stream)
        while True:
            answer = self._client.list_shards(**asked)
            for shard in answer["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                found[shard["ShardId"]] = [parent for parent in parents if parent]
            if not (token := answer.get("NextToken")):
                return found
            asked = {"NextToken": token}

    def due(self, places: Mapping[str, tuple[str | None, bool]], listed: Mapping[str, Sequence[str]]) -> list[str]:
        """Shards that are to be read now: of what a shard was made of is read to its end before it."""
        over = {shard for shard, (_, done) in places.items() if done}
        return [
            shard
            for shard, parents in sorted(listed.items())
            if shard not in over and all(parent in over or parent not in listed for parent in parents)
        ]

    def read(self, shard: str, sequence: str | None) -> Batch | None:
        """What stands behind that sequence number; None where AWS says to come again later. Raises ClientError."""
        try:
            if (iterator := self._iterators.pop(shard, None)) is None:
                iterator = self._iterator(shard, sequence)
            answer = self._client.get_records(ShardIterator=iterator, Limit=_AT_ONCE)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ExpiredIteratorException":  # five minutes without a look, as while Kafka was away
                return None
            if code in _AGAIN:
                self.throttled += 1
                return None
            raise
        following = answer.get("NextShardIterator")
        if following:
            self._iterators[shard] = following
        records = answer["Records"]
        behind = int(answer.get("MillisBehindLatest") or 0)
        self._behind[shard] = behind if following else 0
        last = records[-1]["SequenceNumber"] if records else sequence
        return Batch(shard, [bytes(record["Data"]) for record in records], last, not following)

    def forget(self) -> None:
        """What was read was not taken in: it is read again from where it was noted."""
        self._iterators.clear()

    def _iterator(self, shard: str, sequence: str | None) -> str:
        asked = {**self._stream, "ShardId": shard}
        if sequence is None:
            at = _EPOCH + timedelta(milliseconds=self._since)
            kind: dict[str, Any] = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": at}
            return str(self._client.get_shard_iterator(**asked, **kind)["ShardIterator"])
        try:
            kind = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": sequence}
            return str(self._client.get_shard_iterator(**asked, **kind)["ShardIterator"])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidArgumentException":
                raise
            self.lost = (
                f"{self.name}: {shard}: the stream no longer has what was read last: a part was gone before it was read"
            )
            _LOG.warning("%s", self.lost)
            return str(self._client.get_shard_iterator(**asked, ShardIteratorType="TRIM_HORIZON")["ShardIterator"])
