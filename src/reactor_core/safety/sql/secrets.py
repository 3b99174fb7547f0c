"""Which columns and tables hold secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reactor_core.safety.sql.tokens import Group, Kind, Node, Token

__all__ = ["names_secret", "secret_shown"]

_COLUMN = re.compile(
    r"^(?:\w*_)?(?:password|passwd|passphrase|pwd|secret|secrets|token|api_?key|access_?key|secret_?key|private_?key"
    r"|client_?secret|signing_?key|encryption_?key|otp|totp|mfa_secret|recovery_codes?|credentials?|cvv|cvc|pin_code"
    r"|rolpassword|authentication_string|passwordsalt|session_key|refresh_token|access_token|auth_token)"
    r"(?:_?(?:hash|digest|enc|encrypted|value|plain|plaintext|salt|ciphertext))?$"
)
_TABLE = re.compile(
    r"^(?:pg_shadow|pg_authid|pg_user_mapping|sql_logins|syslogins|user\$|\w*(?:api_keys?|api_tokens?|access_tokens?"
    r"|auth_tokens?|secrets?|credentials?|passwords?|private_keys?|vault))$"
)


def names_secret(column: str) -> bool:
    """Whether a column by this name holds a secret, such as ``password_hash``; ``password_changed_at`` does not."""
    return bool(_COLUMN.match(column.lower()))


def secret_shown(projection: Sequence[Node], tables: Sequence[str]) -> str:
    """What secret a list of selected expressions shows; empty: none. A count of rows shows nothing."""
    starred = any(
        isinstance(node, Token) and node.raw == "*" and _alone(projection, at) for at, node in enumerate(projection)
    )
    if starred:
        last = [name.rpartition(".")[2].lower() for name in tables]
        shown = next((name for name in last if _TABLE.match(name)), "")
        if not shown and any(name in ("mysql.user", "sys.user$") for name in map(str.lower, tables)):
            shown = "the accounts"
        return shown
    return _column_shown(projection)


def _alone(nodes: Sequence[Node], at: int) -> bool:
    """Whether a star stands for all columns rather than for a product."""
    before = nodes[at - 1] if at else None
    behind = nodes[at + 1] if at + 1 < len(nodes) else None
    opens = before is None or (
        isinstance(before, Token) and (before.raw in (",", ".") or before.upper in ("DISTINCT", "ALL"))
    )
    return opens and (behind is None or (isinstance(behind, Token) and behind.raw == ","))


def _column_shown(nodes: Sequence[Node]) -> str:
    for at, node in enumerate(nodes):
        if isinstance(node, Group):
            before = nodes[at - 1] if at else None
            name = before.upper if isinstance(before, Token) else ""
            quiet = name in (
                "COUNT",
                "LENGTH",
                "CHAR_LENGTH",
                "OCTET_LENGTH",
                "MD5",
                "SHA256",
                "ISNULL",
                "BOOL_OR",
                "OVER",
            )
            if node.inner and node.inner[0].upper in ("SELECT", "WITH"):
                continue
            if not quiet and (shown := _column_shown(node.inner)):
                return shown
            continue
        if node.kind not in (Kind.WORD, Kind.NAME) or not names_secret(node.text):
            continue
        behind = nodes[at + 1] if at + 1 < len(nodes) else None
        before = nodes[at - 1] if at else None
        if isinstance(behind, Group) or (
            isinstance(behind, Token) and (behind.upper in ("IS", "AS") or behind.raw in "=<>.")
        ):
            if isinstance(behind, Token) and behind.upper == "AS":
                return node.text
            continue
        if isinstance(before, Token) and before.upper == "AS":
            continue
        return node.text
    return ""
