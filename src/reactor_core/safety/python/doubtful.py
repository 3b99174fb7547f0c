"""Calls of which only the module or the method's name is known, where a wrong guess would cost much."""

from __future__ import annotations

from reactor_core.safety.python.values import MANY, SECRET, Call, Value, join_marks, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.things import DESTROYS, split_name
from reactor_core.safety.verdict import Effect, Scale, Verdict, found

__all__ = ["judge_doubtful"]

_HARMLESS = {
    "os": frozenset(
        [
            "path",
            "access",
            "close",
            "cpu_count",
            "ctermid",
            "device_encoding",
            "environ",
            "fdopen",
            "fsync",
            "fstat",
            "get_terminal_size",
            "getcwd",
            "getegid",
            "geteuid",
            "getgid",
            "getgroups",
            "getloadavg",
            "getlogin",
            "getpgid",
            "getpid",
            "getppid",
            "getpriority",
            "getuid",
            "isatty",
            "lseek",
            "lstat",
            "name",
            "nice",
            "pipe",
            "read",
            "readlink",
            "sched_getaffinity",
            "sched_yield",
            "stat",
            "statvfs",
            "strerror",
            "sysconf",
            "times",
            "umask",
            "uname",
            "unsetenv",
            "urandom",
            "utime",
            "wait",
            "waitpid",
            "walk",
            "write",
            "fsencode",
            "fsdecode",
            "get_exec_path",
            "process_cpu_count",
            "set_blocking",
            "putenv",
            "memfd_create",
            "eventfd",
            "openpty",
            "sched_setaffinity",
            "waitstatus_to_exitcode",
            "WEXITSTATUS",
            "_exit",
            "abort",
            "getrandom",
        ]
    ),
    "shutil": frozenset(
        [
            "which",
            "disk_usage",
            "get_terminal_size",
            "make_archive",
            "copyfileobj",
            "ignore_patterns",
            "copymode",
            "copystat",
            "get_archive_formats",
            "get_unpack_formats",
            "Error",
            "SameFileError",
        ]
    ),
    "subprocess": frozenset("list2cmdline CompletedProcess CalledProcessError TimeoutExpired PIPE".split()),  # noqa: SIM905
    "pyautogui": frozenset("screenshot position size onScreen locateOnScreen pixel".split()),  # noqa: SIM905
}
"""Module -> what of it changes nothing that lasts; all else of these modules is asked."""
_RUNS = frozenset(
    [
        "run",
        "sudo",
        "local",
        "system",
        "shell",
        "sh",
        "cmd",
        "exec",
        "popen",
        "spawn",
        "exec_run",
        "exec_command",
        "run_command",
        "send_command",
        "check_output",
        "getoutput",
        "runcmd",
        "run_shell",
        "bash",
        "sendline",
    ]
)
_SENDS = frozenset(
    [
        "send",
        "sendall",
        "post",
        "publish",
        "upload",
        "put",
        "emit",
        "produce",
        "sendto",
        "send_bytes",
        "push",
        "report",
        "send_string",
        "send_json",
        "upload_file",
        "storbinary",
        "notify",
        "submit_form",
    ]
)
_GUARDS = frozenset({
    "audit", "auditor", "gate", "safety", "guard", "firewall", "guardrail", "antivirus", "edr", "siem",
})  # fmt: skip
_LISTS = frozenset({
    "campaign", "campaigns", "newsletter", "newsletters", "mailing", "subscribers", "audience", "broadcasts",
})  # fmt: skip


def judge_doubtful(world: World, function: Value, call: Call, part: str) -> Value | None:
    """The last to look at a call; None: nothing speaks against it."""
    name, method = function.name, function.last
    words = split_name(method)
    root, _, rest = name.partition(".")
    around = set(name.lower().replace("_", ".").replace("()", "").split("."))
    marks = join_marks([*call.args, *call.kwargs.values()])
    if (
        around & _GUARDS
        and words
        and (
            words[0] in DESTROYS
            or words[0]
            in (
                "disable",
                "stop",
                "bypass",
                "off",
                "mute",
            )
        )
    ):
        world.say(found("B5", f"{name} removes evidence or a safeguard", Effect(name, Scale.ALL, privilege=True)), part)
        return unknown()
    if SECRET in marks and (method in _SENDS or words[:1] == ["send"]) and function.owner is not None:
        world.say(found("B5", f"{name} sends a secret out", Effect(name, secret=True, outward=True)), part)
        return unknown()
    if around & _LISTS and words[:1] in (["send"], ["broadcast"], ["launch"], ["schedule"]):
        world.say(found("B7", f"{name} sends mail to an open list", Effect(name, Scale.ALL, outward=True)), part)
        return unknown()
    if method in ("send_transaction", "send_raw_transaction", "withdraw", "pay_invoice", "send_payment", "place_order"):
        whole = any("balance" in value.name for value in (*call.args, *call.kwargs.values()))
        world.say(found("B7" if whole else "C7", f"{name} moves money", Effect(name, Scale.ITEM, outward=True)), part)
        return unknown()
    if method in ("sendmail", "send_message", "send_email"):
        everybody = world.repeated or MANY in marks
        rule, scale = ("B7", Scale.ALL) if everybody else ("C7", Scale.ITEM)
        world.say(found(rule, f"{name} sends mail in the user's name", Effect(name, scale, outward=True)), part)
        return unknown()
    if name in ("pip.main", "pip._internal.main", "pip._internal.cli.main.main") and call.args and call.args[0].items:
        world.nested("shell", " ".join(["pip", *(one.string or "$unknown_value" for one in call.args[0].items)]))
        return unknown()
    if name.startswith(("plumbum.", "invoke.")) and (method.endswith("]") or ".cmd." in name):
        world.ask(f"{name} starts a program", part)
        return unknown()
    if method in _RUNS and function.owner is not None and call.args and call.args[0].string:
        judged = world.scope.nested("shell", call.args[0].string)
        if judged.verdict is Verdict.BLOCK or any(
            one.verdict is Verdict.CONFIRM and one.rule != "C6" for one in judged.findings
        ):
            world.take(judged)
        return unknown("input")
    if root in _HARMLESS and rest and rest.split(".")[0].rstrip("()") not in _HARMLESS[root] and "()" not in name:
        world.ask(f"what {name} does is not known", part)
        return unknown()
    return None
