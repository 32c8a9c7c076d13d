"""Two histories of the operation under test, one on SQLite and one on PostgreSQL: killed, their database killed, and compared at the end
with one that nobody disturbed, row for row.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Table, select

from deploy.local.postgres import LocalPostgres
from deploy.local.process import ServerProcess, ServerStartError
from streams.contracts.outputs import Sums
from streams.history import tables
from streams.history.store import History, open_history
from streams.kpi.measures import add
from streams.pipeline import Run
from streams.settings import Settings, environment
from tests.faults.plan import Fault
from tests.support.histories import follow, history_of
from tests.support.states import differences
from tests.support.warm import WarmProcess

#: For how long a history may go on with what it is behind by; how long PostgreSQL may need to be started again: until the last of its
#: processes has seen that they are killed, it does not begin.
_BEHIND_SECONDS, _DATABASE_SECONDS = 300.0, 60.0
#: So many rows that differ are told.
_TOLD = 3
#: Values of a row, as they are the same on both databases.
Row: TypeAlias = tuple[Any, ...]


class Histories:
    """The processes, by the name of their database, and the PostgreSQL of one of them."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._settings, self._directory, self._starts = settings, directory, 0
        # Not in the run's directory, which root keeps to itself: the server runs as another account.
        self._folder = tempfile.TemporaryDirectory(prefix="faults-postgres-", ignore_cleanup_errors=True)
        self._postgres = LocalPostgres(Path(self._folder.name))
        self._urls: dict[str, str | None] = {"postgresql": self._postgres.start(), "sqlite": None}
        self._processes: dict[str, ServerProcess] = {}
        for name in self._urls:
            self._start(name)

    def _start(self, name: str) -> None:
        self._starts += 1
        process = WarmProcess(
            *("history", "--metrics-port", "0"),
            directory=self._directory,
            log=self._directory / f"history-{name}.{self._starts}.log",
            environment=environment(self._settings) | {"DESKPULSE_HISTORY": self._urls[name] or ""},
        )
        process.start()
        self._processes[name] = process

    def do(self, fault: Fault) -> None:
        """Kill a history, or its database, and start it again."""
        if fault.kind == "history":
            name = sorted(self._processes)[int(fault.whom * len(self._processes))]
            self._processes.pop(name).kill()
            self._start(name)
            return
        self._postgres.kill()
        deadline = time.monotonic() + _DATABASE_SECONDS
        while True:
            try:
                self._postgres.restart()
                return
            except ServerStartError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def look_after(self) -> None:
        """Raises AssertionError where one has ended by itself."""
        for name, process in self._processes.items():
            assert process.exit_code is None, f"the history on {name} ended by itself:\n{process.last_words(60)}"

    def stop(self) -> None:
        """End everything."""
        for process in self._processes.values():
            process.stop()
        self._postgres.stop()
        self._folder.cleanup()

    def wrong(self, plain: Run, since: int) -> Iterator[str]:
        """What differs from a history that reads the topics now, in one go; and from what a run without faults comes to, of contacts that
        arrived ``since`` (ms).
        """
        with ExitStack() as opened:
            undisturbed = opened.enter_context(
                open_history(f"sqlite:///{self._directory / 'undisturbed.db'}", self._directory, self._settings.policy)
            )
            follow(undisturbed, self._settings)
            wanted = digests(undisturbed)
            for name in self._urls:
                url = self._urls[name] or f"sqlite:///{self._directory / 'history.db'}"
                found = opened.enter_context(open_history(url, self._directory, self._settings.policy))
                _settle(found, wanted)
                yield from (f"history on {name}: {line}" for line in differing(undisturbed, wanted, found))
                self._processes[name].stop()
                if code := self._processes[name].exit_code:
                    yield f"history on {name}: it did not end in order, but with {code}"
            pure = opened.enter_context(history_of(plain, self._settings.policy))
            yield from unlike(pure, undisturbed, since, plain.now or 0)


def _rows(history: History, table: Table, without: Collection[str] = ()) -> Iterator[Row]:
    """Every row, its JSON read, so that it does not matter how it is written."""
    columns = [column for column in table.columns if column.name not in without]
    documents = [column.type is tables.Json for column in columns]
    with history.database.read() as connection:
        for row in connection.execution_options(yield_per=1000).execute(select(*columns)):
            yield tuple(
                json.loads(value) if document and isinstance(value, str) else value
                for value, document in zip(row, documents, strict=True)
            )


def _digest(row: Row) -> bytes:
    return blake2b(json.dumps(row, default=str, sort_keys=True).encode(), digest_size=16).digest()


def digests(history: History) -> dict[str, Counter[bytes]]:
    """Table → digest of a row → how often it is there."""
    return {
        table.name: Counter(_digest(row) for row in _rows(history, table)) for table in tables.metadata.sorted_tables
    }


def _settle(history: History, wanted: Mapping[str, Counter[bytes]]) -> None:
    """Wait until it has read what the other has, and its clock is as far: it is looked at every 15 seconds."""
    deadline = time.monotonic() + _BEHIND_SECONDS
    small = (tables.positions, tables.clock)
    while time.monotonic() < deadline and any(
        Counter(_digest(row) for row in _rows(history, table)) != wanted[table.name] for table in small
    ):
        time.sleep(1.0)


def differing(undisturbed: History, wanted: Mapping[str, Counter[bytes]], found: History) -> Iterator[str]:
    """In which rows of which tables a history differs from an undisturbed one, whose digests are ``wanted``."""
    for name, own in digests(found).items():
        if own == wanted[name]:
            continue
        table = tables.metadata.tables[name]
        more, less = own - wanted[name], wanted[name] - own
        rows = [
            [row for row in _rows(history, table) if _digest(row) in which][:_TOLD]
            for history, which in ((found, more), (undisturbed, less))
        ]
        yield f"{name}: {more.total()} rows too many, like {rows[0]}; {less.total()} rows missing, like {rows[1]}"


def unlike(pure: History, found: History, since: int, now: int) -> Iterator[str]:
    """What the history has of contacts, what they count for, presence and facts must be that of the run without Kafka. How often a record
    was written, and into which parts a day's facts were divided, is chance.
    """
    older: set[str] = set()
    for history in (pure, found):
        with history.database.read() as connection:
            older.update(
                connection.scalars(select(tables.contacts.c.record).where(tables.contacts.c.arrived_at < since))
            )
    for table in (tables.contacts, tables.counts, tables.presence):
        if unlikes := differences(*(_by_record(history, table, older) for history in (pure, found))):
            yield f"{table.name}, against the run without faults: {unlikes[:2000]}"
    if unlikes := differences(*(_facts(history, now) for history in (pure, found))):
        yield f"history_facts, against the run without faults: {unlikes[:2000]}"


def _by_record(history: History, table: Table, older: Collection[str]) -> dict[str, list[str]]:
    place = [name for name in table.columns.keys() if name != "version"].index("record")  # noqa: SIM118
    found: dict[str, list[str]] = {}
    for row in _rows(history, table, without=("version",)):
        if row[place] not in older:
            found.setdefault(row[place], []).append(json.dumps(row, default=str, sort_keys=True))
    return {record: sorted(rows) for record, rows in found.items()}


def _facts(history: History, now: int) -> dict[str, Sums]:
    """Entity, day and, of what is still planned, moment → sums."""
    own = tables.facts.c
    columns = (own.kind, own.id, own.date, own.counts_from, own.sums)
    found: dict[str, Sums] = {}
    with history.database.read() as connection:
        for kind, id, day, moment, sums in connection.execute(select(*columns)):
            key = f"{kind}|{id}|{day}|{moment if moment > now else ''}"
            add(found.setdefault(key, {}), json.loads(sums) if isinstance(sums, str) else sums)
    return {key: sums for key, sums in found.items() if sums}
