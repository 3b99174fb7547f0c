"""What the arguments of a file call name, under the many names that file tools give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from reactor_core.safety import paths
from reactor_core.safety.calls import Call, text_of
from reactor_core.safety.file.expansion import paths_in
from reactor_core.safety.scope import Scope, unclear
from reactor_core.safety.verdict import Finding, Touch

__all__ = ["CONTENT", "PATH", "SOURCE", "TARGET", "Arguments"]

PATH = (
    "path",
    "file",
    "file_path",
    "filepath",
    "filename",
    "paths",
    "files",
    "glob",
    "pattern",
    "target",
    "dir",
    "directory",
    "folder",
    "root",
    "name",
    "uri",
    "location",
    "file_paths",
    "globs",
    "targets",
    "items",
    "src",
    "source",
    "link",
)
SOURCE = (
    "src",
    "source",
    "from",
    "from_path",
    "src_path",
    "old_path",
    "old",
    "path",
    "paths",
    "sources",
    "files",
    "file",
    "source_path",
    "archive",
    "glob",
)
TARGET = (
    "dst",
    "dest",
    "destination",
    "to",
    "to_path",
    "dst_path",
    "new_path",
    "new",
    "target",
    "output",
    "out",
    "destination_path",
    "new_name",
    "output_path",
    "into",
    "dest_path",
    "target_dir",
)
CONTENT = (
    "content",
    "contents",
    "text",
    "data",
    "body",
    "new_str",
    "new_string",
    "new_text",
    "new_content",
    "replacement",
    "patch",
    "lines",
    "file_text",
    "insert_text",
    "new",
)


class Arguments:
    """One call, and what its arguments name. Collects the paths that were asked for.

    Attributes:
        call: The call.
        scope: Where it is made.
        seen: Paths so far, as written and expanded; None for one that is not known.
        touches: The same for an organisation's rules.
        made: Paths that the call makes as scratch.
        links: Symbolic links that it makes.
    """

    def __init__(self, call: Call, scope: Scope) -> None:
        self.call, self.scope = call, scope
        self.touches: list[Touch] = []
        self.seen: list[str | None] = []
        self.made: set[str] = set()
        self.links: dict[str, str] = {}

    def afterwards(self) -> Scope:
        """The scope of the calls after this one."""
        if not self.made and not self.links:
            return self.scope
        return replace(self.scope, made=self.scope.made | self.made, links={**self.scope.links, **self.links})

    def paths(self, names: Iterable[str], *, at: int, how: str) -> list[str | None]:
        """The paths that the first given of these arguments names.

        Args:
            names: Names of the argument.
            at: Its position, if it is given without a name.
            how: What is done to them: read, write or delete.
        """
        call, scope = self.call, self.scope
        value = call.get(*names, at=at)
        base = text_of(call.get("root", "base", "base_dir", "cwd", "working_dir", "directory", "dir", "folder")) or ""
        found = paths_in(value, scope)
        if base and value is not None and text_of(value) != base:
            inside = paths_in(base, scope)[0]
            found = [
                path if path is None or path.startswith(("/", "~")) else None if inside is None else f"{inside}/{path}"
                for path in found
            ]
        self.seen += found
        self.touches += [Touch("path", paths.normal(path, scope), how) for path in found if path is not None]
        return found

    def each(
        self, names: Iterable[str], ask: Callable[[str], Finding | None], *, how: str, at: int = 0, unknown: bool = True
    ) -> Iterator[Finding | None]:
        """Ask about each of the paths; one that is not known is a person's to decide, if ``unknown`` matters."""
        found = self.paths(names, at=at, how=how)
        for path in found:
            if path is not None:
                yield ask(path)
            elif unknown:
                yield unclear(f"which file {self.call.name} means cannot be told from its text")
        if not found and unknown:
            yield from self._from_list()

    def _from_list(self) -> Iterator[Finding]:
        """Targets that are named in a file, or not at all."""
        call = self.call
        listing = next(
            (name for name in call.named if "list" in name or "manifest" in name or "from_file" in name), None
        )
        if listing is not None:
            yield unclear(f"the targets of {call.name} are named in {call.text(listing) or 'a file'}")
        elif call.named or call.positional:
            yield unclear(f"what {call.name} is done to is not said")

    def content(self) -> str | None:
        """The text that is written; None if there is none or it is not fixed."""
        value = self.call.get(*CONTENT, at=1)
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            return "\n".join(value)
        if isinstance(value, dict):
            return str(value)
        return text_of(value)
