"""``a1-reactor``: parses, then calls one function per command. Nothing heavy is imported until a command runs."""

from __future__ import annotations

from collections.abc import Sequence

from cyclopts import App

from a1_reactor.cli_files import export, import_
from a1_reactor.cli_make import demo, regen, run
from a1_reactor.cli_providers import providers
from a1_reactor.cli_report import report
from a1_reactor.cli_serve import serve
from a1_reactor.cli_takes import branch, keep, prefer, reject, takes, undo
from a1_reactor.cli_workspace import clips, gc, presets, verify
from reactor_core import __version__
from reactor_core.utils.command import run_app

__all__ = ["app", "main"]

app = App(
    name="a1-reactor",
    version=__version__,
    help="Generate a clip, then regenerate a window of it; every frame outside stays the same file.",
)
for command in (
    demo, regen, run, clips, takes, keep, reject, prefer, undo, branch, report, presets, providers, serve,
    export, verify, gc,
):  # fmt: skip
    app.command(command)
app.command(import_, name="import")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status (docs/reference/exit-codes.md)."""
    return run_app(app, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
