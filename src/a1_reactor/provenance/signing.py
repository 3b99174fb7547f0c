"""Signing mp4 files with C2PA, and reading what a signed one says (c2pa-python, the extra ``[media]``).

Nothing here asks the network: no time stamps, no revocation lists, no manifests that a file only points to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a1_reactor.provenance.credentials import Credentials
from a1_reactor.provenance.statement import Statement, ingredient_entry
from reactor_core.errors import ArtifactCorrupt, ConfigError, NotFound, StorageError
from reactor_core.utils.extras import require
from reactor_core.utils.files import storage_errors

__all__ = ["SignedFile", "read_signed", "sign_mp4"]

_UNTRUSTED = "signingCredential.untrusted"
_OFFLINE = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


@dataclass(frozen=True, slots=True)
class SignedFile:
    """What a signed file says, and whether it is true to it."""

    intact: bool
    """Whether the file is as it was signed; who signed it is another question."""
    trusted: bool
    """Whether somebody known vouches for the signer; never for a chain of one's own."""
    signer: str
    """Name in the signer's certificate."""
    manifest: dict[str, Any]
    problems: tuple[str, ...]
    """Codes of C2PA for what is wrong with the file."""


def sign_mp4(source: Path, target: Path, statement: Statement, credentials: Credentials) -> None:
    """Write a signed copy of an mp4.

    Raises:
        MissingExtra: c2pa-python is not installed.
        ConfigError: The certificates are not fit for signing.
        StorageFull, StorageError: The copy cannot be written; remove what is left of it.
    """
    c2pa = require("c2pa", feature="signing", extra="media")
    info = c2pa.C2paSignerInfo(credentials.algorithm.encode(), credentials.chain, credentials.key, None)
    try:
        with (
            c2pa.Context.from_dict(_OFFLINE) as context,
            c2pa.Builder(json.dumps(statement.manifest), context=context) as builder,
            c2pa.Signer.from_info(info) as signer,
        ):
            made_of = statement.ingredient
            if made_of is not None:
                with made_of.path.open("rb") as stream:
                    builder.add_ingredient(ingredient_entry(made_of), made_of.media_type, stream)
            with storage_errors(target), source.open("rb") as old, target.open("w+b") as new:
                builder.sign(signer, "video/mp4", old, new)
    except c2pa.C2paError as error:
        text = str(error)
        if text.startswith(("Signature", "CoseInvalid", "OtherError: cert", "Verify")) or "cert" in text.lower():
            raise ConfigError(
                f"the certificates are not fit for signing: {text}",
                remedy="C2PA wants an end-entity certificate with digitalSignature and an extended key usage",
            ) from error
        raise StorageError(f"cannot sign {source}: {text}") from error


def read_signed(path: Path) -> SignedFile | None:
    """What a file says of itself; None where it is not signed.

    Raises:
        MissingExtra: c2pa-python is not installed.
        NotFound: The file cannot be read.
        ArtifactCorrupt: Its manifest cannot be read.
    """
    c2pa = require("c2pa", feature="reading content credentials", extra="media")
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    try:
        with c2pa.Context.from_dict(_OFFLINE) as context:
            reader = c2pa.Reader.try_create(str(path), context=context)
            if reader is None:
                return None
            with reader:
                document = json.loads(reader.json())
    except c2pa.C2paError as error:
        raise ArtifactCorrupt(f"the content credentials of {path} cannot be read: {error}") from error
    active = document["manifests"][document["active_manifest"]]
    codes = [status["code"] for status in document.get("validation_status", ())]
    problems = tuple(code for code in codes if code != _UNTRUSTED)
    signer = active.get("signature_info", {})
    return SignedFile(
        intact=not problems,
        trusted=_UNTRUSTED not in codes and not problems,
        signer=str(signer.get("common_name") or signer.get("issuer") or ""),
        manifest=active,
        problems=problems,
    )
