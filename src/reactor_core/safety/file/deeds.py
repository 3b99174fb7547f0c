"""What each deed of a file tool does to the paths it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reactor_core.safety import paths
from reactor_core.safety.calls import Call
from reactor_core.safety.file.arguments import CONTENT, PATH, SOURCE, TARGET, Arguments
from reactor_core.safety.file.expansion import paths_in
from reactor_core.safety.file.words import Deed
from reactor_core.safety.places import Place
from reactor_core.safety.scope import unclear
from reactor_core.safety.sensitive import personal_in
from reactor_core.safety.verdict import Effect, Finding, Scale, Touch, found

__all__ = ["findings_of"]


def findings_of(deed: Deed, it: Arguments) -> Iterator[Finding]:
    """What speaks against a call that does this."""
    for finding in _DEEDS[deed](it):
        if finding is not None:
            yield finding


def _look(it: Arguments) -> Iterator[Finding | None]:
    pattern = it.call.text("pattern", "query", "regex", "text") or ""
    if "PRIVATE KEY" in pattern or "AKIA" in pattern:
        yield found("C8", "searches for keys", Effect(secret=True))
    it.paths(PATH, at=0, how="read")
    if it.call.name.startswith(("search", "grep", "diff", "compare", "strings")):
        for path in it.seen:
            if path is not None and not _folder_like(path):
                yield paths.reading(path, it.scope)


def _read(it: Arguments) -> Iterator[Finding | None]:
    yield from it.each(PATH, lambda path: paths.reading(path, it.scope), how="read", unknown=False)


def _write(it: Arguments) -> Iterator[Finding | None]:
    content = it.content()
    mode = it.call.text("mode", "flags") or ""
    append = mode.startswith("a") or it.call.given("append")
    said = it.call.get(*CONTENT, at=1)
    if said is None and it.call.name.startswith("create"):
        content = ""
    if it.call.named.get("overwrite") is False or mode.startswith("x") or it.call.given("exclusive"):
        append = True  # nothing that is there is lost
    write = paths.appending if append else paths.overwriting
    yield from it.each(PATH, lambda path: write(path, it.scope, content=content), how="write")
    bits = it.call.get("permissions", "chmod", "file_mode")
    if isinstance(bits, str | int) and not isinstance(bits, bool):
        yield from _mode(it, _bits(bits))


def _edit(it: Arguments) -> Iterator[Finding | None]:
    content = it.content()
    yield from it.each(PATH, lambda path: _edited(it, path, content), how="write")


def _edited(it: Arguments, path: str, content: str | None) -> Finding | None:
    if it.scope.disk is not None or paths.place(path, it.scope) is Place.PROJECT:
        return paths.appending(path, it.scope, content=content)
    # An edit that leaves nothing behind is a deletion of lines, not the emptying of the file.
    return paths.overwriting(path, it.scope, content=content or None)


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
    many = "many" in call.name or call.given("glob", "globs") or call.name in {"delete_matching", "clean", "prune"}
    recursive = call.named.get("recursive", call.name in {"rmtree", "remove_tree", "delete_tree", "purge", "wipe"})
    if (
        recursive is False
        and any(word in call.name for word in ("dir", "folder", "tree"))
        and "recursive" not in call.named
    ):
        recursive = "rmdir" not in call.name
    yield from it.each(
        PATH, lambda path: paths.deletion(path, it.scope, recursive=bool(recursive), many=many), how="delete"
    )


def _trash(it: Arguments) -> Iterator[Finding | None]:
    for finding in it.each(PATH, lambda path: paths.deletion(path, it.scope, recursive=True, many=False), how="delete"):
        yield finding


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
            yield paths.reading(source, it.scope)
            yield _copied(it, source, _into(source, target), keeps)


def _copied(it: Arguments, source: str, target: str, keeps: bool) -> Finding | None:
    finding = paths.copying(source, target, it.scope)
    if finding is None or not keeps:
        return finding
    return None if finding.rule == "C1" else finding


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
        or _bits(call.get("mode", "permissions", "perms", "acl", "acls", "value", "entry", "attributes", at=1))
        or _told(call)
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
        if (place in {Place.ROOT, Place.HOME, Place.SYSTEM, Place.DEVICE, Place.DATA} and target.startswith(("/", "~"))) or place in {Place.POLICY, Place.AUDIT_LOG}:
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


def _upload(it: Arguments) -> Iterator[Finding | None]:
    goal = it.call.text("url", "to", "dst", "destination", "remote", "bucket", "host", "target", at=1) or "elsewhere"
    it.touches.append(Touch("host", goal, "write"))
    for path in it.paths(SOURCE, at=0, how="read") or [None]:
        effect = Effect(target=goal, outward=True, secret=path is None)
        if path is not None and paths.reading(path, it.scope) is not None:
            yield found("B5", f"sends secrets out: {path} to {goal}", effect)
        elif it.call.given("public", "anyone") or "public" in (it.call.text("visibility", "acl", "access") or ""):
            yield found("B7", f"publishes {path or 'a file'}", effect)
        else:
            yield found("C7", f"sends {path or 'a file'} to {goal}", effect)


def _share(it: Arguments) -> Iterator[Finding | None]:
    call = it.call
    told = " ".join(str(value) for value in [*call.named.values(), *call.positional])
    public = call.given("public", "anyone") or any(
        word in told.lower() for word in ("public", "anyone", "everyone", "world")
    )
    for path in it.paths(PATH, at=0, how="read") or [None]:
        effect = Effect(target=path or "", outward=True)
        if path is not None and paths.reading(path, it.scope) is not None:
            yield found("B5", f"gives secrets away: {path}", effect)
        elif public and (
            personal_in(told) or paths.place(path or ".", it.scope) in {Place.DATA, Place.BACKUP, Place.HOME}
        ):
            yield found("B7", f"publishes personal or confidential data: {path}", effect)
        elif not call.name.startswith("un"):
            yield found("C7", f"shares {path or 'a file'}", effect)


def _download(it: Arguments) -> Iterator[Finding | None]:
    for target in it.paths((*TARGET, "path", "file", "filename", "save_as"), at=1, how="write"):
        if target is None:
            continue
        finding = paths.overwriting(target, it.scope)
        acts = paths.place(target, it.scope) in {Place.START_FILE, Place.HOOK}
        yield found("B5", f"fetches what would run by itself: {target}", Effect(target=target)) if acts else finding


def _run(it: Arguments) -> Iterator[Finding | None]:
    it.paths(PATH, at=0, how="read")
    yield unclear("runs a file whose content is not looked at here")


def _encrypt(it: Arguments) -> Iterator[Finding | None]:
    if it.call.name.startswith("decrypt"):
        yield found("C8", "decrypts a file", Effect(secret=True))
        return
    kept = it.call.named.get("keep_original") is True or bool(it.call.get(*TARGET))
    if not kept:
        yield from it.each(PATH, lambda path: paths.deletion(path, it.scope, recursive=True), how="write")


def _format(it: Arguments) -> Iterator[Finding | None]:
    device = any(
        (path or "").startswith("/dev/") for path in it.paths((*PATH, "device", "disk", "volume"), at=0, how="delete")
    )
    if device or it.call.given("device", "disk", "volume", "filesystem", "fs"):
        yield found("B1", "formats a disk", Effect(scale=Scale.ALL, reversible=False))


def _mount(it: Arguments) -> Iterator[Finding | None]:
    it.paths(PATH, at=0, how="write")
    yield found("C5", "changes what is mounted", Effect(privilege=True))


def _unknown(it: Arguments) -> Iterator[Finding | None]:
    it.paths(PATH, at=0, how="write")
    yield unclear(f"what {it.call.name} does to files is not known")


def _folder_like(path: str) -> bool:
    return path in {".", ""} or path.endswith("/")


def _into(source: str, target: str) -> str:
    """The file that a copy of ``source`` comes to lie at."""
    return f"{target}{source.rstrip('/').rpartition('/')[2]}" if target.endswith("/") else target


_WRITTEN_PLAINLY = frozenset(
    {
        400,
        440,
        444,
        500,
        550,
        555,
        600,
        640,
        644,
        660,
        664,
        666,
        700,
        701,
        710,
        711,
        744,
        750,
        751,
        755,
        770,
        771,
        775,
        776,
        777,
    }
    | {1777, 2755, 2775, 4711, 4755, 6755, 4777, 6777, 2770, 4750, 4511, 7777}
)
"""Octal permissions that people write as plain numbers, ``mode=755``; any other number is what the number says."""


def _bits(mode: object) -> str:
    """A mode as ``chmod`` takes it; empty if there is none."""
    if isinstance(mode, bool) or mode is None:
        return ""
    if isinstance(mode, int):
        return str(mode) if mode in _WRITTEN_PLAINLY else f"{mode:o}".zfill(3)
    if isinstance(mode, list):
        mode = ",".join(str(part) for part in mode)
    text = str(mode).strip().lower()
    if any(word in text for word in ("everyone", "world", "public", "other:", "o::", "anyone", "all:")):
        return "o+w" if any(mark in text for mark in ("w", "full", ":f", "modify", "(f)")) else "o+r"
    if text.startswith("-") and len(text) == len("-rwxrwxrwx"):
        text = text[1:]
    if len(text) == len("rwxrwxrwx") and set(text) <= set("rwxst-"):
        return ",".join(f"{who}={text[at : at + 3].replace('-', '')}" for who, at in (("u", 0), ("g", 3), ("o", 6)))
    return text


def _told(call: Call) -> str:
    """A mode that a call says in words."""
    if call.given("world_writable", "public", "everyone", "writable_by_all") or "world" in call.name:
        return "o+w"
    if call.given("setuid", "suid"):
        return "u+s"
    if call.given("executable") or "executable" in call.name:
        return "u+x"
    if any(word in call.name for word in ("readonly", "read_only", "private")) or call.given(
        "readonly", "read_only", "private"
    ):
        return "go-w"
    return ""


_DEEDS: dict[Deed, Callable[[Arguments], Iterator[Finding | None]]] = {
    Deed.LOOK: _look,
    Deed.READ: _read,
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
    Deed.UPLOAD: _upload,
    Deed.DOWNLOAD: _download,
    Deed.RUN: _run,
    Deed.SHARE: _share,
    Deed.ENCRYPT: _encrypt,
    Deed.FORMAT: _format,
    Deed.MOUNT: _mount,
    Deed.UNKNOWN: _unknown,
}
