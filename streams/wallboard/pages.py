"""The page's files and the headers they go out with."""

from __future__ import annotations

import hashlib
from pathlib import Path

from streams.doors import SAFE

STATIC = Path(__file__).parent / "static"

#: Nothing comes from another server and nothing inline runs: ids of other people's systems stand on this page.
HEADERS = {
    **SAFE,
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    # Checked for a newer version each time (304 where there is none), so that a TV never runs last month's page.
    "Cache-Control": "no-cache",
}


def page_version() -> str:
    """Changes whenever a file of the page changes."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
