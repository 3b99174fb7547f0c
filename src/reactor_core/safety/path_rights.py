"""What it means to change who may do what with a path, and whose it is."""

from __future__ import annotations

from reactor_core.safety import place_names as names
from reactor_core.safety.modes import loosens, sets_user
from reactor_core.safety.places import Place, Spot, locate, made, strictest, under
from reactor_core.safety.scope import Scope
from reactor_core.safety.secret_names import secret
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["mode_change", "owner_change"]


def mode_change(path: str, scope: Scope, *, mode: str, recursive: bool) -> Finding | None:
    """What opens, or closes for everybody, if permissions change.

    Args:
        path: What is changed.
        scope: Where it happens.
        mode: As ``chmod`` takes it: octal, or as ``u+rwx,o-w``.
        recursive: Whether what a folder holds changes too.
    """
    return strictest(_mode_changed(spot, scope, mode, recursive) for spot in locate(path, scope))


def _mode_changed(spot: Spot, scope: Scope, mode: str, recursive: bool) -> Finding | None:
    path = spot.path
    effect = Effect(target=path, scale=Scale.MANY if recursive else Scale.ITEM, privilege=True)
    wide = recursive or spot.every
    system = spot.place in {Place.ROOT, Place.SYSTEM, Place.START_FILE, Place.DEVICE} and not under(
        path, scope.setting.home
    )
    if sets_user(mode) and spot.place is not Place.REGENERABLE:
        return found("B5", f"lets everybody run {path} with its owner's rights", effect)
    if wide and mode.strip("0") == "" and path == scope.setting.home:
        return found("B6", f"lets nobody into {path} and all it holds", effect)
    if wide and (spot.place in {Place.ROOT, Place.HOME} and path in {"/", "/home", "/Users", "/root"}):
        return found("B6", f"changes the permissions of {path} and of all it holds", effect)
    if wide and system and (spot.depth <= 1 or path in names.SYSTEM_FOLDERS or names.PROGRAM_FOLDERS.count(path)):
        return found("B6", f"changes the permissions of a system directory: {path}", effect)
    if spot.place is Place.POLICY:
        return found("B5", f"changes who may write what decides about the agent: {path}", effect)
    if not recursive and mode.strip("0") == "" and path in {"/", "/home", scope.setting.home, "/root", "/etc", "/usr"}:
        return found("B6", f"lets nobody into {path}", effect)
    opened = loosens(mode)
    if names.RIGHTS_FILE.fullmatch(path) and opened:
        return found("B5", f"lets everybody change who has which rights: {path}", effect)
    if spot.place is Place.AUDIT_LOG:
        return found("B5", f"changes who may read or write the traces: {path}", effect)
    if system:
        return found("C5", f"changes permissions of the system: {path}", effect)
    if spot.place in {Place.REGENERABLE, Place.TEMP} or made(spot, scope):
        return None
    if spot.place is Place.SECRET or secret(path):
        tight = loosens(mode, group=True)
        return found("C5", f"lets others read a secret: {path}", effect) if tight else None
    if opened or (wide and spot.place is Place.HOME):
        return found("C5", f"lets everybody write {path}", effect)
    own = under(path, scope.setting.home) or under(path, scope.setting.project)
    return None if own else found("C5", f"changes permissions of {path}", effect)


def owner_change(path: str, scope: Scope, *, recursive: bool, owner: str = "") -> Finding | None:
    """What belongs to somebody else afterwards."""
    findings: list[Finding | None] = []
    for spot in locate(path, scope):
        effect = Effect(target=spot.path, scale=Scale.MANY if recursive else Scale.ITEM, privilege=True)
        wide = recursive or spot.every
        top = spot.place in {Place.ROOT, Place.SYSTEM} and (spot.depth <= 1 or spot.path in names.SYSTEM_FOLDERS)
        if wide and (top or spot.path in {"/home", "/Users"}) and spot.path != "/opt":
            findings.append(found("B6", f"gives away a system directory: {spot.path}", effect))
        elif names.RIGHTS_FILE.fullmatch(spot.path) or spot.place is Place.POLICY:
            findings.append(found("B5", f"gives away what decides who has which rights: {spot.path}", effect))
        elif spot.place is not Place.REGENERABLE and not made(spot, scope):
            findings.append(found("C5", f"makes {spot.path} belong to {owner or 'somebody else'}", effect))
    return strictest(findings)
