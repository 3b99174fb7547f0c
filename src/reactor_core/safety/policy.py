"""The organisation's own rules and the project's own places, from ``reactor.toml``."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from reactor_core.errors import ConfigError
from reactor_core.safety.setting import Setting
from reactor_core.safety.verdict import Effect, Finding, Judged, Scale, Verdict

__all__ = ["POLICY_NAME", "Policy", "Rule", "load_policy", "project_setting", "read_policy"]

POLICY_NAME = "reactor.toml"
"""File name in the root of a project."""

_SECTION = "safety"


class EffectIs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which effects a rule is about: what is None does not matter."""

    scale: Scale | None = None
    reversible: bool | None = None
    outward: bool | None = None
    secret: bool | None = None
    privilege: bool | None = None

    def matches(self, effect: Effect) -> bool:
        """Whether every property that is given is the effect's."""
        return all(getattr(effect, name) == value for name, value in self._given())

    def _given(self) -> list[tuple[str, object]]:
        return [(name, value) for name in self.__struct_fields__ if (value := getattr(self, name)) is not None]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule of the organisation. It is about an action that meets all of the conditions that it has.

    Patterns are those of file names (``*``, ``?``, ``[..]``); a path pattern without them is the path and all below it.

    Attributes:
        name: Shown with each decision that it takes part in.
        verdict: What it asks for.
        reason: Shown to the person who is asked.
        kinds: Kinds of action; empty means all.
        lifts: For ``allow`` and ``confirm``: rules of the rubric whose findings it lowers to its own verdict. None: all
            of confirm tier. One of block tier is lowered only where it is named here.
        paths: Patterns of absolute paths.
        hosts: Patterns of host names.
        tables: Patterns of tables, as ``table`` or ``schema.table``, in lower case.
        accounts: Patterns of cloud projects, buckets, clusters, mail addresses.
        how: What is done to them: read, write or delete; empty means anything.
        effect: What the finding's effect is.
    """

    name: str
    verdict: Verdict
    reason: str = ""
    kinds: tuple[str, ...] = ()
    lifts: tuple[str, ...] | None = None
    paths: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    how: tuple[Literal["read", "write", "delete"], ...] = ()
    effect: EffectIs | None = None

    def __post_init__(self) -> None:
        if not self.name or (self.name[0] in "ABC" and self.name[1:].isdigit()):
            raise ValueError(f"name={self.name!r} is empty or the name of a rule of the rubric")
        if not (self.places or self.effect or self.lifts):
            raise ValueError(
                f"rule {self.name!r} has no condition: name paths, hosts, tables, accounts, an effect or lifts"
            )
        if self.lifts and self.verdict is Verdict.BLOCK:
            raise ValueError(f"rule {self.name!r} blocks, so it lifts nothing")

    @property
    def places(self) -> dict[str, tuple[str, ...]]:
        """The kinds of thing that it names, with their patterns."""
        named = {"path": self.paths, "host": self.hosts, "table": self.tables, "account": self.accounts}
        return {what: patterns for what, patterns in named.items() if patterns}

    def touched(self, judged: Judged) -> str | None:
        """What the action touches and the rule names, the first; "" if it names nothing, None if it is about others."""
        places = self.places
        if not places:
            return ""
        for touch in judged.touches:
            if (not self.how or touch.how in self.how) and _named(touch.name, touch.what, places.get(touch.what, ())):
                return touch.name
        return None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Rules beside the rubric's, and where they stand.

    Attributes:
        rules: In the order of the file.
        path: The file; None for rules that were made in code.
    """

    rules: tuple[Rule, ...] = ()
    path: Path | None = None

    def apply(self, kind: str, judged: Judged) -> Judged:
        """What the rules make of a judgement.

        A rule that blocks or asks adds its finding. One that allows, or asks where the rubric blocks, lowers findings:
        those that it lifts, where all that the action touches of the kinds that it names is named. Adding goes last,
        so the strictest rule decides.
        """
        about = [rule for rule in self.rules if not rule.kinds or kind in rule.kinds]
        findings = tuple(_lowered(finding, judged, about) for finding in judged.findings)
        added = tuple(finding for rule in about if (finding := _raised(rule, judged)) is not None)
        return msgspec.structs.replace(judged, findings=(*findings, *added))


def _raised(rule: Rule, judged: Judged) -> Finding | None:
    if rule.verdict is Verdict.ALLOW or rule.lifts is not None:
        return None
    touched = rule.touched(judged)
    if touched is None:
        return None
    effect = Effect(target=touched)
    if rule.effect is not None:
        effects = [finding.effect for finding in judged.findings if rule.effect.matches(finding.effect)]
        if not effects:
            return None
        effect = effects[0]
    return Finding(rule.verdict, rule.name, rule.reason or f"rule {rule.name!r} of the organisation", effect, touched)


def _lowered(finding: Finding, judged: Judged, rules: Iterable[Rule]) -> Finding:
    for rule in rules:
        if rule.verdict is not Verdict.ALLOW and rule.lifts is None:
            continue
        liftable = finding.verdict is Verdict.CONFIRM if rule.lifts is None else finding.rule in rule.lifts
        if not liftable or finding.verdict.rank <= rule.verdict.rank:
            continue
        if rule.effect is not None and not rule.effect.matches(finding.effect):
            continue
        if _all_named(rule, judged):
            says = f"{finding.says}; {rule.reason or f'rule {rule.name!r} of the organisation'}"
            return msgspec.structs.replace(finding, verdict=rule.verdict, rule=rule.name, says=says)
    return finding


def _all_named(rule: Rule, judged: Judged) -> bool:
    """Whether the action touches something of each kind that the rule names, and nothing else of that kind."""
    for what, patterns in rule.places.items():
        touches = [touch for touch in judged.touches if touch.what == what and (not rule.how or touch.how in rule.how)]
        if not touches or not all(_named(touch.name, what, patterns) for touch in touches):
            return False
    return True


def _named(name: str, what: str, patterns: Iterable[str]) -> bool:
    for pattern in patterns:
        if fnmatch.fnmatchcase(name, pattern):
            return True
        if what == "path" and (name == pattern.rstrip("/") or name.startswith(pattern.rstrip("/") + "/")):
            return True
        if what == "table" and "." not in pattern and fnmatch.fnmatchcase(name.rpartition(".")[2], pattern):
            return True
        if what == "host" and pattern.startswith("*.") and name == pattern[2:]:
            return True
    return False


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[safety]`` of the file."""

    root: str = "."
    regenerable: tuple[str, ...] = ()
    precious: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    shared_branches: tuple[str, ...] | None = None
    scratch_words: tuple[str, ...] = ()
    precious_words: tuple[str, ...] = ()
    own_hosts: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


def read_policy(path: Path, setting: Setting) -> tuple[Policy, Setting]:
    """The rules of a file, and the setting with the places that it declares.

    Paths in it are relative to its own folder. The file itself is protected.

    Args:
        path: The file.
        setting: What is assumed without it.

    Raises:
        ConfigError: It cannot be read or says something that is not understood. A policy in doubt is no policy.
    """
    try:
        text = path.read_text(encoding="utf-8")
        section = msgspec.convert(_section(tomllib.loads(text)), _Section)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: [{_SECTION}] {error}") from error
    names = [rule.name for rule in section.rules]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"{path}: [{_SECTION}] two rules are named {min(twice)!r}")
    folder = path.resolve().parent
    root = str((folder / section.root).resolve())
    plain = tuple(name for name in section.regenerable if "/" not in name)
    rooted = tuple(_under(root, name) for name in section.regenerable if "/" in name)
    return Policy(rules=section.rules, path=path.resolve()), msgspec.structs.replace(
        setting,
        project=root,
        regenerable=(*setting.regenerable, *plain),
        regenerable_paths=(*setting.regenerable_paths, *rooted),
        precious_paths=(*setting.precious_paths, *(_under(root, name) for name in section.precious)),
        protected=(*setting.protected, str(path.resolve()), *(_under(root, name) for name in section.protected)),
        shared_branches=setting.shared_branches if section.shared_branches is None else section.shared_branches,
        scratch_words=(*setting.scratch_words, *section.scratch_words),
        precious_words=(*setting.precious_words, *section.precious_words),
        own_hosts=(*setting.own_hosts, *section.own_hosts),
    )


def project_setting(cwd: Path, *, user: str, home: Path) -> Setting:
    """The setting of a folder: its project is the nearest folder above with a policy or a ``.git``.

    Args:
        cwd: The folder.
        user: Who runs the actions.
        home: His home.
    """
    folder = cwd.resolve()
    above = [folder, *folder.parents]
    root = next((each for each in above if (each / POLICY_NAME).is_file() or (each / ".git").exists()), folder)
    return Setting(user=user, home=str(home), cwd=str(folder), project=str(root), branch=_branch(root))


def load_policy(
    cwd: Path, *, user: str, home: Path, policy_file: Path | None = None, protected: Iterable[Path] = ()
) -> tuple[Policy, Setting]:
    """The policy and the setting for actions that start in a folder.

    Args:
        cwd: The folder.
        user: Who runs the actions.
        home: His home.
        policy_file: The file; None takes ``reactor.toml`` of the project, if there is one.
        protected: More paths that no action may change: workspaces, keys, secrets of the factors.

    Raises:
        ConfigError: The file cannot be read or understood.
    """
    setting = project_setting(cwd, user=user, home=home)
    setting = msgspec.structs.replace(setting, protected=tuple(str(path.resolve()) for path in protected))
    chosen = policy_file or Path(setting.project) / POLICY_NAME
    if policy_file is None and not chosen.is_file():
        # Making one would be writing the policy, so the place is protected although nothing is there.
        return Policy(), msgspec.structs.replace(setting, protected=(*setting.protected, str(chosen)))
    return read_policy(chosen, setting)


def _section(document: Mapping[str, Any]) -> object:
    return document.get(_SECTION, {})


def _under(root: str, name: str) -> str:
    return name.rstrip("/") if name.startswith("/") else f"{root}/{name.strip('/')}"


def _branch(root: Path) -> str:
    """The branch that is checked out; empty if there is none."""
    try:
        head = (root / ".git" / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else ""
