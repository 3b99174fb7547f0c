"""Certificates that nobody trusts, made for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NO_USAGE = dict.fromkeys(
    (
        "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
        "encipher_only", "decipher_only",
    ),
    False,
)  # fmt: skip


def write_chain(folder: Path, key: Any = None, *, password: bytes | None = None, fit: bool = True) -> tuple[Path, Path]:
    """Write a signer's key and its certificate with the one that vouches for it; returns both paths.

    Args:
        key: Of the signer; a new one on P-256 if it is None.
        password: Encrypts the key.
        fit: Whether the certificate says that it is for signing.
    """
    root, key = ec.generate_private_key(ec.SECP256R1()), key or ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Test authority", root, "Test authority", root, authority=True)
    signer = _certificate("Test signer", key, "Test authority", root, authority=not fit)
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    paths = folder / "key.pem", folder / "chain.pem"
    paths[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    paths[1].write_bytes(signer.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM))
    return paths


def _certificate(subject: str, key: Any, issuer: str, signer: Any, *, authority: bool) -> Any:
    now = datetime.now(UTC)
    usage = {**_NO_USAGE, "digital_signature": True, "key_cert_sign": authority, "crl_sign": authority}
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
    )
