"""Names of modules under all their spellings, and the constants in them."""

from __future__ import annotations

from reactor_core.safety.python.values import MANY, SECRET, Value, constant
from reactor_core.safety.setting import Setting

__all__ = ["CALLED", "CALLED_LAST", "CALLERS", "GROWS", "STARRED", "canonical", "module_value"]

_SAME = {
    "posixpath": "os.path",
    "ntpath": "os.path",
    "genericpath": "os.path",
    "posix": "os",
    "nt": "os",
    "_pickle": "pickle",
    "cPickle": "pickle",
    "__builtin__": "builtins",
    "_io": "io",
    "_socket": "socket",
    "_posixsubprocess": "subprocess",
    "torch.multiprocessing": "multiprocessing",
    "sqlalchemy.sql.expression": "sqlalchemy",
    "sqlalchemy.sql": "sqlalchemy",
    "sqlalchemy.orm.session": "sqlalchemy.orm",
    "psycopg2.extensions": "psycopg2",
    "pathlib2": "pathlib",
    "subprocess32": "subprocess",
    "sqlite3.dbapi2": "sqlite3",
}
_PREFIXES = (
    "os.os.",
    "os.sys.",
    "shutil.os.",
    "subprocess.os.",
    "pathlib.os.",
    "tempfile.os.",
    "glob.os.",
    "sys.modules.",
)


def canonical(name: str) -> str:
    """One spelling of a dotted name; builtins have no prefix."""
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            name = prefix.split(".")[1] + "." + name[len(prefix) :] if prefix != "sys.modules." else name[len(prefix) :]
    name = name.removeprefix("builtins.").removeprefix("__builtins__.").removeprefix("__builtin__.")
    head, dot, rest = name.partition(".")
    for length in (2, 1):
        start = ".".join(name.split(".")[:length])
        if start in _SAME:
            return _SAME[start] + name[len(start) :]
    return f"{_SAME.get(head, head)}{dot}{rest}"


def module_value(name: str, _setting: Setting) -> Value | None:
    """A constant of a module; None: it is something else."""
    constants = {
        "os.sep": "/", "os.path.sep": "/", "os.curdir": ".", "os.pardir": "..", "os.linesep": "\n",
        "os.name": "posix", "sys.executable": "python3", "os.devnull": "/dev/null", "sys.platform": "linux",
        "os.extsep": ".", "string.ascii_lowercase": "abcdefghijklmnopqrstuvwxyz", "string.digits": "0123456789",
        "string.ascii_letters": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    }  # fmt: skip
    if name in constants:
        return constant(constants[name])
    if name in ("os.environ", "os.environb"):
        return Value(name="os.environ", marks=frozenset({SECRET, MANY}))
    return None


STARRED = {

    "os": (
        "system", "popen", "remove", "unlink", "rmdir", "kill", "fork", "execv", "execvp", "execl", "environ",
        "path", "walk", "listdir", "rename", "chmod", "chdir", "getcwd", "makedirs", "removedirs",
    ),
    "shutil": ("rmtree", "move", "copy", "copytree", "copyfile", "copy2"),
    "subprocess": ("run", "call", "check_call", "check_output", "Popen", "getoutput", "PIPE"), "pathlib": ("Path",),
    "os.path": ("join", "expanduser", "exists", "abspath", "dirname", "basename"),
    "socket": ("socket", "AF_INET", "SOCK_STREAM"),
}  # fmt: skip
"""What ``from module import *`` brings, of the names that matter here."""

GROWS = frozenset({"append", "extend", "add", "insert"})
CALLED = frozenset(
    {
        *("os.system", "os.popen", "os.remove", "os.unlink", "os.rmdir", "shutil.rmtree", "os.kill", "exec", "eval"),
        *("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen"),
        *("subprocess.getoutput", "subprocess.getstatusoutput"),
    }
)
CALLED_LAST = frozenset({"unlink", "rmtree", "rmdir"})
CALLERS = frozenset({
    "Thread", "Timer", "Process", "submit", "apply", "apply_async", "run_in_executor", "to_thread", "register",
    "call_later", "call_soon", "after", "enter", "starmap", "map", "imap", "run_sync", "signal", "do", "add_job",
    "callback", "addfinalizer",
})  # fmt: skip
