"""Certificates for servers on this machine: an authority, one that signs nothing here, and what the first has signed."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from streams.addresses import HOST
from streams.system_clock import machine_ms

Key = ec.EllipticCurvePrivateKey


def certificates(directory: Path) -> None:
    """PEM files: ``ca`` and ``other``, authorities; ``server``, ``desk`` and ``expired``, signed by ``ca`` for 127.0.0.1 only; each with
    its ``.key``, and as ``NAME.both.pem`` with key and certificate in one.
    """
    now = datetime.fromtimestamp(machine_ms() / 1000, UTC)
    authority = _Authority.made(directory, "ca", now)
    _Authority.made(directory, "other", now)
    for name, until in (
        ("server", now + timedelta(days=2)),
        ("desk", now + timedelta(days=2)),
        ("expired", now - timedelta(days=1)),
    ):
        authority.sign(directory, name, now - timedelta(days=3), until)


class _Authority:
    def __init__(self, name: x509.Name, key: Key) -> None:
        self._name, self._key = name, key

    @classmethod
    def made(cls, directory: Path, name: str, now: datetime) -> _Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        built = (
            _builder(subject, subject, key, now - timedelta(days=3), now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(directory, name, built, key)
        return cls(subject, key)

    def sign(self, directory: Path, name: str, since: datetime, until: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        built = (
            _builder(_named(name), self._name, key, since, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        _write(directory, name, built, key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _write(directory: Path, name: str, certificate: x509.Certificate, key: Key) -> None:
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    (directory / f"{name}.pem").write_bytes(public)
    (directory / f"{name}.key").write_bytes(secret)
    (directory / f"{name}.both.pem").write_bytes(secret + public)
