"""The sign-on's provider as OpenID Connect 1.0 has it: where it is asked, what it answers, and whether that is for us.

Code flow with PKCE only. Issuer, audience, time and nonce of each token are held against what is expected; keys are fetched anew where a
token names one that is not known, at most once a minute.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any, Final
from urllib.parse import urlencode, urljoin

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64encode

from streams.web.sign_on import SignOn, is_safe

#: Of what is signed with a key that both sides know, the client could be the author: none of those.
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_PATIENCE_SECONDS = 5.0
#: How far its clock and ours may be apart. Seconds.
_LEEWAY = 60
#: What is said of the provider is asked for anew so often; keys at most so often. Milliseconds.
_KNOWN_FOR, _KEYS_EVERY = 3_600_000, 60_000
_MOST_BYTES = 1_000_000
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
#: A logout that is older is one that somebody kept. Seconds.
_LOGOUT_LASTS = 600


class ProviderError(ConnectionError):
    """The provider does not answer, or answers what nobody can use."""


class RefusedError(ValueError):
    """The provider refuses, or what it sent is not for us."""


@dataclass(frozen=True)
class Begun:
    """A login that has begun. A browser keeps the three secrets until it is back."""

    state: str
    nonce: str
    verifier: str

    @staticmethod
    def now() -> Begun:
        """A new one."""
        return Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


@dataclass(frozen=True)
class Told:
    """What the provider tells of somebody. ``session``: its id of their session; ``renewal``: what gives newer claims, if any."""

    claims: Mapping[str, Any]
    session: str | None
    renewal: str | None


class Provider:
    """One provider, by its address.

    :param secret: this desk's secret there; None for a public client.
    :param back: the address here to which browsers come back.
    :param now_ms: the clock, in ms since 1970.
    :param transport: how it is reached; as httpx does where None.
    """

    def __init__(
        self, file: SignOn, secret: str | None, back: str, now_ms: Callable[[], int], transport: httpx.BaseTransport | None = None
    ) -> None:  # fmt: skip
        self.file, self._secret, self._back, self._now_ms = file, secret, back, now_ms
        self._client = httpx.Client(timeout=_PATIENCE_SECONDS, transport=transport, follow_redirects=False)
        self._lock = Lock()
        self._about: tuple[int, dict[str, Any]] | None = None
        self._keys: tuple[int, KeySet] | None = None

    def close(self) -> None:
        """Let its connections go."""
        self._client.close()

    def login(self, begun: Begun) -> str:
        """Where a browser logs in. Raises ProviderError."""
        challenge = urlsafe_b64encode(sha256(begun.verifier.encode()).digest()).decode()
        asked = {
            "response_type": "code", "client_id": self.file.client, "redirect_uri": self._back, "scope": " ".join(self.file.scopes),
            "state": begun.state, "nonce": begun.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return _with(self._address("authorization_endpoint"), asked)

    def logout(self) -> str | None:
        """Where a browser logs out of the provider, too, and comes back from; None where it has no such place."""
        try:
            place = self._metadata().get("end_session_endpoint")
        except ProviderError:
            return None
        return (
            _with(place, {"client_id": self.file.client, "post_logout_redirect_uri": urljoin(self._back, "/")})
            if is_safe(place)
            else None
        )

    def came_back(self, begun: Begun, code: str) -> Told:
        """Who has logged in. Raises RefusedError, ProviderError."""
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": begun.verifier,
        }
        tokens = self._tokens(given)
        claims = self._claims(tokens.get("id_token"), nonce=begun.nonce)
        return self._told(claims, tokens, None)

    def renewed(self, renewal: str, subject: str) -> Told:
        """What is so of somebody by now. Raises RefusedError where they are no longer let in, ProviderError."""
        tokens = self._tokens({"grant_type": "refresh_token", "refresh_token": renewal})
        claims = self._claims(tokens["id_token"]) if tokens.get("id_token") else {"sub": subject}
        if claims["sub"] != subject:
            raise RefusedError("the provider renewed somebody else's session")
        return self._told(claims, tokens, renewal)

    def logged_out(self, token: str) -> tuple[str | None, str | None]:
        """Whom a logout token ends: subject, session; one of them may be None. Raises RefusedError, ProviderError."""
        claims = self._verified(token, JWTClaimsRegistry(
            self._now, _LEEWAY, iss={"essential": True, "value": self.file.issuer}, aud={"essential": True, "value": self.file.client},
            iat={"essential": True}, jti={"essential": True}, events={"essential": True},
        ))  # fmt: skip
        events, subject, session = claims["events"], claims.get("sub"), claims.get("sid")
        if not isinstance(events, dict) or _LOGOUT_EVENT not in events or "nonce" in claims or not (subject or session):
            raise RefusedError("this is no logout token")
        if claims["iat"] < self._now() - _LOGOUT_LASTS:
            raise RefusedError("this logout token is old")
        return _text(subject), _text(session)

    def _told(self, claims: Mapping[str, Any], tokens: Mapping[str, Any], renewal: str | None) -> Told:
        """The token's claims, and those that the provider tells only when asked."""
        more = self._userinfo(tokens.get("access_token"))
        if more and more.get("sub") != claims["sub"]:
            raise RefusedError("the provider tells of somebody else")
        return Told({**claims, **more}, _text(claims.get("sid")), _text(tokens.get("refresh_token")) or renewal)

    def _userinfo(self, access: Any) -> dict[str, Any]:
        place = self._metadata().get("userinfo_endpoint")
        if not is_safe(place) or not isinstance(access, str):
            return {}
        answer = self._asked("GET", str(place), headers={"Authorization": f"Bearer {access}"})
        if answer.status_code in (401, 403):
            raise RefusedError("the provider no longer knows this session")
        return _json(answer)

    def _tokens(self, given: dict[str, str]) -> dict[str, Any]:
        known = self._metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        login = None
        if self._secret is None or "client_secret_basic" not in known:
            given |= {"client_id": self.file.client} | ({"client_secret": self._secret} if self._secret else {})
        else:
            login = httpx.BasicAuth(_form(self.file.client), _form(self._secret))
        answer = self._asked("POST", self._address("token_endpoint"), data=given, auth=login)
        if answer.status_code in (400, 401, 403):
            told = _json(answer, strict=False)
            why = f"{told.get('error', answer.status_code)} {told.get('error_description', '')}".strip()[:300]
            if told.get("error") in ("invalid_client", "unauthorized_client"):
                raise ProviderError(
                    f"the provider does not take this desk for {self.file.client!r}: {why}; is its secret right?"
                )
            raise RefusedError(f"the provider refuses: {why}")
        return _json(answer)

    def _claims(self, token: Any, nonce: str | None = None) -> dict[str, Any]:
        """The claims of an ID token that is for us (OpenID Connect Core 3.1.3.7)."""
        if not isinstance(token, str):
            raise RefusedError("the provider sent no ID token; is `openid` among the scopes?")
        expected: dict[str, Any] = {} if nonce is None else {"nonce": {"essential": True, "value": nonce}}
        claims = self._verified(token, JWTClaimsRegistry(
            self._now, _LEEWAY, iss={"essential": True, "value": self.file.issuer}, aud={"essential": True, "value": self.file.client},
            sub={"essential": True}, exp={"essential": True}, iat={"essential": True}, **expected,
        ))  # fmt: skip
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.file.client:
            raise RefusedError("the ID token was issued to another client")
        return claims

    def _verified(self, token: str, claims: JWTClaimsRegistry) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(token, self._key_set(), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):
                # A key that is not known, or one that has changed under its name.
                found = jwt.decode(token, self._key_set(anew=True), algorithms=_ALGORITHMS)
            claims.validate(found.claims)
        except (JoseError, ValueError) as error:
            raise RefusedError(f"a token of the provider is not for this desk, or not its own: {error}") from error
        return found.claims

    def _key_set(self, anew: bool = False) -> KeySet:
        with self._lock:
            known = self._keys
        now = self._now_ms()
        if known is None or (anew and now - known[0] >= _KEYS_EVERY) or now - known[0] >= _KNOWN_FOR:
            try:
                keys = KeySet.import_key_set(_json(self._asked("GET", self._address("jwks_uri"))))  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderError(f"the provider's keys cannot be read: {error}") from error
            with self._lock:
                known = self._keys = now, keys
        return known[1]

    def _address(self, name: str) -> str:
        place = self._metadata().get(name)
        if not is_safe(place):
            raise ProviderError(f"the provider at {self.file.issuer} says no {name} that starts with https://")
        return str(place)

    def _metadata(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0)."""
        with self._lock:
            known = self._about
        now = self._now_ms()
        if known is not None and now - known[0] < _KNOWN_FOR:
            return known[1]
        told = _json(self._asked("GET", f"{self.file.issuer.rstrip('/')}/.well-known/openid-configuration"))
        if told.get("issuer") != self.file.issuer:
            raise ProviderError(
                f"the provider calls itself {told.get('issuer')!r}; write that as `issuer` into the sign-on file"
            )
        with self._lock:
            self._about = now, told
        return told

    def _asked(self, method: str, url: str, **what: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, url, **what)
        except httpx.HTTPError as error:
            raise ProviderError(
                f"the provider at {self.file.issuer} does not answer: {str(error) or type(error).__name__}"
            ) from error
        if answer.status_code >= 500 or answer.status_code in (404, 429) or answer.is_redirect:
            raise ProviderError(f"the provider answers {answer.status_code} at {url}")
        return answer

    def _now(self) -> int:
        return self._now_ms() // 1000


def _json(answer: httpx.Response, strict: bool = True) -> dict[str, Any]:
    try:
        found = json.loads(answer.content[:_MOST_BYTES])
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if strict:
        raise ProviderError(f"the provider's answer at {answer.request.url} is no JSON object")
    return {}


def _with(address: Any, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in str(address) else '?'}{urlencode(asked)}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 8192 else None


def _form(text: str) -> str:
    """A part of a client's name and secret, as RFC 6749 2.3.1 writes them."""
    return urlencode({"": text})[1:]
