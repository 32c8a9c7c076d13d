"""Dead letters as they are written, read again, and counted by source."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from streams.contracts.decode import Rejected
from streams.worker.dead_letters import HEAD_BYTES, At, Letter, Note, dead_letter, read_letter, source_of
from streams.worker.metrics import SourceNames


@dataclass
class Record:
    """Of Kafka."""

    key: bytes | None
    value: bytes | None
    offset: int = 17
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = 3
    timestamp: int = 1_000


def read(record: Record, why: str = "not_json") -> Letter:
    """What is read of the letter of a record of calls[3]."""
    key, value, headers = dead_letter(("calls", 3), record, Rejected(why, "so it is"))
    found = read_letter(Record(key, value, headers=tuple(headers)))
    assert isinstance(found, Letter)
    return found


@pytest.mark.parametrize(
    ("key", "value", "cut"),
    [
        (b"k", b"short", False),
        (None, b"", False),
        (None, None, False),
        (b"k", b"x" * HEAD_BYTES, False),
        (b"k", b"x" * (HEAD_BYTES + 1), True),
        (b"k" * 1_023, b"x", False),
        (b"k" * 1_024, b"x", True),  # nobody knows whether there was more
        (b"k" * 5_000, None, True),
    ],
)
def test_a_letter_knows_its_place_and_whether_it_is_cut(key: bytes | None, value: bytes | None, cut: bool) -> None:
    letter = read(Record(key, value))
    assert (letter.at, letter.reason, letter.detail) == (At("calls", 3, 17), "not_json", "so it is")
    assert letter.size == len(value or b"")
    assert letter.cut == cut


def test_a_message_that_is_refused_again_and_again_keeps_its_first_place() -> None:
    letter = read(Record(b"k", b"x"))
    assert (letter.origin, letter.times) == (None, 0)
    for times in (1, 2, 3):
        key, value, headers = letter.back(b"k", b"x")
        letter = read(Record(key, value, offset=100 * times, headers=tuple(headers)))
        assert letter.at == At("calls", 3, 100 * times)
        assert (letter.origin, letter.times) == (At("calls", 3, 17), times)


def test_a_note_is_of_its_letter_and_of_no_other_in_the_same_place() -> None:
    letter, other = read(Record(b"k", b"x")), read(Record(b"k", b"y"))
    key, value, headers = letter.note(At("calls", 3, 99))
    note = read_letter(Record(key, value, headers=tuple(headers), timestamp=5))
    assert note == Note(letter.identity, At("calls", 3, 99), 5)
    assert other.at == letter.at
    assert other.identity != letter.identity


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("reason", b"x"),),
        (("topic", b"calls"), ("partition", b"-1"), ("offset", b"2")),
        (("topic", b"calls"), ("partition", "１".encode()), ("offset", b"2")),
        (("topic", b"calls"), ("partition", b"1"), ("offset", b"9" * 5_000)),
        (("topic", b"a/b"), ("partition", b"1"), ("offset", b"2")),
        (("topic", b"\xff"), ("partition", b""), ("offset", b"2"), ("size", b"many"), ("replay-count", b"\xff")),
        (("replay-origin", b"nowhere"),),
    ],
)
def test_what_others_write_among_them_has_no_place(headers: tuple[tuple[str, bytes], ...]) -> None:
    letter = read_letter(Record(None, b"value", headers=headers))
    assert isinstance(letter, Letter)
    assert letter.at is None
    assert (letter.size, letter.origin, letter.times) == (5, None, 0)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (b'{"source": "pbx", "type": "none"}', "pbx"),
        ('{"a": [1, {"source": "inner"}], "source": "来源"}'.encode(), "来源"),
        (b'{"type": "call.queued"}', ""),
        (b'{"source": 7}', ""),
        (b'["source"]', ""),
        (b'{"source": "\xff"}', ""),
        (b"[" * 60_000, ""),
        (b'{"source": "cut", "note": "' + b"x" * HEAD_BYTES + b'"}', ""),
        (b"", ""),
        (None, ""),
    ],
)
def test_a_source_is_what_the_message_says_or_nothing(value: bytes | None, source: str) -> None:
    assert source_of(value) == source


def test_there_are_never_more_series_than_so_many_sources() -> None:
    names = SourceNames(3)
    said = [names.label(source) for source in ("a", "b", "", "x" * 1_000, "c", "d", "a", *map(str, range(1_000)))]
    assert said[:7] == ["a", "b", "unknown", "other", "c", "other", "a"]
    assert set(said[7:]) == {"other"}
