"""A backup that cannot be read says so, and what to do."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from streams.archive.files import About, Stored, packed
from streams.archive.store import Store
from streams.backup import manifest
from streams.backup.databases import keep_stream
from streams.backup.manifest import Dump, Manifest, Part
from streams.backup.taking import topics_of
from streams.backup.verifying import faults, refuse_damaged


def backup(folder: Path) -> tuple[Store, Manifest]:
    """A small one: two files of a topic, and a database."""
    store, files = Store(str(folder)), []
    for first, following in ((5, 8), (8, 10)):
        rows = [Stored(offset, 1_000, b"k", b"v", []) for offset in range(first, following)]
        span, body = packed(About("calls", 0, first, following, first, len(rows)), date(2026, 3, 2), rows)
        topics_of(store).put(span, body)
        files.append(f"topics/{span.name}")
    kept = keep_stream(store, "databases/database.db", BytesIO(b"rows"))
    made = Manifest(
        format=1, program="0.1.0", taken=1, prefix="", partitions=1, clock="wall", topics=[Part("calls", 0, 5, 10, 5, files)],
        databases=[Dump("database", "sqlite", kept, {}, [])],
    )  # fmt: skip
    manifest.write(store, made)
    return store, made


def test_what_was_written_is_read(tmp_path: Path) -> None:
    store, made = backup(tmp_path)
    assert manifest.read(store, "0.1.0") == made
    assert manifest.read(store, "0.2.0") == made
    assert list(faults(store, made)) == []


def test_one_that_has_not_ended_is_named(tmp_path: Path) -> None:
    store, _ = backup(tmp_path)
    (tmp_path / manifest.NAME).unlink()
    with pytest.raises(ValueError, match=r"has not ended: there is no manifest.json.*Take one anew"):
        manifest.read(store, "0.1.0")
    with pytest.raises(ValueError, match="is empty, or is not there"):
        manifest.read(Store(str(tmp_path / "nowhere")), "0.1.0")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2, "program": "9.1.0"}, r"of format 2, written by 9\.1\.0; this is 0\.1\.0, which reads format 1: install deskpulse 9\.1\.0"),
        ({"format": 0}, "of format 0"),
        ({"program": "0.10.0"}, r"written by deskpulse 0\.10\.0, and this is 0\.1\.0.*install 0\.10\.0 or later"),
        ({"topics": "none"}, "is damaged: .*take another backup"),
    ],
)  # fmt: skip
def test_another_format_or_a_later_version_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    store, _ = backup(tmp_path)
    file = tmp_path / manifest.NAME
    file.write_bytes(msgspec.json.encode(msgspec.json.decode(file.read_bytes()) | change))
    with pytest.raises(ValueError, match=said):
        manifest.read(store, "0.1.0")


def test_every_file_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    store, made = backup(tmp_path)
    first, second = (tmp_path / name for name in made.topics[0].files)
    first.unlink()
    body = bytearray(second.read_bytes())
    body[len(body) // 2] ^= 1
    second.write_bytes(body)
    (tmp_path / "databases" / "database.db").write_bytes(b"rowz")
    found = list(faults(store, made))
    assert any(f"{made.topics[0].files[0]} is missing" in fault for fault in found)
    assert any(made.topics[0].files[1] in fault and "damaged" in fault for fault in found)
    assert any("databases/database.db is damaged" in fault for fault in found)
    said: list[str] = []
    with pytest.raises(ValueError, match="is not whole: 3 faults"):
        refuse_damaged(store, made, said.append)
    assert said == found


def test_a_manifest_that_has_lost_a_file_is_not_whole(tmp_path: Path) -> None:
    store, made = backup(tmp_path)
    made.topics[0] = msgspec.structs.replace(made.topics[0], files=made.topics[0].files[:1])
    assert list(faults(store, made)) == ["calls, partition 0: 3 messages, and the manifest says 5"]
