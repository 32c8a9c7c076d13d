"""Where commands that run on say what happens to them."""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import TracebackType

from streams.commands.shared.context import stop
from streams.log_format import as_json, formatter


def log_to_stderr() -> None:
    """Write the log to the error stream. DESKPULSE_LOG is its level: of ours INFO where absent, of libraries WARNING;
    DESKPULSE_LOG_FORMAT=json makes an object of each line. Ends the command where one of them is none.
    """
    handler = logging.StreamHandler(sys.stderr)
    try:
        handler.setFormatter(formatter())
        logging.basicConfig(level=os.environ.get("DESKPULSE_LOG", "WARNING").upper(), handlers=[handler])
        # What kafka-python has to say comes in our own words, in one line.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        logging.getLogger("streams").setLevel(os.environ.get("DESKPULSE_LOG", "INFO").upper())
    except ValueError as error:
        raise stop(
            f"{error}; DESKPULSE_LOG is DEBUG, INFO, WARNING or ERROR, DESKPULSE_LOG_FORMAT text or json"
        ) from error
    if as_json():
        sys.excepthook = _ended
        threading.excepthook = lambda what: _ended(what.exc_type, what.exc_value, what.exc_traceback)


def _ended(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """What the interpreter would write of an error that nobody caught, in many lines, as one."""
    logging.getLogger("streams").critical("ended by an error", exc_info=(kind, error or kind(), trace))
