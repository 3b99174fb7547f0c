"""Where a path lies, and what lies there: the map of what is precious, secret, acting or makeable again."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

from reactor_core.safety import place_names as names
from reactor_core.safety.scope import Scope
from reactor_core.safety.secret_names import secret
from reactor_core.safety.setting import Setting
from reactor_core.safety.verdict import Finding

__all__ = ["Place", "Spot", "locate", "made", "normal", "place", "strictest", "under"]


class Place(StrEnum):
    """What kind of place a path is."""

    ROOT = "root"
    SYSTEM = "system"
    DEVICE = "device"
    HOME = "home"
    MOUNT = "mount"
    DATA = "data"
    BACKUP = "backup"
    GIT = "git"
    CHECKPOINT = "checkpoint"
    REGENERABLE = "regenerable"
    SCRATCH = "scratch"
    TEMP = "temp"
    PROJECT = "project"
    START_FILE = "start file"
    HOOK = "hook"
    CI = "ci"
    SECRET = "secret"  # noqa: S105  the name of a place
    POLICY = "policy"
    AUDIT_LOG = "audit log"
    PERSONAL = "personal"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Spot:
    """A path that was looked at.

    Attributes:
        path: Absolute and folded, without the trailing parts of a pattern that match everything.
        place: What lies there.
        every: Whether it stands for everything inside ``path`` rather than for ``path``.
        pattern: The last part, if it is a pattern that picks some; empty otherwise.
    """

    path: str
    place: Place
    every: bool = False
    pattern: str = ""

    @property
    def depth(self) -> int:
        """Parts of the path: 0 for the root."""
        return 0 if self.path == "/" else self.path.count("/")

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self.path)


_GLOB = re.compile(r"[*?\[]")
_EVERYTHING = re.compile(
    r"(\*+|\*\.\*|\?\*|\.\*|\.\[[^\]]+\]\*|\.\?\?\*|\[[!^]\.\]\*|\[[^\]]*-[^\]]*\]\*|\*\?|\.\.\?\*)"
)
_DRIVE = re.compile(r"([A-Za-z]):[\\/]+")


def under(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or inside it."""
    return path == folder or folder == "/" or path.startswith(folder + "/")


def normal(path: str, scope: Scope) -> str:
    """The path without ``~``, ``.``, ``..`` and doubled slashes, from the scope's folder; patterns stay.

    A relative path stays relative where the folder is not known. Links that the same action made are followed, except
    in the last part.
    """
    text = path.strip("\n")
    drive = _DRIVE.match(text)
    if drive is not None:
        text = _from_windows(drive[1].lower(), text[drive.end() :].replace("\\", "/"), scope.setting)
    elif text.startswith("~"):
        user, _, rest = text[1:].partition("/")
        if user in {"", scope.setting.user}:
            home = scope.setting.home
        elif user in {"+", "-"}:
            home = scope.cwd
        else:
            home = "/root" if user == "root" else f"/home/{user}"
        text = f"{home}/{rest}"
    if not text.startswith("/"):
        if not scope.cwd:
            return posixpath.normpath(text) if text else text
        text = f"{scope.cwd}/{text}"
    folded = posixpath.normpath(text)
    folded = "/" + folded.lstrip("/")
    if folded.startswith("/private/"):
        folded = folded.removeprefix("/private")
    return _follow(folded, scope)


def _follow(path: str, scope: Scope) -> str:
    for link, target in scope.links.items():
        if path.startswith(link + "/"):
            return posixpath.normpath(f"{target}/{path[len(link) + 1 :]}")
    return path


def _from_windows(drive: str, rest: str, setting: Setting) -> str:
    """A Windows path as the place of the same worth here."""
    if drive != "c":
        return f"/mnt/{drive}/{rest}"
    parts = rest.split("/", 2)
    if parts[0].lower() == "users" and len(parts) > 1 and parts[1]:
        return f"{setting.home}/{parts[2] if len(parts) > 2 else ''}"
    if parts[0].lower() == "users":
        return "/home"
    return f"/{rest}"


def made(spot: Spot, scope: Scope) -> bool:
    """Whether the same action has made it, so that nothing is lost by it."""
    return any(under(spot.path, known) for known in scope.made)


def strictest(findings: Iterable[Finding | None]) -> Finding | None:
    """The strictest of what was found about the spots of a path; None if nothing was."""
    return max((each for each in findings if each is not None), key=lambda each: each.verdict.rank, default=None)


def place(path: str, scope: Scope) -> Place:
    """What kind of place a path is."""
    return locate(path, scope)[0].place


def locate(path: str, scope: Scope, *, follow: bool = True) -> tuple[Spot, ...]:
    """What a path stands for: itself, what a pattern in it may match of the known places, what a link leads to.

    Args:
        path: As it was written, expanded.
        scope: Where it is used.
        follow: Whether a link in the last part is followed too, as writing does and deleting does not.
    """
    scope.effort.spend()
    absolute = normal(path, scope)
    if not absolute.startswith("/"):
        return (_unrooted(absolute),)
    every = False
    while True:
        head, tail = posixpath.split(absolute)
        if not tail or not _EVERYTHING.fullmatch(tail):
            break
        absolute, every = head, True
    pattern = posixpath.basename(absolute) if _GLOB.search(posixpath.basename(absolute)) else ""
    # A slash at the end, as in "link/", goes through a link that this action made.
    if every or path.endswith("/"):
        absolute = _follow(absolute + "/x", scope).removesuffix("/x") or "/"
    found = [Spot(absolute, _place(absolute, scope.setting), every, pattern)]
    if _GLOB.search(absolute):
        alike = [known for known in _known(scope.setting) if _may_be(known, absolute)]
        found += [Spot(known, _place(known, scope.setting), every) for known in alike]
    elif scope.disk is not None and not scope.host:
        real = _real(absolute, scope, follow=follow or every)
        if real != absolute:
            found.append(Spot(real, _place(real, scope.setting), every))
    return tuple(found)


def _real(path: str, scope: Scope, *, follow: bool) -> str:
    assert scope.disk is not None
    if follow:
        return scope.disk.resolve(path)
    head, tail = posixpath.split(path)
    return posixpath.join(scope.disk.resolve(head), tail)


def _unrooted(path: str) -> Spot:
    """A relative path whose folder is not known."""
    if any(part in {".git", ".ssh"} for part in path.split("/")):
        return Spot(path, Place.GIT if ".git" in path.split("/") else Place.SECRET)
    return Spot(path, Place.UNKNOWN, bool(_EVERYTHING.fullmatch(posixpath.basename(path))))


_LONGEST = 1024


def _may_be(known: str, pattern: str) -> bool:
    if len(pattern) > _LONGEST:
        return True  # who writes that hides something, and looking would take long
    wanted, parts = pattern.split("/"), known.split("/")
    if "**" in wanted:
        return fnmatchcase(known, pattern.replace("**", "*"))
    return len(wanted) == len(parts) and all(fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=True))


@lru_cache(maxsize=16)
def _known(setting: Setting) -> tuple[str, ...]:
    """Places that a pattern is tried against."""
    home, project = setting.home, setting.project
    own = [home, posixpath.dirname(home), project, f"{project}/data", f"{project}/.git", f"{project}/checkpoints"]
    own += [f"{home}/{name}" for name in (".ssh", ".aws", ".gnupg", ".kube", ".config", "Documents")]
    tops = [top for top in names.SYSTEM_TOPS if top not in {"/proc", "/sys", "/run"}]
    disks = ["/dev/sda", "/dev/sdb", "/dev/nvme0n1", "/dev/vda"]
    return tuple(dict.fromkeys([*tops, *names.SYSTEM_FOLDERS, *own, *setting.precious_paths, *disks, "/etc/passwd"]))


@lru_cache(maxsize=4096)
def _place(path: str, setting: Setting) -> Place:
    """The place of an absolute, folded path."""
    if path == "/":
        return Place.ROOT
    if any(under(path, kept) for kept in setting.protected) or names.POLICY.fullmatch(path):
        return Place.POLICY
    if path.startswith("/dev/") or path == "/dev":
        return Place.TEMP if path.startswith("/dev/shm/") else Place.DEVICE  # noqa: S108
    if any(_matches(path, made) for made in setting.regenerable_paths):
        return Place.REGENERABLE
    if names.AUDIT_LOG.fullmatch(path):
        return Place.AUDIT_LOG
    home = _home_of(path, setting)
    if home == path or path in {"/home", "/Users"}:
        return Place.HOME
    if under(path, setting.project):
        return _in_project(path, setting)
    if home is not None:
        return _in_home(path[len(home) + 1 :], path, setting)
    return _elsewhere(path, setting)


def _matches(path: str, made: str) -> bool:
    return path.startswith(made[:-1]) and path != made[:-1] if made.endswith("*") else under(path, made)


def _home_of(path: str, setting: Setting) -> str | None:
    if under(path, setting.home):
        return setting.home
    parts = path.split("/")
    if parts[1] in {"home", "Users"} and len(parts) > 2:
        return "/".join(parts[:3])
    return "/root" if parts[1] == "root" else None


def _by_parts(parts: list[str], setting: Setting) -> Place | None:
    """What the parts of a path say by their names, the first that says something."""
    for number, part in enumerate(parts):
        if part == ".git":
            return Place.HOOK if parts[number + 1 : number + 2] == ["hooks"] else Place.GIT
        if (
            part in setting.regenerable
            or part in names.CACHES
            or any(wanted.startswith("*.") and fnmatchcase(part, wanted) for wanted in setting.regenerable)
        ):
            return Place.REGENERABLE
    return None


def _in_project(path: str, setting: Setting) -> Place:
    if path == setting.project:
        return Place.PROJECT
    relative = path[len(setting.project) + 1 :]
    parts = relative.split("/")
    said = _by_parts(parts, setting)
    if said is not None:
        return said
    if secret(path):
        return Place.SECRET
    if names.HOOK.fullmatch(relative):
        return Place.HOOK
    if names.CI.fullmatch(relative):
        return Place.CI
    if names.START_IN_PROJECT.fullmatch(relative):
        return Place.START_FILE
    if any(part in names.CHECKPOINTS for part in parts) or names.CHECKPOINT_FILE.search(parts[-1]):
        return Place.CHECKPOINT
    if parts[0] in names.DATA_FOLDERS:
        return Place.DATA
    if _says(parts, setting.precious_words) == "backup" or _says(parts, setting.precious_words) == "backups":
        return Place.BACKUP
    return Place.SCRATCH if _says(parts, setting.scratch_words) else Place.PROJECT


def _in_home(relative: str, path: str, setting: Setting) -> Place:
    parts = relative.split("/")
    if names.HOME_CACHE.match(relative):
        return Place.REGENERABLE
    if names.START_IN_HOME.fullmatch(relative):
        return Place.START_FILE
    if secret(path):
        return Place.SECRET
    # Directly in the home, a folder called "build" or "out" is anybody's guess.
    said = _by_parts(parts[1:] if parts[0] not in names.SURE_CACHES and parts[0] != ".git" else parts, setting)
    if said is not None:
        return said
    if any(part in names.CHECKPOINTS for part in parts):
        return Place.CHECKPOINT
    if _says(parts, ("backup", "backups")):
        return Place.BACKUP
    return Place.PERSONAL


def _elsewhere(path: str, setting: Setting) -> Place:
    parts = path.split("/")[1:]
    if names.SYSTEM_CACHE.match(path):
        return Place.REGENERABLE
    if names.START_ON_SYSTEM.fullmatch(path):
        return Place.START_FILE
    if secret(path):
        return Place.SECRET
    if path in {"/tmp", "/var/tmp"} or path.startswith(("/tmp/", "/var/tmp/")):  # noqa: S108
        return Place.TEMP
    if _says(parts, ("backup", "backups")):
        return Place.BACKUP
    if parts[0] in {"data", "srv", "datasets"} or path.startswith(names.DATA_PREFIXES):
        return Place.DATA
    if any(under(path, precious) for precious in setting.precious_paths) and parts[0] not in {"var", "home", "mnt"}:
        return Place.DATA
    if parts[0] in {"mnt", "media", "Volumes", "net"}:
        return Place.MOUNT
    if any(under(path, top) for top in names.SYSTEM_TOPS):
        return Place.SYSTEM
    return Place.OUTSIDE


@lru_cache(maxsize=64)
def _word_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[^a-z])({'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})(?![a-z])")


def _says(parts: list[str], words: tuple[str, ...]) -> str:
    """The first of the words that one of the parts contains as a word of its own; empty if none does."""
    pattern = _word_pattern(words)
    for part in parts:
        match = pattern.search(part.lower())
        if match is not None:
            return match[1]
    return ""
