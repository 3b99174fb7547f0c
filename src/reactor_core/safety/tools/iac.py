"""Tools that build environments from a description: Terraform and its kin, Pulumi, CDK, Ansible."""

from __future__ import annotations

import re
import shlex

from reactor_core.safety.naming import wordset
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.deeds import Spoken, judge_deed, listed, read_spoken
from reactor_core.safety.tools.line import shown
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Verdict

__all__ = ["judge_ansible", "judge_pulumi", "judge_stacks", "judge_terraform"]

_STATEFUL = re.compile(
    r"rds|database|db_|_db|sql|dynamodb|bucket|s3|storage|volume|disk|snapshot|backup|kms|key|elasticache|redis"
    r"|cluster|vpc|network|zone|state"
)
_BOTH = wordset(
    """
    -destroy -auto-approve -help -refresh-only -json -raw -force -no-color -check -recursive -diff -upgrade
    -reconfigure -migrate-state -compact-warnings -force-copy -write
    """
)
_TF_READS = wordset(
    """
    plan validate fmt show output graph providers version init get console test login logout metadata modules
    refresh-none help workspace-list
    """
)


def _terraform(call: Call) -> Spoken:
    """Options with one or two dashes, all of them with ``=``, and what the environment adds to them."""
    words = list(call.words[1:])
    spoken = read_spoken(
        words,
        flags=_BOTH
        | {f"-{name}" for name in _BOTH}
        | {"--terragrunt-non-interactive", "--non-interactive", "--all", "-a"},
    )
    extra: list[str] = []
    sub = next((text for text in spoken.texts if text), "")
    for name, value in call.env.items():
        if value and (name == "TF_CLI_ARGS" or name == f"TF_CLI_ARGS_{sub.replace('-', '_')}"):
            try:
                extra += shlex.split(value)
            except ValueError:
                extra += value.split()
    for word in extra:
        name, _, _ = word.partition("=")
        spoken.options.setdefault(name, [])
    return spoken


@handles("terraform", "tofu", "terragrunt", "opentofu", "terraform.exe", "tfenv-terraform")
def judge_terraform(call: Call) -> Judged | None:
    """``terraform [-chdir=x] command``, with what ``TF_CLI_ARGS`` adds."""
    spoken = _terraform(call)
    texts = [text for text in spoken.texts if text not in {"run-all", "run", "--"}]
    every = any(text == "run-all" for text in spoken.texts) or spoken.has("--all")
    if not texts:
        return Judged()
    verb = texts[0]
    if spoken.has("-help", "--help", "-h", "-version", "--version"):
        return merged(call.found("A4", f"{call.program}: shows help"))
    if any(value is None for name, value in call.env.items() if name.startswith("TF_CLI_ARGS")):
        return merged(call.found("C6", "terraform: options come from a variable that cannot be known beforehand"))
    destroying = verb == "destroy" or (verb == "apply" and spoken.has("-destroy", "--destroy"))
    if destroying:
        return merged(_destroyed(call, spoken, every))
    if verb == "apply":
        files = spoken.values("-var-file", "--var-file")
        if any(word.text is None for word in files) or any(word.text is None for word in spoken.words[1:]):
            return merged(call.found("C6", "terraform: applies what cannot be known beforehand"))
        return merged(
            call.found(
                "C4",
                f"{call.program}: changes the environment by {' '.join(texts[1:2]) or 'its description'}",
                scale="many",
            )
        )
    if verb == "state":
        return merged(_state(call, spoken, texts))
    if verb == "workspace":
        if texts[1:2] == ["delete"]:
            return merged(judge_deed(call, "delete", "workspace", spoken.words[2:]))
        return Judged()
    if verb == "output":
        secret = re.search(r"password|secret|token|key|credential", " ".join(texts[1:])) or (
            spoken.has("-json", "-raw") and not texts[1:]
        )
        return merged(call.found("C8", "terraform: shows a secret", secret=True)) if secret else Judged()
    if verb in _TF_READS:
        return Judged()
    if verb in {"import", "taint", "untaint", "force-unlock", "refresh", "push", "cloud"}:
        return merged(call.found("C4", f"{call.program}: {verb} {' '.join(texts[1:2])}"))
    if not verb:
        return merged(call.found("C6", f"{call.program}: what is to be done cannot be known beforehand"))
    return merged(call.found("C4", f"{call.program}: {verb}"))


def _destroyed(call: Call, spoken: Spoken, every: bool) -> Finding:
    targets = spoken.values("-target", "--target")
    place = " ".join(
        [
            spoken.said("-chdir", "--working-dir", "--terragrunt-working-dir"),
            call.env.get("TF_WORKSPACE") or "",
            call.scope.cwd.rpartition("/")[2],
        ]
    )
    if targets and not every:
        said = " ".join(shown(word) for word in targets)
        scratch = name_kind(said, call.scope.setting) == "scratch"
        if scratch or not _STATEFUL.search(said):
            return call.found("C4", f"terraform: destroys {said}", said, reversible=False)
        return call.found("B4", f"terraform: destroys {said}", said, reversible=False)
    scratch = name_kind(f"{place} {spoken.said('-var-file', '-var')}", call.scope.setting) == "scratch"
    return call.found(
        "C4" if scratch and not every else "B4",
        "terraform: destroys the whole environment",
        place.strip(),
        scale="all",
        reversible=False,
    )


def _state(call: Call, spoken: Spoken, texts: list[str]) -> Finding | None:
    action = texts[1] if len(texts) > 1 else ""
    if action in {"list", "show", "pull"}:
        return None
    if action == "push":
        return call.found(
            "B4" if spoken.has("-force", "--force") else "C4",
            "terraform: replaces the state of all resources",
            reversible=False,
        )
    names = spoken.words[2:]
    if action == "rm":
        whole = any(map(listed, names)) or len(names) > 5
        if any(word.text is None and not listed(word) for word in names) and not whole:
            return call.found("C6", "terraform: forgets resources that cannot be known beforehand")
        return call.found(
            "B4" if whole else "C4",
            f"terraform: forgets {' '.join(shown(word) for word in names[:3])}",
            reversible=False,
        )
    return call.found("C4", f"terraform: state {action}")


@handles("pulumi")
def judge_pulumi(call: Call) -> Judged | None:
    """Stacks of Pulumi."""
    flags = wordset(
        """
        --yes -y --skip-preview --preview-only -f --force --diff --expect-no-changes --json --show-secrets --remove
        --non-interactive
        """
    )
    spoken = read_spoken(call.words[1:], flags=flags)
    texts = spoken.texts
    verb = texts[0] if texts else ""
    stack = spoken.said("-s", "--stack") or (texts[2] if len(texts) > 2 else "")
    scratch = name_kind(stack, call.scope.setting) == "scratch"
    if spoken.has("--preview-only", "--help", "-h"):
        return merged(call.found("A4", "pulumi: only shows what would be done"))
    if spoken.has("--show-secrets"):
        return merged(call.found("C8", "pulumi: shows secrets", secret=True))
    if verb in {"destroy", "down"}:
        targeted = spoken.options.get("--target") or spoken.options.get("-t")
        return merged(
            call.found(
                "C4" if scratch or targeted else "B4",
                f"pulumi: destroys {stack or 'the stack'}",
                stack,
                reversible=False,
            )
        )
    if verb == "stack":
        if texts[1:2] in (("rm",), ("remove",)):
            return merged(
                call.found("C4" if scratch else "B4", f"pulumi: removes the stack {stack}", stack, reversible=False)
            )
        return (
            merged(call.found("C4", "pulumi: changes the stack"))
            if texts[1:2] in (("import",), ("rename",), ("change-secrets-provider",))
            else Judged()
        )
    if verb in {"up", "update", "import", "refresh", "cancel", "state"}:
        return merged(call.found("C4", f"pulumi: {verb} {stack}", stack))
    if verb == "config" and texts[1:2] == ("get",):
        return Judged()
    if verb == "config" and texts[1:2] in (("set",), ("rm",)):
        return merged(call.found("A5", "pulumi: changes the project's own settings"))
    return Judged()


@handles(
    "cdk",
    "sam",
    "serverless",
    "sls",
    "copilot",
    "amplify",
    "sst",
    "eb",
    "chalice",
    "zappa",
    "cdktf",
    "nitric",
    "architect",
)
def judge_stacks(call: Call) -> Judged | None:
    """Tools that deploy a stack from the project."""
    flags = wordset(
        """
        --all --force -f --no-prompts --yes -y --guided --verbose --no-confirm-changeset --dry-run --noop
        """
    )
    spoken = read_spoken(call.words[1:], flags=flags)
    texts = spoken.texts
    verb = texts[0] if texts else ""
    if spoken.has("--help", "-h", "--dry-run", "--noop"):
        return merged(call.found("A4", f"{call.program}: only shows what would be done"))
    named = " ".join(
        [*texts[1:], spoken.said("--stage", "-s", "--stack-name", "--env", "-e", "--name", "--stage-name")]
    )
    if verb in {"destroy", "delete", "remove", "terminate", "undeploy"} or "delete" in texts[1:2]:
        scratch = name_kind(named, call.scope.setting) == "scratch"
        return merged(
            call.found(
                "C4" if scratch and not spoken.has("--all") else "B4",
                f"{call.program}: destroys {named.strip() or 'the stack'}",
                named,
                reversible=False,
            )
        )
    if verb in wordset(
        """
        deploy up publish push create rollback import bootstrap update scale restart swap setenv env
        """
    ):
        return merged(call.found("C4", f"{call.program}: {verb} {named}".strip(), named))
    if verb == "invoke" and "local" not in texts:
        return merged(call.found("C4", f"{call.program}: runs a function", named))
    return Judged()


_MODULE_READS = wordset(
    """
    ping setup debug stat gather_facts slurp find assert getent service_facts package_facts wait_for
    """
)


@handles(
    "ansible",
    "ansible-playbook",
    "ansible-pull",
    "salt",
    "salt-call",
    "salt-ssh",
    "knife",
    "bolt",
    "fab",
)
def judge_ansible(call: Call) -> Judged | None:
    """Commands on many machines."""
    flags = wordset(
        """
        -b --become -K -k --check -C --syntax-check --list-hosts --list-tasks --diff -D -v -vv -vvv
        --ask-become-pass --list-tags -o
        """
    )
    spoken = read_spoken(call.words[1:], flags=flags)
    if spoken.has(
        "--syntax-check",
        "--list-hosts",
        "--list-tasks",
        "--list-tags",
        "--check",
        "-C",
        "--help",
        "--version",
        "--graph",
        "test=True",
    ):
        return merged(call.found("A4", f"{call.program}: only checks"))
    if call.program == "ansible-pull":
        return merged(call.found("B5", "ansible-pull: runs what another host holds", outward=True, privilege=True))
    if call.program == "ansible-playbook":
        limit = f"{spoken.said('-l', '--limit')} {spoken.said('-i', '--inventory')}"
        return merged(call.found("C6", f"ansible: runs {' '.join(spoken.texts)} on {limit.strip()}", limit))
    texts = spoken.texts
    hosts = texts[0] if texts else ""
    if call.program == "ansible":
        module = (spoken.said("-m", "--module-name") or "command").rpartition(".")[2]
        arguments = spoken.said("-a", "--args")
        return merged(_module(call, hosts, module, arguments))
    words = texts[1:]
    if call.program.startswith("salt"):
        start = 0 if call.program == "salt-call" else 1
        function = texts[start] if len(texts) > start else ""
        if re.match(
            r"(?:test|grains|pillar\.(?:get|items)|status|pkg\.(?:list|version)|disk\.usage|network)", function
        ):
            return Judged()
        module, arguments = (
            ("shell", " ".join(texts[start + 1 :]))
            if function.startswith("cmd.")
            else (function, " ".join(texts[start + 1 :]))
        )
        return merged(_module(call, hosts, module, arguments))
    return merged(
        _module(
            call, spoken.said("-w", "-g", "-h", "-H") or hosts, "shell", " ".join(words if spoken.options else texts)
        )
    )


def _module(call: Call, hosts: str, module: str, arguments: str) -> Judged | Finding | None:
    every = hosts in {"all", "*", "'*'"} or "prod" in hosts or not hosts
    if module in _MODULE_READS:
        return None
    if module in {"shell", "command", "raw", "script", "win_shell", "expect"}:
        if not arguments:
            return call.found("C6", f"{call.program}: runs something on {hosts}")
        judged = call.nested("shell", arguments, host=hosts or "all", cwd="/root", privileged=True)
        if every and re.search(r"\b(?:shutdown|poweroff|halt|reboot|init [06])\b", arguments):
            return merged(call.found("B6", f"{call.program}: stops every machine of {hosts}", hosts), judged)
        if judged.verdict is Verdict.ALLOW:
            return judged
        return merged(judged, call.found("C5", f"{call.program}: runs a command on {hosts}", hosts))
    if module == "reboot" or (module in {"service", "systemd"} and "stopped" in arguments):
        return call.found(
            "B6" if every and module == "reboot" else "B4" if every else "C5",
            f"{call.program}: {module} {arguments} on {hosts}",
            hosts,
        )
    if module == "file" and "state=absent" in arguments:
        match = re.search(r"(?:path|dest|name)=(\S+)", arguments)
        target = match.group(1) if match else "/"
        return merged(
            call.nested("shell", f"rm -rf {shlex.quote(target)}", host=hosts, cwd="/root", privileged=True),
            call.found("C5", f"{call.program}: removes {target} on {hosts}", hosts),
        )
    return call.found("C5", f"{call.program}: {module} {arguments[:80]} on {hosts}", hosts)
