"""Whether a Redis answers, and which it is."""

from __future__ import annotations

import redis

from streams.kafka.probe import UnreachableError


def look(url: str, timeout_seconds: float = 5.0) -> str:
    """Version of the server at a ``redis://`` URL, such as ``7.0.15``.

    Raises UnreachableError if none answers within about ``timeout_seconds``, ValueError where the URL is none.
    """
    client = redis.Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
    try:
        return str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        raise UnreachableError(f"Redis at {shown(url)} does not answer: {error}") from error
    finally:
        client.close()


def shown(url: str) -> str:
    """The URL as it may be printed: without user and password."""
    return f"redis://…@{url.rpartition('@')[2]}" if "@" in url else url
