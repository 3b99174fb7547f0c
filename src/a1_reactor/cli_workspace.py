"""``a1-reactor presets``: what a workspace of clips knows besides its clips."""

from __future__ import annotations

from a1_reactor.cli_perform import PLACE, Place, config_of, open_terminal
from reactor_core.utils.command import print_json

__all__ = ["presets"]


def presets(*, place: Place = PLACE) -> None:
    """List the presets and templates, the built-in ones and those of presets.toml in the folder of the clips."""
    from a1_reactor.prompts import load_book
    from a1_reactor.prompts.presets import FILE_NAME

    workspace = config_of(place).workspace
    book = load_book(workspace)
    if place.json:
        print_json(
            {
                "presets": {
                    name: {"prompt": preset.prompt, "negative": preset.negative, "own": name in book.own}
                    for name, preset in book.presets.items()
                },
                "templates": {name: {"text": text, "own": name in book.own} for name, text in book.templates.items()},
                "file": str((workspace / FILE_NAME).resolve()),
            }
        )
        return
    for name, preset in book.presets.items():
        print(f"{name}\t{preset.prompt}" + ("" if preset.negative is None else f"\twithout {preset.negative}"))
    for name, text in book.templates.items():
        print(f"{name}\ttemplate: {text}")
    open_terminal().note(f"  your own go into {workspace / FILE_NAME}")
