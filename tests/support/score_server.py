"""The scoring API as a process of its own, on a published month: ``python -m tests.support.score_server FOLDER PORT``.

Prints a token of HR and one of the agent anna, a line each, and then serves.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scoring.api import create_app
from streams import doors
from tests.support.month_end import Desk, entry


def main(folder: str, port: str) -> None:
    """Serve until told to end."""
    desk = Desk(Path(folder), entries=[entry("anna"), entry("ben"), entry("cleo", team="t2")])
    desk.published()
    for name, options in (("lin", ["--role", "hr"]), ("anna", ["--role", "agent", "--person", "anna"])):
        print(desk.does("token", "add", name, "--by", "boss", *options).splitlines()[0], flush=True)
    doors.serve(create_app(desk), "127.0.0.1", int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
