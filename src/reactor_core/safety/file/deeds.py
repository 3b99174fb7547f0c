"""What each deed of a file tool does to the paths it is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from reactor_core.safety import paths
from reactor_core.safety.file import beyond
from reactor_core.safety.file.arguments import CONTENT, PATH, SOURCE, TARGET, Arguments
from reactor_core.safety.file.expansion import paths_in
from reactor_core.safety.file.permissions import bits, told
from reactor_core.safety.file.words import Deed, words_of
from reactor_core.safety.places import Place, under
from reactor_core.safety.scope import unclear
from reactor_core.safety.verdict import Effect, Finding, Scale, found

__all__ = ["findings_of"]


def findings_of(deed: Deed, it: Arguments) -> Iterator[Finding]:
    """What speaks against a call that does this."""
    for finding in _DEEDS[deed](it):
        if finding is not None:
            yield finding


def _look(it: Arguments) -> Iterator[Finding | None]:
    pattern = it.call.text("pattern", "query", "regex", "text") or ""
    where = it.paths(tuple(name for name in PATH if name not in {"pattern", "name"}), at=0, how="read")
    outside = any(path is None or not under(paths.normal(path, it.scope), it.scope.setting.project) for path in where)
    if "PRIVATE KEY" in pattern or "AKIA" in pattern or (outside and _SECRET_PATTERN.search(pattern)):
        yield found("C8", "searches for keys and passwords", Effect(secret=True))
    if it.call.name.startswith(("search", "grep", "diff", "compare", "strings")):
        for path in it.seen:
            if path is not None and not _folder_like(path):
                yield paths.reading(path, it.scope)


def _read(it: Arguments) -> Iterator[Finding | None]:
    yield from it.each(PATH, lambda path: paths.reading(path, it.scope), how="read", unknown=False)


def _load(it: Arguments) -> Iterator[Finding | None]:
    yield from _read(it)
    told = " ".join([*(path or "" for path in it.seen), it.call.text("format", "kind", "loader") or ""])
    if it.call.name.startswith(("load", "unpickle", "restore_state", "import")) and _RUNS_WHEN_LOADED.search(told):
        yield unclear("loading this format may run code")


def _write(it: Arguments) -> Iterator[Finding | None]:
    content = it.content()
    mode = it.call.text("mode", "flags") or ""
    append = mode.startswith("a") or it.call.given("append")
    said = it.call.get(*CONTENT, at=1)
    if said is None and it.call.name.startswith("create"):
        append = True  # makes an empty file where none is
    if it.call.named.get("overwrite") is False or mode.startswith("x") or it.call.given("exclusive"):
        append = True  # nothing that is there is lost
    if "all free space" in str(it.call.get("size", "length")) or it.call.get("size") in {"max", "all", "100%"}:
        yield found("B6", "fills the disk", Effect(scale=Scale.ALL))
    write = paths.appending if append else paths.overwriting
    yield from it.each(PATH, lambda path: write(path, it.scope, content=content), how="write")
    if it.call.name.startswith(("create", "new")):
        it.made.update(paths.normal(path, it.scope) for path in it.seen if path is not None)
    yield from _then(it, content)
    rights = it.call.get("permissions", "chmod", "file_mode")
    if isinstance(rights, str | int) and not isinstance(rights, bool):
        yield from _mode(it, bits(rights))


def _edit(it: Arguments) -> Iterator[Finding | None]:
    content = it.content()
    yield from it.each(PATH, lambda path: _edited(it, path, content), how="write")


def _then(it: Arguments, content: str | None) -> Iterator[Finding | None]:
    """What is run afterwards, if the call says so."""
    then = it.call.get("then", "after", "post_command", "execute", "run", "run_after", "command", "execute_after")
    if then in (None, False, ""):
        return
    if content is not None:
        language = (
            "python" if "python" in str(then) or any((path or "").endswith(".py") for path in it.seen) else "shell"
        )
        yield from it.scope.nested(language, content).findings
    elif isinstance(then, str) and then not in _JUST_RUN:
        yield from it.scope.nested("shell", then).findings
    yield unclear("runs what it has just written")


def _edited(it: Arguments, path: str, content: str | None) -> Finding | None:
    """An edit changes some lines: what the rest of the file says is still there."""
    if paths.place(path, it.scope) is Place.AUDIT_LOG:
        return paths.overwriting(path, it.scope, content=content)
    changed = paths.appending(path, it.scope, content=content)
    if changed is None and paths.place(path, it.scope) in {
        Place.DATA,
        Place.BACKUP,
        Place.CHECKPOINT,
        Place.PERSONAL,
        Place.MOUNT,
    }:
        return found(
            "C1", f"changes {path}, which cannot be made again", Effect(target=path, scale=Scale.ITEM, reversible=False)
        )
    return changed


def _append(it: Arguments) -> Iterator[Finding | None]:
    content = it.content()
    yield from it.each(PATH, lambda path: paths.appending(path, it.scope, content=content), how="write")


def _empty(it: Arguments) -> Iterator[Finding | None]:
    size = it.call.get("size", "length")
    content = "" if size in (None, 0, "0") else None
    yield from it.each(PATH, lambda path: paths.overwriting(path, it.scope, content=content), how="delete")


def _delete(it: Arguments) -> Iterator[Finding | None]:
    call = it.call
    if "trash" in call.name or "recycle" in call.name:
        yield found("C1", "empties the bin", Effect(scale=Scale.MANY, reversible=False))
        return
    recursive = call.named.get("recursive", _takes_folders(call.name))
    yield from it.each(PATH, lambda path: _gone(it, path, recursive=bool(recursive)), how="delete")
    home = it.scope.setting.home.count("/") + 1
    folders = {paths.normal(path, it.scope) for path in it.seen if path is not None}
    personal = [path for path in folders if paths.place(path, it.scope) is Place.PERSONAL and path.count("/") == home]
    if recursive and len(personal) >= 3:
        yield found("B1", "deletes most personal folders of a home", Effect(scale=Scale.ALL, reversible=False))


def _takes_folders(name: str) -> bool:
    """Whether a tool of this name deletes what a folder holds without being told so."""
    words = words_of(name)
    if "rmdir" in words:
        return False
    return any(
        word in words
        for word in ("rmtree", "tree", "dir", "directory", "folder", "purge", "wipe", "erase", "clean", "empty")
    )


def _gone(it: Arguments, path: str, *, recursive: bool) -> Finding | None:
    many = any(mark in path for mark in "*?[")
    return paths.deletion(path, it.scope, recursive=recursive, many=many)


def _trash(it: Arguments) -> Iterator[Finding | None]:
    yield from it.each(PATH, lambda path: _gone(it, path, recursive=True), how="delete")


def _move(it: Arguments) -> Iterator[Finding | None]:
    sources = it.paths(SOURCE, at=0, how="delete")
    targets = it.paths(TARGET, at=1, how="write") or [None]
    for source in sources or [None]:
        for target in targets:
            if source is None or target is None:
                yield unclear("what is moved where cannot be told from the text")
                continue
            if "/" not in target and "rename" in it.call.name:
                target = f"{source.rpartition('/')[0] or '.'}/{target}"
            yield paths.moving(source, _into(source, target), it.scope)
            if it.call.given("overwrite", "force", "replace") and not _makeable(it, target):
                yield found("C1", f"replaces {target}", Effect(target=target, scale=Scale.ITEM, reversible=False))


def _copy(it: Arguments) -> Iterator[Finding | None]:
    call = it.call
    sources = it.paths(SOURCE, at=0, how="read")
    targets = it.paths(TARGET, at=1, how="write")
    mirrored = call.given("delete", "delete_extra", "mirror", "purge", "delete_extraneous") or call.name.startswith(
        "mirror"
    )
    keeps = call.named.get("overwrite") is False or call.given("no_clobber", "skip_existing", "exclusive")
    for source in sources or [None]:
        for target in targets:
            if target is None:
                yield unclear("what is copied where cannot be told from the text")
                continue
            if mirrored:
                yield paths.deletion(target, it.scope, recursive=True)
            if source is None:
                yield paths.overwriting(target, it.scope)
                continue
            replaces = call.given("overwrite", "force", "replace") and not keeps
            yield paths.copying(source, _into(source, target), it.scope, overwrite=replaces)


def _makeable(it: Arguments, path: str) -> bool:
    return paths.place(path, it.scope) in {Place.REGENERABLE, Place.TEMP, Place.SCRATCH}


def _make(it: Arguments) -> Iterator[Finding | None]:
    for path in it.paths(PATH, at=0, how="write"):
        if path is None:
            continue
        lies = paths.place(path, it.scope)
        if lies in {Place.TEMP, Place.SCRATCH, Place.PROJECT, Place.REGENERABLE} and "temp" in it.call.name:
            it.made.add(paths.normal(path, it.scope))
        if lies in {Place.SYSTEM, Place.START_FILE, Place.DEVICE, Place.POLICY}:
            yield found("C5", f"makes {path} in a place of the system", Effect(target=path, privilege=True))


def _mode(it: Arguments, mode: str = "") -> Iterator[Finding | None]:
    call = it.call
    mode = (
        mode
        or bits(call.get("mode", "permissions", "perms", "acl", "acls", "value", "entry", "attributes", at=1))
        or told(call)
    )
    recursive = call.given("recursive")
    for path in it.paths(PATH, at=0, how="write"):
        if path is None:
            yield unclear("whose permissions change cannot be told from the text")
        elif not mode:
            if not call.name.startswith(("get", "list", "show", "check")):
                yield unclear(f"which permissions {path} gets is not said")
        else:
            yield paths.mode_change(path, it.scope, mode=mode, recursive=recursive)


def _owner(it: Arguments) -> Iterator[Finding | None]:
    recursive = it.call.given("recursive")
    owner = it.call.text("owner", "user", "group", at=1) or ""
    yield from it.each(
        PATH, lambda path: paths.owner_change(path, it.scope, recursive=recursive, owner=owner), how="write"
    )


def _link(it: Arguments) -> Iterator[Finding | None]:
    call, scope = it.call, it.scope
    targets = it.paths(("target", "src", "source", "to", "existing"), at=0, how="read")
    links = it.paths(
        ("link", "dst", "link_path", "dest", "link_name", "name", "path", "new", "linkpath"), at=1, how="write"
    )
    for target, link in zip(targets, links, strict=False):
        if target is None or link is None:
            yield unclear("what is linked where cannot be told from the text")
            continue
        yield paths.copying(target, link, scope)
        place = paths.place(target, scope)
        if (
            place in {Place.ROOT, Place.HOME, Place.SYSTEM, Place.DEVICE, Place.DATA} and target.startswith(("/", "~"))
        ) or place in {Place.POLICY, Place.AUDIT_LOG}:
            yield found("C5", f"makes {target} reachable as {link}", Effect(target=target))
        if "hard" not in call.name:
            it.links[paths.normal(link, scope)] = paths.normal(target, scope)


def _pack(it: Arguments) -> Iterator[Finding | None]:
    for source in it.paths(SOURCE, at=0, how="read"):
        if source is not None:
            yield paths.reading(source, it.scope)
    if it.call.given("remove_files", "delete_source", "delete_original", "move"):
        yield from it.each(SOURCE, lambda path: paths.deletion(path, it.scope, recursive=True), how="delete")
    for target in it.paths(TARGET, at=1, how="write"):
        if target is not None:
            yield paths.overwriting(target, it.scope)


def _unpack(it: Arguments) -> Iterator[Finding | None]:
    call, scope = it.call, it.scope
    trusting = call.given(
        "allow_absolute",
        "absolute_names",
        "preserve_paths",
        "allow_symlinks",
        "unsafe",
        "absolute_paths",
        "allow_traversal",
    )
    if trusting or call.named.get("safe") is False or call.text("filter") == "fully_trusted":
        yield unclear("lets the archive decide where its files go")
    it.paths(("src", "source", "archive", "path", "file", "archive_path"), at=0, how="read")
    for target in it.paths(TARGET, at=1, how="write"):
        if target is None:
            yield unclear("where the archive is unpacked to cannot be told from the text")
            continue
        members = call.get("members", "files", "entries")
        for member in paths_in(members, scope):
            yield paths.overwriting(
                f"{target}/{member}" if member and not member.startswith("/") else member or target, scope
            )
        yield _unpacked(it, target)
        if call.given("overwrite", "force", "replace") and not _makeable(it, target):
            yield found(
                "C1", f"may overwrite files in {target}", Effect(target=target, scale=Scale.MANY, reversible=False)
            )


def _unpacked(it: Arguments, target: str) -> Finding | None:
    scope = it.scope
    normal, place = paths.normal(target, scope), paths.place(target, scope)
    effect = Effect(target=normal, scale=Scale.MANY, reversible=False)
    if place is Place.ROOT:
        return found("B1", "unpacks an archive over the whole system", effect)
    if place in {Place.HOME, Place.DATA, Place.PERSONAL, Place.BACKUP, Place.CHECKPOINT, Place.MOUNT}:
        return found("C1", f"an archive may overwrite what lies in {normal}", effect)
    return paths.overwriting(f"{target}/unpacked", scope)


def _restore(it: Arguments) -> Iterator[Finding | None]:
    source = it.call.get("from", "src", "source", "backup", "snapshot", "archive")
    it.paths(PATH, at=0, how="write")
    if it.call.given("overwrite", "force", "replace") or (it.call.name == "revert" and source is None):
        yield found("C1", "puts an older state over the present one", Effect(scale=Scale.ITEM, reversible=False))


def _unknown(it: Arguments) -> Iterator[Finding | None]:
    it.paths(PATH, at=0, how="write")
    yield unclear(f"what {it.call.name} does to files is not known")


_SECRET_PATTERN = re.compile(r"(?i)passw|secret|api.{0,4}key|token|credential")
_RUNS_WHEN_LOADED = re.compile(r"(?i)pickle|\.pkl\b|joblib|\.dill\b|marshal|cloudpickle|shelve")
_JUST_RUN = frozenset({"execute", "run", "exec", "yes", "true"})


def _folder_like(path: str) -> bool:
    return path in {".", ""} or path.endswith("/")


def _into(source: str, target: str) -> str:
    """The file that a copy of ``source`` comes to lie at."""
    return f"{target}{source.rstrip('/').rpartition('/')[2]}" if target.endswith("/") else target


_DEEDS: dict[Deed, Callable[[Arguments], Iterator[Finding | None]]] = {
    Deed.LOOK: _look,
    Deed.READ: _load,
    Deed.WRITE: _write,
    Deed.EDIT: _edit,
    Deed.APPEND: _append,
    Deed.DELETE: _delete,
    Deed.TRASH: _trash,
    Deed.MOVE: _move,
    Deed.COPY: _copy,
    Deed.MAKE: _make,
    Deed.MODE: _mode,
    Deed.OWNER: _owner,
    Deed.LINK: _link,
    Deed.PACK: _pack,
    Deed.UNPACK: _unpack,
    Deed.EMPTY: _empty,
    Deed.RESTORE: _restore,
    Deed.UPLOAD: beyond.upload,
    Deed.DOWNLOAD: beyond.download,
    Deed.RUN: beyond.run,
    Deed.SHARE: beyond.share,
    Deed.ENCRYPT: beyond.encrypt,
    Deed.FORMAT: beyond.format_disk,
    Deed.MOUNT: beyond.mount,
    Deed.UNKNOWN: _unknown,
}
