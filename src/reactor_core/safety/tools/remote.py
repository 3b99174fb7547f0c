"""Programs that reach another machine: ssh, scp, rsync, nc, socat, ftp."""

from __future__ import annotations

import re
from dataclasses import replace

from reactor_core.safety import paths
from reactor_core.safety.scope import Scope
from reactor_core.safety.tools.fetching import sent_secret, uploads
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import deleted, merged, overwritten, read
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_REMOTE = re.compile(
    r"^(?:[a-z]+://[^/]+(?:/|$)|(?:[\w.+-]+@)?(?:\[[0-9a-fA-F:]+\]|[\w][\w.-]*):(?!//).*|rsync://.*)", re.DOTALL
)
_SHELLS = re.compile(r"(?:^|[/\s'\",:])(?:ba|da|z|k|c|fi)?sh(?:$|[\s'\",-])|cmd(?:\.exe)?$|powershell|/bin/\w*sh")


def _is_remote(word: Textual) -> bool:
    text = word.text if word.text is not None else word.known_prefix
    return bool(_REMOTE.match(text)) and not text.startswith(("./", "/", "~"))


def _host(text: str) -> str:
    bare = re.sub(r"^[a-z]+://", "", text)
    return re.split(r"[:/]", bare.rpartition("@")[2].lstrip("["), maxsplit=1)[0]


@handles("ssh", "slogin", "autossh", "mosh", "sshpass-ssh", "dbclient", "plink")
def judge_ssh(call: Call) -> Judged | None:
    """Options that run something here or open a way in; the remote command is judged by itself."""
    line = call.line
    parts: list[Judged | Finding | None] = []
    for word in line.values("-o"):
        key, _, value = re.sub(r"^(\w+)[ =]+", r"\1=", word.text or "").partition("=")
        if key.lower() in {"proxycommand", "localcommand", "knownhostscommand"} and value.lower() not in {"", "none"}:
            parts.append(call.nested("shell", value))
    if line.has("-R") and not (line.operands[1:] and not line.has("-N", "-f")):
        back = call.line.value("-R") or ""
        rule = "B5" if re.search(r":(?:22|23|3389|5900|445|2375)$", back) else "C7"
        parts.append(
            call.found(rule, f"opens a way into this machine: {line.value('-R')}", outward=True, privilege=True)
        )
    if line.has("-g") or any((word.text or "").startswith(("0.0.0.0:", "*:")) for word in line.values("-L", "-D")):
        parts.append(call.found("C7", "opens a tunnel to the network", outward=True))
    if len(line.operands) == 1 and not line.has("-N", "-G", "-Q", "-O", "-V", "-T", "-W") and not call.has_stdin:
        parts.append(call.found("C6", f"opens a shell on {line.words[0]}", line.words[0], outward=True))
    return merged(*parts)


@handles(
    "scp", "sftp", "rcp", "pscp", "croc", "lftp", "ftp", "ncftpput", "tftp", "smbclient", "magic-wormhole", "wormhole"
)
def judge_scp(call: Call) -> Judged | None:
    """Copies between machines."""
    line = call.line
    parts: list[Judged | Finding | None] = []
    for word in line.values("-o"):
        key, _, value = (word.text or "").partition("=")
        if key.lower() == "proxycommand":
            parts.append(call.nested("shell", value))
    parts += [
        call.nested("shell", word.text or "") if call.program != "lftp" else None
        for word in (line.values("-S", "-e") if call.program == "lftp" else line.values("-S"))
    ]
    if call.program in {"sftp", "ftp", "lftp", "tftp", "smbclient", "ncftpput", "croc", "wormhole", "magic-wormhole"}:
        secret = sent_secret(call, [word.text or "" for word in line.operands], stdin=call.has_stdin)
        if secret or _puts_secret(call):
            return merged(*parts, call.found("B5", "sends a secret out", outward=True, secret=True))
        return merged(*parts, call.found("C7", f"exchanges files with {' '.join(line.words[:2])}", outward=True))
    if len(line.operands) < 2:
        return merged(*parts)
    target, sources = line.operands[-1], line.operands[:-1]
    if _is_remote(target):
        parts.append(uploads(call, [word for word in sources if not _is_remote(word)], shown(target)))
        if all(_is_remote(word) for word in sources):
            parts.append(call.found("C7", f"copies files to {shown(target)}", shown(target), outward=True))
    else:
        parts.append(_downloaded(call, target))
    return merged(*parts)


def _puts_secret(call: Call) -> bool:
    texts = [call.stdin or "", *(word.text or "" for word in call.line.values("-e", "-c"))]
    for text in texts:
        for match in re.finditer(r"\b(?:m?put|mirror -R|send)\s+(\S+)", text):
            if paths.reading(match.group(1), call.scope) is not None:
                return True
    return False


def _downloaded(call: Call, target: Textual) -> Judged:
    """A folder takes new files; a file is overwritten."""
    text = target.text
    if text is not None and (text.endswith("/") or text in {".", "..", "~"} or "." not in text.rsplit("/", 1)[-1]):
        place = paths.place(text, call.scope).name
        return (
            overwritten(call, [target]) if place in {"SYSTEM", "ROOT", "START_FILE", "DEVICE", "BACKUP"} else Judged()
        )
    return overwritten(call, [target])


@handles("rsync", "rclone-sync", "unison", "lsyncd")
def judge_rsync(call: Call) -> Judged | None:
    """Mirrors: what the source does not have is deleted from the target."""
    line = call.line
    if line.has("-n", "--dry-run", "--list-only"):
        return Judged()
    parts: list[Judged | Finding | None] = []
    for word in line.values("-e", "--rsh", "--rsync-path"):
        if word.text is not None and not re.match(r"^ssh(?: |$)|^sudo rsync$|^/\S*rsync$|^rsync$", word.text):
            parts.append(call.nested("shell", word.text))
        elif word.text is None:
            parts.append(call.found("C6", "rsync: runs what cannot be known beforehand"))
    if len(line.operands) < 2:
        return merged(*parts)
    target, sources = line.operands[-1], line.operands[:-1]
    deletes = any(option.name.startswith(("--delete", "--del")) for option in line.options)
    if _is_remote(target):
        parts.append(uploads(call, sources, shown(target)))
        if deletes:
            where = (target.text or "").partition(":")[2]
            host = _host(target.text or "")
            finding = paths.deletion(where or "/", _on(call, host), recursive=True) if where else None
            rule = finding.rule if finding is not None and finding.rule[0] == "B" else "C1"
            parts.append(call.found(rule, f"deletes in {shown(target)} what the source lacks", host, reversible=False))
    elif deletes:
        parts.append(deleted(call, [target], recursive=True))
    else:
        parts.append(_downloaded(call, target) if _rewrites(call, target) else None)
        parts.append(read(call, [word for word in sources if not _is_remote(word)]))
    if line.has("--remove-source-files"):
        parts.append(deleted(call, [word for word in sources if not _is_remote(word)], recursive=True))
    return merged(*parts)


def _on(call: Call, host: str) -> Scope:
    return replace(call.scope, host=host, cwd="")


def _rewrites(call: Call, target: Textual) -> bool:
    return target.text is None or paths.place(target.text, call.scope).name in {
        "SYSTEM", "ROOT", "START_FILE", "DEVICE", "HOME", "HOOK", "CI", "POLICY", "AUDIT_LOG", "SECRET",
    }  # fmt: skip


@handles("nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "busybox-nc", "pwncat", "cryptcat")
def judge_nc(call: Call) -> Judged | None:
    """A raw connection: harmless as a test of a port, an open door with a shell behind it."""
    line = call.line
    if any(
        "c" in option.name or "e" in option.name
        for option in line.options
        if option.name in {"-e", "-c", "--exec", "--sh-exec", "--lua-exec"}
    ):
        return merged(call.found("B5", "gives a shell to whoever is at the other end", outward=True, privilege=True))
    if line.has("-z"):
        return Judged()
    listening = line.has("-l", "--listen", "-L")
    where = " ".join(line.words)
    if listening:
        bound = any(word in {"127.0.0.1", "localhost", "::1"} for word in line.words) or line.value("-s") in {
            "127.0.0.1",
            "localhost",
        }
        if call.origin.secret:
            return merged(call.found("B5", "offers a secret to the network", outward=True, secret=True))
        return Judged() if bound else merged(call.found("C7", f"listens on the network: {where}", outward=True))
    if call.origin.secret or sent_secret(call, (), stdin=call.has_stdin):
        return merged(call.found("B5", f"sends a secret to {where}", where, outward=True, secret=True))
    if any(word in {"127.0.0.1", "localhost", "::1"} for word in line.words):
        return Judged()
    if call.has_stdin and call.stdin is not None and len(call.stdin) < 200:
        return (
            merged(call.found("C7", f"sends data to {where}", where, outward=True))
            if call.stdin.strip() not in {"", "stats", "ruok", "quit", "PING"}
            else Judged()
        )
    return merged(call.found("C7", f"opens a raw connection to {where}", where, outward=True))


@handles("socat")
def judge_socat(call: Call) -> Judged | None:
    """Two addresses, joined."""
    texts = [word.text if word.text is not None else word.known_prefix for word in call.line.operands]
    runs = [text for text in texts if re.match(r"(?i)^(?:exec|system|shell):", text)]
    network = [text for text in texts if re.match(r"(?i)^(?:tcp|udp|openssl|ssl|sctp|socks|proxy|vsock|dtls)", text)]
    outward = [text for text in network if not re.search(r"127\.0\.0\.1|localhost|\[::1\]", text)]
    parts: list[Judged | Finding | None] = []
    for text in runs:
        command = text.partition(":")[2].split(",")[0].strip("'\"")
        if outward and _SHELLS.search(command):
            parts.append(call.found("B5", "gives a shell to whoever is at the other end", outward=True, privilege=True))
        parts.append(call.nested("shell", command))
        if outward:
            parts.append(call.found("C6", f"joins {command} with the network", outward=True))
    if call.origin.secret and outward:
        parts.append(call.found("B5", "sends a secret out", outward=True, secret=True))
    elif outward and not runs:
        parts.append(call.found("C7", f"joins {' and '.join(texts)}", outward=True))
    return merged(*parts)


@handles("telnet", "rlogin", "rsh", "tn3270")
def judge_telnet(call: Call) -> Judged | None:
    """A terminal on another machine, unencrypted; a test of a port as well."""
    return (
        merged(call.found("C7", f"connects to {' '.join(call.line.words)}", outward=True))
        if call.has_stdin
        else Judged()
    )
