"""Finds foreign code that is run and secrets that leave."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.scope import unclear
from reactor_core.safety.sensitive import secret_name
from reactor_core.safety.shell.command import Word
from reactor_core.safety.shell.running import Call
from reactor_core.safety.shell.scripts import fetched
from reactor_core.safety.shell.wrappers import INTERPRETERS, SHELLS
from reactor_core.safety.verdict import Effect, Scale

__all__ = ["check", "shows_secret"]

_SENDERS = frozenset(
    [
        "curl",
        "wget",
        "http",
        "https",
        "xh",
        "nc",
        "ncat",
        "netcat",
        "socat",
        "telnet",
        "ssh",
        "scp",
        "sftp",
        "rsync",
        "ftp",
        "lftp",
        "tftp",
        "mail",
        "mailx",
        "mutt",
        "sendmail",
        "msmtp",
        "swaks",
        "dig",
        "nslookup",
        "host",
        "ping",
        "openssl",
        "aws",
        "gsutil",
        "rclone",
        "s3cmd",
        "mc",
        "gh",
        "glab",
        "pastebinit",
        "termbin",
        "transfer",
        "croc",
        "wormhole",
        "ffsend",
        "git",
        "curlie",
        "websocat",
        "grpcurl",
    ]
)
_SENDING = {
    "aws": ("s3", "s3api", "sns", "sqs", "lambda", "ses"),
    "gsutil": ("cp", "rsync", "mv"),
    "gh": ("gist", "api", "issue", "pr", "release"),
    "git": ("push", "send-email"),
    "openssl": ("s_client",),
    "glab": ("snippet", "api", "issue"),
}
"""Of tools that do other things as well, the subcommands that send."""
_LOADERS = frozenset(
    [
        "source",
        ".",
        "make",
        "cmake",
        "dpkg",
        "rpm",
        "insmod",
        "modprobe",
        "kubectl",
        "oc",
        "pip",
        "pip3",
        "npm",
        "gem",
        "docker",
        "podman",
        "helm",
        "terraform",
        "ansible",
        "ansible-playbook",
        "systemctl",
        "msiexec",
        "installer",
        "R",
        "qemu-img",
        "dotnet",
        "mono",
        "wine",
        "apt",
        "apt-get",
        "dnf",
        "yum",
        "snap",
        "flatpak",
    ]
)
"""Programs that run, install or apply the files they are given."""
_READERS = frozenset(
    [
        "cat",
        "tac",
        "head",
        "tail",
        "less",
        "more",
        "base64",
        "base32",
        "xxd",
        "od",
        "hexdump",
        "strings",
        "gzip",
        "bzip2",
        "xz",
        "zip",
        "tar",
        "cpio",
        "openssl",
        "gpg",
        "sed",
        "awk",
        "grep",
        "egrep",
        "rg",
        "jq",
        "yq",
        "cut",
        "sort",
        "tr",
        "nl",
        "fold",
        "rev",
        "dd",
        "cp",
        "bat",
        "pv",
        "zstd",
        "7z",
        "split",
    ]
)
_CONNECTORS = frozenset(["nc", "ncat", "netcat", "telnet", "socat", "openssl"])
_BROWSERS = frozenset({"curl", "wget", "http", "https", "xh", "curlie"})
_MAILERS = frozenset(["mail", "mailx", "mutt", "neomutt", "sendmail", "msmtp", "swaks", "s-nail", "nail", "ssmtp"])
_CREDENTIALS = ("authorization:", "x-api-key:", "private-token:", "cookie:", "x-auth-token:", "bearer ", "apikey:")


def check(call: Call) -> None:
    """Add what the command does with what was fetched, and with secrets."""
    name = call.name
    first = call.words[0]
    if first.origin.fetched:
        _foreign(call, "runs a command that comes from elsewhere")
    elif first.text is not None and "/" in first.text and fetched(call, call.path(first.text)):
        _foreign(call, f"runs {first.text}, which the same action has fetched")
    if name in INTERPRETERS or re.fullmatch(r"python[\d.]+", name):
        _interpreted(call)
    elif name in _LOADERS:
        _loaded(call)
    if call.scope.cwd and name in _LOADERS | {"cargo", "go", "yarn", "pnpm"} and fetched(call, call.scope.cwd):
        _foreign(call, f"lets {name} run what the same action has fetched")
    _sent(call, name)
    if name in _MAILERS:
        _mailed(call, name)


def _mailed(call: Call, name: str) -> None:
    """A recipient that is read from a list: everybody on it gets the mail."""
    listed = [word for word in call.args if word.text is None and (word.origin.files or word.origin.pipeline)]
    if listed:
        effect = Effect(target=name, scale=Scale.ALL, reversible=False, outward=True)
        call.found("B7", "sends mail to everybody on a list of unknown length", effect)


def _interpreted(call: Call) -> None:
    for word in call.args:
        if word.origin.fetched:
            _foreign(call, f"lets {call.name} run what comes from elsewhere, unseen")
        elif _names_fetched(call, word):
            _foreign(call, f"lets {call.name} run {word}, which the same action has fetched")
    if call.stdin is not None and call.stdin.origin.fetched and not _code_given(call):
        _foreign(call, f"lets {call.name} run what comes from elsewhere, unseen")


def _code_given(call: Call) -> bool:
    """Whether the program has its code from elsewhere, so that what it reads is data."""
    texts = [word.text or "" for word in call.args]
    return any(
        re.fullmatch(r"-[A-Za-z]*[cemnr]|--eval|--print|--command|-m.*", text) or (text and not text.startswith("-"))
        for text in texts
    ) and call.name not in ("crontab", "psql", "mysql", "mariadb", "sqlite3", "mongosh", "redis-cli", "at")


def _names_fetched(call: Call, word: Word) -> bool:
    text = word.text
    if text is None or text.startswith("-") or len(text) > 300:
        return False
    return fetched(call, call.path(text.partition("=")[2] or text.removeprefix("@")))


def _loaded(call: Call) -> None:
    for word in call.args:
        if _names_fetched(call, word):
            _foreign(call, f"lets {call.name} use {word}, which the same action has fetched")
    dash = any(word.text in ("-", "/dev/stdin") for word in call.args)
    if dash and call.stdin is not None and call.stdin.origin.fetched:
        _foreign(call, f"lets {call.name} use what comes from elsewhere, unseen")


def _foreign(call: Call, says: str) -> None:
    if call.world.verified:
        call.add(unclear(f"{says}, after checking it against a sum or a signature"))
    else:
        call.found("B5", says, Effect(target=call.name, scale=Scale.ALL, reversible=False, privilege=True))


def _sent(call: Call, name: str) -> None:
    if name not in _SENDERS:
        return
    texts = [word.text or "" for word in call.args]
    if name in _SENDING and not any(text in _SENDING[name] for text in texts):
        return
    stages = call.stdin.origin.pipeline if call.stdin is not None else ()
    if name in _CONNECTORS and any(stage[0] in SHELLS for stage in stages):
        effect = Effect(target=name, scale=Scale.ALL, reversible=False, outward=True, privilege=True)
        call.found("B5", f"connects a shell to another host with {name}", effect)
    for value in (call.stdin, *call.args):
        if value is None or not value.origin.secret:
            continue
        # A credential on the way to the service that it belongs to is judged with the request.
        if isinstance(value, Word) and value.known_prefix.lower().startswith(_CREDENTIALS):
            continue
        effect = Effect(target=name, scale=Scale.ITEM, reversible=False, outward=True, secret=True)
        call.found("B5", f"sends a secret out with {name}", effect)
        return
    if name in _BROWSERS:
        _requested(call)


def _requested(call: Call) -> None:
    """A request with a secret variable in its address or body is judged as if the variable's name were its value."""
    spelled = [word for word in call.args if any(map(secret_name, word.origin.variables))]
    spelled = [word for word in spelled if not word.known_prefix.lower().startswith(_CREDENTIALS)]
    addresses = [word for word in call.args if word.known_prefix.lower().startswith(("http://", "https://"))]
    if not spelled or not addresses:
        return
    body = [_named(word) for word in spelled if word not in addresses]
    judged = call.known_scope().nested("network", f"POST {_named(addresses[0])} {' '.join(body)}".rstrip())
    for finding in judged.findings:
        call.add(finding)


def _named(word: Word) -> str:
    names = iter((*word.origin.variables, *["UNKNOWN"] * len(word.parts)))
    return "".join(f"${next(names)}" if part is None else part for part in word.parts)


def shows_secret(call: Call) -> bool:
    """Whether the command prints a secret: the environment, or a file that holds one."""
    name = call.name
    if name in ("env", "printenv"):
        return not call.args
    if name in ("set", "export", "declare"):
        return not call.args or call.args[0].text in ("-p", "-x")
    return name in _READERS and any(_reads_secret(call, word) for word in call.args)


def _reads_secret(call: Call, word: Word) -> bool:
    text = word.text
    if text is None or text.startswith("-") or len(text) > 300 or "\n" in text:
        return False
    text = text.removeprefix("if=")
    if "/environ" in text and text.startswith("/proc/"):
        return True
    finding = paths.reading(text, call.scope)
    if finding is not None and finding.effect.secret:
        return True
    if call.name not in ("tar", "zip", "7z", "cpio", "cp"):
        return False
    folder = text.rstrip("/")
    return any(paths.reading(f"{folder}/{key}", call.scope) for key in ("credentials", "id_rsa", "config"))
