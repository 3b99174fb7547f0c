"""docker, podman and nerdctl: what goes with a container, an image or a volume, and what a container may reach."""

from __future__ import annotations

import re

from reactor_core.safety import paths
from reactor_core.safety.naming import name_class, names_class
from reactor_core.safety.tools.line import Line, Textual, read_line, shown, wordset
from reactor_core.safety.tools.registry import Call, handles, origin_of
from reactor_core.safety.tools.targets import merged, overwritten, read
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_GLOBAL = ("-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert", "--url", "--connection",
           "--root", "--namespace", "-n", "--address", "-a")  # fmt: skip
_VALUES = ("--filter", "--format", "--time", "--tag", "--file", "--volume", "--mount", "--env", "--publish", "--name",
           "--workdir", "--user", "--network", "--net", "--pid", "--ipc", "--uts", "--userns", "--cap-add",
           "--cap-drop",
           "--security-opt", "--device", "--entrypoint", "--env-file", "--memory", "--cpus", "--gpus", "--label",
           "--platform", "--restart", "--hostname", "--add-host", "--shm-size", "--ulimit", "--tmpfs", "--tail",
           "--since",
           "--until", "--build-arg", "--target", "--cache-from", "--cache-to", "--output", "-o", "--progress",
           "--secret",
           "--ssh", "-s", "--signal", "--project-name", "--profile", "--scale", "--driver", "--opt", "--subnet",
           "--timeout", "--group-add", "--volumes-from", "--pull", "--log-driver", "--cidfile", "--index", "--password",
           "--username", "-u", "-e")  # fmt: skip
_SHORT = {
    **dict.fromkeys(("run", "create"), ("-v", "-p", "-w", "-m", "-l", "-h", "-a", "-c")),
    **dict.fromkeys(("ps", "ls", "list", "images", "search", "inspect", "history"), ("-f", "-n")),
    **dict.fromkeys(("build", "buildx"), ("-f", "-t")),
    **dict.fromkeys(("stop", "restart"), ("-t",)),
    "logs": ("-n",),
    "exec": ("-w",),
}
"""Short options that take a value, by subcommand: ``-v`` is a volume of run and a flag of rm."""

_READS = wordset("""
    ps ls list images inspect logs stats top port version info history search diff events df wait config help
    context-ls manifest-inspect buildx-ls attach-no show-x ip-x healthcheck scout sbom
""")

_STOPS = frozenset("stop kill restart pause unpause start update rename wait-x rm remove delete".split())  # noqa: SIM905


@handles("docker", "podman", "nerdctl", "docker-compose", "podman-compose", "lima", "finch")
def judge_docker(call: Call) -> Judged | None:
    """The subcommand decides; a daemon of production makes it worse."""
    if call.program.endswith("-compose"):
        return _compose(call, call.words[1:], "")
    outer = read_line(call.program, call.words[1:], values=_GLOBAL, stops=True)
    host = outer.value("-H", "--host", "-c", "--context", "--connection", "--url") or call.env.get("DOCKER_HOST") or ""
    words = outer.operands
    if not words:
        return Judged()
    sub = words[0].text
    if sub is None:
        return merged(call.found("C6", f"{call.program}: what is to be done cannot be known beforehand"))
    if sub in {"compose", "stack-compose"}:
        return _compose(call, words[1:], host)
    group = ""
    if sub in {"container", "image", "volume", "network", "system", "builder", "buildx", "context", "secret", "config",
               "service", "stack", "swarm", "node", "plugin", "manifest", "trust", "pod", "machine",
               "checkpoint"}:  # fmt: skip
        group, words = sub, words[1:]
        sub = words[0].text or "" if words else ""
    line = read_line(
        call.program, words[1:], values=(*_VALUES, *_SHORT.get(sub, ())), stops=sub in {"run", "exec", "create"}
    )
    if line.has("--dry-run"):
        return Judged()
    return merged(_verdict(call, group, sub, line, host))


def _verdict(call: Call, group: str, sub: str, line: Line, host: str) -> Judged | Finding | None:
    if sub in {"run", "create"} and group in {"", "container"}:
        return _run(call, line)
    if sub == "exec":
        wide = line.has("--privileged")
        return call.found("C5", "runs in a container with all rights", privilege=True) if wide else None
    if sub == "inspect" and re.search(r"\.Env\b|\.Config\.Env", line.value("-f", "--format") or ""):
        return call.found("C8", "shows the environment of a container, secrets too", secret=True)
    if sub == "prune":
        return _prune(call, group, line)
    if (group in {"", "image"} and sub == "rmi") or (group == "image" and sub in {"rm", "remove"}):
        return _images_removed(call, line)
    if group == "volume" and sub in {"rm", "remove"}:
        return _volumes_removed(call, line)
    if group in {"swarm", "node", "stack", "service", "machine"}:
        return _cluster(call, group, sub, line)
    if sub == "push" or (group == "plugin" and sub == "push"):
        return call.found("C7", f"publishes {' '.join(line.words)}", " ".join(line.words), outward=True)
    if sub == "login":
        return call.found("C8", "keeps a password for a registry", secret=True)
    if sub == "cp":
        return _copied(call, line)
    if sub in {"save", "export"}:
        return overwritten(call, line.values("-o", "--output"))
    if group in {"secret", "config"} and sub not in {"ls", "inspect"}:
        return call.found("C8" if group == "secret" else "C4", f"{group} {sub} {' '.join(line.words)}", secret=True)
    if sub in _STOPS or (group == "network" and sub in {"rm", "disconnect", "connect"}):
        return _stopped(call, sub, line, host)
    if group == "context" and sub in {"rm", "use"}:
        return call.found("C5", f"changes which daemon is asked: {sub} {' '.join(line.words)}")
    return None


def _stopped(call: Call, sub: str, line: Line, host: str) -> Finding:
    names = [shown(word) for word in line.operands]
    everything = any(_lists_all(word) for word in line.operands) or line.has("-a", "--all")
    if sub in {"start", "unpause", "update", "rename", "connect", "wait"}:
        return call.found("C4", f"{sub} {' '.join(names)}", " ".join(names))
    if everything and sub in {"stop", "kill", "rm", "remove", "delete"}:
        return call.found("B4", f"{sub} of every container", host or "all containers", reversible=False)
    with_volumes = sub in {"rm", "remove"} and line.has("-v", "--volumes")
    return call.found("C1" if with_volumes else "C4", f"{sub} {' '.join(names)}", " ".join(names), reversible=False)


def _lists_all(word: Textual) -> bool:
    """Whether a word is the whole list of containers, images or volumes."""
    listing = origin_of(word).listing
    if not listing or listing[0] not in {"docker", "podman", "nerdctl", "xargs"}:
        return False
    return not any(part is not None and (part.startswith(("-f", "--filter", "name="))) for part in listing[1:])


def _prune(call: Call, group: str, line: Line) -> Finding | None:
    if group == "volume" or (group == "system" and line.has("--volumes")):
        return call.found("C1", "deletes all volumes that no container uses", "volumes", reversible=False)
    if group == "system" and line.has("-a", "--all"):
        return call.found("C1", "deletes all images and containers that are not in use", reversible=False)
    if group in {"system", "container"}:
        return call.found("C1", "deletes all stopped containers", reversible=False)
    if group == "image" and line.has("-a", "--all"):
        return call.found("C1", "deletes all images that no container uses", reversible=False)
    if group == "network":
        return call.found("C4", "deletes networks that are not in use")
    return None


def _images_removed(call: Call, line: Line) -> Finding | None:
    for word in line.operands:
        listing = origin_of(word).listing
        if any(part is not None and "dangling=true" in part for part in listing):
            continue
        if word.text is None and listing:
            return call.found("C1", "deletes all images", reversible=False)
        return call.found("C1", f"deletes the image {shown(word)}", shown(word), reversible=False)
    return None


def _volumes_removed(call: Call, line: Line) -> Finding | None:
    if any(_lists_all(word) for word in line.operands) or line.has("-a", "--all"):
        return call.found("B1", "deletes all volumes", "volumes", reversible=False)
    names = [shown(word) for word in line.operands]
    if any(word.text is None for word in line.operands):
        return call.found("C6", f"deletes volumes that cannot be known beforehand: {' '.join(names)}", reversible=False)
    if not names:
        return None
    if names_class(names, call.scope.setting) == "precious" or len(names) > 5:
        return call.found("B1", f"deletes volumes: {' '.join(names)}", " ".join(names), reversible=False)
    return call.found("C1", f"deletes the volume {' '.join(names)}", " ".join(names), reversible=False)


def _cluster(call: Call, group: str, sub: str, line: Line) -> Finding | None:
    if sub in {"ls", "ps", "inspect", "logs", "list", "services", "config", "ca", "info", "ssh-x"}:
        return None
    names = " ".join(line.words)
    if (group == "swarm" and sub == "leave" and line.has("-f", "--force")) or (
        group == "stack" and sub in {"rm", "down", "remove"}
    ):
        kind = names_class(line.words, call.scope.setting)
        return call.found("C4" if kind == "scratch" else "B4", f"{group} {sub} {names}", names, reversible=False)
    if group == "swarm" and sub in {"join-token", "unlock-key"}:
        return call.found("C8", "shows a token of the swarm", secret=True)
    destroys = sub in {"rm", "remove", "delete", "prune"} and names_class(line.words, call.scope.setting) == "precious"
    return call.found("B4" if destroys else "C4", f"{group} {sub} {names}", names, reversible=not destroys)


_WIDE = frozenset({"/", "/etc", "/root", "/boot", "/usr", "/var", "/lib", "/bin", "/sbin", "/dev", "/proc", "/sys"})


def _run(call: Call, line: Line) -> Judged:
    """What a container may reach of the host. What runs inside is judged by itself."""
    parts: list[Judged | Finding | None] = []
    strong = line.has("--privileged") or any(
        re.search(r"SYS_ADMIN|ALL|SYS_MODULE|SYS_PTRACE|DAC_READ_SEARCH|SYS_RAWIO", word.text or "")
        for word in line.values("--cap-add")
    )
    host_view = any((word.text or "") == "host" for word in line.values("--pid", "--userns"))
    for source, read_only in _mounts(line):
        path = paths.normal(source, call.scope) or source
        if path in {"/var/run/docker.sock", "/run/docker.sock"} or path.endswith(
            ("docker.sock", "podman.sock", "containerd.sock")
        ):
            parts.append(
                call.found("C5", "gives a container the daemon's socket, and so this machine", path, privilege=True)
            )
        elif path in _WIDE:
            rule = "B5" if strong or host_view else "C5"
            parts.append(
                call.found(
                    "C5" if read_only else rule, f"gives a container {path} of this machine", path, privilege=True
                )
            )
        elif paths.reading(source, call.scope) is not None:
            parts.append(call.found("C8", f"gives a container the secrets in {path}", path, secret=True))
    if strong and not parts:
        parts.append(call.found("C5", "starts a container with all rights over this machine", privilege=True))
    if any(re.match(r"^(?:0\.0\.0\.0:)?\d+:\d+", word.text or "") for word in line.values("-p", "--publish")):
        parts.append(None)  # publishing a port of a development container is ordinary work
    parts += [
        None if word.text else call.found("C6", "takes variables from a file that cannot be known")
        for word in line.values("--env-file")
    ]
    return merged(*parts)


def _mounts(line: Line) -> list[tuple[str, bool]]:
    found = []
    for word in line.values("-v", "--volume"):
        source, _, rest = (word.text if word.text is not None else word.known_prefix).partition(":")
        if source.startswith(("/", "~", ".")):
            found.append((source, rest.endswith((":ro", ",ro")) or ":ro" in rest))
    for word in line.values("--mount"):
        fields = dict(part.partition("=")[::2] for part in (word.text or "").split(","))
        source = fields.get("source") or fields.get("src") or ""
        if source.startswith(("/", "~", ".")):
            found.append((source, "readonly" in fields or "ro" in fields))
    return found


def _copied(call: Call, line: Line) -> Judged | None:
    if len(line.operands) < 2:
        return None
    source, target = line.operands[0], line.operands[-1]
    if ":" in shown(target) and not shown(target).startswith(("/", ".", "~")):
        return merged(
            read(call, [source]), call.found("C4", f"changes files of a container: {shown(target)}", shown(target))
        )
    place = paths.place(target.text, call.scope) if target.text is not None else None
    return overwritten(call, [target]) if place not in {paths.Place.PROJECT, paths.Place.TEMP, None} else None


_COMPOSE_GLOBAL = ("-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory", "--ansi",
                   "--parallel", "--progress", "-c", "--context", "-H", "--host")  # fmt: skip


def _compose(call: Call, words: tuple[Textual, ...], host: str) -> Judged:
    outer = read_line("compose", words, values=_COMPOSE_GLOBAL, stops=True)
    if outer.has("--dry-run") or not outer.operands:
        return Judged()
    sub = outer.operands[0].text or ""
    line = read_line(
        "compose", outer.operands[1:], values=(*_VALUES, *_SHORT.get(sub, ()), "--rmi"), stops=sub in {"run", "exec"}
    )
    files = [
        word.text or ""
        for word in outer.values("-f", "--file", "-p", "--project-name", "-c", "--context", "-H", "--host")
    ]
    kind = "precious" if any(name_class(name, call.scope.setting) == "precious" for name in (*files, host)) else "plain"
    if sub == "down":
        if line.has("-v", "--volumes"):
            rule = "B4" if kind == "precious" else "C1"
            return merged(
                call.found(rule, "stops the project and deletes its volumes", " ".join(files), reversible=False)
            )
        return merged(
            call.found("B4" if kind == "precious" else "C4", "stops all containers of the project", " ".join(files))
        )
    if sub == "rm":
        volumes = line.has("-v", "--volumes")
        return merged(
            call.found("C1" if volumes else "C4", f"removes containers {' '.join(line.words)}", reversible=False)
        )
    if sub in {"stop", "kill", "restart", "pause", "unpause", "scale"}:
        return merged(call.found("C4", f"{sub} {' '.join(line.words) or 'all services'}", " ".join(line.words)))
    if sub == "push":
        return merged(call.found("C7", "publishes images", outward=True))
    if sub in {"up", "start", "create"} and kind == "precious":
        return merged(call.found("C4", f"{sub} in {' '.join(files)}", " ".join(files)))
    if sub == "run":
        return merged(*(one for one in _run(call, line).findings))
    return Judged()
