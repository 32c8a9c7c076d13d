"""What is told of something else than incidents: the beginnings of its ids in the journal, and texts as they are kept."""

from __future__ import annotations

from msgspec import Struct

from streams.notifier.message import Attachment, Severity

#: A case, a digest, what somebody is asked for: what comes before its id where ids of incidents stand.
CASE, DIGEST, ASKED = "case|", "digest|", "asked|"


class Notice(Struct, frozen=True, kw_only=True):
    """A digest, or what somebody is asked for: ``title`` and ``lines`` by language, ``data`` the same for programs, ``files`` for whoever
    reads mail. ``at``: when it was due, ms.
    """

    id: str
    at: int
    title: dict[str, str]
    lines: tuple[dict[str, str], ...]
    data: dict[str, object]
    files: tuple[Attachment, ...] = ()
    severity: Severity = "info"
