"""The secret that clients of this workspace's servers show, and who may come without it.

A workspace has one bearer token: ``settings.api_token``, or else the file ``token`` inside the workspace, which the
first start of a server makes and only its owner can read.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from reactor_core.errors import ConfigError, StorageError
from reactor_core.utils.files import fsync_dir, storage_errors
from reactor_core.utils.ids import new_id
from reactor_core.utils.settings import Settings

__all__ = ["TOKEN_NAME", "Token", "bearer", "is_loopback", "matches", "workspace_token"]

TOKEN_NAME = "token"  # noqa: S105  the name of the file
"""File name inside a workspace."""

MIN_LENGTH = 16
"""Shorter tokens are refused: they can be guessed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """The workspace's token.

    Args:
        value: The secret itself; kept out of ``repr``.
        path: The file that holds it; None if the settings gave it.
        made: Whether this call made it, so that its owner should be told where it is.
    """

    value: str
    path: Path | None
    made: bool

    def __repr__(self) -> str:
        return f"Token(path={self.path!r}, made={self.made})"


def workspace_token(settings: Settings) -> Token:
    """The token that the settings give, or the workspace's own, which is made if there is none.

    Of several processes that start at once one makes it, and all get the same.

    Raises:
        ConfigError: The token is too short, or has characters that an HTTP header cannot carry.
        StorageError: The file cannot be written or read.
    """
    if settings.api_token is not None:
        return Token(_checked(settings.api_token.get_secret_value(), "REACTOR_API_TOKEN"), None, made=False)
    path = settings.workspace / TOKEN_NAME
    made = not path.exists() and _make(path)
    try:
        value = path.read_text(encoding="utf-8").strip()
        if stat.S_IMODE(path.stat().st_mode) & 0o077 and os.name == "posix":
            _log.warning("%s could be read by other users; its mode is set to 0600", path)
            path.chmod(0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot read {path}: {error}") from error
    return Token(_checked(value, str(path)), path, made=made)


def matches(given: str | None, expected: str) -> bool:
    """Whether a client's token is the right one, in a time that does not depend on how much of it is."""
    if given is None:
        return False
    return hmac.compare_digest(_digest(given), _digest(expected))


def bearer(header: str | None) -> str | None:
    """The token of an ``Authorization: Bearer ...`` header; None for any other."""
    scheme, _, value = (header or "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def is_loopback(host: str | None) -> bool:
    """Whether an address, or the name ``localhost``, can only be this machine. False for None and unknown names."""
    if host is None:
        return False
    bare = host.strip("[]").partition("%")[0]
    if bare.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _checked(value: str, where: str) -> str:
    if len(value) < MIN_LENGTH or not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(
            f"{where}: a token has at least {MIN_LENGTH} printable ASCII characters and no spaces",
            remedy="make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return value


def _make(path: Path) -> bool:
    """Write a new token, unless somebody else does so at the same time."""
    temporary = path.parent / f".tmp-{new_id()}"
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(secrets.token_urlsafe(32) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            # A link, unlike a rename, fails where the name is taken: the first token stays.
            os.link(temporary, path)
            fsync_dir(path.parent)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
    return True
