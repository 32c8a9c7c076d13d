"""One POST, and what is known after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from time import monotonic
from urllib.parse import urlsplit

import httpx

from streams.notifier.channels.channel import Outcome

#: Seconds for a try: to connect, and for the whole of it.
CONNECT_SECONDS, DEADLINE_SECONDS = 5.0, 15.0
#: Bytes of an answer that are read.
_MOST_BYTES = 65_536
#: Characters of an answer that are kept.
_MOST_KEPT = 200


@dataclass(frozen=True)
class Answer:
    """What a server has answered."""

    status: int
    body: bytes
    wait_seconds: float | None

    @property
    def shown(self) -> str:
        """Its beginning, for the journal."""
        return f"HTTP {self.status} {self.body[:_MOST_KEPT].decode(errors='replace')}".strip()


def client() -> httpx.Client:
    """A client whose connections are kept. It follows no redirects: what is posted goes where it is meant to go, or nowhere."""
    return httpx.Client(timeout=httpx.Timeout(DEADLINE_SECONDS, connect=CONNECT_SECONDS), follow_redirects=False)


def robot_of(url: str) -> str:
    """A name of an address that tells nothing of its secrets: host and a digest."""
    return f"{urlsplit(url).hostname}#{sha256(url.encode()).hexdigest()[:12]}"


def post(  # noqa: PLR0911 - each way in which nothing is known is one
    http: httpx.Client, url: str, content: bytes, headers: Mapping[str, str], at: datetime
) -> Answer | Outcome:
    """The answer; where there is none, what that means. Neither says the address, which may hold a secret.

    An answer of 5xx or none at all may come after the message has been taken; only 503, and what could not even connect, have surely not.
    """
    until = monotonic() + DEADLINE_SECONDS
    try:
        with http.stream("POST", url, content=content, headers=headers) as response:
            body = bytearray()
            for part in response.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    break
                if monotonic() > until:
                    return Outcome(
                        "unknown", f"HTTP {response.status_code}, and no end of the answer in {DEADLINE_SECONDS:.0f} s"
                    )
            answer = Answer(response.status_code, bytes(body), _retry_after(response.headers.get("retry-after"), at))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        return Outcome("unavailable", f"no connection: {type(error).__name__}")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
        return Outcome("unavailable", "its address is none; write https://HOST/PATH")
    except httpx.HTTPError as error:
        return Outcome("unknown", f"no answer: {type(error).__name__}")
    if answer.status in (429, 503):
        return Outcome("unavailable", answer.shown, answer.wait_seconds)
    if answer.status >= 500:
        return Outcome("unknown", answer.shown, answer.wait_seconds)
    return answer


def _retry_after(text: str | None, at: datetime) -> float | None:
    """Seconds, of a number or a date."""
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - at).total_seconds())
