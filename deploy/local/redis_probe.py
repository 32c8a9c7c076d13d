"""Whether a Redis answers, and which it is."""

from __future__ import annotations

import redis

from streams.kafka.probe import UnreachableError
from streams.refusals import address_shown, with_remedy


def look(url: str, timeout_seconds: float = 5.0) -> str:
    """Version of the server at a ``redis://`` URL, such as ``7.0.15``.

    Raises UnreachableError if none answers within about ``timeout_seconds``, ValueError where the URL is none.
    """
    client = redis.Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
    try:
        return str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        raise UnreachableError(
            f"Redis at {address_shown(url)} does not answer: {with_remedy('Redis', error)}"
        ) from error
    finally:
        client.close()
