"""What to do where Kafka, Redis or PostgreSQL do not let the program in: by what they say of TLS, users and rights."""

from __future__ import annotations

import re
from typing import Literal

Server = Literal["Kafka", "Redis", "PostgreSQL"]

_EXPIRED = "the server's certificate has expired, or this machine's clock is wrong"
#: Pattern of what a client says → what to do; the first that fits.
_REMEDIES: dict[Server, tuple[tuple[str, str], ...]] = {
    "Kafka": (
        ("certificate has expired", _EXPIRED),
        ("Hostname mismatch|IP address mismatch",
         "call brokers in DESKPULSE_BROKER, and in their advertised.listeners, as their certificate does"),
        ("CERTIFICATE_VERIFY_FAILED", "DESKPULSE_SSL_CA_FILE has to be the authority that signed the brokers' certificates"),
        ("ALERT_BAD_CERTIFICATE|CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA",
         "the broker asks for a certificate of yours that it knows: DESKPULSE_SSL_CERT_FILE and DESKPULSE_SSL_KEY_FILE"),
        ("WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNEXPECTED_MESSAGE|UNEXPECTED_EOF",
         "this port has no TLS: DESKPULSE_SECURITY_PROTOCOL is PLAINTEXT or SASL_PLAINTEXT, or DESKPULSE_BROKER another port"),
        ("TopicAuthorizationFailed|GroupAuthorizationFailed|TransactionalIdAuthorizationFailed|ClusterAuthorizationFailed",
         "DESKPULSE_SASL_USERNAME, or the certificate's name, lacks a right: docs/operations.md#rights has them"),
        ("Invalid username or password|invalid credentials|wrong user, password or mechanism|UnsupportedSaslMechanism",
         "check DESKPULSE_SASL_USERNAME, DESKPULSE_SASL_PASSWORD and DESKPULSE_SASL_MECHANISM"),
        ("disconnected|Timeout during ApiVersions|Request timed out|Invalid frame length|Connection reset|closed by (peer|broker)",
         "does DESKPULSE_SECURITY_PROTOCOL fit the port in DESKPULSE_BROKER?"),
    ),
    "Redis": (
        ("certificate has expired", _EXPIRED),
        ("Hostname mismatch|IP address mismatch", "call it in DESKPULSE_REDIS as its certificate does"),
        ("CERTIFICATE_VERIFY_FAILED",
         "name the authority that signed its certificate: DESKPULSE_REDIS=rediss://…?ssl_ca_certs=FILE"),
        ("No such file or directory", "is there no file as ssl_ca_certs, ssl_certfile and ssl_keyfile in DESKPULSE_REDIS name it?"),
        ("ALERT_BAD_CERTIFICATE|CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA",
         "it asks for a certificate of yours: DESKPULSE_REDIS=rediss://…?ssl_certfile=FILE&ssl_keyfile=FILE"),
        ("WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNEXPECTED_MESSAGE|UNEXPECTED_EOF",
         "this port has no TLS: DESKPULSE_REDIS=redis://…, or another port"),
        ("username-password pair|WRONGPASS", "check user and password in DESKPULSE_REDIS"),
        ("client already authenticated|Authentication required|NOAUTH",
         "it asks for a password: DESKPULSE_REDIS=redis://USER:PASSWORD@HOST:PORT/0"),
        ("no permissions|NOPERM", "its user lacks a right: docs/operations.md#rights has them"),
        ("Timeout connecting", "is there a Redis at this address, and has this port TLS or none, as DESKPULSE_REDIS says (rediss://, redis://)?"),
        ("reset by peer|closed by server|Broken pipe", "does it want TLS? Then DESKPULSE_REDIS begins with rediss://"),
    ),
    "PostgreSQL": (
        ("root certificate file", "name the file of the authority that signed the server's certificate: sslrootcert=FILE"),
        ("certificate verify failed", f"sslrootcert has to be the authority that signed the server's certificate; or {_EXPIRED}"),
        ("does not match host name", "call the server as its certificate does"),
        ("server does not support SSL", "sslmode asks for TLS, and this server has none"),
        ("no encryption|SSL off", "the server wants TLS: sslmode=verify-full"),
        ("password authentication failed|no password supplied|role .* does not exist", "check user and password"),
        ("permission denied", "its user lacks a right: docs/operations.md#rights has them"),
    ),
}  # fmt: skip


def remedy(server: Server, error: object) -> str:
    """What to do, after ``; ``; nothing where the server's words are not known, or it has been said."""
    said = str(error)
    found = next((what for pattern, what in _REMEDIES[server] if re.search(pattern, said)), None)
    return "" if found is None or found in said else f"; {found}"


def with_remedy(server: Server, error: BaseException) -> str:
    """What the client says, and what to do."""
    said, what = str(error).strip() or type(error).__name__, remedy(server, error)
    return f"{said.rstrip('.')}{what}" if what else said


def address_shown(url: str) -> str:
    """A Redis URL as it may be told: without user and password, wherever in it they stand."""
    where, asked, options = url.partition("?")
    if "@" in where:
        scheme, _, rest = where.partition("://")
        where = f"{scheme}://…@{rest.rpartition('@')[2]}"
    left = [one for one in options.split("&") if not re.match("(username|password)=", one)]
    return where + (asked + "&".join(left) if left and asked else "")
