"""What is lost by a click that deletes, erases, drops, resets or gives up."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.gui.labels import Answer
from reactor_core.safety.gui.scenery import (
    CONSOLE,
    DATABASE_APP,
    EVERYTHING,
    SHARED_BRANCH,
    paths_in,
    precious,
    scratch,
)
from reactor_core.safety.gui.sight import Sight
from reactor_core.safety.place_names import HELD
from reactor_core.safety.verdict import Finding, Verdict

__all__ = ["destroyed", "given_up", "overwritten", "remade"]

MANY = 1_000
"""More things than this at once are a loss that nobody looks through beforehand."""

_DESTROYS = re.compile(
    r"\b(delet(e|es|ed|ing|ions?)|(eras|wip|purg|destroy|truncat|empti)ed|flush( ?db| ?all| keys| database)?"
    r"|initiali[sz]e (the )?(disk|drive|volume)|re-?partition|reformat|zero out"
    r"|saniti[sz]e|eras(e|es|ing)|wip(e|es|ing)|format(ting|ted)?|drop|truncat(e|ing)"
    r"|empt(y|ies|ying)|purg(e|ing)|terminat(e|ing)"
    r"|destroy(s|ed|ing)?|remov(e|es|ed|ing)|clear|shred|reset this|factory reset|reset (?!password"
    r"|zoom|view|filter|layout)|expunge|prune|discard|nuke"
    r"|uninstall|unlink|trash|will be lost|lost for ?ever|overwrit(e|es|ing)|tear down|shut down project"
    r"|close (my |your |this )?account|decommission|deactivat(e|ing) (this |the |my )?(workspace|tenant"
    r"|organi[sz]ation|account|cluster|domain|site|project)"
    r"|restore an? (empty|older)|keep any)\b"
)
_SAYS_SO = re.compile(
    r"\bwill (first )?(be (deleted|destroyed|erased|wiped|lost|removed|gone)|drop|delete|erase|wipe|destroy)\b"
)
"""A screen that says what is lost by whatever the button is called."""
_MAKEABLE = re.compile(
    r"\bclear (search|filters?|input|field|form|text|results?|selection|all filters)\b|\b(caches?"
    r"|build (output|files)|temporary files|temp files|thumbnails|recent (files|list)|search(es)? history"
    r"|filters?|formatting|format (document|code|selection|file|table|painter|text|paragraph|sql|json)"
    r"|cookies banner|notifications?|format cells|clipboard|queue view|console output"
    r"|output|quarantine)\b"
)
_UNDOABLE = re.compile(
    r"\b(columns?|rows?|cells?|slides?|layers?|shapes?|comments?|paragraph|text box|objects?|text|frame)\b"
)
_TRACES = re.compile(
    r"\b(audit|security|sign-?in|login|access|event|activity|admin)[ -]?(logs?|trails?|history"
    r"|records?|events?)\b|\blog: (security|system|audit)|audit trail|\bjournal\b"
)
_GUARDS = re.compile(
    r"branch protection|protection (rules?|of)|required (reviews?|approvals?)|pass ?keys?\b|two-?(factor"
    r"|step)|2fa|mfa\b|recovery (keys?|codes?)|kill switch|firewall|antivirus|security (agent"
    r"|rule|policy)"
)
_BACKUPS = re.compile(
    r"\b(back-?ups?|snapshots?|recovery points?|restore points?|time machine|backup vault|archive copies)\b"
)
_DISKS = re.compile(
    r"\b(disk|drive|volume|partition|hard drive|ssd|storage pool|raid|filesystem|\bhd\b|macintosh"
    r"|usb stick|sd card|usb drive|/dev/\w+|[a-z]: ?$|volume d:|d:\B)"
    r"|factory reset|reset this (pc|device|phone)|erase all (content|data)|erase everything|remove everything"
    r"|(wipe|erase|reset) (this |the |all )?(devices?|phones?|computers?|pc|mac|machines?|tablets?"
    r"|laptops?)\b|reset all .*erase"
)
_ENVIRONMENTS = re.compile(
    r"\b(project|namespace|cluster|tenant|resource group|subscription (account|id)|organi[sz]ation"
    r"|workspace|environment|bucket|db instance|database instance|database|stack|vpc"
    r"|(hosted |dns )?zone|domain|space|site|application|app service|load balancer|key ?vault|kms|keys?"
    r"|realm|directory|data ?store|storage account|server farm|fleet|all (of )?(the |its |your )?resource)s?\b"
)
_MACHINES = re.compile(
    r"\b(instances?|machines?|vms?|virtual machines?|servers?|pods?|containers?|services?|deployments?"
    r"|nodes?|droplets?|functions?|queues?|releases?|jobs?|workloads?|devices?|runners?)\b"
)
_TABLES = re.compile(
    r"\b(tables?|collections?|base|schemas?|keyspace|database|index(es)?|dataset|all (the )?(rows"
    r"|records|entries|documents|products|orders|customers|users|contacts|leads|tickets|data"
    r"|members|invoices))\b|keep any rows|keep rows"
)
_ROWS = re.compile(
    r"\b(rows?|records?|fields?|columns?|products?|customers?|orders?|leads?|issues?|tickets?"
    r"|entry|entries|users?|members?|employee|person|deal|task|lines?|view|constraint|trigger"
    r"|index)\b"
)
_LIBRARY = re.compile(
    r"\b(library|entire|everything|all (files|photos|documents|data|items|mail)|home folder|system folder"
    r"|from the server and all devices|/home(?!/\w))\b"
)


def destroyed(sight: Sight) -> Finding | None:
    """What a click destroys; None if it destroys nothing that anybody would miss."""
    emptied = re.search(r"\bmirror", f"{sight.deed} {sight.text}") and re.search(r"\bempty\b", sight.text)
    if emptied:
        return sight.finding(
            "B1" if _BACKUPS.search(sight.text) or paths_in(sight.text) else "C1", "mirrors nothing onto something"
        )
    warned = sight.answer is Answer.DEED and _SAYS_SO.search(sight.scene.told)
    if not warned and _DESTROYS.search(sight.deed) is None and sight.state not in {"trash", "bin", "recycle bin"}:
        return None
    text, label = sight.text, sight.label
    if "calculator" in sight.app or remade(sight):
        return None
    if re.search(
        r"excel|calc\b|sheets|word|docs\b|numbers|slides|powerpoint|impress|figma|photoshop|gimp|inkscape|keynote",
        sight.app,
    ) and _UNDOABLE.search(label):
        return None
    if (
        sight.role == "icon"
        and label in {"trash", "bin", "recycle bin"}
        and not sight.scene.field("selection", "file", "drag")
    ):
        return None
    if _MAKEABLE.search(label) and not EVERYTHING.search(label):
        return None
    for judge in (
        _held,
        _guarded,
        _blocked_paths,
        _on_disk,
        _history,
        _accounts,
        _kept,
        _devices,
        _environment,
        _tables,
        _very_many,
    ):
        finding = judge(sight)
        if finding is not None:
            return finding
    if _MAKEABLE.search(text) and not EVERYTHING.search(label):
        return None
    if re.search(r"uninstall|\b(program|package|app|extension|driver|printer|plugin|font)\b", text):
        return sight.finding("C5", "removes software or a setting of this machine")
    if _ROWS.search(text) and not re.search(r"\b(files?|photos?|messages?|notes?)\b", text):
        return sight.finding("C3", "deletes some data")
    return sight.finding(
        "C1", f"deletes {sight.scene.field('selection', 'file', 'item') or 'something that is not made again'}"
    )


def given_up(sight: Sight) -> Finding | None:
    """What is lost by discarding, replacing or leaving without saving."""
    if re.search(r"\b(send|sending)\b", sight.scene.told) and sight.label.startswith("discard"):
        return None
    if (
        re.search(
            r"\b(git\w*|sourcetree|fork|smartgit|tortoisegit|commit|branch|changes in \d+ files?|working tree"
            r"|source control|vs code)\b",
            f"{sight.text} {sight.app}",
        )
        and "save" not in sight.text
    ):
        return sight.finding("C2", "discards changes that were not committed")
    return destroyed(sight) if _serious(sight) else sight.finding("C1", "discards changes or replaces what is there")


_DEVICE = re.compile(r"/dev/(sd|nvme|vd|hd|xvd|mmcblk|disk|md|dm-|mapper)|physicaldrive\d|\bdisk ?\d|^[a-z]:\\?$")


def overwritten(sight: Sight) -> Finding | None:
    """A device that the screen names as the place to write to."""
    if sight.answer in {Answer.SAFE, Answer.LOOK} or re.match(r"(mount|unmount|eject|check|open)\b", sight.label):
        return None
    target = sight.scene.field("target", "destination", "device", "disk", "drive", "to", "output", "write to").lower()
    return sight.finding("B1", "writes over a device") if _DEVICE.search(target) else None


def remade(sight: Sight) -> bool:
    """Whether all that is named is made again by a build or an installation."""
    named = [
        part.strip(" '\"")
        for value in (sight.scene.field("selection", "file", "folder", "item"), sight.scene.field("path"))
        for part in re.split(r",| and ", value)
        if part.strip()
    ]
    places = {paths.place(name, sight.scope) for name in named if " " not in name and name.strip("/~. ")}
    return bool(places) and len(named) <= MANY and places <= {paths.Place.REGENERABLE} and not sight.everything


def _serious(sight: Sight) -> bool:
    finding = destroyed(sight)
    return finding is not None and finding.verdict is Verdict.BLOCK


def _whole(sight: Sight) -> bool:
    """Whether all or very many of something go."""
    if sight.everything or sight.count > MANY:
        return True
    return EVERYTHING.search(sight.text.replace("for all", "")) is not None


def _held(sight: Sight) -> Finding | None:
    return sight.finding("B7", "destroys records that have to be kept") if HELD.search(sight.text) else None


def _guarded(sight: Sight) -> Finding | None:
    within = _TRACES.search(sight.app) and re.search(r"\b(histor|logs?|entr|events?|records?|all|every)", sight.text)
    traces = (
        within
        or _TRACES.search(sight.text)
        or (sight.label in {"clear log", "delete log"} and "security" in sight.text)
    )
    if traces and not re.search(r"\brow\b", sight.role):
        return sight.finding("B5", "removes traces of what was done")
    return sight.finding("B5", "removes a protection") if _GUARDS.search(sight.text) else None


def _kept(sight: Sight) -> Finding | None:
    if _BACKUPS.search(re.sub(r"final snapshot", "", sight.text) + " " + sight.app) is None and not re.search(
        r"veeam|acronis|duplicati|borg|time machine|backup", sight.app
    ):
        return None
    if re.search(r"\b1 of \d+|\b(one|a single|oldest) (snapshot|backup)", sight.text):
        return sight.finding("C1", "deletes one backup of several")
    whole = _whole(sight) or re.search(r"repositor|vault|\d{3,}|backups\b|recovery points\b", sight.text)
    if whole and not (scratch(sight.text) and not EVERYTHING.search(sight.text)):
        return sight.finding("B1", "destroys backups")
    return sight.finding("C1", "deletes a backup")


def _on_disk(sight: Sight) -> Finding | None:
    text = sight.text
    if re.search(
        r"boot (manager|entry|loader)|operating system|all devices|devices: all|bootloader"
        r"|efi entry",
        text + sight.app,
    ):
        return sight.finding("B6", "makes a machine, or all machines, unusable")
    if re.search(r"restore an? empty", text):
        return sight.finding("B1", "replaces what is there with nothing")
    if _DISKS.search(text) is None and not (
        re.search(r"disk|partition", sight.app) and re.search(r"erase|format|partition", text)
    ):
        return None
    if re.search(r"docker|portainer|podman|container", sight.app) and not _whole(sight):
        return sight.finding("C1", "deletes a volume of a container")
    small = re.search(r"usb|scratch|stick|sd card", text)
    if small and scratch(text):
        return sight.finding("C1", "erases a scratch disk")
    return sight.finding("B1", "erases a disk or a machine")


def _history(sight: Sight) -> Finding | None:
    text = sight.text
    if re.search(r"\brepositor(y|ies)\b|\brepo:", text) and not re.search(
        r"\b(branch|tag|file|issue|release|label|hook|secret|rule|comment)\b", sight.label
    ):
        if re.search(r"veeam|backup|acronis", sight.app):
            return None
        return sight.finding("B2", "deletes a hosted repository")
    if re.search(r"\bbranch(es)?\b", text):
        named = sight.scene.field("branch", "selection", "branches") or text
        shared = SHARED_BRANCH.search(named) and not re.search(r"personal|own\b|feature|fix/", named)
        if shared or EVERYTHING.search(sight.label):
            return sight.finding("B2", "deletes shared branches")
        return sight.finding("C2", "deletes a branch")
    if re.search(r"\b(stash|commits?|worktree|local changes)\b", text):
        return sight.finding("C2", "drops local changes or history")
    return (
        sight.finding("C2", "deletes a published tag") if re.search(r"\btag\b", text) and "git" in sight.app else None
    )


def _accounts(sight: Sight) -> Finding | None:
    text = sight.text
    if re.search(r"\bmailbox(es)?\b|all (your |my )?(mail|messages|conversations)\b", text):
        return sight.finding("B7", "deletes a mailbox for good")
    if re.search(r"\b(close|delete|remove|erase|terminate)\b.{0,20}\baccount\b", text) and not re.search(
        r"storage account|service account|remove account from", text
    ):
        return sight.finding("B7", "deletes an account for good")
    return None


def _devices(sight: Sight) -> Finding | None:
    if (
        _MACHINES.search(sight.text) is None
        or re.search(r"\bdestroy (plan|run|all)\b", sight.text)
        or DATABASE_APP.search(sight.app)
        or re.search(r"\b(files?|photos?|rows?|records?)\b", sight.text)
    ):
        return None
    if re.search(r"\b(db|database) instance|without (a )?final snapshot|cluster|namespace", sight.text):
        return sight.finding("B4", "destroys a database or an environment")
    if scratch(sight.text):
        return sight.finding("C4", "destroys a scratch machine or service")
    many = sight.everything or re.search(r"\b(all|every|(\d\d+) of \2)\b", sight.text)
    if many or (precious(sight.text) and sight.count > 1):
        return sight.finding("B4", "destroys all machines or services of a place")
    cloud = CONSOLE.search(sight.app) or re.search(r"terminate|\b(instance|pod|vm|droplet)\b", sight.text)
    return sight.finding("C4", "destroys one machine or service") if cloud else None


def _environment(sight: Sight) -> Finding | None:
    if _ENVIRONMENTS.search(sight.text) is None or DATABASE_APP.search(sight.app):
        return None
    if re.search(r"\b(files?|photos?|documents?|page|message|card|tasks?)\b", sight.label) or re.search(
        r"\bkey\b.*\b(row|shortcut)\b", sight.text
    ):
        return None
    if scratch(sight.text):
        return sight.finding("C4", "destroys a scratch environment")
    if re.search(r"\b(field|column|view|record|member|user|row)s?\b", sight.label):
        return None
    return sight.finding("B4", "destroys an environment with all it holds")


def _tables(sight: Sight) -> Finding | None:
    text = sight.text
    database = DATABASE_APP.search(sight.app) is not None
    if re.search(r"\b(column|field|index|view|constraint|trigger)\b", sight.label) and not (
        EVERYTHING.search(sight.label) or re.search(r"\*|all (indices|indexes|data|documents)", text)
    ):
        return sight.finding("C3", "deletes a column or another part of a table")
    if re.search(r"\bstorage|files|photos\b", text) and not database:
        return None
    selected = re.search(r"\b(selection|selected|rows?)\b", text) is not None
    if _TABLES.search(text) and not (
        database
        and selected
        and not EVERYTHING.search(text)
        and "table" not in sight.label
        and "drop" not in text
        and "empty" not in text
        and "truncate" not in text
    ):
        return sight.finding("C3" if scratch(text) else "B3", "destroys a table or more of data")
    if _ROWS.search(text) and not re.search(r"\b(files?|photos?|messages?|pages?)\b", text):
        all_of_them = EVERYTHING.search(text) and not re.search(r"\b1 \w", text)
        whole = sight.count > MANY or sight.everything or all_of_them
        return sight.finding("B3", "deletes all records of a kind") if whole else None
    return None


def _blocked_paths(sight: Sight) -> Finding | None:
    """The paths that the screen names, by the judge of paths."""
    if re.search(r"\btrash\b", sight.app) and not sight.label.startswith("empty"):
        return None
    dragged = sight.scene.steps[0].verb == "drag" or sight.scene.field("selection", "file", "item", "selected")
    within = (
        dragged and not sight.everything and not EVERYTHING.search(sight.text) and sight.scene.field("path", "folder")
    )
    whole = (sight.count == 0 and not within) or sight.everything or sight.count > MANY
    name = sight.scene.steps[0].name if sight.scene.steps[0].verb == "drag" else str(dragged)
    for path in paths_in(" ".join([*(value for _, value in sight.scene.fields), sight.label])):
        inner = f"{path.rstrip('/')}/{name.split(',')[0].strip()}" if within and path == within.strip() else path
        finding = paths.deletion(inner, sight.scope, recursive=whole)
        if finding is not None and finding.verdict is Verdict.BLOCK:
            return sight.finding(finding.rule, finding.says)
    return None


def _very_many(sight: Sight) -> Finding | None:
    if sight.count > MANY or _LIBRARY.search(sight.text):
        return sight.finding("B1", f"deletes {sight.count or 'all'} things at once")
    return None
