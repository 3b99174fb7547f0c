"""Calls that show what they are given: a secret in it is shown too."""

from __future__ import annotations

from reactor_core.safety.python.values import SECRET, Call, Value, join_marks
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["judge_showing"]

_SHOWS = frozenset({
    "print", "pprint.pprint", "rich.print", "sys.stdout.write", "sys.stderr.write", "logging.info", "logging.debug",
    "logging.warning", "logging.error", "typer.echo", "click.echo", "display", "rich.inspect", "print_json",
    "console.print",
})  # fmt: skip
_LOGS = frozenset(
    {"info", "debug", "warning", "error", "critical", "exception", "writelines", "write", "write_text", "dump"}
)


def judge_showing(world: World, function: Value, call: Call, part: str) -> None:
    """Note a secret that is shown or written down."""
    name, method = function.name, function.last
    logs = method in _LOGS and function.owner is not None
    if not (name in _SHOWS or logs or name in ("json.dump", "pickle.dump", "yaml.dump")):
        return
    if SECRET in join_marks([*call.args, *call.kwargs.values()]):
        world.say(found("C8", "shows or writes down a secret", Effect("secret", Scale.ITEM, secret=True)), part)
