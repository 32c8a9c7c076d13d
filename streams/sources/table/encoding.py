"""In which encoding a text file is: UTF-8 and what has a byte order mark are read; any other is refused with its likely name."""

from __future__ import annotations

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from streams.sources.table.layout import TableError, text_encoding

UNREADABLE = "\ufffd"
#: So much of a file is looked at, and so much of that by the detector.
LOOKED_AT = 1 << 20
_DETECTED_IN = 1 << 16
_ENOUGH_FOR_KOREAN = 48
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
#: What offices' exports come in. A detector that may choose among all of Python's takes Chinese for Johab.
_LIKELY = ["gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1251"]


def encoding_of(path: Path, start: bytes, wanted: str = "auto") -> str:
    """The encoding to read a file in, of which ``start`` is the beginning (LOOKED_AT bytes, or all).

    Raises TableError where ``wanted`` is no encoding, or is auto and the file is in another than UTF-8: in which it seems to be, and
    the key to set. Single places that are not UTF-8 are no other encoding.
    """
    if wanted != "auto":
        try:
            return text_encoding(wanted)
        except ValueError as error:  # a page may state what it likes
            raise TableError(f"{path}: {error}") from error
    if (marked := _BYTE_ORDER_MARKS.get(start[:2])) is not None:
        return marked
    if start[:64].count(0) * 4 > len(start[:64]):
        low = "le" if start[1:2] == b"\0" else "be"
        raise TableError(f"{path} is not UTF-8; it may be UTF-16: set `encoding: utf-16-{low}`")
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(start)
    foreign = text.count(UNREADABLE)
    if foreign and foreign * 2 > sum(not mark.isascii() for mark in text):
        line = text[: text.index(UNREADABLE)].count("\n") + 1
        likely = likely_encoding(start)
        seems = (
            f"it may be {likely}: set `encoding: {likely}`" if likely else "set `encoding`, as in `encoding: gb18030`"
        )
        raise TableError(f"{path} is not UTF-8 (line {line}); {seems}")
    return "utf-8-sig"


def likely_encoding(raw: bytes) -> str | None:
    """The encoding that bytes which are not UTF-8 seem to be in; None where none fits."""
    lines = [line for line in raw.splitlines(keepends=True) if not line.isascii()]
    told = b"".join(lines)[:_DETECTED_IN].rpartition(b"\n")[0] or b"".join(lines)
    best = from_bytes(told, cp_isolation=_LIKELY).best()
    likely = None if best is None else best.encoding
    # A few characters are too few for the detector: what has nothing but bytes of GB 2312 is seldom other Chinese, and Korean only where
    # there is enough to tell.
    korean = likely == "euc_kr" and sum(byte > 127 for byte in told) >= _ENOUGH_FOR_KOREAN
    return "gb18030" if not korean and _decodes(told, "gb2312") else likely


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
