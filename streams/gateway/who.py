"""Who sends: tokens, Standard Webhooks, and the signatures of vendors. Each compares in constant time.

A request that somebody has copied and sends again tells nothing twice: its events have the ids that they had. Where a sender signs the time
of its request, one that is too old is refused all the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from standardwebhooks.webhooks import Webhook

from streams.gateway.config import Known

#: How far the time that a request is signed with may lie from ours. Seconds.
_TOLERANCE_SECONDS = 300
_Headers: TypeAlias = Mapping[str, str]


class WhoError(Exception):
    """Nobody who may send. ``reason``: ``no_credentials`` where nothing was given that could show it, else ``bad_credentials``."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def check(known: Known, headers: _Headers, token: str | None, body: bytes, now_ms: int) -> None:
    """Raise WhoError unless the request is the source's: by its token and its signature, whichever it has.

    ``headers``: by their names in small letters. ``token``: the one in the address, of senders that can give none elsewhere.
    """
    if known.tokens:
        _check_token(known.tokens, _bearer(headers) or token or "")
    if known.secrets:
        _SCHEMES[known.config.vendor](known.secrets, headers, body, now_ms)


def _bearer(headers: _Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check_token(tokens: tuple[str, ...], given: str) -> None:
    if not given:
        raise WhoError("no_credentials", "a token is needed: send `Authorization: Bearer …`")
    if not _any_equal((token.encode() for token in tokens), given.encode()):
        raise WhoError("bad_credentials", "this is not the token of that source")


def _any_equal(expected: Iterable[bytes], given: bytes) -> bool:
    # All are compared, so that the time says nothing.
    return sum(hmac.compare_digest(one, given) for one in expected) > 0


def _standard(secrets: tuple[str, ...], headers: _Headers, body: bytes, now_ms: int) -> None:
    """Standard Webhooks: the id, the time and the body, ``v1,`` and base64; several where secrets change."""
    id, signatures = _needed(headers, "webhook-id"), _needed(headers, "webhook-signature")
    stamp = _needed(headers, "webhook-timestamp")
    _check_time(stamp, now_ms)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise WhoError(
            "bad_credentials", "what is signed by Standard Webhooks is text, and this body is not UTF-8"
        ) from error
    at = datetime.fromtimestamp(int(stamp), UTC)
    given = signatures.encode().split(b" ")
    expected = (Webhook(secret).sign(id, at, text).encode() for secret in secrets)
    if not sum(_any_equal(given, one) for one in expected):
        raise _WRONG


def _chatwoot(secrets: tuple[str, ...], headers: _Headers, body: bytes, now_ms: int) -> None:
    """Chatwoot (from February 2026 on): ``sha256=`` and the hexadecimal digest of the time, a point and the body."""
    given, stamp = _needed(headers, "x-chatwoot-signature"), _needed(headers, "x-chatwoot-timestamp")
    _check_time(stamp, now_ms)
    told = f"{stamp}.".encode() + body
    expected = (f"sha256={hmac.digest(secret.encode(), told, 'sha256').hex()}".encode() for secret in secrets)
    if not _any_equal(expected, given.strip().lower().encode()):
        raise _WRONG


def _zendesk(secrets: tuple[str, ...], headers: _Headers, body: bytes, now_ms: int) -> None:
    """Zendesk: base64 of the digest of the time, as it is written, and the body. It may try again with the same time, hours later."""
    given = _needed(headers, "x-zendesk-webhook-signature")
    told = _needed(headers, "x-zendesk-webhook-signature-timestamp").encode() + body
    if not _any_equal((hmac.digest(secret.encode(), told, "sha256") for secret in secrets), _decoded(given)):
        raise _WRONG


def _needed(headers: _Headers, name: str) -> str:
    if not (found := headers.get(name, "")):
        raise WhoError("no_credentials", f"a signature is needed, and the header {name} is missing")
    return found


def _check_time(stamp: str, now_ms: int) -> None:
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        raise WhoError("bad_credentials", "the time of the signature is no count of seconds")
    if abs(now_ms / 1000 - int(stamp)) > _TOLERANCE_SECONDS:
        raise WhoError(
            "bad_credentials",
            f"the signature is of a time more than {_TOLERANCE_SECONDS} s from ours: look at both clocks, or send it anew",
        )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


_WRONG = WhoError("bad_credentials", "the signature is not that of this body by this source's secret")
#: How each vendor signs; None: Standard Webhooks.
_SCHEMES: Mapping[str | None, Callable[[tuple[str, ...], _Headers, bytes, int], None]] = {
    None: _standard,
    "chatwoot": _chatwoot,
    "zendesk": _zendesk,
}
