"""Calls that touch files: ``os``, ``shutil``, ``pathlib``, ``open`` and what saves to a path."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace

from reactor_core.safety import paths
from reactor_core.safety.python.listings import glob_of, names_in, scandir_of, walk_of
from reactor_core.safety.python.values import INPUT, MANY, SECRET, Call, Value, constant, join_marks, named, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["FILES", "judge_file_method"]

Handler = Callable[[World, Value, Call, str], Value | None]


def _delete(recursive: bool) -> Handler:
    def handle(world: World, _: Value, call: Call, part: str) -> Value | None:
        world.delete(call.get("path", 0) or call.get("name"), recursive=recursive, part=part)
        return constant(None)

    return handle


def _rmdir(world: World, _: Value, call: Call, part: str) -> Value | None:
    """Only empty folders go, so nothing but their names is lost."""
    path = world.path(call.get("path", 0))
    if path is None:
        world.ask("removes a folder that is not known", part)
    return constant(None)


def _move(world: World, _: Value, call: Call, part: str) -> Value | None:
    source, target = world.path(call.get("src", 0)), world.path(call.get("dst", 1))
    if source is None or target is None:
        if source is not None:
            world.delete(call.get("src", 0), recursive=True, part=part)
        else:
            world.ask("moves something that is not known", part)
        return constant(None)
    world.say(paths.moving(source, target, world.scope), part)
    return call.get("dst", 1)


def _copy(world: World, _: Value, call: Call, part: str) -> Value | None:
    source, target = call.get("src", 0), call.get("dst", 1)
    from_path, to_path = world.path(source), world.path(target)
    if from_path is not None and to_path is not None:
        world.say(paths.copying(from_path, to_path, world.scope), part)
        inside = posixpath.join(to_path, posixpath.basename(from_path)) if to_path.endswith("/") else to_path
        world.overwrite(constant(inside), part)
        return target
    if to_path is not None:
        world.overwrite(target, part)
    return target


def _chmod(world: World, _: Value, call: Call, part: str) -> Value | None:
    path, mode = world.path(call.get("path", 0)), call.get("mode", 1)
    if path is None:
        world.ask("changes the permissions of something that is not known", part)
    else:
        text = f"{mode.value:o}" if mode is not None and isinstance(mode.value, int) else _flags(mode)
        world.say(paths.mode_change(path, world.scope, mode=text, recursive=False), part)
    return constant(None)


def _flags(mode: Value | None) -> str:
    name = mode.last if mode is not None else ""
    return {"S_IRWXO": "o+rwx", "S_ISUID": "u+s", "S_ISGID": "g+s", "S_IRUSR": "400", "S_IRWXU": "700"}.get(name, "+x")


def _chown(world: World, _: Value, call: Call, part: str) -> Value | None:
    path, owner = world.path(call.get("path", 0)), call.get("uid", 1) or call.get("user")
    if path is None:
        world.ask("changes the owner of something that is not known", part)
    else:
        text = str(owner.value) if owner is not None and owner.known else "?"
        world.say(paths.owner_change(path, world.scope, owner=text, recursive=False), part)
    return constant(None)


def _link(world: World, _: Value, call: Call, part: str) -> Value | None:
    source, target = world.path(call.get("src", 0)), world.path(call.get("dst", 1))
    if source is not None and target is not None:
        world.scope = replace(world.scope, links={**world.scope.links, target: source})
        world.say(paths.overwriting(target, world.scope), part)
    return constant(None)


def _chdir(world: World, _: Value, call: Call, _part: str) -> Value | None:
    path = world.path(call.get("path", 0))
    world.scope = replace(world.scope, cwd=path or "")
    return constant(None)


def _open(world: World, _: Value, call: Call, part: str) -> Value | None:
    """``open(path, mode)``: reading is looked at, writing too."""
    target, mode = call.get("file", 0), call.get("mode", 1)
    text = mode.string if mode is not None and mode.string is not None else "r" if mode is None else "w"
    secret = False
    if "w" in text or ("+" in text and "r" not in text):
        world.overwrite(target, part)
    elif "a" in text or "+" in text:
        world.overwrite(target, part, appends=True)
    elif "x" in text:
        path = world.path(target)
        if path is not None:
            world.say(paths.appending(path, world.scope, content=None), part)
            world.make(path)
    else:
        secret = world.read(target, part)
    marks = {INPUT} | ({SECRET} if secret else set())
    return named("open()", marks=frozenset(marks), calls=(call,))


def _os_open(world: World, _: Value, call: Call, part: str) -> Value | None:
    flags = call.get("flags", 1)
    writes = flags is None or (not (flags.known and flags.value == 0) and "RDONLY" not in flags.name)
    if writes:
        world.overwrite(call.get("path", 0), part)
    else:
        world.read(call.get("path", 0), part)
    return named("os.open()", calls=(call,))


def _scratch(suffix: str) -> Handler:
    def handle(world: World, function: Value, _call: Call, _part: str) -> Value | None:
        world.made += 1
        path = world.make(f"/tmp/reactor-made-{world.made}{suffix}")  # noqa: S108  a name for what mkdtemp makes
        if function.last == "mkstemp":
            return constant((unknown(), constant(path)))
        if function.last in ("mkdtemp", "mktemp", "TemporaryDirectory"):
            return constant(path)
        return named("tempfile()", calls=(Call("open", (constant(path), constant("w"))),))

    return handle


def _mkdir(world: World, _: Value, call: Call, _part: str) -> Value | None:
    path, again = world.path(call.get("name", 0) or call.get("path")), call.kwargs.get("exist_ok")
    if path is not None and (again is None or (again.known and not again.value)):
        world.make(path)
    return constant(None)


def _path(text: str, *marks: str) -> Value:
    return Value(known=True, value=text, path=True, marks=frozenset(marks))


def _make_path(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    marks = join_marks(call.args)
    if all(one.string is not None for one in call.args):
        joined = posixpath.join(".", *(str(one.string) for one in call.args)).removeprefix("./") or "."
        return Value(known=True, value=joined, path=True, marks=marks)
    first = call.args[0] if call.args else None
    return Value(path=True, marks=marks, text=first.text if first is not None and first.text else None)


def _home(world: World, _: Value, _call: Call, _part: str) -> Value | None:
    return _path(world.scope.setting.home)


def _cwd(world: World, function: Value, _call: Call, _part: str) -> Value | None:
    if not world.scope.cwd:
        return unknown()
    return _path(world.scope.cwd) if function.last == "cwd" else constant(world.scope.cwd)


def _expand(world: World, _: Value, call: Call, _part: str) -> Value | None:
    first = call.args[0] if call.args else None
    if first is None or first.string is None:
        return first or unknown()
    text = first.string
    if text.startswith("~"):
        text = (
            world.scope.setting.home + text[1:]
            if text in ("~", "~root") or text.startswith("~/")
            else "/home/" + text[1:]
        )
    for name in ("HOME", "PWD", "USER"):
        value = {"HOME": world.scope.setting.home, "PWD": world.scope.cwd, "USER": world.scope.setting.user}[name]
        text = text.replace("${" + name + "}", value).replace("$" + name, value)
    return replace(first, value=text)


def _absolute(world: World, _: Value, call: Call, _part: str) -> Value | None:
    path = world.path(call.args[0]) if call.args else None
    return constant(path, *call.args[0].marks) if path is not None else (call.args[0] if call.args else unknown())


def _save(at: int, *names: str) -> Handler:
    def handle(world: World, _: Value, call: Call, part: str) -> Value | None:
        target = next((call.kwargs[name] for name in names if name in call.kwargs), None) or call.get("", at)
        if target is not None and (target.string is not None or target.text is not None):
            world.overwrite(target, part)
        return unknown()

    return handle


def _extract(world: World, _: Value, call: Call, part: str) -> Value | None:
    target = call.get("extract_dir", 1)
    path = world.path(target) if target is not None else world.scope.cwd
    if path is not None:
        world.say(paths.overwriting(posixpath.join(path, "*"), world.scope), part)
    return unknown()


def _trash(world: World, _: Value, call: Call, part: str) -> Value | None:
    target = world.path(call.args[0]) if call.args else None
    world.say(found("C1", "puts something into the trash", Effect(target or "?", Scale.ITEM)), part)
    return constant(None)


def _archive(world: World, function: Value, call: Call, part: str) -> Value | None:
    mode = call.get("mode", 1)
    if mode is not None and (mode.string or "").startswith("w"):
        world.overwrite(call.args[0] if call.args else call.get("name"), part)
    return named(f"{function.name}()", calls=(call,))


FILES: dict[str, Handler] = {
    **dict.fromkeys(("zipfile.ZipFile", "tarfile.open", "h5py.File", "tarfile.TarFile"), _archive),
    **dict.fromkeys(("os.remove", "os.unlink", "os.removexattr"), _delete(recursive=False)),
    **dict.fromkeys((
        "shutil.rmtree", "distutils.dir_util.remove_tree", "os.removedirs", "fs.rmtree",
    ), _delete(recursive=True)),
    "os.rmdir": _rmdir, **dict.fromkeys(("os.rename", "os.replace", "os.renames", "shutil.move"), _move),
    **dict.fromkeys((
        "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "distutils.dir_util.copy_tree",
    ), _copy),
    **dict.fromkeys(("os.chmod", "os.lchmod"), _chmod),
    **dict.fromkeys(("os.chown", "os.lchown", "shutil.chown"), _chown),
    **dict.fromkeys(("os.symlink", "os.link"), _link), "os.chdir": _chdir,
    **dict.fromkeys((
        "open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "aiofiles.open", "fsspec.open",
        "io.FileIO", "smart_open.open",
    ), _open),
    "os.open": _os_open, "os.truncate": _delete(recursive=False), **dict.fromkeys(("os.walk", "os.fwalk"), walk_of),
    "os.listdir": names_in, "os.scandir": scandir_of, **dict.fromkeys(("glob.glob", "glob.iglob"), glob_of),
    **dict.fromkeys((
        "tempfile.mkdtemp", "tempfile.TemporaryDirectory", "tempfile.mkstemp", "tempfile.mktemp",
        "tempfile.NamedTemporaryFile", "tempfile.TemporaryFile",
    ), _scratch("")),
    **dict.fromkeys(("os.mkdir", "os.makedirs"), _mkdir),
    **dict.fromkeys((
        "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath", "pathlib.PurePosixPath", "anyio.Path",
        "upath.UPath",
    ), _make_path),
    "pathlib.Path.home": _home, **dict.fromkeys(("pathlib.Path.cwd", "os.getcwd", "os.getcwdb"), _cwd),
    **dict.fromkeys(("os.path.expanduser", "os.path.expandvars"), _expand),
    **dict.fromkeys(("os.path.abspath", "os.path.realpath"), _absolute), "shutil.unpack_archive": _extract,
    **dict.fromkeys((
        "numpy.save", "numpy.savez", "numpy.savetxt", "np.save", "np.savez", "np.savetxt", "numpy.savez_compressed",
    ), _save(0, "file", "fname")),
    **dict.fromkeys((
        "torch.save", "joblib.dump", "safetensors.torch.save_file", "imageio.imwrite", "soundfile.write",
    ), _save(1, "f", "filename")),
    "cv2.imwrite": _save(0, "filename"), **dict.fromkeys(("send2trash.send2trash", "send2trash"), _trash),
}  # fmt: skip
"""Full name -> what it does with files."""

_SAVES = frozenset({
    "savefig", "to_csv", "to_parquet", "to_json", "to_excel", "to_pickle", "to_feather", "to_hdf", "to_html",
    "to_markdown", "save_pretrained", "save_model", "write_image", "write_html", "save", "write_csv",
    "write_parquet", "to_file", "tofile", "write_json", "export", "saveas", "sink_parquet",
})  # fmt: skip


def judge_file_method(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Methods of paths, open files, archives and of what saves itself; None: it is something else."""
    owner, method = function.owner, function.last
    if owner is None:
        return None
    if owner.path:
        return _path_method(world, owner, method, call, part)
    opened = owner.calls[-1] if owner.calls and owner.name in ("open()", "tempfile()", "fdopen()") else None
    if opened is not None and method in ("write", "writelines", "truncate"):
        content = call.args[0] if call.args else None
        target = opened.get("file", 0)
        mode = opened.get("mode", 1)
        world.written.add(world.path(target) or "")
        if world.endless:
            world.say(found("B6", "writes without end", Effect("disk", Scale.ALL)), part)
        if (
            content is not None
            and (content.string is not None or "remote" in content.marks)
            and not (mode and mode.string == "r")
        ):
            world.overwrite(target, part, content, appends=mode is not None and "a" in (mode.string or ""))
        elif method == "truncate" and mode is not None and "r" in (mode.string or ""):
            world.overwrite(target, part, constant(""))
        return constant(None)
    if opened is not None and method == "close":
        path, mode = world.path(opened.get("file", 0)), opened.get("mode", 1)
        if mode is not None and "w" in (mode.string or "") and path is not None and path not in world.written:
            world.overwrite(opened.get("file", 0), part, constant(""))
        return constant(None)
    if opened is not None and method in ("read", "readlines", "readline", "readall"):
        path = world.path(opened.get("file", 0))
        return unknown(*owner.marks, *({"remote"} if path in world.scope.fetched else set()))
    if method in ("extractall", "extract") and ("zipfile" in owner.name.lower() or "tarfile" in owner.name.lower()):
        target = call.get("path", 0) if method == "extractall" else call.get("path", 1)
        path = world.path(target) if target is not None else world.scope.cwd
        if path is not None:
            world.say(paths.overwriting(posixpath.join(path, "*"), world.scope), part)
        return unknown()
    if (
        method in _SAVES
        and call.args
        and call.args[0].string is not None
        and not owner.name.startswith(("self", "request"))
    ):
        world.overwrite(call.args[0], part)
        return unknown()
    if method in ("path", "name") and not call.args:
        return owner
    return None


def _path_method(world: World, owner: Value, method: str, call: Call, part: str) -> Value | None:
    first = call.args[0] if call.args else None
    if method == "unlink":
        world.delete(owner, recursive=False, part=part)
        return constant(None)
    if method in ("rmtree", "remove_p", "rmtree_p"):
        world.delete(owner, recursive=True, part=part)
        return constant(None)
    if method == "rmdir":
        return _rmdir(world, owner, Call("rmdir", (owner,)), part)
    if method in ("write_text", "write_bytes"):
        world.overwrite(owner, part, first)
        return constant(None)
    if method in ("read_text", "read_bytes"):
        secret = world.read(owner, part)
        return unknown(INPUT, *owner.marks - {MANY}, *([SECRET] if secret else []))
    if method == "open":
        return _open(world, owner, Call("open", (owner, *call.args), call.kwargs), part)
    if method in ("rename", "replace", "move", "move_into"):
        return _move(world, owner, Call("move", (owner, *call.args), call.kwargs), part)
    if method in ("copy", "copy_into"):
        return _copy(world, owner, Call("copy", (owner, *call.args), call.kwargs), part)
    if method in ("chmod", "lchmod"):
        return _chmod(world, owner, Call("chmod", (owner, *call.args), call.kwargs), part)
    if method in ("symlink_to", "hardlink_to"):
        return _link(world, owner, Call("symlink", (*call.args, owner)), part)
    if method == "mkdir":
        return _mkdir(world, owner, Call("mkdir", (owner,), call.kwargs), part)
    if method == "expanduser":
        return _expand(world, owner, Call(method, (owner,)), part)
    if method in ("resolve", "absolute"):
        path = world.path(owner)
        return replace(owner, value=path) if path is not None else owner
    text = owner.string
    if method in ("iterdir", "glob", "rglob", "walk"):
        if text is None:
            return constant([replace(owner, marks=owner.marks | {MANY})], MANY)
        pattern = {"iterdir": "*", "walk": "**"}.get(method) or (first.string if first is not None else None) or "*"
        inner = posixpath.join(text, "**", pattern) if method == "rglob" else posixpath.join(text, pattern)
        return constant([_path(inner, MANY)], MANY)
    if text is None:
        return (
            Value(path=True, marks=owner.marks)
            if method in ("joinpath", "with_name", "with_suffix", "relative_to")
            else None
        )
    if method == "joinpath" and all(one.string is not None for one in call.args):
        return replace(owner, value=posixpath.join(text, *(str(one.string) for one in call.args)))
    if method == "with_name" and first is not None and first.string is not None:
        return replace(owner, value=posixpath.join(posixpath.dirname(text), first.string))
    if method == "with_suffix" and first is not None and first.string is not None:
        return replace(owner, value=posixpath.splitext(text)[0] + first.string)
    if method in ("as_posix", "__str__", "__fspath__"):
        return constant(text, *owner.marks)
    return None
