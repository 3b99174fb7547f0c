"""npm and its like: what they install, publish and run."""

from __future__ import annotations

import re
from dataclasses import replace

from reactor_core.safety.tools.line import Known, Textual, read_line, shown, spelled, wordset
from reactor_core.safety.tools.registry import Call, handler_of, handles
from reactor_core.safety.tools.table import lookup
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["foreign_source", "runs_package"]

_VALUES = ("--prefix", "-C", "--cwd", "--dir", "-w", "--workspace", "--registry", "--tag", "--otp", "--access", "-F",
           "--filter", "--userconfig", "--cache", "-p", "--package", "-c", "--call", "--loglevel", "--depth",
           "--scope")  # fmt: skip
_HARMLESS = wordset("""
    ls list la ll view info show v search find outdated audit why explain fund doctor help ping prefix root bin
    docs repo bugs home version-check config:get get query whoami test t tst run run-script start build ci
    install-test it pack prune dedupe ddp rebuild rb init create explore edit completion lint dev serve format
    check typecheck licenses constraints dlx-list import fetch store patch link ln set-script pkg diff sbom
    versions node workspaces workspace plugin set npm recursive deploy-local
""")
_INSTALLS = wordset("""
    install i in add ci clean-install uninstall un remove rm r update up upgrade isntall global
""")
_PUBLISHES = wordset("""
    publish unpublish deprecate undeprecate dist-tag dist-tags owner author access team hook star unstar
""")
_ACCOUNT = frozenset("token login logout adduser add-user profile org".split())  # noqa: SIM905


def foreign_source(text: str) -> bool:
    """Whether a package is named by an address rather than by its name in a registry."""
    return bool(re.match(r"^(?:https?://|git\+|git://|ssh://|git@|github:|gitlab:|ftp://)", text)) or bool(
        re.search(r"@(?:https?://|git\+)", text)
    )


def _plain_address(text: str) -> bool:
    """An address without a name behind it, or without encryption: nobody vouches for what it serves."""
    return bool(re.match(r"^(?:git\+)?(?:http://|https?://\d+\.\d+\.\d+\.\d+)", text))


@handles("npm", "yarn", "pnpm", "cnpm", "bower", "jspm", "yarnpkg")
def judge_npm(call: Call) -> Judged | None:
    """Installs into the project are ordinary work; global ones change the machine; publishing goes out."""
    line = read_line(call.program, call.words[1:], values=_VALUES)
    if line.has("--dry-run"):
        return Judged()
    sub = line.sub()
    if call.program in {"yarn", "yarnpkg"} and sub == "global":
        return merged(call.found("C5", f"changes packages of the user: {' '.join(line.words)}"))
    if sub in {"exec", "x", "dlx"}:
        inner = read_line(call.program, call.words[1:], values=_VALUES, stops=True)
        behind = [word for word in inner.operands[1:] if word.text != "--"]
        if call_text := inner.value("-c", "--call"):
            return call.nested("shell", call_text)
        return runs_package(call, tuple(behind))
    registry = line.value("--registry")
    parts: list[Judged | Finding | None] = []
    if registry and _plain_address(registry):
        parts.append(call.found("B5", f"installs from {registry}, which nobody vouches for", registry, outward=True))
    if sub in _PUBLISHES and not (sub in {"owner", "access", "team", "dist-tag"} and line.sub(1) in {"ls", "list"}):
        return merged(
            *parts, call.found("C7", f"{sub} of a package in the registry", " ".join(line.words[1:]), outward=True)
        )
    if sub in _ACCOUNT:
        return merged(
            *parts,
            call.found("C8", f"{call.program} {sub} changes or shows an account's keys", secret=True)
            if sub != "logout"
            else None,
        )
    if sub == "cache":
        return merged(*parts)
    if sub == "config" and line.sub(1) in {"set", "delete", "edit"}:
        what = line.sub(2)
        secret = "_auth" in what or "token" in what or "password" in what
        return merged(
            *parts, call.found("C8" if secret else "C5", f"keeps {what} in the settings", what, secret=secret)
        )
    if sub == "version" and len(line.operands) > 1:
        return merged(*parts)
    if sub in _INSTALLS:
        parts.append(
            _installed(
                call, line.operands[1:], everywhere=line.has("-g", "--global") or line.value("--location") == "global"
            )
        )
    if sub in {"run", "run-script", "test", "start"} or sub not in _HARMLESS | _INSTALLS:
        parts.append(_named_script(call, line.sub(1) if sub in {"run", "run-script"} else sub))
    return merged(*parts)


_RISKY_SCRIPT = re.compile(
    r"(?i)(?:^|[:_-])(?:deploy|publish|release|destroy|nuke|wipe|purge|drop|reset|teardown|prod(?:uction)?|rollback)(?:$|[:_-])"
)


def _named_script(call: Call, name: str) -> Finding | None:
    if _RISKY_SCRIPT.search(name):
        return call.found("C6", f"runs the project's script {name}, whose content is not known", name)
    return None


def _installed(call: Call, words: tuple[Textual, ...], *, everywhere: bool) -> Judged:
    parts: list[Judged | Finding | None] = []
    for word in words:
        text = word.text if word.text is not None else word.known_prefix
        if word.text is None:
            parts.append(call.found("C6", "installs a package that cannot be known beforehand"))
        elif foreign_source(text):
            rule = "B5" if _plain_address(text) else "C6"
            parts.append(call.found(rule, f"installs {text} from an address", text, outward=True))
    if everywhere:
        parts.append(call.found("C5", f"changes programs of this machine: {' '.join(shown(word) for word in words)}"))
    return merged(*parts)


@handles("npx", "bunx", "pnpx", "pnpm-dlx")
def judge_npx(call: Call) -> Judged | None:
    """Runs a package, which is fetched if it is not there."""
    line = read_line(call.program, call.words[1:], values=("-p", "--package", "-c", "--call", "--registry"), stops=True)
    if call_text := line.value("-c", "--call"):
        return call.nested("shell", call_text)
    return runs_package(replace(call, line=line), line.operands)


_KNOWN_RUNNERS = re.compile(
    r"^(?:create-[\w-]+|@[\w-]+/(?:create|cli|schematics)[\w-]*|@(?:angular|nestjs|vue|storybook|playwright|biomejs|commitlint|changesets|redocly|openapitools|graphql-codegen|tailwindcss|sveltejs|modelcontextprotocol)/[\w-]+)$"
)


def runs_package(call: Call, words: tuple[Textual, ...]) -> Judged:
    """A package that is run by its name: known programs are judged as themselves, others may do anything."""
    if not words:
        return Judged()
    first = words[0]
    text = first.text
    if text is None:
        return merged(call.found("C6", "runs a package that cannot be known beforehand"))
    if foreign_source(text):
        return merged(call.found("B5", f"runs {text}, which nobody has looked at", text, outward=True))
    name = re.sub(r"(?<=.)@[^/]*$", "", text)
    if text.startswith(("./", "../", "/")):
        return call.nested("shell", spelled(words))
    if lookup(name) is not None or handler_of(name) is not None:
        return call.nested("shell", spelled((Known(name), *words[1:])))
    if _KNOWN_RUNNERS.match(name):
        return Judged()
    return merged(call.found("C6", f"fetches and runs the package {text}", text))
