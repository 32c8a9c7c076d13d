"""What is told of something else than incidents: the beginnings of its ids in the journal, and digests as they are kept."""

from __future__ import annotations

from msgspec import Struct

#: A case, a digest: what comes before its id where ids of incidents stand.
CASE, DIGEST = "case|", "digest|"


class Notice(Struct, frozen=True, kw_only=True):
    """A digest: ``title`` and ``lines`` by language, ``data`` the same for programs. ``at``: when it was due, ms."""

    id: str
    at: int
    title: dict[str, str]
    lines: tuple[dict[str, str], ...]
    data: dict[str, object]
