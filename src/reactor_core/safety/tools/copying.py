"""Programs that copy, move, link and write files."""

from __future__ import annotations

from reactor_core.safety import paths
from reactor_core.safety.tools.line import Known, Textual, shown
from reactor_core.safety.tools.registry import Call, handles, nothing
from reactor_core.safety.tools.targets import acts, appended, deleted, judged_path, literal, merged, overwritten
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_DISK_IMAGES = (".img", ".qcow2", ".vmdk", ".vdi", ".vhd", ".vhdx", ".raw", ".iso")


def _sources_and_target(call: Call) -> tuple[tuple[Textual, ...], Textual | None, bool]:
    """What is copied, where to, and whether the target is a folder."""
    folder = call.line.values("-t", "--target-directory")
    if folder:
        return call.line.operands, folder[-1], True
    words = call.line.operands
    if len(words) < 2:
        return words, None, False
    target = words[-1]
    is_folder = (
        len(words) > 2 or (target.text or "").endswith(("/", "/.", "/..")) or target.text in {".", "..", "~", "/"}
    )
    if not is_folder and target.text is not None and call.scope.disk is not None:
        is_folder = call.scope.disk.is_dir(paths.normal(target.text, call.scope))
    return words[:-1], target, is_folder and not call.line.has("-T", "--no-target-directory")


def _landing(source: Textual, target: Textual, is_folder: bool) -> str | None:
    """The path that a source arrives at."""
    if target.text is None:
        return None
    if not is_folder:
        return target.text
    name = (source.text or "").rstrip("/").rsplit("/", 1)[-1]
    return f"{target.text.rstrip('/')}/{name or '*'}"


@handles("cp", "gcp", "install", "ginstall", "pcp", "ditto")
def judge_cp(call: Call) -> Judged | None:
    """Copying: the sources are read, the target's former content is lost."""
    if call.program in {"install", "ginstall"} and call.line.has("-d", "--directory"):
        return nothing()
    sources, target, is_folder = _sources_and_target(call)
    if target is None:
        return nothing()
    parts: list[Judged | Finding | None] = []
    if call.program in {"install", "ginstall"} and (mode := call.line.value("-m", "--mode")):
        parts.append(
            judged_path(call, target, lambda path: paths.mode_change(path, call.scope, mode=mode, recursive=False))
        )
    keeps = call.line.has("-n", "--no-clobber", "-i", "--interactive", "-b", "--backup", "-s", "-l")
    for source in sources:
        landing = _landing(source, target, is_folder)
        if landing is None:
            parts.append(overwritten(call, (target,)))
        elif not keeps or acts(call, landing):
            parts.append(_copied(call, source, landing))
    return merged(*parts)


def _copied(call: Call, source: Textual, landing: str) -> Judged:
    if source.text is None:
        return overwritten(call, (Known(landing, globbed=True),))
    path = literal(source)
    if paths.normal(path, call.scope) in call.scope.fetched and acts(call, landing):
        return merged(call.found("B5", f"installs {shown(source)}, which the same action has fetched", landing))
    return judged_path(call, landing, lambda to: paths.copying(path, to, call.scope))


@handles("mv", "gmv", "rename.ul")
def judge_mv(call: Call) -> Judged | None:
    """Moving: the source is gone from its place, the target's former content is lost."""
    sources, target, is_folder = _sources_and_target(call)
    if target is None:
        return nothing()
    parts: list[Judged | Finding | None] = []
    for source in sources:
        landing = _landing(source, target, is_folder)
        if source.text is None or landing is None:
            parts.append(
                call.found("C6", f"moves {shown(source)} to {shown(target)}, which cannot be known beforehand")
            )
            continue
        parts.append(_moved(call, source, landing))
    return merged(*parts)


def _moved(call: Call, source: Textual, landing: str) -> Judged:
    return judged_path(call, source, lambda path: paths.moving(path, landing, call.scope))


@handles("ln", "link", "symlink", "gln")
def judge_ln(call: Call) -> Judged | None:
    """Linking: with force it replaces what was there; in places that act it takes effect."""
    sources, target, is_folder = _sources_and_target(call)
    if target is None:
        return nothing()
    forced = call.line.has("-f", "--force")
    parts: list[Judged | Finding | None] = []
    for source in sources:
        landing = _landing(source, target, is_folder)
        if landing is None:
            parts.append(overwritten(call, (target,)) if forced else None)
        elif forced or acts(call, landing):
            parts.append(_linked(call, source, landing))
    return merged(*parts)


def _linked(call: Call, source: Textual, landing: str) -> Judged:
    content = "" if source.text == "/dev/null" else None
    return judged_path(call, landing, lambda path: paths.overwriting(path, call.scope, content=content))


@handles("dd", "dcfldd", "ddrescue", "dc3dd")
def judge_dd(call: Call) -> Judged | None:
    """Copying blocks: what counts is ``of=``."""
    parts: list[Judged | Finding | None] = []
    if call.program == "ddrescue":
        return overwritten(call, call.line.operands[1:2])
    for word in call.line.operands:
        text = word.text if word.text is not None else word.known_prefix
        key, _, value = text.partition("=")
        if key == "if" and value:
            parts.append(judged_path(call, value, lambda path: paths.reading(path, call.scope)))
        if key != "of":
            continue
        if word.text is None:
            parts.append(call.found("C6", f"writes blocks to {shown(word)}, which cannot be known beforehand"))
            continue
        finding = paths.overwriting(value, call.scope)
        if finding is None and value.endswith(_DISK_IMAGES) and paths.deletion(value, call.scope, recursive=False):
            finding = call.found("C1", f"overwrites the disk image {value}", value, reversible=False)
        parts.append(_block_copy(call, value, finding))
    return merged(*parts)


def _block_copy(call: Call, path: str, finding: Finding | None) -> Judged:
    return judged_path(call, path, lambda _: finding)


@handles("tee", "sponge", "gtee")
def judge_tee(call: Call) -> Judged | None:
    """Writes what it reads."""
    if call.origin.fetched:
        acting = [word for word in call.line.operands if word.text is not None and acts(call, word.text)]
        if acting:
            return merged(
                call.found("B5", f"makes {shown(acting[0])}, which acts by itself, of what another machine sends")
            )
    if call.line.has("-a", "--append"):
        return appended(call, call.line.operands, content=call.stdin)
    return overwritten(call, call.line.operands, content=call.stdin)


@handles("truncate", "fallocate", "gtruncate")
def judge_truncate(call: Call) -> Judged | None:
    """Changes the size: only cutting loses something."""
    size = call.line.value("-s", "--size", "-l", "--length") or ""
    cuts = not size.startswith(("+", ">")) and call.program != "fallocate"
    punches = call.line.has("-p", "--punch-hole", "-z", "--zero-range", "-c", "--collapse-range")
    if not cuts and not punches:
        return nothing()
    return overwritten(call, call.line.operands, content="" if size in {"0", "=0"} else None)


@handles("shred", "srm", "wipe", "scrub", "gshred")
def judge_shred(call: Call) -> Judged | None:
    """Overwrites beyond recovery; most of them remove as well."""
    removes = call.program in {"srm", "wipe"} or call.line.has("-u", "--remove", "-r")
    recursive = call.line.has("-r", "-R", "--recursive")
    parts: list[Judged | Finding | None] = [overwritten(call, call.line.operands, content="")]
    if removes:
        parts.append(deleted(call, call.line.operands, recursive=recursive))
    return merged(*parts)
