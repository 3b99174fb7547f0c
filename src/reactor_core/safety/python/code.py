"""Calls that run text or loaded bytes as code."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from reactor_core.safety.python.values import DECODED, REMOTE, Call, Value, named, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Effect, Finding, Scale, Verdict, found

__all__ = ["CODE", "judge_loading"]

Handler = Callable[[World, Value, Call, str], Value | None]


def _run(world: World, _: Value, call: Call, part: str) -> Value | None:
    """``exec`` and ``eval``."""
    first = call.args[0] if call.args else None
    if first is None:
        return unknown()
    source = first
    if first.name == "compile()" and first.calls:
        source = first.calls[-1].args[0] if first.calls[-1].args else first
    if source.name == "ast.parse()" and source.calls and source.calls[-1].args:
        source = source.calls[-1].args[0]
    if REMOTE in source.marks:
        world.say(found("B5", "runs what came over the network", Effect("code", Scale.ALL, reversible=False)), part)
        return unknown()
    text = source.string
    if text is None:
        text = source.rendered("unknown_value")
        if text is not None:
            _follow(world, text, part)
        world.ask("runs code that is not known", part)
        return unknown()
    before = len(world.findings)
    result = _follow(world, text, part)
    inner = world.findings[before:]
    if DECODED in source.marks:
        world.findings[before:] = [_decoded(one) for one in inner]
        if not any(one.verdict is Verdict.BLOCK for one in inner):
            world.ask("runs code that was decoded at run time", part)
    return result


def _decoded(finding: Finding) -> Finding:
    if finding.rule[0] != "B":
        return finding
    return found("B8", f"decoded at run time: {finding.says}", finding.effect, part=finding.part)


def _follow(world: World, text: str, part: str) -> Value:
    try:
        return world.run(text)
    except SyntaxError:
        world.ask("runs a text that is not Python", part)
        return unknown()


def _compile(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    return named("compile()", calls=(call,))


def _script(world: World, function: Value, call: Call, part: str) -> Value | None:
    target = call.args[0] if call.args else None
    text = target.string if target is not None else None
    if text is None:
        world.ask("runs a script that is not known", part)
        return unknown()
    world.nested("shell", f"python3 {'-m ' if function.last == 'run_module' else ''}{shlex.quote(text)}")
    return unknown()


def _unpickle(world: World, _function: Value, call: Call, part: str) -> Value | None:
    first = call.args[0] if call.args else None
    if first is not None and first.name in ("pickle.dumps()", "dill.dumps()", "cloudpickle.dumps()"):
        return unknown()
    if first is not None and REMOTE in first.marks:
        world.say(
            found("B5", "loads objects that came over the network, which may run code", Effect("code", Scale.ALL)), part
        )
    else:
        world.ask("loads objects from a file, which may run code", part)
    return unknown()


def _marshal(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    return unknown(DECODED, *(call.args[0].marks if call.args else ()))


def _torch(world: World, function: Value, call: Call, part: str) -> Value | None:
    only = call.kwargs.get("weights_only")
    if only is not None and only.known and only.value:
        return unknown()
    return _unpickle(world, function, call, part)


def _numpy(world: World, function: Value, call: Call, part: str) -> Value | None:
    allowed = call.kwargs.get("allow_pickle")
    if allowed is None or (allowed.known and not allowed.value):
        return unknown()
    return _unpickle(world, function, call, part)


def _yaml(world: World, function: Value, call: Call, part: str) -> Value | None:
    loader = call.get("Loader", 1)
    if function.last in ("load", "load_all") and loader is not None and loader.last in _SAFE_LOADERS:
        return unknown()
    world.ask("loads YAML that may make any object", part)
    return unknown()


_SAFE_LOADERS = ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader", "FullLoader", "CFullLoader")


def _hub(world: World, _: Value, call: Call, part: str) -> Value | None:
    source = call.kwargs.get("source")
    if source is not None and source.string == "local":
        return unknown()
    world.ask("runs code of a repository", part)
    return unknown()


def _keras(world: World, _: Value, call: Call, part: str) -> Value | None:
    safe = call.kwargs.get("safe_mode")
    if safe is not None and safe.known and safe.value is False:
        world.ask("loads a model that may run code", part)
    return unknown()


CODE: dict[str, Handler] = {

    **dict.fromkeys((
        "exec", "eval", "code.interact", "pdb.run", "pdb.runeval", "timeit.timeit", "cProfile.run", "profile.run",
        "builtins.exec",
        "code.InteractiveInterpreter().runsource", "trace.Trace().run",
    ), _run),
    "compile": _compile, "codeop.compile_command": _compile,
    **dict.fromkeys(("runpy.run_path", "runpy.run_module", "execfile", "imp.load_source"), _script),
    **dict.fromkeys((
        "dill.load_session", "dill.load_module", "pickle.load", "pickle.loads",
        "pickle.Unpickler", "dill.load", "dill.loads", "cloudpickle.load",
        "cloudpickle.loads", "joblib.load", "pandas.read_pickle", "pd.read_pickle", "shelve.open",
        "jsonpickle.decode", "sklearn.externals.joblib.load", "compress_pickle.load",
        "torch.package.PackageImporter", "skops.io.load", "pickle5.load", "pickle5.loads", "hickle.load",
        "klepto.archives.file_archive", "numpy.lib.format.read_array", "mlflow.pyfunc.load_model",
        "multiprocessing.connection.Client",
    ), _unpickle),
    **dict.fromkeys(("marshal.loads", "marshal.load", "types.CodeType", "types.FunctionType"), _marshal),
    "torch.load": _torch, **dict.fromkeys(("numpy.load", "np.load"), _numpy),
    **dict.fromkeys((
        "yaml.load", "yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.load_all", "yaml.full_load",
        "ruamel.yaml.load",
    ), _yaml),
    "torch.hub.load": _hub, "torch.hub.load_state_dict_from_url": lambda *_: unknown(),
    **dict.fromkeys((
        "keras.models.load_model", "tensorflow.keras.models.load_model", "tf.keras.models.load_model",
        "keras.saving.load_model",
    ), _keras),
}  # fmt: skip
"""Full name -> what it does with code."""


def judge_loading(world: World, function: Value, call: Call, part: str) -> Value | None:
    """What any call may be told: to trust foreign code. None: it was not."""
    trusts = call.kwargs.get("trust_remote_code") or call.kwargs.get("dangerously_allow_code_execution")
    if trusts is not None and not (trusts.known and not trusts.value):
        world.ask("runs code from a model repository", part)
        return unknown()
    if call.kwargs.get("allow_dangerous_deserialization") is not None:
        return _unpickle(world, function, call, part)
    if "hidden" in function.marks or function.name == "?":
        world.ask("calls something whose name is put together at run time", part)
        return unknown()
    if function.name.startswith("compile()") or (not function.name and DECODED in function.marks):
        return _run(world, function, Call("exec", (function.owner or function,)), part)
    return None
