"""The close of a month, as ``deskpulse score close`` does it in a process of its own: what it prepares, and who owes what.

A process, because scoring is no part of the streams; and because what a large month takes of memory is given back.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from streams.contracts.closing import Closing
from streams.die_with_parent import bound
from streams.notifier.config import MonthEnd
from streams.settings import Settings, environment

#: After so long it is given up. Seconds.
_PATIENCE_SECONDS = 3600.0
#: Characters of what it says of itself where it fails.
_LONGEST = 1000


class CloseError(RuntimeError):
    """The month could not be closed; the message says why."""


class Closed(Closing, frozen=True):
    """A month that was closed here. ``sheets``: file of a share → its content."""

    sheets: Mapping[str, bytes] = {}


_CLOSED = msgspec.json.Decoder(Closed)


def close(settings: Settings, rules: MonthEnd, month: str, variables: Mapping[str, str]) -> Closed:
    """Close a month, ``2026-03``. ``variables``: the environment. Raises CloseError."""
    with TemporaryDirectory(prefix="deskpulse-close-") as folder:
        options = [
            ("--period", month),
            ("--out", folder),
            ("--outcomes", rules.outcomes),
            ("--calendar", rules.calendar),
        ]
        given = [str(word) for option in options if option[1] is not None for word in option]
        command = [sys.executable, "-m", "streams", "score", "close", *rules.cards, *given, "--json"]
        try:
            ran = subprocess.run(
                bound(command),
                env={**variables, **environment(settings)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise CloseError(f"it had not ended after {_PATIENCE_SECONDS / 60:.0f} minutes") from error
        except OSError as error:
            raise CloseError(str(error)) from error
        if ran.returncode:
            said = ran.stderr.decode(errors="replace").strip()[-_LONGEST:]
            raise CloseError(said or f"it ended with exit code {ran.returncode}")
        try:
            found = _CLOSED.decode(ran.stdout)
            sheets = {one.file: Path(one.file).read_bytes() for owed in found.owed for one in owed.shares if one.file}
        except (msgspec.MsgspecError, OSError) as error:
            raise CloseError(f"what it says cannot be read: {error}") from error
        return msgspec.structs.replace(found, sheets=sheets)
