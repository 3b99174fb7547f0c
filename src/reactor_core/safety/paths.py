"""What it means to delete, overwrite, read, move or open up a path: the one place where paths are judged.

Every function takes a path as it is after all expansions (patterns may be left in it), looks where it really lies, and
returns the strictest finding, or None if nothing speaks against it. Where the scope can ask the machine, links are
followed and both the path and what it leads to are judged.
"""

from __future__ import annotations

import re

from reactor_core.safety import place_names as names
from reactor_core.safety.contents import acting
from reactor_core.safety.key_formats import holds_secret
from reactor_core.safety.path_rights import mode_change, owner_change
from reactor_core.safety.places import Place, Spot, locate, made, normal, place, strictest, under
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.secret_names import secret
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = [
    "Place",
    "appending",
    "copying",
    "deletion",
    "mode_change",
    "moving",
    "normal",
    "overwriting",
    "owner_change",
    "place",
    "reading",
    "sending",
]

_BLOCKING_MOVES = ("B1", "B2", "B5", "B6")


def _lost(rule: str, says: str, spot: Spot, *, wide: bool = True) -> Finding:
    scale = Scale.ALL if rule[0] == "B" else Scale.MANY if wide else Scale.ITEM
    return found(rule, says, Effect(target=spot.path, scale=scale, reversible=False))


def deletion(path: str, scope: Scope, *, recursive: bool, many: bool = False) -> Finding | None:
    """What is lost if a path is deleted.

    Args:
        path: Absolute or relative, expanded; may contain patterns.
        scope: Where it happens.
        recursive: Whether what a folder holds goes too.
        many: Whether the path stands for many files, as a pattern or a search does.
    """
    spots = locate(path, scope, follow=False)
    return strictest(_deleted(spot, scope, recursive or many or spot.every, many) for spot in spots)


def _deleted(spot: Spot, scope: Scope, wide: bool, many: bool) -> Finding | None:
    path, setting = spot.path, scope.setting
    if made(spot, scope) or spot.place is Place.REGENERABLE:
        return None
    if names.HELD.search(path.lower()):
        return _lost("B7", f"destroys records that have to be kept: {path}", spot)
    if wide and (_everywhere(path) or (spot.pattern and spot.depth == 1)):
        return _lost("B1", f"deletes from the whole machine: {path}", spot)
    if wide and not spot.pattern and spot.place is not Place.ROOT:
        for precious, what in ((setting.home, "the home"), (setting.project, "the project with its history")):
            if under(precious, path):
                return _lost("B1", f"deletes {what}: {path}", spot)
    match spot.place:
        case Place.ROOT:
            return _lost("B1", "deletes every file of the system", spot)
        case Place.HOME:
            return _lost("B1", f"deletes a home: {path}", spot)
        case Place.POLICY:
            return _lost("B5", f"deletes what decides about the agent itself: {path}", spot)
        case Place.AUDIT_LOG:
            return _lost("B5", f"deletes traces of what was done: {path}", spot)
        case Place.DEVICE:
            rule = "C5" if path.startswith(("/dev/shm", "/dev/mqueue")) else "B6"  # noqa: S108
            return _lost(rule, f"deletes a device: {path}", spot)
        case Place.GIT:
            return _git_deleted(spot, wide)
        case Place.SYSTEM | Place.START_FILE:
            return _system_deleted(spot, scope, wide)
        case Place.DATA | Place.MOUNT | Place.BACKUP | Place.CHECKPOINT:
            return _precious_deleted(spot, scope, wide)
        case Place.SECRET if wide and not spot.pattern and spot.name.startswith("."):
            known_folder = spot.name in {".ssh", ".aws", ".gnupg", ".kube", ".password-store", ".azure"}
            return _lost("B1" if known_folder else "C1", f"deletes keys and credentials: {path}", spot)
        case Place.UNKNOWN:
            return unclear(f"deletes {path}, and the folder it lies in is not known")
        case Place.PROJECT if names.JUNK.fullmatch(spot.name):
            return None
    if wide and _prod_host(scope) and spot.depth <= 2:
        return _lost("B1", f"deletes {path} of the host {scope.host}", spot)
    return _lost("C1", f"deletes {path}, which cannot be made again", spot, wide=wide or many)


def _everywhere(path: str) -> bool:
    """Whether a pattern goes through the whole machine, or through all homes."""
    parts = path.split("/")[1:]
    return "**" in parts[:2] or (len(parts) > 1 and parts[0] in {"home", "Users"} and parts[1] in {"*", "**"})


def _prod_host(scope: Scope) -> bool:
    return any(word in scope.host.lower() for word in scope.setting.precious_words)


def _git_deleted(spot: Spot, wide: bool) -> Finding:
    inside = spot.path.rpartition("/.git")[2].strip("/")
    whole = inside.split("/")[0] in {"", "objects", "refs", "logs"}
    if wide and whole and inside.count("/") <= 1:
        return _lost("B2", f"deletes local history: {spot.path}", spot)
    return _lost("C2", f"deletes a file of the repository's own: {spot.path}", spot, wide=wide)


def _system_deleted(spot: Spot, scope: Scope, wide: bool) -> Finding:
    path = spot.path
    if path.startswith(("/home/", scope.setting.home + "/", scope.setting.project + "/")):
        return _lost("C1", f"deletes a start file: {path}", spot)
    if names.CRITICAL_FILE.fullmatch(path) or under(path, "/boot") or path.startswith("/etc/pam"):
        return _lost("B6", f"deletes what the host needs to start and to log in: {path}", spot)
    if not wide:
        return _lost("C5", f"deletes a file of the system: {path}", spot, wide=False)
    if names.PROTECTION_FILE.fullmatch(path):
        return _lost("B5", f"deletes a protection of this host: {path}", spot)
    programs = any(under(path, folder) for folder in names.PROGRAM_FOLDERS)
    top = spot.depth <= (2 if path.startswith(("/etc/", "/var/")) else 1) or path in names.SYSTEM_FOLDERS
    if top and spot.pattern and spot.depth > 1 and not programs:
        return _lost("C5", f"deletes some files of the system: {path}", spot)
    if top or (programs and spot.depth <= 3):
        return _lost("B1", f"deletes a system directory: {path}", spot)
    return _lost("C1", f"deletes {path} of the system", spot)


def _precious_deleted(spot: Spot, scope: Scope, wide: bool) -> Finding:
    path = spot.path
    in_project = under(path, scope.setting.project)
    relative = path[len(scope.setting.project) + 1 :] if in_project else path[1:]
    scratch = any(word in part for part in relative.split("/")[1:] for word in scope.setting.scratch_words)
    kind = {"data": "data", "mount": "a mount", "backup": "backups", "checkpoint": "checkpoints"}[spot.place.value]
    if not wide or scratch:
        return _lost("C1", f"deletes {path}: {kind}", spot, wide=wide)
    parts = relative.split("/")
    if spot.pattern:
        parts = parts[:-1]
    top = all("*" in part for part in parts[1:])
    match spot.place:
        case Place.BACKUP:
            whole = True
        case Place.CHECKPOINT:
            whole = parts[-1] in names.CHECKPOINTS
        case Place.MOUNT:
            whole = len(parts) <= (3 if parts[0] == "media" else 2)
        case _ if in_project:
            whole = top and (not spot.pattern or len(parts) > 1)
        case _:
            whole = len(parts) <= (1 if spot.pattern else 2) or path.startswith("/var/") or _prod_host(scope)
    if whole:
        return _lost("B1", f"deletes {kind}, whole: {path}", spot)
    return _lost("C1", f"deletes {path}: {kind}", spot)


def overwriting(path: str, scope: Scope, *, content: str | None = None) -> Finding | None:
    """What is lost, or begins to act, if a file is written anew.

    Args:
        path: The file, not the folder it is put into.
        scope: Where it happens.
        content: What is written; None if it is not known. Empty text empties the file.
    """
    return strictest(_written(spot, scope, content, append=False) for spot in locate(path, scope))


def appending(path: str, scope: Scope, *, content: str | None = None) -> Finding | None:
    """What begins to act if something is added to a file; nothing is lost by it."""
    return strictest(_written(spot, scope, content, append=True) for spot in locate(path, scope))


def _written(spot: Spot, scope: Scope, content: str | None, *, append: bool) -> Finding | None:
    path = spot.path
    if spot.place is Place.REGENERABLE and not names.START_IN_PROJECT.fullmatch(path):
        return None
    if made(spot, scope) and spot.place not in {Place.START_FILE, Place.HOOK, Place.POLICY}:
        return None
    change = Effect(target=path, scale=Scale.ITEM, reversible=append, privilege=spot.place is Place.SYSTEM)
    match spot.place:
        case Place.POLICY:
            return found("B5", f"changes what decides about the agent itself: {path}", change)
        case Place.AUDIT_LOG:
            if append:
                return found("C5", f"writes into a log of what was done: {path}", change)
            return found("B5", f"overwrites traces of what was done: {path}", change)
        case Place.DEVICE:
            return _device_written(spot, change)
        case Place.GIT if not path.endswith("/.git/config"):
            if path.rpartition("/.git/")[2] in {"info/exclude", "COMMIT_EDITMSG", "description"}:
                return None
            return found("C2", f"writes into the repository's own files: {path}", change)
        case Place.START_FILE | Place.HOOK | Place.CI | Place.GIT:
            return acting(path, content, scope, append=append)
        case Place.SYSTEM:
            return acting(path, content, scope, append=append) or _system_written(spot, change, append=append)
        case Place.ROOT | Place.HOME:
            return found("C1", f"writes over {path}", change)
    if spot.place is Place.SECRET or (content is not None and holds_secret(content)):
        return _secret_written(spot, content, change, append=append)
    if names.DATABASE_FILE.fullmatch(path):
        return found("B3" if content == "" else "C3", f"writes over files of a database: {path}", change)
    if append:
        return found("C5", f"writes outside the project: {path}", change) if _foreign(spot, scope) else None
    if spot.place in {Place.PROJECT, Place.SCRATCH}:
        if names.IMAGE.search(spot.name) or (content == "" and not names.EMPTY.fullmatch(spot.name)):
            return found("C1", f"overwrites {path}", change)
        return None
    if spot.place is Place.TEMP or (spot.place is Place.UNKNOWN and content != ""):
        return None
    if spot.place is Place.BACKUP and content != "" and names.DATED.search(spot.name):
        return None
    if scope.disk is not None and not scope.host and scope.disk.glob(path, 1) == []:
        return None  # a new file: nothing is lost
    return found("C1", f"overwrites {path}, which cannot be made again", change)


def _foreign(spot: Spot, scope: Scope) -> bool:
    """Whether a file belongs to others: neither the project's nor the user's nor scratch."""
    own = (scope.setting.home, scope.setting.project)
    return spot.place in {Place.OUTSIDE, Place.PERSONAL} and not any(under(spot.path, folder) for folder in own)


def _device_written(spot: Spot, change: Effect) -> Finding | None:
    if names.HARMLESS_DEVICE.fullmatch(spot.path):
        return None
    if names.DISK.fullmatch(spot.path):
        return found("B1", f"overwrites a disk or the memory of the machine: {spot.path}", change)
    if spot.path.startswith("/dev/watchdog"):
        return found("B6", "makes the watchdog restart the machine", change)
    return found("C5", f"writes to a device: {spot.path}", change)


def _system_written(spot: Spot, change: Effect, *, append: bool) -> Finding:
    path = spot.path
    if path == "/proc/sysrq-trigger" or path.startswith("/sys/firmware/efi/efivars"):
        return found("B6", f"makes the kernel stop or the firmware forget: {path}", change)
    if names.PROTECTION_SWITCH.fullmatch(path):
        return found("B5", f"switches off a protection of the kernel: {path}", change)
    if not append and (path.startswith("/boot/") or path in {"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/fstab"}):
        return found("B6", f"overwrites what the host needs to start and to log in: {path}", change)
    if any(under(path, folder) for folder in names.PROGRAM_FOLDERS):
        return found("B5", f"replaces a program or library that everybody runs: {path}", change)
    return found("C5", f"changes a file of the system: {path}", change)


def _secret_written(spot: Spot, content: str | None, change: Effect, *, append: bool) -> Finding | None:
    settings = ".env" in spot.name or spot.name.endswith((".npmrc", ".tfvars"))
    if settings and content is not None and content.strip() and not holds_secret(content, named=True):
        return None if append or spot.name in {".env", ".npmrc"} else found("C1", f"overwrites {spot.path}", change)
    if content is not None and not content.strip():
        return found("C1", f"empties {spot.path}", change)
    effect = Effect(target=spot.path, scale=Scale.ITEM, reversible=append, secret=True)
    return found("C8", f"writes a secret into {spot.path}", effect)


def reading(path: str, scope: Scope) -> Finding | None:
    """Whether reading a file shows a secret."""
    for spot in locate(path, scope):
        shown = spot.place is Place.SECRET or secret(spot.path) or spot.path.endswith("/factors.db")
        if shown and not made(spot, scope):
            return found("C8", f"reads secrets: {spot.path}", Effect(target=spot.path, scale=Scale.ITEM, secret=True))
        if spot.place is Place.DEVICE and spot.path in {"/dev/mem", "/dev/kmem", "/proc/kcore"}:
            return found("C8", "reads the memory of the machine", Effect(target=spot.path, secret=True))
    return None


def copying(source: str, target: str, scope: Scope, *, overwrite: bool = True) -> Finding | None:
    """What a copy shows, publishes, sends out and overwrites.

    Args:
        source: What is copied.
        target: The file that it comes to lie at, or an address elsewhere.
        scope: Where it happens.
        overwrite: Whether what is there is replaced; False: nothing of data and documents is lost.
    """
    sent = sending(source, target, scope)
    if sent is not None or names.REMOTE.fullmatch(target):
        return sent
    empty = "" if normal(source, scope) == "/dev/null" else None
    over = overwriting(target, scope, content=empty)
    if not overwrite and over is not None and over.rule == "C1":
        over = None
    return strictest((reading(source, scope), over))


def sending(source: str, target: str, scope: Scope) -> Finding | None:
    """What leaves this machine, or comes to lie where everybody can fetch it; None if it stays here."""
    remote = names.REMOTE.fullmatch(target) is not None
    if not remote and not any(names.PUBLIC_FOLDER.search(spot.path) for spot in locate(target, scope)):
        return None
    effect = Effect(target=target, scale=Scale.ITEM, outward=True, secret=reading(source, scope) is not None)
    if effect.secret:
        return found("B5", f"sends secrets out: {source} to {target}", effect)
    lies = place(source, scope)
    told = normal(source, scope).removeprefix(scope.setting.home)
    confidential = names.PERSONAL_FILE.search(told) is not None
    public = not remote or re.search(r"(?i)public|open|press|world|anyone|download", target) is not None
    if public and (confidential or lies in {Place.BACKUP, Place.HOME, Place.ROOT, Place.GIT}):
        return found("B7", f"publishes personal or confidential data: {source} to {target}", effect)
    if confidential and remote and re.match(r"(?i)(ftp|https?)://", target):
        return found("B7", f"sends personal or confidential data out: {source} to {target}", effect)
    return found("C7", f"sends {source} to {target}", effect) if remote else None


def moving(source: str, target: str, scope: Scope) -> Finding | None:
    """What is missing where it was, and lost where it comes to lie."""
    sent = sending(source, target, scope)
    if names.REMOTE.fullmatch(target):
        return strictest((sent, deletion(source, scope, recursive=True)))
    over = sent or overwriting(target, scope)
    where = locate(target, scope)[0]
    setting = scope.setting
    findings: list[Finding | None] = [over]
    for spot in locate(source, scope, follow=False):
        gone = _deleted(spot, scope, True, False)
        inside = under(spot.path, setting.project) and under(where.path, setting.project)
        if where.place is Place.DEVICE:
            findings.append(gone or found("C1", f"moves {spot.path} into nothing", Effect(target=spot.path)))
        elif gone is None or (spot.place is Place.TEMP and spot.path != "/tmp"):  # noqa: S108
            continue
        elif gone.rule in _BLOCKING_MOVES and spot.place not in {
            Place.DATA,
            Place.CHECKPOINT,
            Place.SECRET,
            Place.BACKUP,
        }:
            findings.append(found(gone.rule, gone.says.replace("deletes", "moves away", 1), gone.effect))
        elif not (inside and spot.place in {Place.PROJECT, Place.SCRATCH, Place.CI, Place.DATA}):
            findings.append(found("C1", f"moves {spot.path} away", Effect(target=spot.path, scale=Scale.ITEM)))
    return strictest(findings)
