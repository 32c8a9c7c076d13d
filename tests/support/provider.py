"""A provider of OpenID Connect in memory: discovery, keys, tokens and what people have there, as the specifications say and real ones do."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://id.example.org/realms/desk"
CLIENT, SECRET = "deskpulse", "s3cret:with/signs"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class FakeProvider:
    """Answers what httpx asks. ``people``: subject → their claims; taking one out is what disabling somebody does. ``now``: seconds."""

    now: int
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Claims of the next ID tokens, over those that are right.
    wrong: dict[str, Any] = field(default_factory=dict)
    away: bool = False
    refreshes: bool = True
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k1"})
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, str] = {}

    @property
    def transport(self) -> httpx.MockTransport:
        """How httpx reaches it."""
        return httpx.MockTransport(self._answer)

    def logs_in(self, address: str, subject: str) -> dict[str, str]:
        """Somebody logs in at the address that their browser was sent to; what it comes back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_hex(8)
        self._codes[code] = {**asked, "sub": subject}
        return {"code": code, "state": asked["state"], "iss": ISSUER}

    def signed(self, **claims: Any) -> str:
        """A token of these claims."""
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def logout_token(self, **more: Any) -> str:
        """What it sends when somebody logs out."""
        right = {"iss": ISSUER, "aud": CLIENT, "iat": self.now, "jti": secrets.token_hex(8), "events": {LOGOUT: {}}}
        return self.signed(**{**right, **more})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused", request=request)
        path = request.url.path.removeprefix("/realms/desk")
        self.asked.append(path)
        given = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        match path:
            case "/.well-known/openid-configuration":
                return httpx.Response(200, json={
                    "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/auth", "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/certs", "userinfo_endpoint": f"{ISSUER}/userinfo", "end_session_endpoint": f"{ISSUER}/logout",
                })  # fmt: skip
            case "/certs":
                return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
            case "/token":
                return self._token(request, given)
            case "/userinfo":
                subject = self._tokens.get(request.headers["authorization"].removeprefix("Bearer "))
                if subject not in self.people:
                    return httpx.Response(401)
                return httpx.Response(200, json={"sub": subject, **self.people[str(subject)]})
        return httpx.Response(404)

    def _token(self, request: httpx.Request, given: dict[str, str]) -> httpx.Response:
        login = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if login != f"{CLIENT}:s3cret%3Awith%2Fsigns":  # RFC 6749 2.3.1
            return httpx.Response(401, json={"error": "invalid_client"})
        if given["grant_type"] == "refresh_token":
            subject, nonce = self._tokens.pop(given["refresh_token"], ""), None
        else:
            asked = self._codes.pop(given["code"], None)
            if asked is None:
                return httpx.Response(400, json={"error": "invalid_grant", "error_description": "code not valid"})
            challenge = base64.urlsafe_b64encode(sha256(given["code_verifier"].encode()).digest()).decode().rstrip("=")
            assert (asked["code_challenge"], asked["redirect_uri"]) == (challenge, given["redirect_uri"])
            subject, nonce = asked["sub"], asked["nonce"]
        if subject not in self.people:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "account disabled"})
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": subject,
            "exp": self.now + 300,
            "iat": self.now,
            "sid": f"at-{subject}",
        }
        claims |= {} if nonce is None else {"nonce": nonce}
        access, refresh = secrets.token_hex(8), secrets.token_hex(8)
        self._tokens |= {access: subject, refresh: subject}
        told = {"access_token": access, "token_type": "Bearer", "id_token": self.signed(**{**claims, **self.wrong})}
        return httpx.Response(200, content=json.dumps(told | ({"refresh_token": refresh} if self.refreshes else {})))
