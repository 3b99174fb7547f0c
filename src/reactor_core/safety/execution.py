"""Running exactly what was judged: these words, this environment, this folder, these bytes.

When an action is judged, everything that its meaning hangs on is taken hold of: the folder and the program's file by
descriptor, the environment as a copy, and each script that was looked into as the bytes that were seen. A script that
a command runs directly (``./deploy.sh``, ``bash deploy.sh``, ``python tool.py``) runs from those bytes, in memory that
nobody can change any more. A script that a longer line runs, a program that is a script of its own, and a bash script
that asks for ``BASH_SOURCE`` are opened by their path again, so they are compared with what was judged immediately
before the start; between that moment and the interpreter's own ``open`` lie microseconds that this cannot close.

Not covered: what a program reads while it runs (libraries, its configuration, a Makefile's includes).
"""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reactor_core.errors import ApprovalInvalid, ConfigError, EnvironmentMissing
from reactor_core.safety.scope import Disk

__all__ = ["Prepared", "Seen", "clean_environment", "in_words", "prepare", "seal"]

LONGEST_WORD = 120_000
"""Characters of one argument; Linux takes 131,072 bytes. A longer script is passed as a file in memory."""

_START_FILES = ("BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "CDPATH", "GLOBIGNORE", "POSIXLY_CORRECT", "PS4", "IFS")
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))
_PYTHON_STUB = (
    "import sys, os; fd, path, keep = int(sys.argv[1]), sys.argv[2], sys.argv[3:];"
    " f = os.fdopen(fd, 'rb'); code = f.read(); f.close();"
    " sys.argv[:] = [path, *keep]; sys.path[0] = os.path.dirname(os.path.realpath(path));"
    " g = sys.modules['__main__'].__dict__; g['__file__'] = path;"
    " [g.pop(n, None) for n in ('sys', 'os', 'fd', 'f', 'keep', 'n')];"
    " exec(compile(code, g.pop('path'), 'exec'), g)"
)


class Seen:
    """The machine, with a memory: what was read while an action was judged.

    Args:
        disk: The machine.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.files: dict[str, bytes] = {}

    def read(self, path: str, limit: int) -> bytes | None:
        """As the machine's; a second look sees what the first one saw."""
        known = self.files.get(os.path.normpath(path))
        if known is not None:
            return known if len(known) <= limit else None
        content = self._disk.read(path, limit)
        if content is not None:
            self.files[os.path.normpath(path)] = content
        return content

    def resolve(self, path: str) -> str:
        """As the machine's."""
        return self._disk.resolve(path)

    def is_dir(self, path: str) -> bool:
        """As the machine's."""
        return self._disk.is_dir(path)

    def glob(self, pattern: str, limit: int) -> list[str] | None:
        """As the machine's."""
        return self._disk.glob(pattern, limit)


@dataclass(slots=True)
class Prepared:
    """A program that is ready to start, held by descriptors. Close it.

    Attributes:
        argv: Its words as they were judged.
        env: All of its environment.
        cwd: Its folder.
        fingerprint: SHA-256 over words, added environment, folder and the bytes of scripts, in hexadecimal.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    fingerprint: str
    words: list[str]
    binary_path: str
    binary_fd: int
    cwd_fd: int
    by_path: bool
    sealed_fds: list[int] = field(default_factory=list)
    compared: Mapping[str, bytes] = field(default_factory=dict)
    identity: tuple[int, ...] = ()

    def check(self) -> None:
        """Compare what will be opened by its path with what was judged.

        Raises:
            ApprovalInvalid: It has changed.
        """
        if _identity(os.fstat(self.binary_fd)) != self.identity:
            raise ApprovalInvalid(f"{self.binary_path} was changed after it was judged")
        if self.by_path:
            try:
                same = _identity(os.stat(self.binary_path)) == self.identity  # noqa: PTH116
            except OSError:
                same = False
            if not same:
                raise ApprovalInvalid(f"{self.binary_path} was replaced after it was judged")
        for path, content in self.compared.items():
            try:
                now = Path(path).read_bytes()
            except OSError as error:
                raise ApprovalInvalid(f"{path} was judged and cannot be read any more: {error.strerror}") from error
            if now != content:
                raise ApprovalInvalid(f"{path} was changed after it was judged", remedy="ask again")

    @property
    def descriptors(self) -> list[int]:
        """All that the starting process needs."""
        return [self.binary_fd, self.cwd_fd, *self.sealed_fds]

    def close(self) -> None:
        """Let go of everything. Calling it again does nothing."""
        held, self.sealed_fds = [*self.descriptors], []
        self.binary_fd = self.cwd_fd = -1
        for descriptor in held:
            if descriptor >= 0:
                os.close(descriptor)


def clean_environment(environment: Mapping[str, str], additions: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a program, without what would give the judged words another meaning.

    That is: files that a shell reads by itself, shell options, and functions handed on by a parent shell. Additions are
    part of the action, were judged with it, and stay.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _START_FILES and not name.startswith("BASH_FUNC_") and "\0" not in name + value
    }
    return {**kept, **(additions or {})}


def in_words(action: str | Sequence[str]) -> str:
    """The action as text: words are joined so that a shell would take them apart again in the same way."""
    return action if isinstance(action, str) else shlex.join(action)


def seal(content: bytes, name: str = "reactor") -> int:
    """A file in memory that nobody can change any more, not even its owner; the descriptor is at its beginning."""
    import fcntl  # only where Linux is

    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        fcntl.fcntl(
            descriptor,
            fcntl.F_ADD_SEALS,
            fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE,
        )
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def prepare(
    action: str | Sequence[str],
    kind: str,
    *,
    cwd: str,
    env: Mapping[str, str],
    added: Mapping[str, str] | None = None,
    seen: Mapping[str, bytes] | None = None,
) -> Prepared | None:
    """Take hold of the program that an action is.

    Args:
        action: A command line, or words that need no shell; for ``python`` the program's text.
        kind: shell, cloud or python; an action of any other kind is not a program.
        cwd: Folder.
        env: All of the environment.
        added: The part of it that belongs to the action.
        seen: Bytes of the scripts that were looked into, by absolute path.

    Returns:
        None if it is not a program.

    Raises:
        ConfigError: The folder cannot be opened, or the program is not there.
        EnvironmentMissing: There is no bash, or no python3, on this machine.
    """
    if kind not in ("shell", "cloud", "python") or not hasattr(os, "memfd_create"):
        return None
    argv = _words(action, kind, env, cwd)
    try:
        cwd_fd = os.open(cwd, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"cwd={cwd!r} cannot be opened: {error.strerror}") from error
    try:
        return _held(argv, cwd=cwd, cwd_fd=cwd_fd, env=env, added=added or {}, seen=seen or {})
    except BaseException:
        os.close(cwd_fd)
        raise


def _words(action: str | Sequence[str], kind: str, env: Mapping[str, str], cwd: str) -> tuple[str, ...]:
    if not isinstance(action, str):
        if not action:
            raise ConfigError("an empty list of words is no action")
        return tuple(action)
    program, option = ("python3", ()) if kind == "python" else ("bash", ("--norc", "--noprofile"))
    if _find(program, env, cwd) is None:
        raise EnvironmentMissing(f"there is no {program} on the PATH", remedy=f"install {program}")
    return (program, *option, "-c", *(() if kind == "python" else ("--",)), action)


def _held(
    argv: tuple[str, ...],
    *,
    cwd: str,
    cwd_fd: int,
    env: Mapping[str, str],
    added: Mapping[str, str],
    seen: Mapping[str, bytes],
) -> Prepared:
    words = list(argv)
    sealed: list[int] = []
    try:
        path = _find(words[0], env, cwd)
        if path is None:
            raise ConfigError(f"{words[0]!r} is not on the PATH")
        script = seen.get(os.path.normpath(path))
        if script is not None and script.startswith(b"#!"):
            # The kernel would open the script again; do what it does, with the bytes that were judged.
            first = script[2:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape").strip()
            words = [*first.split(None, 1), words[0], *words[1:]]
            if Path(words[0]).name == "env" and len(words) > 2:
                words = [*shlex.split(words[1].removeprefix("-S")), *words[2:]]
            path = _find(words[0], env, cwd)
            if path is None:
                raise ConfigError(f"{words[0]!r}, the interpreter of {argv[0]}, is not there")
        sealed_path = _seal_script(words, cwd, seen, sealed)
        _seal_long_words(words, sealed)
        binary_fd = _open_program(path)
    except BaseException as error:
        for descriptor in sealed:
            os.close(descriptor)
        if isinstance(error, OSError) and not isinstance(error, ConfigError):
            raise ConfigError(f"{argv[0]!r} cannot be opened: {error.strerror}") from error
        raise
    return Prepared(
        argv=argv,
        env=env,
        cwd=cwd,
        fingerprint=_fingerprint(argv, added, cwd, seen),
        words=words,
        binary_path=path,
        binary_fd=binary_fd,
        cwd_fd=cwd_fd,
        by_path=_is_script(binary_fd),
        sealed_fds=sealed,
        compared={name: content for name, content in seen.items() if name != sealed_path},
        identity=_identity(os.fstat(binary_fd)),
    )


def _seal_script(words: list[str], cwd: str, seen: Mapping[str, bytes], sealed: list[int]) -> str | None:
    """Where the words are an interpreter and a script that was looked into, put its bytes in place of its path."""
    at = next((i for i, word in enumerate(words) if i and not word.startswith("-")), None)
    options = words[1:at]
    if at is None or any(not option.startswith("--") and "c" in option for option in options) or "-m" in options:
        return None
    path = os.path.normpath(Path(cwd, words[at]))
    content = seen.get(path)
    program = Path(words[0]).name
    if content is None or b"\0" in content:
        return None
    if program in _SHELLS and b"BASH_SOURCE" not in content and len(content) <= LONGEST_WORD:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None
        words[at:] = ["-c", "--", text, *words[at:]] if program != "zsh" else ["-c", text, *words[at:]]
        return path
    if program.startswith("python"):
        descriptor = seal(content, Path(path).name)
        sealed.append(descriptor)
        words[at:] = ["-c", _PYTHON_STUB, str(descriptor), *words[at:]]
        return path
    return None


def _seal_long_words(words: list[str], sealed: list[int]) -> None:
    """A script too long for one word becomes a file in memory: ``-c -- TEXT`` of bash, ``-c TEXT`` of Python."""
    for i, word in enumerate(words):
        if len(word.encode("utf-8", "surrogateescape")) <= LONGEST_WORD:
            continue
        mark = next((j for j in range(i - 1, 0, -1) if words[j] == "-c"), None)
        if mark is None or i - mark > 2:
            raise ConfigError(f"a word of {len(word):,} characters is longer than Linux takes")
        descriptor = seal(word.encode("utf-8", "surrogateescape"), "action")
        sealed.append(descriptor)
        words[mark : i + 1] = [f"/proc/self/fd/{descriptor}"]
        return


def _find(program: str, env: Mapping[str, str], cwd: str) -> str | None:
    """The file that a program's name stands for, as execvp finds it."""
    if "/" in program:
        path = os.path.normpath(Path(cwd, program))
        return path if os.access(path, os.X_OK) else None
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.normpath(Path(cwd, folder or ".", program))
        if os.access(path, os.X_OK) and stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return path
    return None


def _open_program(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:  # it may be run, but not read
        return os.open(path, os.O_PATH | os.O_CLOEXEC)


def _is_script(descriptor: int) -> bool:
    """Whether the kernel would hand it to an interpreter, which opens it by a path again."""
    try:
        return os.pread(descriptor, 2, 0) == b"#!"
    except OSError:
        return False


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _fingerprint(argv: Sequence[str], added: Mapping[str, str], cwd: str, seen: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for part in (cwd, *argv, *(f"{name}={added[name]}" for name in sorted(added))):
        digest.update(hashlib.sha256(part.encode("utf-8", "surrogateescape")).digest())
    for path in sorted(seen):
        digest.update(hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest())
        digest.update(hashlib.sha256(seen[path]).digest())
    return digest.hexdigest()
