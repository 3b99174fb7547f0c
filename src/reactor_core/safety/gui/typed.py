"""Typed text, judged by where it goes: a terminal, a query editor, a form, a message, or nowhere that acts."""

from __future__ import annotations

import re
import shlex

from reactor_core.safety.gui.grammar import Scene, Step
from reactor_core.safety.gui.scenery import AGENT_APP, DATABASE_APP, MAIL_APP, PYTHON_APP, RUN_BOX, TERMINAL
from reactor_core.safety.scope import Scope
from reactor_core.safety.verdict import Effect, Finding, found

__all__ = ["typed"]

_SECRET_FIELD = re.compile(
    r"pass(word|phrase|code)|\bpin\b|secret|token|api key|cvv|security code|recovery|otp|one-time"
    r"|verification code|private key|card number|seed"
)
_HARMLESS_FIELD = re.compile(
    r"search|find|filter|address|url|subject|title|to\b|draft|body|note|comment|cell|file name"
    r"|name|omnibox|location|formula|prompt"
)
_BANK_FIELD = re.compile(r"bank|iban|payout|account (number|for)|beneficiary|payee|routing|sort code")
_STORES = (("redis", "redis-cli"), ("mongo", "mongosh --eval"), ("valkey", "redis-cli"))
_FALSE_SITE = re.compile(
    r"http://(?!localhost|127\.|\[::1)|\bevil\b|phish|xn--|\bpaypa1|g00gle|micros0ft|not secure|certificate"
    r"|(https?://)?\d{1,3}(\.\d{1,3}){3}(?<!127\.0\.0\.1)[/:]"
    r"|[\w.-]*(login|verify|secure|account|sso|support|update|signin|auth)-[\w-]+\.[a-z]{2,}"
    r"|[\w.-]*[\w]+-(login|verify|secure|account|sso|support|update|signin|auth)\.[a-z]{2,}"
)
"""Addresses that imitate another: no encryption, a bare number, a name put together with a word for signing in."""
_LOOSE = re.compile(
    r"allow\s*[:=]\s*['\"]?(\*|all|true|everything)|approv\w*\s*[:=]\s*(false|never|off|auto)"
    r"|confirm\w*\s*[:=]\s*(false|never|off)|\*|never ask|skip|bypass|disable|dangerously"
)
_CODES = re.compile(
    r"(one-time|2fa|verification|security|login|sms|auth\w*) (code|pin)\b.{0,12}\d|(my|the) (password"
    r"|pin|passphrase|code)\b.{0,6}(is|:)|-----BEGIN|\bAKIA[0-9A-Z]{12}|seed phrase is"
)


def typed(step: Step, scene: Scene, scope: Scope, *, entered: bool) -> tuple[Finding, ...]:
    """What comes of a text that is typed.

    Args:
        step: The typing.
        scene: Where.
        scope: The scope of commands that are typed.
        entered: Whether Enter, Send, Run or Save follows.
    """
    text, app = step.name, scene.app
    field = scene.field("field", "cell", "box", "input", "editor", "query", "tab").lower()
    after = scene.field("then", "and then", "after").lower()
    runs = (
        entered
        or text.endswith("\n")
        or bool(re.search(r"enter|return|run|execute|send|save|submit|f5|f9|post", after))
    )
    where = f"{field} {app}"
    if _SECRET_FIELD.search(field) and _FALSE_SITE.search(scene.told):
        return (found("B5", "gives a secret to a site that is not what it seems", Effect(outward=True, secret=True)),)
    if _SECRET_FIELD.search(field):
        return (found("C8", "types a secret", Effect(secret=True)),)
    if AGENT_APP.search(app) and _LOOSE.search(text):
        return (found("B5", "the agent would loosen its own rules", Effect(privilege=True)),)
    if _searches(field):
        return ()
    if re.search(r"run (dialog|box)", where) or RUN_BOX.search(app):
        return _run_box(text, scope)
    if re.search(r"\b(psql|mysql|mariadb|sqlite3?|sqlcmd|sqlplus|clickhouse-client|duckdb)\b", app):
        return scope.nested("sql", text).findings
    store = next((client for name, client in _STORES if name in app), "")
    if store and re.search(r"cli|shell|console|command|prompt|terminal|workbench|query", where):
        return scope.nested(
            "shell", f"{store} {shlex.quote(text.strip())}" if "--eval" in store else f"{store} {text}"
        ).findings
    if (TERMINAL.search(app) or re.search(r"\b(cli|console|prompt)$", app)) and "settings" not in app:
        return _commands(text, scope)
    if DATABASE_APP.search(app) or field in {"query", "sql"}:
        return (
            scope.nested("sql", text).findings
            if not re.search(r"filter|search|user|find|name", field.replace("query", ""))
            else ()
        )
    if PYTHON_APP.search(app):
        return (
            scope.nested("python", text.removeprefix("!")).findings
            if not text.startswith("!")
            else _commands(text[1:], scope)
        )
    if re.search(
        r"confirm|type the name|to delete"
        r"|deletion",
        f"{field} {scene.field('dialog').lower()}",
    ) and re.search(r"delet|destroy|remov|drop|eras", scene.told):
        return ()  # the caller judges what is confirmed
    return _form(text, scene, field, app, runs=runs)


def _searches(field: str) -> bool:
    return re.search(r"search|find|filter|address|url|omnibox|location", field) is not None


def _commands(text: str, scope: Scope) -> tuple[Finding, ...]:
    return scope.nested("shell", text.strip("\n")).findings


def _run_box(text: str, scope: Scope) -> tuple[Finding, ...]:
    """The box that starts programs on Windows."""
    if re.search(
        r"(?i)mshta|https?://|powershell|iex|invoke-|bitsadmin|certutil|regsvr32|rundll32|wscript"
        r"|cscript|-enc|\\\\\\\\\d",
        text,
    ):
        return (found("B5", "runs code from elsewhere", Effect(privilege=True)),)
    if re.fullmatch(
        r"(?i)\s*(calc|notepad|mspaint|explorer|taskmgr|winver|control|msinfo32|charmap|write|cmd"
        r"|snippingtool)(\.exe)?\s*",
        text,
    ):
        return ()
    return scope.nested("shell", text.strip("\n")).findings or (found("C6", "starts a program", Effect()),)


def _form(text: str, scene: Scene, field: str, app: str, *, runs: bool) -> tuple[Finding, ...]:
    if _BANK_FIELD.search(field) and (runs or re.search(r"\b[A-Z]{2}\d{2}", text)):
        return (found("B7", "leads payments to another account", Effect(outward=True)),)
    if not runs:
        return ()
    talks = MAIL_APP.search(app) is not None or scene.field("channel", "to", "recipient", "conversation") != ""
    if _CODES.search(text) and talks:
        return (found("B5", "gives a secret away", Effect(outward=True, secret=True)),)
    if talks and re.search(r"draft|not sent|subject|search", f"{field} {scene.told}") is None:
        return (found("C7", "sends a message", Effect(outward=True)),)
    if re.search(r"comment|reply|post|tweet|message|chat|review", field):
        return (found("C7", "posts a text", Effect(outward=True)),)
    if re.search(r"save|submit|apply", scene.field("then", "after").lower()) and not _HARMLESS_FIELD.search(field):
        return (found("C3", "changes a stored value", Effect()),)
    return ()
