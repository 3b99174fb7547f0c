"""The key that files are signed with, and the certificates that say whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from reactor_core.errors import ConfigError, NotFound

__all__ = ["Credentials", "read_credentials"]

_MAX_BYTES = 1 << 20
_MIN_RSA_BITS = 2048
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}

_Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Credentials:
    """A private key with its certificates."""

    algorithm: str
    """As C2PA names it: es256, es384, es512, ed25519 or ps256."""
    chain: bytes
    """PEM: the signer's certificate first, then those that vouch for it."""
    key: bytes = field(repr=False)
    """PEM, PKCS 8."""
    name: str
    """Whom the signer's certificate names."""


def read_credentials(key: Path, certificates: Path) -> Credentials:
    """Read a private key and its certificate chain from PEM files.

    Raises:
        NotFound: A file cannot be read.
        ConfigError: The key is encrypted or of a kind that C2PA does not know, or the first certificate is not its own.
    """
    private = _read_key(key)
    data = _read(certificates)
    try:
        chain = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ConfigError(f"{certificates} holds no PEM certificates: {error}") from error
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if chain[0].public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise ConfigError(
            f"the first certificate in {certificates} is not that of the key in {key}",
            remedy="put the signer's own certificate first, then those that vouch for it",
        )
    return Credentials(
        algorithm=_algorithm(private, key),
        chain=b"".join(one.public_bytes(Encoding.PEM) for one in chain),
        key=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        name=chain[0].subject.rfc4514_string(),
    )


def _read_key(path: Path) -> _Key:
    try:
        private = load_pem_private_key(_read(path), password=None)
    except TypeError as error:
        raise ConfigError(
            f"the key in {path} is encrypted", remedy=f"openssl pkcs8 -topk8 -nocrypt -in {path} writes it in the clear"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} holds no PEM private key: {error}") from error
    if not isinstance(private, _Key):
        raise ConfigError(
            f"the key in {path} is a {type(private).__name__}", remedy="use P-256, P-384, P-521, Ed25519 or RSA"
        )
    return private


def _algorithm(key: _Key, path: Path) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _MIN_RSA_BITS:
            raise ConfigError(
                f"the RSA key in {path} has {key.key_size} bits", remedy=f"use {_MIN_RSA_BITS} or more, or P-256"
            )
        return "ps256"
    if key.curve.name not in _CURVES:
        raise ConfigError(f"the key in {path} is on {key.curve.name}", remedy="use P-256, P-384, P-521 or Ed25519")
    return _CURVES[key.curve.name]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_BYTES)
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}") from error
