"""Addresses of servers: read, and tried."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

HOST = "127.0.0.1"


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen on ``port`` of this address of this machine now. Raises OSError where the host is none."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    with socket.socket(family) as probe:
        # As the servers do: a port whose last connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


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
