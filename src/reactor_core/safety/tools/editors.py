"""Editors and debuggers that run commands, and mail programs: what their scripts do and where their mail goes."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.tools.fetching import personal, sent_secret
from reactor_core.safety.tools.line import Known, Textual, read_line, shown
from reactor_core.safety.tools.registry import Call, handles, origin_of
from reactor_core.safety.tools.targets import judged_path, merged, overwritten
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

MANY = 200
"""Recipients from which a message is one to everybody."""


@handles(
    "vim",
    "vi",
    "nvim",
    "ex",
    "view",
    "vimdiff",
    "gvim",
    "rvim",
    "ed",
    "nano",
    "emacs-nox",
    "pico",
    "micro",
    "hx",
    "kak",
    "joe",
)
def judge_vim(call: Call) -> Judged | None:
    """Commands given with ``-c`` and ``+``, or typed through standard input."""
    quiet = call.program in {"ex", "ed"} or any(word.text in {"-es", "-Es", "-e", "-E"} for word in call.words)
    line = read_line(
        call.program,
        call.words[1:],
        values=("-c", "--cmd", "-S", "-u", "-w", "-W", "-i", "-T", *(() if quiet else ("-s",))),
    )
    commands: list[Textual] = list(line.values("-c", "--cmd"))
    commands += [
        Known((word.text or "")[1:])
        for word in line.operands
        if (word.text or "").startswith("+") and len(word.text or "") > 1
    ]
    files = [word for word in line.operands if not (word.text or "").startswith("+")]
    parts: list[Judged | Finding | None] = []
    writes = False
    for command in commands:
        if command.text is None:
            parts.append(call.found("C6", f"{call.program}: runs a command that cannot be known beforehand"))
            continue
        parts.append(_vim_command(call, command.text))
        writes = writes or bool(re.match(r"^\s*:?\s*(?:wq?|x|up|wa|wqa|xa)\b", command.text))
    if (
        call.has_stdin
        and call.program in {"ex", "ed", "vim", "vi"}
        and (call.program in {"ex", "ed"} or line.has("-e", "-E", "-s"))
    ):
        if call.stdin is None:
            parts.append(call.found("C6", f"{call.program}: runs commands that cannot be known beforehand"))
        else:
            parts += [_vim_command(call, one) for one in call.stdin.splitlines()]
            writes = writes or bool(re.search(r"(?m)^\s*:?(?:w|wq|x)\b", call.stdin))
    if line.has("-S"):
        parts.append(
            call.found("C6", f"{call.program}: runs the script {line.value('-S')}, whose content is not known")
        )
    if writes:
        parts.append(overwritten(call, files))
    elif files and not commands:
        parts += [_opened(call, word) for word in files]
    return merged(*parts)


def _opened(call: Call, word: Textual) -> Judged | None:
    """Opening a system file in an editor is the first step of changing it."""
    if word.text is None or call.program == "view":
        return None
    shown_secret = judged_path(call, word, lambda path: paths.reading(path, call.scope), how="read")
    if paths.place(word.text, call.scope) in {paths.Place.SYSTEM, paths.Place.START_FILE, paths.Place.POLICY}:
        return merged(shown_secret, overwritten(call, [word]))
    return shown_secret


def _vim_command(call: Call, text: str) -> Judged | Finding | None:
    command = text.strip().lstrip(":").strip()
    parts: list[Judged | Finding | None] = []
    shell = re.match(
        r"^(?:silent!?\s+|exe(?:cute)?\s+['\"]|%|\d*,?\d*|\.|r(?:ead)?\s*|w(?:rite)?\s+)*!\s*(.+)$", command, re.DOTALL
    )
    if shell is not None and not re.match(r"^(?:w|q|wq|x|qa)!", command):
        return call.nested("shell", shell.group(1).rstrip("'\""))
    parts += [call.nested("shell", inner[1]) for inner in re.findall(r"\bsystem(?:list)?\(\s*(['\"])(.*?)\1", command)]
    parts += [call.nested("python", code) for code in re.findall(r"^(?:py3?|python3?|pyx)\s+(.*)$", command)]
    if re.match(r"^(?:lua|luado|perl|ruby|tcl|source|so|terminal|ter)\b", command):
        inner_shell = re.search(r"os\.execute\(\s*(['\"])(.*?)\1|^(?:terminal|ter)\s+(.*)$", command)
        if inner_shell is not None:
            parts.append(call.nested("shell", inner_shell.group(2) or inner_shell.group(3)))
        else:
            parts.append(call.found("C6", f"{call.program}: runs {command}"))
    target = re.match(r"^(?:w|write|sav(?:eas)?)!?\s+([^!|\s].*)$", command)
    if target is not None:
        parts.append(overwritten(call, [Known(target.group(1).strip())]))
    parts += [
        _deleted(call, path, tree=how == "rf")
        for _, path, how in re.findall(r"\bdelete\(\s*(['\"])(.*?)\1(?:\s*,\s*['\"](rf?)['\"])?", command)
    ]
    return merged(*parts)


def _deleted(call: Call, path: str, *, tree: bool) -> Judged:
    return judged_path(call, path, lambda one: paths.deletion(one, call.scope, recursive=tree), how="delete")


_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@handles("mail", "mailx", "s-nail", "bsd-mailx", "sendmail", "mutt", "neomutt", "msmtp", "swaks", "ssmtp", "sendemail",
         "exim", "exim4", "mailsend", "smtp-cli", "aerc", "himalaya", "postie")  # fmt: skip
def judge_mail(call: Call) -> Judged | None:
    """Mail goes out in the user's name: to a few, to very many, with secrets."""
    line = read_line(
        call.program,
        call.words[1:],
        values=("-s", "-c", "-b", "-r", "-a", "-A", "-S", "-f", "-F", "-q", "-u", "-i-", "-e", "--to", "--from", "-t-",
                "--body", "--header", "--server", "--attach", "--cc", "--bcc", "-m", "-o", "--h-Subject",
                "--add-header",
                "-C", "--data", "-au", "-ap", "--auth-user", "--auth-password", "-p", "--port"),
    )  # fmt: skip
    if line.has("-bp", "--version", "-bv", "-H", "-e") and not line.operands:
        return Judged()
    words = [*line.operands, *line.values("--to", "--cc", "--bcc", "-c", "-b")]
    if call.program == "swaks" and not line.has("--to"):
        words += list(line.values("-t"))
    addresses = [address for word in words for address in _ADDRESS.findall(word.text or "")]
    attached = [word.text or "" for word in line.values("-a", "-A", "--attach", "--body") if (word.text or "")]
    attached = [name.lstrip("@") for name in attached]
    if sent_secret(call, attached, stdin=call.has_stdin):
        return merged(
            call.found("B5", f"mails a secret to {' '.join(addresses)}", " ".join(addresses), outward=True, secret=True)
        )
    unknown = [word for word in words if word.text is None]
    if len(addresses) >= MANY or any(_from_list(word) for word in unknown):
        return merged(call.found("B7", "mails everybody on a list", outward=True, reversible=False))
    telling = personal([*attached, *call.origin.files])
    if telling and addresses:
        says = f"mails {telling} to {' '.join(addresses)}"
        mailed = call.scope.nested("email", f"send_email(to={addresses!r}, attachments={attached!r})")
        return merged(call.found("C7", says, " ".join(addresses), outward=True), mailed)
    who = " ".join(addresses) or " ".join(shown(word) for word in words)
    sent = merged(call.found("C7", f"sends mail to {who}", who, outward=True))
    if not addresses:
        return sent
    return merged(sent, call.scope.nested("email", f"send_email(to={addresses!r}, attachments={attached!r})"))


def _from_list(word: Textual) -> bool:
    """Recipients that come out of a file are as many as the file has."""
    origin = origin_of(word)
    return bool(origin.files) or bool(origin.listing)


@handles(
    "doveadm", "mailq", "postsuper", "postqueue", "exiqgrep", "cyradm", "imapsync", "offlineimap", "mbsync", "zmprov"
)
def judge_mailboxes(call: Call) -> Judged | None:
    """What administers mailboxes."""
    line = read_line(call.program, call.words[1:], values=("-u", "-f", "-m", "-S", "-c", "-o", "-h", "-r-"))
    words = " ".join(line.words)
    if call.program == "doveadm":
        if line.sub() in {
            "search",
            "fetch",
            "quota",
            "who",
            "log",
            "mailbox",
            "user",
            "config",
            "instance",
            "stop-x",
        } and line.sub(1) not in {"delete", "recalc"}:
            return Judged()
        if line.sub() == "expunge" or (line.sub() == "mailbox" and line.sub(1) == "delete"):
            whole = line.has("-A") or re.search(r"\ball\b|mailbox \*|mailbox (?:INBOX|Sent)$", words)
            return merged(
                call.found(
                    "B7" if whole else "C1", f"expunges mail: {words}", line.value("-u") or "all", reversible=False
                )
            )
        return merged(call.found("C5", f"changes mailboxes: {words}"))
    if call.program == "postsuper" and line.has("-d"):
        everything = any(word.text == "ALL" for word in line.operands) or line.value("-d") == "ALL"
        return merged(call.found("B7" if everything else "C1", "deletes queued mail", reversible=False))
    if call.program in {"mailq", "exiqgrep"} or line.has("-p"):
        return Judged()
    return merged(call.found("C5", f"changes mail: {words}"))
