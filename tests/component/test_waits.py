"""The seconds that Faust waits by itself when it starts and when it ends: what ``clients.NoTables`` and ``app.Process`` leave out."""

from __future__ import annotations

import inspect

from faust.tables.manager import TableManager
from mode.worker import Worker

from streams.worker.app import Process
from streams.worker.clients import NoTables


def test_the_only_wait_of_tables_is_for_tables() -> None:
    assert [line.strip() for line in inspect.getsource(TableManager).splitlines() if ".sleep(1" in line] == [
        "await self.sleep(1.0)"
    ]
    assert "self.sleep(1.0)" in inspect.getsource(TableManager.on_start)
    assert NoTables.sleep is not TableManager.sleep


def test_the_last_wait_is_for_nothing() -> None:
    body = inspect.getsource(Worker._sentinel_task).splitlines()[1:]
    assert [line.strip() for line in body] == ["await asyncio.sleep(1.0)"]
    assert Process._sentinel_task is not Worker._sentinel_task
