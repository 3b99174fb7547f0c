"""Tools for backups and for buckets of any cloud."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.deeds import Spoken
from reactor_core.safety.tools.registry import Call
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["judge_backup", "judge_bucket_tool"]


def judge_backup(call: Call, texts: tuple[str, ...]) -> tuple[Judged | Finding | None] | None:
    if texts[0].startswith(("/", ".", "s3:", "sftp:", "rest:", "b2:", "gs:", "rclone:", "azure:")):
        texts = texts[1:] or ("",)  # the repository, given before the command
    line = " ".join(texts)
    if re.search(
        r"^(?:snapshots|stats|check|ls|list|find|diff|cat|info|backup (?:get|describe|logs)|restore (?:get"
        r"|describe|logs)|schedule get|version|collection-status|verify|mount)",
        line,
    ):
        return (None,)
    if re.search(
        r"^(?:forget|prune|delete|purge|backup delete|schedule delete|repo delete|remove-|snapshot delete"
        r"|backup-location delete|uninstall|repository delete)",
        line,
    ):
        whole = (
            "--all" in call.part
            or re.search(r"--keep-(?:last|daily)[ =][01]\b|older-than[ =]0|\ball\b|--unsafe", call.part)
            or (texts[0] in {"delete", "uninstall"} and "::" not in line and call.program in {"borg", "velero"})
        )
        if texts[0] == "prune" and call.program != "borg":
            return (call.found("C1", f"{call.program}: removes what no backup needs"),)
        return (
            call.found(
                "B1" if whole or "unsafe" in call.part else "C1",
                f"{call.program}: deletes backups",
                line,
                reversible=False,
            ),
        )
    if re.search(r"^key|^change-passphrase", line):
        return (
            call.found(
                "B1" if "remove" in line or "delete" in line else "C8",
                f"{call.program}: changes the key of the backups",
            ),
        )
    return (
        call.found("C4", f"{call.program}: {line[:60]}")
        if texts[0] in {"restore", "extract", "schedule", "install", "unlock", "break-lock"}
        else None,
    )


def judge_bucket_tool(call: Call, spoken: Spoken, texts: tuple[str, ...]) -> tuple[Judged | Finding | None] | None:
    verb = texts[0]
    line = " ".join(texts)
    named = " ".join(texts[1:])
    scratch = name_kind(named, call.scope.setting) == "scratch"
    if spoken.has("--dry-run", "-n", "--dryrun", "--fake"):
        return (call.found("A4", f"{call.program}: only shows what would be done"),)
    if verb in wordset(
        """
        ls lsd lsf lsl lsjson size du cat about check stat info tree version listremotes ncdu find diff head
        get-bucket list-buckets hashsum md5sum la
        """
    ):
        return (None,)
    if verb == "config":
        return (call.found("C8", f"{call.program}: shows or changes credentials", secret=True),)
    if verb in {"purge", "delete", "rb", "del", "rm", "rmdirs", "cleanup", "delete-bucket", "deletebucket"}:
        deep = verb in {"purge", "delete"} or spoken.has("--recursive", "-r", "--force") or "*" in line
        if not deep:
            return (call.found("C1", f"{call.program}: deletes {named}", named),)
        path = re.sub(r"^\w+:/*|^\w+/", "", texts[1] if len(texts) > 1 else "").strip("/*")
        rule = (
            "C4"
            if scratch
            else "B4"
            if path.count("/") < 1 or name_kind(named, call.scope.setting) == "precious"
            else "C1"
        )
        return (
            call.found(
                "B1" if "backup" in named and not scratch else rule,
                f"{call.program}: deletes all of {named}",
                named,
                reversible=False,
            ),
        )
    if verb == "sync" or verb == "mirror":
        removes = call.program == "rclone" or spoken.has("--remove", "--delete-removed", "--delete")
        empty = texts[1:2] and (texts[1] in call.scope.made or re.search(r"^/tmp/|/empty|/dev/null", texts[1]))
        return (
            call.found(
                "B4" if removes and empty and not scratch else "C4",
                f"{call.program}: makes {texts[-1]} like {texts[1] if len(texts) > 1 else ''}",
                named,
                reversible=not removes,
            ),
        )
    if re.search(r"anonymous|policy|setacl|acl", verb) and re.search(r"public|download|--acl-public", call.part):
        return (call.found("B7", f"{call.program}: opens it to everybody", named, outward=True),)
    if verb == "admin" and re.search(r"stop|remove|disable", line):
        return (call.found("B4", f"{call.program}: {line}", named),)
    return (call.found("C4", f"{call.program}: {verb} {named}"[:120], named, outward=True),)
