"""Ports of this machine for local servers."""

from __future__ import annotations

import secrets

from streams.addresses import HOST, is_free

#: Below the ranges from which Linux and macOS take the ports of outgoing connections (32768… and 49152…): while a
#: server is down between kill and restart, no client that keeps connecting can be handed the server's own port.
_RANGE = range(15_000, 32_000)
_TRIES = 200


def free_port() -> int:
    """A port on which nothing listens. Raises OSError if none was found."""
    for _ in range(_TRIES):
        port = _RANGE[secrets.randbelow(len(_RANGE))]
        if is_free(port):
            return port
    raise OSError(f"no free port between {_RANGE.start} and {_RANGE.stop} on {HOST}")
