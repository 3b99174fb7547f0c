"""Calls that start programs, end them, or raise the rights of this one."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from reactor_core.safety.python.values import DECODED, INPUT, REMOTE, SECRET, Call, Value, constant, named, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Effect, Scale, Verdict, found

__all__ = ["PROCESSES", "judge_process_method", "shell_text"]

Handler = Callable[[World, Value, Call, str], Value | None]
_INTERPRETERS = ("sh", "bash", "zsh", "dash", "ksh", "python", "python3", "perl", "ruby", "node", "php")
_HOLE = '"$unknown_value"'


def shell_text(value: Value | None) -> str | None:
    """A command line for a text or a list of words that a program is started with; None: nothing of it is known."""
    if value is None:
        return None
    items = value.items
    if items is not None:
        parts = [shlex.quote(one.string) if one.string is not None else (one.rendered(_HOLE) or _HOLE) for one in items]
        return " ".join(parts) if parts and items[0].rendered("") is not None else None
    return value.rendered(_HOLE)


def _start(world: World, call: Call, command: Value | None, part: str) -> Value:
    """A program is started."""
    if call.starred and command is None:
        world.ask("starts a program that is not known", part)
        return named("subprocess()", calls=(call,))
    marks = command.marks if command is not None else frozenset()
    for item in (command.items or []) if command is not None else []:
        marks |= item.marks
    text = shell_text(command)
    if REMOTE in marks and text is None:
        world.say(found("B5", "runs what came over the network", Effect("command", Scale.ALL, reversible=False)), part)
    elif text is None:
        world.ask("starts a program that is not known", part)
    else:
        if world.endless:
            world.say(found("B6", "starts programs without end", Effect("processes", Scale.ALL)), part)
        cwd = call.kwargs.get("cwd")
        changes: dict[str, object] = {}
        if cwd is not None and cwd.string is None and not (cwd.known and cwd.value is None):
            changes["cwd"] = ""
        elif cwd is not None and cwd.string is not None:
            changes["cwd"] = world.path(cwd)
        given = call.kwargs.get("input")
        program = text.split()[0].rpartition("/")[2] if text.split() else ""
        if given is not None and given.string is None and program in _INTERPRETERS:
            if REMOTE in given.marks:
                world.say(found("B5", "runs what came over the network", Effect("code", Scale.ALL)), part)
            else:
                world.ask("runs a text that is not known", part)
        if given is not None and given.string is not None:
            text = f"printf %s {shlex.quote(given.string)} | {text}"
        if cwd is None:
            changes["cwd"] = world.scope.cwd
        judged = world.nested("shell", text, decoded=DECODED in marks, **changes)
        if world.repeated and program == "ssh" and any(one.rule in ("C4", "C5") for one in judged.findings):
            world.say(
                found("B6", "does this to every host of a list", Effect("hosts", Scale.ALL, reversible=False)), part
            )
        if (
            SECRET in marks
            and judged.verdict is Verdict.ALLOW
            and any(w in text for w in ("curl", "wget", "nc ", "http"))
        ):
            world.say(found("B5", "sends a secret out", Effect("secret", secret=True, outward=True)), part)
    return named(
        "subprocess()", calls=(Call(call.name, (command or unknown(),), call.kwargs),), marks=frozenset({INPUT})
    )


def _program(at: int = 0, *names: str) -> Handler:
    def handle(world: World, _: Value, call: Call, part: str) -> Value | None:
        command = next((call.kwargs[name] for name in names if name in call.kwargs), None) or call.get("args", at)
        return _start(world, call, command, part)

    return handle


def _exec(listed: bool, skip: int) -> Handler:
    """``os.execv(path, [name, ...])`` and ``os.execl(path, name, ...)``: the name that is given is not what runs."""

    def handle(world: World, _: Value, call: Call, part: str) -> Value | None:
        rest = call.args[skip:]
        program = rest[0] if rest else None
        words = (rest[1].items if len(rest) > 1 and listed else list(rest[1:])) or []
        if program is None or (listed and len(rest) > 1 and rest[1].items is None):
            world.ask("starts a program that is not known", part)
            return constant(None)
        return _start(world, call, constant([program, *words[1:]]), part)

    return handle


def _words(world: World, _: Value, call: Call, part: str) -> Value | None:
    """Words as arguments of their own, as ``asyncio.create_subprocess_exec`` takes them."""
    return _start(world, call, constant(list(call.args)), part)


def _spawn(world: World, _: Value, call: Call, part: str) -> Value | None:
    command = call.get("argv", 0)
    if world.sockets:
        world.say(found("B5", "gives a shell to another host", Effect("shell", outward=True, privilege=True)), part)
    return _start(world, call, command, part)


def _kill(world: World, _function: Value, call: Call, part: str) -> Value | None:
    pid, sign = call.get("pid", 0), call.get("sig", 1)
    if sign is not None and sign.known and sign.value == 0:
        return constant(None)
    if pid is not None and pid.name in ("os.getpid()", "os.getppid()") and pid.name != "os.getppid()":
        return constant(None)
    if pid is not None and pid.known and pid.value in (-1, 1, 0):
        world.say(found("B6", "ends every process", Effect("processes", Scale.ALL, reversible=False)), part)
    elif world.repeated:
        world.say(
            found("B6", "ends processes that are not listed", Effect("processes", Scale.ALL, reversible=False)), part
        )
    else:
        world.say(found("C5", "ends a process", Effect(str(pid.value) if pid and pid.known else "?", Scale.ITEM)), part)
    return constant(None)


def _fork(world: World, _: Value, _call: Call, part: str) -> Value | None:
    if world.endless or world.repeated:
        world.say(found("B6", "starts processes without end", Effect("processes", Scale.ALL)), part)
    return unknown()


def _become(world: World, _: Value, call: Call, part: str) -> Value | None:
    user = call.args[0] if call.args else None
    if user is None or not user.known or user.value == 0:
        world.say(found("B5", "takes the rights of the administrator", Effect("root", privilege=True)), part)
    return constant(None)


def _dup(world: World, _: Value, call: Call, part: str) -> Value | None:
    first = call.args[0] if call.args else None
    if first is not None and "fileno" in first.name and world.sockets:
        world.say(found("B5", "joins a shell to a socket", Effect("shell", outward=True, privilege=True)), part)
    return constant(None)


def _library(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    return named("ctypes.CDLL()", calls=(call,))


def _remote_shell(world: World, function: Value, call: Call, part: str) -> Value | None:
    host = next(
        (one.args[0].string for one in function.calls if one.name in ("connect", "Connection") and one.args), None
    )
    command = call.get("command", 0)
    text = shell_text(command)
    if text is None:
        world.ask("runs a command on another host that is not known", part)
        return unknown()
    if function.last == "sudo":
        text = "sudo " + text
    world.nested("shell", text, host=host or "another host")
    return unknown(INPUT)


PROCESSES: dict[str, Handler] = {

    **dict.fromkeys((
        "os.system", "os.popen", "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.Popen",
        "subprocess.check_output", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput",
        "asyncio.create_subprocess_shell", "anyio.run_process", "trio.run_process", "pexpect.spawn", "pexpect.run",
        "pexpect.spawnu", "plumbum.local", "delegator.run", "invoke.run", "get_ipython().system", "os.startfile",
        "commands.getstatusoutput", "popen2.popen2", "sarge.run", "fabric.local", "get_ipython().getoutput",
        "subprocess.fork_exec",
    ), _program(0, "args", "command", "cmd")),
    **dict.fromkeys(("asyncio.create_subprocess_exec", "sh.Command"), _words), "pty.spawn": _spawn,
    **dict.fromkeys(("os.execv", "os.execve", "os.execvp", "os.execvpe"), _exec(listed=True, skip=0)),
    **dict.fromkeys(("os.execl", "os.execle", "os.execlp", "os.execlpe"), _exec(listed=False, skip=0)),
    **dict.fromkeys(("os.spawnv", "os.spawnve", "os.spawnvp", "os.spawnvpe"), _exec(listed=True, skip=1)),
    **dict.fromkeys(("os.spawnl", "os.spawnle", "os.spawnlp", "os.spawnlpe"), _exec(listed=False, skip=1)),
    **dict.fromkeys(("os.posix_spawn", "os.posix_spawnp"), _exec(listed=True, skip=0)),
    **dict.fromkeys(("os.kill", "os.killpg", "signal.pidfd_send_signal", "signal.pthread_kill"), _kill),
    **dict.fromkeys(("os.fork", "os.forkpty", "pty.fork"), _fork),
    **dict.fromkeys(("os.setuid", "os.seteuid", "os.setgid", "os.setresuid", "os.setreuid"), _become),
    **dict.fromkeys(("os.dup2", "os.dup"), _dup),
    **dict.fromkeys(("ctypes.CDLL", "ctypes.cdll.LoadLibrary", "ctypes.PyDLL"), _library),
}  # fmt: skip
"""Full name -> what it does with processes."""


def judge_process_method(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Methods of processes and of connections to other hosts; None: it is something else."""
    name, method = function.name, function.last
    if method == "start" and world.endless and any(kind in name for kind in ("Process()", "Thread()")):
        world.say(found("B6", "starts processes without end", Effect("processes", Scale.ALL)), part)
        return constant(None)
    if name == "subprocess()" or name.startswith("subprocess()."):
        if method in ("communicate", "write") and call.args and call.args[0].string is not None and function.calls:
            program = shell_text(function.calls[-1].args[0]) if function.calls[-1].args else None
            if program:
                world.nested("shell", f"printf %s {shlex.quote(call.args[0].string)} | {program}")
        return unknown(INPUT) if method not in ("stdout", "stdin") else None
    if "psutil.Process" in name or "psutil.process_iter" in name:
        if method in ("kill", "terminate", "suspend", "send_signal"):
            every = "process_iter" in name and world.repeated
            rule = "B6" if every else "C5"
            world.say(found(rule, "ends processes", Effect("processes", Scale.ALL if every else Scale.ITEM)), part)
        return unknown()
    if name.startswith(("ctypes.CDLL()", "ctypes.cdll", "ctypes.libc", "ctypes.PyDLL()")):
        if method in ("system", "popen") and call.args:
            return _start(world, call, call.args[0], part)
        if method in ("unlink", "remove", "rmdir"):
            world.delete(call.args[0] if call.args else None, recursive=False, part=part)
            return unknown()
        if method in ("setuid", "setgid", "seteuid"):
            return _become(world, function, call, part)
        if method == "fork":
            return _fork(world, function, call, part)
        if method in ("reboot", "kill"):
            world.say(found("B6", "stops the machine or its processes", Effect("host", Scale.ALL)), part)
            return unknown()
        if method != "LoadLibrary" and not method.startswith(("get", "str", "mem", "printf", "puts", "abs", "time")):
            world.ask("calls a function of a library directly", part)
        return unknown()
    if method in ("exec_command", "run", "sudo") and any(
        kind in name for kind in ("SSHClient()", "Connection()", "asyncssh")
    ):
        return _remote_shell(world, function, call, part)
    if name.startswith(("sh.", "plumbum.local[].", "local[].")) and method != "Command":
        return _start(world, call, constant([constant(method), *call.args]), part)
    if "__subclasses__" in name and call.args:
        world.ask("reaches a class by a detour", part)
        return _start(world, call, call.args[0], part)
    return None
