"""How a line of the log looks: for people, or with ``DESKPULSE_LOG_FORMAT=json`` an object a line, for programs that gather logs."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime

#: ``json``, or ``text``, the default.
VARIABLE = "DESKPULSE_LOG_FORMAT"
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``, ``pid``; ``error``, the traceback, where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        error = {"error": self.formatException(record.exc_info)} if record.exc_info and record.exc_info[0] else {}
        return line(
            time=datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            level=record.levelname,
            logger=record.name,
            message=record.getMessage(),
            pid=record.process,
            **error,
        )


def line(**parts: object) -> str:
    """An object as a line of the log."""
    return json.dumps(parts, ensure_ascii=False, default=str)


def as_json() -> bool:
    """Are lines wanted as JSON? Raises ValueError for a format that is none."""
    wanted = os.environ.get(VARIABLE) or "text"
    if wanted not in ("text", "json"):
        raise ValueError(f"{VARIABLE}={wanted}: write text or json")
    return wanted == "json"


def formatter() -> logging.Formatter:
    """What makes lines of records, as ``DESKPULSE_LOG_FORMAT`` says. Raises as ``as_json``."""
    return JsonFormatter() if as_json() else logging.Formatter(_TEXT)


def of_child(name: str, written: str) -> str:
    """A line that a process of ours wrote to its error stream, under its name."""
    if not as_json():
        return f"{name} | {written}"
    try:
        parts = json.loads(written)
    except ValueError:
        parts = None
    # What is no record of a log (a traceback of the interpreter's) is one line of it all the same.
    return line(**parts, process=name) if isinstance(parts, dict) else line(message=written, process=name)
