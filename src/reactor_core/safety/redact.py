"""Secrets taken out of what is about to be written down.

Four things give a secret away: its own form (``ghp_...``, a private key, a password in an address), the name that it is
assigned to, that it is the value of a secret variable of this process or of a project's ``.env``, and that it looks
random. What is taken out is replaced by ``[redacted: what it was]``. Hexadecimal digests and identifiers of the form
8-4-4-4-12 stay, as audit trails are full of them; so does base64 that decodes to plain text without a secret in it,
because that is how commands are disguised.

Not covered: a secret that is short, has no known form, and stands where no name says what it is.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["Redactor", "redact_text", "secret_name"]

SHORTEST = 6
"""Shorter values of secret variables are too likely to be ordinary words."""

MOST_LEARNED = 256
"""Secrets of earlier actions that are remembered."""

LONGEST_LEARNED = 32_768
"""Characters of an action that are looked through for secrets to remember."""

_MARK = re.compile(r"\[redacted(?:: [^\]]*)?\]")
_WORDS = frozenset(
    ("false", "secret", "password", "passwd", "token", "default", "example", "changeme", "disabled", "enabled")
)

_NAMED = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?|account[_-]?key"
    r"|private[_-]?key|signing[_-]?key|encryption[_-]?key|shared[_-]?key|license[_-]?key|credentials?|cookie|otp|totp"
    r"|pin|cvv|cvc|auth(?:orization)?|bearer|dsn|connection[_-]?string|webhook[_-]?url|seed[_-]?phrase|mnemonic"
)
_NAME = re.compile(
    rf"(?:^|[_.\-])(?:{_NAMED})(?:$|[_.\-]|\d)|(?:password|passwd|passphrase|apikey)(?:$|[_.\-]|\d)", re.IGNORECASE
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HARMLESS_NAME = re.compile(
    r"(?:^|[_.\-])(?:file|path|dir|name|url|uri|count|limit|length|len|type|expir\w*|ttl|policy|max|min|manager|store"
    r"|ring|helper|version|format|(?<!key[_-])id)$",
    re.IGNORECASE,
)

_FORMS: tuple[tuple[str, str], ...] = (
    (
        "private key",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)",
    ),
    ("age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{20,}"),
    ("AWS key id", r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"),
    ("GitLab token", r"\bgl(?:pat|ptt|rt|dt|cbt|soat|ft|agent|imt)-[A-Za-z0-9_\-.]{16,}"),
    ("Slack token", r"\bxox[abeoprsc](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}"),
    ("webhook", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]+|discord(?:app)?\.com/api/webhooks/[\w/-]+"),
    ("Stripe key", r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9+/=]{16,}"),
    ("API key", r"\bsk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{16,}"),
    ("Google key", r"\bAIza[0-9A-Za-z_-]{30,}|\bya29\.[0-9A-Za-z_-]{16,}|\bGOCSPX-[0-9A-Za-z_-]{16,}"),
    ("Hugging Face token", r"\bhf_[A-Za-z0-9]{20,}"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{20,}"),
    ("PyPI token", r"\bpypi-[A-Za-z0-9_-]{16,}"),
    ("DigitalOcean token", r"\bdo[por]_v1_[a-f0-9]{32,}"),
    ("SendGrid key", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("Twilio key", r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    ("Databricks token", r"\bdapi[0-9a-f]{32}\b"),
    ("Vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}|\bs\.[A-Za-z0-9]{24}\b"),
    ("Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("Linear key", r"\blin_api_[A-Za-z0-9]{20,}"),
    ("Notion token", r"\b(?:secret|ntn)_[A-Za-z0-9]{30,}"),
    ("Docker token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}"),
    ("Grafana token", r"\bgl(?:sa|c)_[A-Za-z0-9_=+/-]{20,}"),
    ("Telegram token", r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b"),
    ("JSON Web Token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"),
    ("one-time password secret", r"otpauth://\S+"),
)
_FORM = re.compile("|".join(f"(?P<f{i}>{form})" for i, (_, form) in enumerate(_FORMS)), re.DOTALL)

# A value in quotes, or up to what ends a word in a shell, a query string, a header, JSON or TOML. The quotes may be
# escaped, as the action may be quoted itself.
_VALUE = re.compile(
    r"""\\?"(?P<d>(?:[^"\\]|\\[^"])*)\\?"|\\?'(?P<s>(?:[^'\\]|\\[^'])*)\\?'|(?P<w>[^\s"'`,;&|<>(){}\[\]]+)"""
)

_SIGN = re.compile(
    r"""(?P<name>--?[A-Za-z][\w.\-]{0,80}|[A-Za-z_][\w.\-]{0,80})(?:\\?["']?\]?\s{0,4}(?::=|=>|==?|:(?!//))\s{0,4}|(?P<gap>\s{1,4}(?!-)))"""
)
_IN_ADDRESS = re.compile(r"(?P<head>\b[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s/:@'\"]{0,200}:)(?P<value>[^\s/@'\"]+)(?=@)")
_HEADER = re.compile(
    r"(?P<head>\b(?:proxy-)?authorization\s*[:=]\s*[\"']?\s*(?:(?:bearer|basic|token|digest|apikey|key|negotiate)\s+)?"
    r"|\bbearer\s+|\b(?:set-)?cookie\s*:\s*|\bx-[a-z-]*(?:token|key|secret)\s*:\s*)(?P<value>[^\s\"'\\]+(?:;\s*[^\s\"'\\;]+)*)",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"(?P<head>\b(?:mysql\w*|mariadb[\w-]*)\s(?:[^|;&\n]{0,400}?\s)?-p|\bsshpass\s+-p\s*"
    r"|\b(?:curl|wget|http|https)\s(?:[^|;&\n]{0,400}?\s)?(?:-u|--user|-a|--auth)[ =]?[\"']?[^\s:\"']{1,100}:"
    r"|\bredis-cli\s(?:[^|;&\n]{0,400}?\s)?-a\s*|\bpasswd\s+--stdin\s*<<<\s*"
    r"|\b(?:identified\s+(?:with\s+\S+\s+)?by|password)\s+(?:password\s+)?(?=[\"']))[\"']?(?P<value>[^\s\"'|;&]+)",
    re.IGNORECASE,
)
_TYPED = re.compile(
    r"(?P<head>\b(?:type|typed|enter|fill|input|text|value|set)\b[^\n\"'|]{0,40}[\"'])(?P<value>[^\"'\n]+)(?=[\"'])"
    rf"(?=[^\n]{{0,200}}\b(?:{_NAMED})\b)",
    re.IGNORECASE,
)
_LONG = re.compile(r"[A-Za-z0-9+/_=\-]{20,}")
_DIGEST = re.compile(
    r"[0-9a-fA-F]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?:sha\d+[-=])?[0-9a-fA-F]{32,}"
)
_REFERENCE = re.compile(
    r"\$|%\w+%$|<|\{\{|\*+$|x{3,}$|\[redacted|env[.:\[(]|os\.|process\.env|vault:|secretmanager", re.IGNORECASE
)
_PLAIN = re.compile(
    r"\d{1,5}$|true$|false$|none$|null$|yes$|no$|auto$|required$|optional$|str$|string$|bool$|bearer$|basic$",
    re.IGNORECASE,
)


def secret_name(name: str) -> bool:
    """Whether what has this name is a secret: ``DB_PASSWORD``, ``--api-key``, ``clientSecret``."""
    plain = _CAMEL.sub("_", name.strip().lstrip("-"))
    return bool(_NAME.search(plain)) and not _HARMLESS_NAME.search(plain)


class Redactor:
    """Takes secrets out of text and JSON values. Every method may be called from any thread.

    Args:
        values: Secrets that are known; taken out wherever they stand, also as base64, hexadecimal or in an address.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values if _worth(value) for form in _spellings(value)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None
        self._learned: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str], *, project: Path | None = None) -> Redactor:
        """One that knows the values of secret variables, and those in the ``.env`` files of a project."""
        values = [value for name, value in environment.items() if secret_name(name)]
        values += [found["value"] for value in environment.values() for found in _IN_ADDRESS.finditer(value)]
        if project is not None:
            values += _env_values(project)
        return cls(values)

    def learn(self, text: str) -> None:
        """Remember the secrets of an action: parts of it will be shown where nothing says any more what they are."""
        text = text[:LONGEST_LEARNED]
        pieces = _MARK.split(self.text(text))
        position = text.find(pieces[0]) + len(pieces[0])
        for piece in pieces[1:]:
            end = text.find(piece, position) if piece else len(text)
            if end < 0:
                return
            value = text[position:end]
            position = end + len(piece)
            if _worth(value) and value not in self._learned:
                self._learned = (value, *self._learned)[:MOST_LEARNED]

    def text(self, text: str) -> str:
        """The text without its secrets."""
        for value in self._learned:
            text = text.replace(value, "[redacted: known secret]")
        if self._known is not None:
            text = self._known.sub("[redacted: known secret]", text)
        return redact_text(text)

    def data(self, value: Any, *, name: str = "") -> Any:
        """A JSON value without its secrets; a string under a secret's name goes as a whole."""
        if isinstance(value, str):
            return f"[redacted: {name}]" if _is_secret(name, value) else self.text(value)
        if isinstance(value, Mapping):
            return {
                self.text(key) if isinstance(key, str) else key: self.data(value[key], name=str(key)) for key in value
            }
        if isinstance(value, list | tuple):
            return [self.data(item, name=name) for item in value]
        return value


def redact_text(text: str) -> str:
    """The text without secrets that can be known by their form, their name, or their randomness."""
    text = _FORM.sub(_form_name, text)
    text = _IN_ADDRESS.sub(_after_head, text)
    text = _HEADER.sub(_after_head, text)
    text = _TOOL.sub(_after_head, text)
    text = _TYPED.sub(_after_head, text)
    text = _assignments(text)
    return _LONG.sub(_random, text)


def _form_name(match: re.Match[str]) -> str:
    return f"[redacted: {_FORMS[int(str(match.lastgroup)[1:])][0]}]"


def _after_head(match: re.Match[str]) -> str:
    if _REFERENCE.match(match["value"]):
        return match[0]
    return match[0][: match.start("value") - match.start()] + "[redacted]"


def _assignments(text: str) -> str:
    """Replace what is assigned to secret names; ``--password VALUE`` assigns too, ``password VALUE`` does not."""
    pieces: list[str] = []
    done = position = 0
    while (sign := _SIGN.search(text, position)) is not None:
        position = sign.end()
        if not secret_name(sign["name"]) or (sign["gap"] and not sign["name"].startswith("-")):
            continue
        value = _VALUE.match(text, position)
        if value is None:
            continue
        group = str(value.lastgroup)
        if not _is_secret(sign["name"], value[group]):
            continue
        pieces += (text[done : value.start(group)], "[redacted]")
        done = value.end(group)
        position = value.end()
    return "".join((*pieces, text[done:]))


def _is_secret(name: str, value: str) -> bool:
    return bool(value) and secret_name(name) and not _REFERENCE.match(value) and not _PLAIN.match(value)


def _random(match: re.Match[str]) -> str:
    """Replace what looks random in a run of base64 characters; a path is looked at part by part."""
    run = match[0]
    if _looks_random(run) and (run.count("/") < 2 or len(run) > 60):
        return run if _plain_text_inside(run) else "[redacted: random value]"
    if "/" in run:
        return "/".join("[redacted: random value]" if _secret_part(part) else part for part in run.split("/"))
    if "=" in run.rstrip("="):
        return "=".join("[redacted: random value]" if _secret_part(part) else part for part in run.split("="))
    return run


def _secret_part(part: str) -> bool:
    return len(part) >= 20 and _looks_random(part) and not _plain_text_inside(part)


def _looks_random(run: str) -> bool:
    core = run.strip("=")
    if _DIGEST.fullmatch(core) or len(core) < 20:
        return False
    classes = (any(map(str.isupper, core)), any(map(str.islower, core)), sum(map(str.isdigit, core)) >= 2)
    if sum(classes) < 3:
        return False
    # Words joined by dashes or underscores have digits and capitals too, but their parts are short.
    if max(map(len, re.split(r"[-_/=+]", core))) < 16:
        return False
    counts = Counter(core)
    entropy = -sum(count / len(core) * math.log2(count / len(core)) for count in counts.values())
    return entropy >= min(4.2, 0.85 * math.log2(len(core)))


def _plain_text_inside(run: str) -> bool:
    """Whether it is base64 of readable text that holds no secret: a disguised command is evidence."""
    try:
        decoded = base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    readable = all(character.isprintable() or character in "\n\t\r" for character in decoded)
    return readable and decoded.isascii() and (decoded == run or redact_text(decoded) == decoded)


def _worth(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in _WORDS and not value.isdecimal() | value.startswith("/")


def _spellings(value: str) -> Iterable[str]:
    yield value
    raw = value.encode("utf-8", "surrogateescape")
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield raw.hex()
    yield quote(value, safe="")
    if "\n" in value:
        yield value.replace("\n", "\\n")


def _env_values(project: Path) -> list[str]:
    """Values of secret names in ``.env`` files; what cannot be read is not known."""
    values: list[str] = []
    for file in sorted(project.glob(".env*")):
        try:
            lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            name, sign, value = line.strip().removeprefix("export ").partition("=")
            value = value.strip().strip("\"'")
            if sign and secret_name(name):
                values.append(value)
            values += [found["value"] for found in _IN_ADDRESS.finditer(value)]
    return values
