"""Files that Firehose puts into S3: found by the hours in their names, also those that come late; records one behind the other."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

#: Bytes of one file at most, as it is and unpacked.
_LONGEST = 256 << 20
_GZIP = b"\x1f\x8b"
#: Where the hour stands in a key: Firehose's own ``2026/11/30/20/``, or ``year=2026/month=11/day=30/hour=20/``.
_HOURS = ("%Y/%m/%d/%H/", "year=%Y/month=%m/day=%d/hour=%H/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"s3://([^/]+)/(.*)")


@dataclass(frozen=True)
class File:
    """One object; ``at``: when it was written, ms since 1970."""

    key: str
    etag: str
    at: int
    size: int


class Bucket:
    """One prefix of a bucket."""

    def __init__(self, client: Any, place: str) -> None:
        """``place``: ``s3://bucket/prefix``."""
        found = _PLACE.fullmatch(place)
        assert found is not None
        self._client, self.place = client, place
        self._bucket, self._prefix = found.groups()

    def list(self, since: int) -> list[File]:
        """Those written since then (ms), by the hours of their names where they have any, in the order in which they were written. Raises
        ClientError.
        """
        found: dict[str, File] = {}
        hour = _EPOCH + timedelta(milliseconds=since - since % 3_600_000)
        for layout in _HOURS:
            # Keys sort as their hours do: what stands before the first hour is passed over without being listed.
            after = self._prefix + hour.strftime(layout)
            for file in self._listed(StartAfter=after[:-1], Prefix=self._prefix):
                if file.at >= since:
                    found[file.key] = file
        return sorted(found.values(), key=lambda file: (file.at, file.key))

    def _listed(self, **asked: Any) -> Iterator[File]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, **asked)
        for page in pages:
            for each in page.get("Contents", ()):
                if not each["Key"].endswith("/"):
                    at = round(each["LastModified"].timestamp() * 1000)
                    yield File(each["Key"], each["ETag"], at, each["Size"])

    def read(self, file: File) -> bytes:
        """Its content, unpacked. Raises ClientError, and ValueError that says what is wrong with it."""
        where = f"s3://{self._bucket}/{file.key}"
        if file.size > _LONGEST:
            raise ValueError(f"{where}: {file.size:,} bytes; at most {_LONGEST:,}")
        raw = bytes(self._client.get_object(Bucket=self._bucket, Key=file.key)["Body"].read())
        if not raw.startswith(_GZIP):
            return raw
        try:
            unpacked = gzip.decompress(raw) if len(raw) < _LONGEST // 10 else _bounded(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{where}: damaged: {error}") from error
        return unpacked


def _bounded(raw: bytes) -> bytes:
    unpack = zlib.decompressobj(wbits=31)
    content = unpack.decompress(raw, _LONGEST)
    if unpack.unconsumed_tail:
        raise OSError(f"more than {_LONGEST:,} bytes when it is unpacked")
    return content
