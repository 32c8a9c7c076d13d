"""Where commands that run on say what happens to them."""

from __future__ import annotations

import logging
import os
import sys


def log_to_stderr() -> None:
    """Write the log to the error stream. DESKPULSE_LOG is its level: of ours INFO where absent, of libraries WARNING."""
    logging.basicConfig(
        level=os.environ.get("DESKPULSE_LOG", "WARNING").upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # What kafka-python has to say comes in our own words, in one line.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("streams").setLevel(os.environ.get("DESKPULSE_LOG", "INFO").upper())
