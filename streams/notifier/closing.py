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
from msgspec import Struct

from streams.die_with_parent import bound
from streams.notifier.config import MonthEnd
from streams.settings import Settings, environment

#: After so long it is given up. Seconds.
_PATIENCE_SECONDS = 3600.0
#: Characters of what it says of itself where it fails.
_LONGEST = 1000


class CloseError(RuntimeError):
    """The month could not be closed; the message says why."""


class Words(Struct, frozen=True):
    """The same in both languages."""

    zh: str
    en: str


class Giver(Struct, frozen=True):
    """Who is to give inputs: ``person``, where it is known who that is; else ``whom``."""

    whom: Words
    person: str | None = None


class Share(Struct, frozen=True):
    """What somebody owes for one run; ``file``: the sheet to fill in."""

    card: str
    name: Words
    period: str
    values: int
    people: int
    file: str | None = None


class Owed(Struct, frozen=True):
    """All that one giver owes."""

    giver: Giver
    shares: tuple[Share, ...]


class Standing(Struct, frozen=True):
    """How a run stands; ``trouble``: why there is none."""

    card: str
    name: Words
    period: str
    state: str | None = None
    people: int = 0
    prepared: bool = False
    missing: int = 0
    trouble: str | None = None


class Closing(Struct, frozen=True):
    """A month that is over. ``sheets``: file of a share → its content."""

    month: str
    runs: tuple[Standing, ...]
    owed: tuple[Owed, ...]
    sheets: Mapping[str, bytes] = {}


_CLOSING = msgspec.json.Decoder(Closing)


def close(settings: Settings, rules: MonthEnd, month: str, variables: Mapping[str, str]) -> Closing:
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
            found = _CLOSING.decode(ran.stdout)
            sheets = {one.file: Path(one.file).read_bytes() for owed in found.owed for one in owed.shares if one.file}
        except (msgspec.MsgspecError, OSError) as error:
            raise CloseError(f"what it says cannot be read: {error}") from error
        return msgspec.structs.replace(found, sheets=sheets)
