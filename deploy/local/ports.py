"""Ports of this machine for local servers."""

from __future__ import annotations

import secrets
import socket
from urllib.parse import urlsplit

HOST = "127.0.0.1"

#: Below the ranges from which Linux and macOS take the ports of outgoing connections (32768… and 49152…): while a
#: server is down between kill and restart, no client that keeps connecting can be handed the server's own port.
_RANGE = range(15_000, 32_000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port on which nothing listens. Raises OSError if none was found."""
    for _ in range(_TRIES):
        port = _RANGE[secrets.randbelow(len(_RANGE))]
        if is_free(port):
            return port
    raise OSError(f"no free port between {_RANGE.start} and {_RANGE.stop} on {HOST}")


def answers(address: str, timeout_seconds: float = 1.0) -> bool:
    """Whether something accepts connections at ``HOST:PORT``. Raises ValueError where the address is none."""
    host, port = split_address(address)
    try:
        socket.create_connection((host, port), timeout_seconds).close()
    except OSError:
        return False
    return True


def split_address(address: str) -> tuple[str, int]:
    """``HOST:PORT``, also ``[IPv6]:PORT``, in its parts. Raises ValueError where it is anything else."""
    try:
        parts = urlsplit(f"//{address.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.username:
        raise ValueError(f"{address!r} is no address of the form HOST:PORT, such as 127.0.0.1:9092")
    return host, port
