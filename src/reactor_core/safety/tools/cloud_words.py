"""What single hosters mean by words of their own."""

from __future__ import annotations

import re

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.cloud_storage import judge_backup, judge_bucket_tool
from reactor_core.safety.tools.deeds import Spoken
from reactor_core.safety.tools.registry import Call
from reactor_core.safety.verdict import Finding, Judged

__all__ = ["special_words"]


def special_words(
    call: Call, spoken: Spoken, texts: tuple[str, ...], app: str
) -> tuple[Judged | Finding | None] | None:
    """What single programs mean by words of their own; None if nothing special is said."""
    line = " ".join(texts)
    scratch = name_kind(f"{line} {app}", call.scope.setting) == "scratch"

    def finding(rule: str, says: str, **effect: bool) -> tuple[Finding]:
        return (call.found(rule, f"{call.program}: {says}", app or line, **effect),)

    match call.program:
        case "heroku":
            if re.match(r"pg:(?:reset|push|copy)|redis:reset", line):
                return finding("C3" if scratch else "B3", "empties a database")
            if re.match(r"(?:config|config:get|pg:credentials|auth:token)(?:$| )", line) and not re.match(
                r"config:(?:set|unset)", line
            ):
                return finding("C8", "shows secrets", secret=True)
            if re.match(r"(?:apps:)?destroy", line):
                return finding("C4" if scratch else "B4", f"destroys {app}")
            if re.match(r"(?:run|pg:psql)", line) and (spoken.said("-c", "--command") or len(texts) > 1):
                inner = spoken.said("-c", "--command") or " ".join(texts[1:])
                return (
                    call.nested(
                        "sql" if "psql" in line else "shell",
                        inner,
                        host=app or "heroku",
                        **({"dialect": "postgres"} if "psql" in line else {}),
                    ),
                )
            if line.startswith("releases:rollback"):
                return finding("C4", "takes a release back")
            if re.match(
                r"ps(?:$|:wait)|releases$|(?:pg|redis):info|logs|apps$|addons$|access$|certs$|domains$|regions"
                r"|buildpacks$|maintenance$",
                line,
            ):
                return (None,)
            if line.startswith("maintenance:on"):
                return finding("B4" if name_kind(app, call.scope.setting) == "precious" else "C4", "stops an app")
        case "supabase":
            if line.startswith("db reset"):
                return (
                    (None,)
                    if not spoken.has("--linked") and not spoken.options.get("--db-url")
                    else finding("B3", "empties the linked database")
                )
            if line.startswith(("db push", "migration up")):
                return (None,) if spoken.has("--local") else finding("C3", "changes the linked database")
            if line.startswith(
                (
                    "start",
                    "stop",
                    "status",
                    "db diff",
                    "db lint",
                    "gen",
                    "migration new",
                    "migration list",
                    "init",
                    "functions serve",
                    "db start",
                )
            ):
                return (None,)
        case "firebase":
            if re.match(r"firestore:delete", line):
                wide = spoken.has("--all-collections") or "/" not in texts[-1].strip("/")
                return finding("B3" if wide else "C3", "deletes documents")
            if re.match(r"database:(?:remove|set)", line):
                return finding(
                    "B3" if texts[-1] in {"/", "database:remove"} else "C3", "replaces a part of the database"
                )
            if line.startswith("hosting:disable"):
                return finding("B4", "stops the site")
        case "wrangler":
            if line.startswith("d1 execute"):
                command = spoken.said("--command")
                if spoken.has("--local"):
                    return (None,)
                return (
                    (call.nested("sql", command, dialect="sqlite"),)
                    if command
                    else finding("C6", "runs SQL that is not shown")
                )
            if line.startswith(("secret put", "secret bulk")):
                return finding("C8", "writes a secret", secret=True)
            if texts[0] in {"dev", "tail", "types", "whoami", "init", "login"}:
                return (None,)
        case "vercel" | "now":
            if texts[0] == "env" and "pull" in texts:
                return finding("C8", "writes secrets to a file", secret=True)
            if texts[0] in {"dev", "ls", "list", "logs", "inspect", "whoami", "link", "build", "login"}:
                return (None,)
            if texts[0] not in wordset(
                """
                remove rm alias deploy env domains dns certs secrets teams switch promote rollback project projects
                redeploy bisect
                """
            ):
                return finding("C4", "deploys")
        case "fly" | "flyctl":
            if line.startswith(("scale count 0",)):
                return finding("B4" if name_kind(app, call.scope.setting) == "precious" else "C4", "stops an app")
            if line.startswith(("ssh console", "console")):
                command = spoken.said("-C", "--command")
                return (
                    (call.nested("shell", command, host=app or "fly", cwd="/"),)
                    if command
                    else finding("C6", "opens a session")
                )
            if line.startswith(("postgres", "pg")) and "connect" in texts:
                return finding("C6", "opens a session")
            if line.startswith("config validate"):
                return (None,)
            if line.startswith("scale show") or texts[0] in {
                "status",
                "logs",
                "info",
                "releases",
                "version",
                "platform",
                "doctor",
            }:
                return (None,)
        case "etcdctl":
            if texts[0] == "del":
                wide = (
                    spoken.has("--from-key")
                    or (
                        spoken.options.get("--prefix") is not None
                        and len((texts[1] if len(texts) > 1 else "").strip("/\x00")) < 2
                    )
                    or ("--prefix" in call.part and len(texts) < 2)
                )
                return finding(
                    "B4"
                    if wide
                    or (
                        spoken.options.get("--prefix") is not None
                        and "/registry" in call.part
                        and call.part.count("/") < 4
                    )
                    else "C3",
                    "deletes keys of the cluster",
                )
            if texts[0] in {"get", "endpoint", "version", "check", "watch"} or line.startswith(
                ("member list", "alarm list", "user list", "role list", "snapshot status", "snapshot save")
            ):
                return (None,)
            return finding("C4", line)
        case "consul":
            if line.startswith("kv delete"):
                wide = spoken.has("-recurse") or "-recurse" in call.part
                return finding("B4" if wide and not scratch else "C3", "deletes keys")
            if re.match(
                r"(?:kv (?:get|export)|members|catalog|info|monitor|operator raft list|services$"
                r"|intention (?:list|check|get))",
                line,
            ):
                return (None,)
        case "nomad":
            if line.startswith(("job stop", "stop")):
                return finding("C4", "stops a job")
            if line.startswith(
                (
                    "job plan",
                    "plan",
                    "status",
                    "alloc logs",
                    "alloc status",
                    "node status",
                    "job status",
                    "server members",
                    "validate",
                    "job validate",
                )
            ):
                return (None,)
            if line.startswith("system gc"):
                return finding("C4", "cleans up")
        case "argocd":
            if line.startswith(
                (
                    "app diff",
                    "app get",
                    "app list",
                    "app history",
                    "app logs",
                    "app manifests",
                    "app wait",
                    "cluster list",
                    "repo list",
                    "proj list",
                    "version",
                    "context",
                )
            ):
                return (None,)
            if line.startswith("app delete"):
                return finding(
                    "B4"
                    if name_kind(line, call.scope.setting) == "precious" or (spoken.has("--cascade") and not scratch)
                    else "C4",
                    f"deletes {line}",
                )
        case "velero" | "restic" | "borg" | "kopia" | "duplicity":
            return judge_backup(call, texts)
        case "rclone" | "mc" | "s3cmd" | "s5cmd" | "b2":
            return judge_bucket_tool(call, spoken, texts)
        case "packer":
            return (
                (None,)
                if texts[0] in {"validate", "fmt", "inspect", "init", "version"}
                else finding("C4", "builds an image")
            )
        case "kubeadm":
            if texts[0] == "reset":
                return finding("B4", "takes a cluster apart")
        case "kustomize" | "kpt" | "cosign" | "oras" | "crane" | "skopeo" | "regctl":
            if texts[0] in wordset(
                """
                build verify inspect manifest config digest ls pull catalog fn version tree
                """
            ):
                return (None,)
            if texts[0] in {"edit", "create", "init"}:
                return finding("A5", "changes a file of the project")
            return finding("C7", line, outward=True)
        case "istioctl":
            if line.startswith(("uninstall", "x uninstall")):
                return finding("B4", "removes the mesh")
            if texts[0] in wordset(
                """
                analyze version proxy-status proxy-config ps pc validate verify-install dashboard describe
                experimental x manifest profile
                """
            ):
                return (None,)
    return None
