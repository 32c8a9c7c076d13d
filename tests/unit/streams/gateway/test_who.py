"""Who may send: each way to show it, and each way in which it does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from streams.gateway.config import Config, Known
from streams.gateway.who import WhoError, check
from tests.support.webhooks import signed

NOW = 1_772_413_200
BODY = '{"a": "中"}'.encode()
STANDARD = "whsec_" + base64.b64encode(b"0" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"1" * 32).decode()


def known(*secrets: str, tokens: tuple[str, ...] = (), vendor: str | None = None) -> Known:
    source = Config.model_validate({"sources": {"a": {"token": "$T", "vendor": vendor}}}).sources["a"]
    return Known("a", source, tokens, secrets, None)


def why(known: Known, headers: dict[str, str], body: bytes = BODY, token: str | None = None) -> str:
    try:
        check(known, {name.lower(): value for name, value in headers.items()}, token, body, NOW * 1000)
    except WhoError as error:
        return error.reason
    return ""


def standard(secret: str, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body.decode())
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(at), "Webhook-Signature": signature}


def zendesk(secret: str, stamp: str = "2026-03-02T01:00:00Z") -> dict[str, str]:
    digest = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + BODY, hashlib.sha256).digest()).decode()
    return {"X-Zendesk-Webhook-Signature": digest, "X-Zendesk-Webhook-Signature-Timestamp": stamp}


@pytest.mark.parametrize(
    ("headers", "token", "wanted"),
    [
        ({"Authorization": "Bearer new"}, None, ""),
        ({"Authorization": "bearer  old "}, None, ""),
        ({}, "new", ""),
        ({}, None, "no_credentials"),
        ({"Authorization": "Basic bmV3"}, None, "no_credentials"),
        ({"Authorization": "Bearer ne"}, None, "bad_credentials"),
        ({}, "中", "bad_credentials"),
        ({"Authorization": "Bearer wrong"}, "new", "bad_credentials"),
    ],
)
def test_tokens(headers: dict[str, str], token: str | None, wanted: str) -> None:
    assert why(known(tokens=("new", "old")), headers, token=token) == wanted


def test_standard_webhooks() -> None:
    of = known(OTHER, STANDARD)  # two, while they change
    assert why(of, standard(STANDARD)) == ""
    twice = standard(STANDARD)
    twice["Webhook-Signature"] = "v1a,x v1,AAAA " + twice["Webhook-Signature"]
    assert why(of, twice) == ""
    assert why(of, standard(STANDARD), BODY + b" ") == "bad_credentials"
    assert why(of, standard(STANDARD, NOW - 301)) == "bad_credentials"
    assert why(of, standard(STANDARD, NOW + 301)) == "bad_credentials"
    assert why(known(OTHER), standard(STANDARD)) == "bad_credentials"
    assert why(of, standard(STANDARD) | {"Webhook-Timestamp": "soon"}) == "bad_credentials"
    assert why(of, standard(STANDARD), b"\xff") == "bad_credentials"
    assert why(of, {}) == "no_credentials"


def test_chatwoot() -> None:
    of = known("new", "secret", vendor="chatwoot")
    assert why(of, signed("secret", BODY, NOW - 300)) == ""
    assert why(of, signed("secret", BODY, NOW - 301)) == "bad_credentials"
    assert why(of, signed("secret", BODY, NOW) | {"X-Chatwoot-Timestamp": str(NOW - 1)}) == "bad_credentials"
    assert why(of, signed("other", BODY, NOW)) == "bad_credentials"
    assert why(of, {}) == "no_credentials"


def test_zendesk() -> None:
    of = known("secret", vendor="zendesk")
    assert why(of, zendesk("secret")) == ""
    assert why(of, zendesk("secret", "2026-03-01T01:00:00Z")) == ""  # it tries again for hours
    assert (
        why(of, zendesk("secret") | {"X-Zendesk-Webhook-Signature-Timestamp": "2026-03-02T01:00:01Z"})
        == "bad_credentials"
    )
    assert why(of, zendesk("secret") | {"X-Zendesk-Webhook-Signature": "no base64"}) == "bad_credentials"
    assert why(of, zendesk("other")) == "bad_credentials"


def test_where_both_are_asked_both_are_needed() -> None:
    of = known(STANDARD, tokens=("t",))
    assert why(of, standard(STANDARD)) == "no_credentials"
    assert why(of, {"Authorization": "Bearer t"}) == "no_credentials"
    assert why(of, standard(STANDARD) | {"Authorization": "Bearer t"}) == ""
