"""What is lost, damaged or doubled is named."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.archive.store import Store, digest_of
from streams.archive.verifying import verify
from streams.cli import app
from tests.support.archives import NAMES, Topics, archived
from tests.unit.streams.archive.test_collecting import CALLS, NOON


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Four files of one partition, one of another."""
    topics = Topics()
    for _ in range(12):
        topics.put(CALLS, NOON, None, b"x" * 100)
    topics.put(("chats", 1), NOON + 2 * 86_400_000, None, b"x")
    return archived(topics, tmp_path, file_bytes=450)


def test_one_bit_is_found(store: Store, tmp_path: Path) -> None:
    spans = store.spans(NAMES)[CALLS]
    path = tmp_path / spans[1].name
    body = bytearray(path.read_bytes())
    for at in (0, len(body) // 2, len(body) - 1):
        body[at] ^= 1
        path.write_bytes(body)
        (fault,) = verify(store, NAMES).faults
        assert fault.startswith(f"{spans[1].name} is damaged: its bytes are not those that were written; remove it")
        body[at] ^= 1
    path.write_bytes(body[:-5])
    assert len(verify(store, NAMES).faults) == 1
    path.write_bytes(body)
    assert verify(store, NAMES).faults == []


def test_a_file_that_bears_anothers_name_is_found(store: Store, tmp_path: Path) -> None:
    span = store.spans(NAMES)[CALLS][3]
    path = tmp_path / span.name
    path.rename(tmp_path / span._replace(next=span.next + 1).name)
    (fault,) = verify(store, NAMES).faults
    assert f"was written as calls, partition 0, {span.first} to {span.next}" in fault
    alien = b"PAR1 and so on"
    (tmp_path / span._replace(next=span.next + 1).name).unlink()
    (tmp_path / span._replace(digest=digest_of(alien)).name).write_bytes(alien)
    (fault,) = verify(store, NAMES).faults
    assert "is no file of this archive" in fault


def test_a_missing_file_and_a_double_are_named(store: Store, tmp_path: Path) -> None:
    spans = store.spans(NAMES)[CALLS]
    (tmp_path / spans[1].name).unlink()
    assert verify(store, NAMES).faults == [
        f"calls, partition 0: a file is missing: no file has the offsets {spans[1].first} to {spans[1].next - 1}; "
        "`deskpulse archive --once` reads them again, where Kafka still has them"
    ]
    assert verify(store, NAMES, date(2026, 3, 4)).faults == []  # not of that day
    assert len(verify(store, NAMES, date(2026, 3, 2)).faults) == 1
    with pytest.raises(ValueError, match="nothing is archived of 2026-03-09"):
        verify(store, NAMES, date(2026, 3, 9))
    twice = spans[2]._replace(first=spans[2].first, next=spans[2].next - 1)
    (tmp_path / twice.name).write_bytes(b"")
    assert any("have the same offsets" in fault for fault in verify(store, NAMES).faults)


def test_the_command_says_it_and_ends_with_1(store: Store, tmp_path: Path) -> None:
    whole = CliRunner().invoke(app, ["archive", "verify", "--at", str(tmp_path)])
    assert whole.exit_code == 0, whole.output
    assert "5 files, 13 messages" in whole.output
    assert whole.output.rstrip().endswith("bytes: whole")
    (tmp_path / store.spans(NAMES)[CALLS][0].name).write_bytes(b"")
    spoiled = CliRunner().invoke(app, ["archive", "verify", "--at", str(tmp_path), "--day", "2026-03-02"])
    assert spoiled.exit_code == 1
    assert "is damaged" in spoiled.output
    nothing = CliRunner().invoke(app, ["archive", "verify", "--at", str(tmp_path / "else")])
    assert (nothing.exit_code, "nothing is archived at" in nothing.output) == (1, True)


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.fs", None)
    result = CliRunner().invoke(app, ["archive", "verify", "--at", str(tmp_path)])
    assert result.exit_code == 1
    assert "pip install 'deskpulse[archive]'" in result.output
