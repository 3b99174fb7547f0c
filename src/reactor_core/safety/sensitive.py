"""What in a text must not leave the machine or change hands: secrets, personal data, bank details."""

from __future__ import annotations

import base64
import binascii
import re

from reactor_core.safety.naming import wordset

__all__ = [
    "bank_details",
    "confidential_in",
    "decoded_forms",
    "names_secret",
    "personal_in",
    "secret_file_in",
    "secret_in",
    "secret_name",
]

_FORMATS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{12,}|\bASIA[0-9A-Z]{12,}|\bgh[pousr]_[A-Za-z0-9]{10,}"
    r"|\bgithub_pat_\w{10,}"
    r"|\bglpat-[\w-]{10,}|\bxox[abprs]-[\w-]{8,}|\bsk-[\w-]{12,}|\bsk_live_\w{6,}|\brk_live_\w{6,}|\bAIza[\w-]{20,}"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}|\bhf_[A-Za-z0-9]{12,}|\bnpm_[A-Za-z0-9]{12,}|\bpypi-[\w-]{12,}|\bdop_v1_\w{8,}"
    r"|\bhvs\.[\w-]{8,}|\bAGE-SECRET-KEY-|\bSG\.[\w-]{10,}"
)

_SECRET_FILES = re.compile(
    r"(?:^|[/~\s'\"=:(<@,])(?:\.env(?:\.\w+)?(?![\w.])|\.aws/credentials|\.aws/config|\.ssh(?:/|\b)|id_(?:rsa|dsa"
    r"|ecdsa|ed25519)(?!\.pub)\b"
    r"|\.netrc|\.pgpass|\.my\.cnf|\.npmrc|\.pypirc|\.git-credentials|\.kube/config|kubeconfig"
    r"|\.docker/config\.json|\.gnupg"
    r"|\.vault-token|\.terraformrc|terraform\.tfstate|\.boto|\.config/gcloud|application_default_credentials|\.azure/"
    r"|\.config/gh/hosts\.yml|shadow\b|sudoers|[\w.-]*\.(?:pem|p12|pfx|key|jks|keystore|kdbx|ovpn|ppk|asc)(?![\w.])"
    r"|login\.keychain|cookies(?:\.sqlite|\.db|\.txt)|logins\.json|key4\.db|wallet\.dat|credentials\.(?:json|ya?ml|csv)"
    r"|secrets?\.(?:json|ya?ml|toml|env|txt)|\.bash_history|\.zsh_history|service[-_]account[\w-]*\.json)",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"\.env\.(?:example|sample|template|dist)\b|public[-_]?key|\bcacert\.pem|\bcert\.pem", re.IGNORECASE
)

_SECRET_WORDS = wordset(
    """
    secret secrets password passwords passwd pwd passphrase token tokens apikey credential credentials creds
    privatekey pat otp totp mnemonic
    """
)
_KEY_BEFORE = wordset(
    """
    api access private secret ssh encryption signing master root deploy service auth account
    """
)
_VARIABLES = re.compile(
    r"\$\{?(\w+)|\{\{\s*([\w.]+)\s*\}\}|%(\w+)%|process\.env\.(\w+)|os\.environ\W+(\w+)|\benv\.(\w+)"
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SPOKEN = re.compile(
    r"\b(?:private|ssh|api|access|secret|root|signing|encryption|recovery|aws|gpg|pgp|deploy|master|license)[ _-]?"
    r"(?:keys?|credentials?|codes?|tokens?)\b|\b(?:passwords?|passphrases?|credentials?|session cookies?"
    r"|cookie jar|seed phrase"
    r"|(?:access|bearer|auth|refresh|api|session|bot|deploy|personal) tokens?|secrets|login cookies?|browser cookies"
    r"|environment variables|keychain|vault contents?|one[- ]time codes?|2fa codes?|backup codes?|mfa codes?)\b",
    re.IGNORECASE,
)

_PERSONAL = re.compile(
    r"\b(?:birth[_ -]?dates?|dates? of birth|dob|ssns?|social security|passports?|patients?|medical|diagnos[ei]s"
    r"|health records?"
    r"|salar(?:y|ies)|payroll|pay ?slips?|ibans?|credit[_ -]?cards?|card[_ -]?numbers?|cvv"
    r"|home[_ -]?address(?:es)?|personal data"
    r"|pii|customer (?:list|table|data|records|database|emails?|export)|customers?(?:[_-]\w+)?\.(?:csv|json|sql"
    r"|xlsx?|parquet|db|zip|gz)"
    r"|users?(?:[_-]\w+)?\.(?:csv|json|sql|xlsx?|parquet|db|zip|gz)|(?:patients?|employees?|members?|clients?"
    r"|contacts?|staff|payroll|salar\w+"
    r"|applicants?|students?|orders)(?:[_-]\w+)?\.(?:csv|json|sql|xlsx?|parquet|db|zip|gz)"
    r"|(?:user|employee|member|patient|client|staff|personnel|subscriber) (?:list|table|data|records?|database"
    r"|dump|export|files?)"
    r"|phone numbers|email addresses|tax (?:id|number|returns?)s?|national id)\b",
    re.IGNORECASE,
)
_CONFIDENTIAL = re.compile(
    r"\b(?:confidential|internal only|internal[- ]use|not for distribution|under nda|nda|trade secrets?"
    r"|unreleased|proprietary|strictly private"
    r"|source code|board minutes|merger|acquisition plan|roadmap|pricing model|(?:database|db|prod\w*) dump"
    r"|(?:dump|backup|prod\w*)[\w-]*\.(?:sql|gz|zip|tar|tgz|bak|dump)|legal[- ]privilege\w*|privileged)\b",
    re.IGNORECASE,
)
_BANK = re.compile(
    r"\b(?:iban|(?:new|changed|different|updated?|our|correct) (?:bank|account|payment|wire|payee) ?(?:details?"
    r"|account|number|information|coordinates)?"
    r"|bank (?:details?|account|has changed|changed)|account number|sort code|routing number|swift|bic|wire (?:to"
    r"|transfer)"
    r"|payment details|remit(?:tance)? (?:to|details|address)|[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,})\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:chang\w+|new|updat\w+|switch\w*|instead|from (?:today|now|monday)|only|no longer|old account|redirect"
    r"|different|closed|moved"
    r"|future|replac\w+|pay|transfer|wire|remit)\b",
    re.IGNORECASE,
)

_CODED = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}|(?:[0-9a-fA-F]{2}){6,}")


_SIGNED_ADDRESS = re.compile(
    r"\b(?P<place>[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"]{1,64}):(?P<password>[^\s/@'\"]{3,128})@(?=[\w\[])", re.IGNORECASE
)
"""An address with a name and a password in front of the host, as databases have it."""
_STANDS_FOR = re.compile(
    r"\W.*|.*[${<*].*|(?:my|your|the|db)?[-_]?(?:password|passwd|passw?|pwd|secret|token|x+|changeme|placeholder|example)",
    re.IGNORECASE,
)
"""What stands for a password in a text about one."""


def secret_name(name: str) -> bool:
    """Whether a variable, field or parameter of this name holds a secret: ``AWS_SECRET_ACCESS_KEY``, ``apiToken``."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    if set(parts) & wordset(
        """
        policy policies count id ids dir length limit max expiry type public url hint
        """
    ):
        return False
    if set(parts) & _SECRET_WORDS:
        return True
    return any(
        part in {"key", "keys", "code", "codes"} and index and parts[index - 1] in _KEY_BEFORE
        for index, part in enumerate(parts)
    )


def secret_in(text: str) -> str:
    """What in a text is a secret or stands for one: a key of a known format, a secret file, a telling variable.
    Empty if nothing is."""
    match = _FORMATS.search(text)
    if match:
        return f"{match.group()[:8]}..."
    signed = _SIGNED_ADDRESS.search(text)
    if signed and _STANDS_FOR.fullmatch(signed["password"]) is None:
        return f"the password of {signed['place']}"
    for names in _VARIABLES.findall(text):
        name: str = next(filter(None, names))
        if secret_name(name):
            return name
    return secret_file_in(text)


def secret_file_in(text: str) -> str:
    """The first file of secrets that a text names; empty if none."""
    for match in _SECRET_FILES.finditer(text):
        if not _NOT_SECRET.match(text, match.start() + (match.group()[:1] in "/~ '\"=:(<@,\n\t")):
            return match.group().strip("/~ '\"=:(<@,\n\t") or match.group()
    return ""


def names_secret(text: str) -> str:
    """Words that speak of a secret: ``root keys``, ``passwords``. Empty if none do."""
    match = _SPOKEN.search(text)
    return match.group() if match else ""


def personal_in(text: str) -> str:
    """Words that speak of other people's data; empty if none do."""
    match = _PERSONAL.search(text.replace("_", " ")) or _PERSONAL.search(text)
    return match.group() if match else ""


def confidential_in(text: str) -> str:
    """Words that speak of what is not for others; empty if none do."""
    match = _CONFIDENTIAL.search(text)
    return match.group() if match else ""


def bank_details(text: str) -> bool:
    """Whether a text tells somebody where to pay from now on."""
    return bool(_BANK.search(text) and _CHANGE.search(text))


def decoded_forms(text: str) -> list[str]:
    """Readable texts that pieces of a text are the base64 or hexadecimal form of."""
    found = []
    for match in list(_CODED.finditer(text))[:50]:
        piece = match.group()
        for decode in (_from_hex, _from_base64):
            plain = decode(piece)
            if plain:
                found.append(plain)
                break
    return found


def _from_base64(piece: str) -> str:
    bare = piece.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return _readable(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        return ""


def _from_hex(piece: str) -> str:
    try:
        return _readable(bytes.fromhex(piece))
    except ValueError:
        return ""


def _readable(raw: bytes) -> str:
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return ""
    return (
        text if len(text) >= 4 and all(32 <= ord(c) < 127 or c in "\n\t\r" for c in text) and not text.isalnum() else ""
    )
