"""``python -m deploy.health``: in a container, ask the first process how it is. Exit code 0: well, or there is nothing to ask; 1: not.

Which process that is, and its port, is read from its command line, so that the image's health check is right for each of them.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection
from pathlib import Path

from deploy.processes import health_port
from streams.addresses import HOST

_SECONDS = 4.0


def main(first: Path = Path("/proc/1/cmdline")) -> int:
    """Say what the process says; returns the exit code."""
    port = health_port(first.read_bytes().decode(errors="replace").split("\0"))
    if port is None:
        print("this container has no process that says how it is")
        return 0
    connection = HTTPConnection(HOST, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        print(answer.status, answer.read(2000).decode(errors="replace"))
    except OSError as error:
        print(f"{HOST}:{port} does not answer: {error}")
        return 1
    finally:
        connection.close()
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
