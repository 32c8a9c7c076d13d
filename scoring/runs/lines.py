"""Documents of many lines: made and read line by line, so that no size of a run has to fit into memory at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

#: Squeezing harder takes two and a half times as long for a tenth less.
_LEVEL = 3
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Lines:
    """Lines without their ends, squeezed. ``digest``: SHA-256 of the lines with their ends, in hex; ``known``: how many, if it is."""

    squeezed: bytes
    digest: str
    known: int | None = field(default=None, compare=False)

    @classmethod
    def of(cls, lines: Iterable[bytes]) -> Lines:
        """These lines; none of them may hold an end of line."""
        squeeze, control, parts, ended = zlib.compressobj(_LEVEL), sha256(), [], bytearray()
        count = 0
        for line in lines:
            count += 1
            ended += line
            ended += b"\n"
            if len(ended) >= _CHUNK:
                control.update(ended)
                parts.append(squeeze.compress(ended))
                ended.clear()
        control.update(ended)
        parts += squeeze.compress(ended), squeeze.flush()
        return cls(b"".join(parts), control.hexdigest(), count)

    def __len__(self) -> int:
        return sum(1 for _ in self) if self.known is None else self.known

    def __iter__(self) -> Iterator[bytes]:
        begun = b""
        for part in self._parts():
            *whole, begun = (begun + part).split(b"\n")
            yield from whole

    @property
    def sound(self) -> bool:
        """Are these the lines that the digest was made of?"""
        control = sha256()
        try:
            for part in self._parts():
                control.update(part)
        except zlib.error:
            return False
        return control.hexdigest() == self.digest

    def _parts(self) -> Iterator[bytes]:
        plain = zlib.decompressobj()
        for start in range(0, len(self.squeezed), _CHUNK):
            yield plain.decompress(self.squeezed[start : start + _CHUNK])
        yield plain.flush()
