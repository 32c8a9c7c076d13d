"""A table of a database on its way to Kafka: read again and again behind a watermark, from where the last acknowledged row stood."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from kafka.errors import KafkaError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, NoSuchTableError, OperationalError, ProgrammingError, SQLAlchemyError

from streams.contracts.decode import Rejected
from streams.sources.live import metrics
from streams.sources.live.health import MOST_NAMES, Health
from streams.sources.live.place import Place, Sender, append
from streams.sources.live.refusing import without_values
from streams.sources.mapped.config import DatabaseSource
from streams.sources.mapped.messages import Change
from streams.sources.mapped.reading import MappedReader
from streams.sources.mapped.rows import Row, Seen, first_look, pages
from streams.sources.producer import SendError

_LOG = logging.getLogger(__name__)
#: Between two tries of what could not be had. Seconds.
_AGAIN_SECONDS = 5.0


class DatabaseFollower:
    """Follows what a file says."""

    def __init__(
        self,
        config: DatabaseSource,
        engine: Engine,
        reader: MappedReader,
        directory: Path,
        connect: Callable[[], Sender],
        health: Health,
        earliest: Callable[[], int | None],
    ) -> None:
        """``directory``: where it keeps its place. ``connect`` opens a producer. ``earliest``: what lies before (ms since 1970) is left
        out now.
        """
        self._config, self._engine, self._reader = config, engine, reader
        self._connect, self._health, self._earliest = connect, health, earliest
        self._place = Place(directory, config.source)
        self._refused = self._place.beside("refused")
        self._too_old = 0

    def run(self, stop: Event) -> None:
        """Until ``stop``. Raises ValueError where another process follows the same source, its place cannot be read, the database has no
        such table or columns, or the watermark can be none.
        """
        with self._place.alone():
            while not stop.is_set():
                try:
                    self._follow(stop)
                except (SendError, KafkaError, SQLAlchemyError, OSError) as error:
                    if _is_final(error):
                        raise ValueError(f"{self._config.source}: {told_of(error)}") from error
                    metrics.TROUBLES.labels(self._config.source).inc()
                    told = told_of(error)
                    _LOG.warning("%s; trying again, nothing is lost: %s", self._config.source, told)
                    self._health.beat({}, f"trying again: {told.partition(';')[0]}")
                    stop.wait(_AGAIN_SECONDS)

    def _follow(self, stop: Event) -> None:
        seen = self._place.load(Seen, Seen, "remove it, and the table is read anew; what was sent counts once")
        sender: Sender | None = None
        try:
            while not stop.is_set():
                for rows in self._look(seen):
                    new = [row for row in rows if seen.is_new(row)]
                    if new:
                        sender = sender or self._connect()
                        self._send(new, sender)
                    seen.note(rows, self._config.overlap_time, self._config.overlap)
                    if new:
                        self._place.store(seen)
                    self._tell(seen)
                    if stop.is_set():
                        break
                self._tell(seen)
                stop.wait(self._config.every_seconds)
        finally:
            self._engine.dispose()
            if sender is not None:
                sender.close()

    def _look(self, seen: Seen) -> Any:
        """Pages of rows; the connection is let go of between two looks."""
        with self._engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            yield from pages(connection, self._config.asked, self._begins(connection, seen))

    def _begins(self, connection: Connection, seen: Seen) -> Any:
        config = self._config
        if seen.kind:
            return seen.begins(config.overlap_time, config.overlap)
        zone = ZoneInfo(config.mapping.time_zone)
        return first_look(connection, config.asked, self._earliest(), config.overlap_time, zone)

    def _send(self, rows: Sequence[Row], sender: Sender) -> None:
        label, count, became = self._config.source, 0, {"told": 0, "left_out": 0, "refused": 0}
        earliest, refused = self._earliest(), list[tuple[Row, Rejected]]()
        for row in rows:
            read = self._reader.read(Change(row.record), earliest)
            if isinstance(read, Rejected):
                refused.append((row, read))
                became["refused"] += 1
                continue
            became["told" if read.events else "left_out"] += 1
            self._too_old += read.too_old
            for event in read.events:
                sender.send(event)
            count += len(read.events)
        sender.flush()
        self._keep(refused)
        metrics.EVENTS.labels(label).inc(count)
        for what, number in became.items():
            metrics.LINES.labels(label, what).inc(number)

    def _keep(self, refused: Sequence[tuple[Row, Rejected]]) -> None:
        """Refused rows go to a file, for whoever mends them; the health page says why, without anybody's data."""
        for row, why in refused:
            told = without_values(why.detail)
            self._health.refused.append({"reason": why.reason, "detail": told, "key": row.key})
            _LOG.warning("%s: row %s was refused: %s; it is in %s", self._config.source, row.key, told, self._refused)
        append(
            self._refused,
            (f"{msgspec.json.encode(row.record).decode()}\t{why.reason}: {why.detail}\n" for row, why in refused),
        )

    def _tell(self, seen: Seen) -> None:
        label = self._config.source
        for what, names in self._reader.unmapped.items():
            metrics.UNMAPPED.labels(label, what).set(len(names))
        if seen.kind == "moment":
            metrics.LAST_SECONDS.labels(label).set(seen.begins(self._config.overlap_time * 0, 0).timestamp())
        said: dict[str, Any] = {
            "watermark": seen.mark if seen.kind else None,
            "rows_of_the_overlap": len(seen.rows),
            "too_old": self._too_old,
            "unmapped": {what: dict(names.most_common(MOST_NAMES)) for what, names in self._reader.unmapped.items()},
        }
        self._health.beat(said)


def told_of(error: Exception) -> str:
    """What a database says of itself, in a line, without the statement and its values."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return " ".join(str(error.orig).split())
    return " ".join(str(error).split())


def _is_final(error: Exception) -> bool:
    """Does trying again not help: is there no such table, column or right?"""
    if isinstance(error, NoSuchTableError | ProgrammingError):
        return True
    # SQLite calls that an operational error.
    return isinstance(error, OperationalError) and any(
        words in str(error.orig) for words in ("no such table", "no such column", "syntax error")
    )


def first_rows(config: DatabaseSource, engine: Engine) -> list[Row]:
    """The first page of what there is. Raises ValueError with what the database says."""
    try:
        with engine.connect() as connection:
            return next(pages(connection, config.asked, None), [])
    except SQLAlchemyError as error:
        raise ValueError(f"{config.source}: {told_of(error)}") from error
    finally:
        engine.dispose()
