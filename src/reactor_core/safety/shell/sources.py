"""A command whose output is asked for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reactor_core.safety.shell.command import Origin, Word
from reactor_core.safety.shell.state import UNKNOWN, Shell, Value

__all__ = ["Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A command whose output is asked for.

    Attributes:
        name: Of the program.
        args: Its words.
        stdin: What it reads.
        shell: The shell that runs it.
        cwd: Its folder.
        secret: Judging it has found that it shows a secret.
    """

    name: str
    args: Sequence[Word]
    stdin: Value | None
    shell: Shell
    cwd: str
    secret: bool = False

    @property
    def texts(self) -> list[str] | None:
        """The words; None if any is not known."""
        out = [word.text for word in self.args]
        return None if None in out else [text for text in out if text is not None]

    def flag(self, *names: str) -> bool:
        """Whether an option is among the words, also in a cluster of short ones."""
        for word in self.args:
            text = word.text or ""
            if text in names:
                return True
            if re.fullmatch(r"-[A-Za-z]+", text) and any(len(n) == 2 and n[1] in text[1:] for n in names):
                return True
        return False

    def operands(self, values: str = "") -> list[Word]:
        """Words that are no options; ``values``: letters of options that a value follows."""
        out = []
        skip = False
        for word in self.args:
            text = word.text
            if skip:
                skip = False
            elif text is not None and text.startswith("-") and len(text) > 1:
                skip = len(text) == 2 and text[1] in values
            else:
                out.append(word)
        return out

    def content(self) -> Value:
        """What it reads: the known files among its operands, or standard input."""
        files = [word for word in self.operands() if word.text != "-"]
        if not files:
            return self.stdin if self.stdin is not None else UNKNOWN
        total = Value()
        for word in files:
            total = total + self.file(word)
        return total

    def file(self, word: Word) -> Value:
        """What a file holds."""
        if word.text is None:
            return Value((None,), word.origin)
        path = posixpath.normpath(posixpath.join(self.cwd, word.text)) if self.cwd else word.text
        world = self.shell.world
        if path in world.contents:
            return world.contents[path]
        fetched = path in world.fetched or any(path.startswith(f"{one}/") for one in world.fetched)
        return Value((None,), Origin(fetched=fetched, files=(path,)))
