"""The command that makes what a request asks for, so that work begun in a browser can go on in a terminal."""

from __future__ import annotations

import shlex

from a1_reactor.server.clip_job import ClipRequest
from a1_reactor.server.export_job import ExportRequest
from a1_reactor.types.rational import spell_rational

__all__ = ["command_line", "export_line"]


def command_line(request: ClipRequest) -> str | None:
    """One line for a shell; None where none says the same: options for the provider, a mask that is a picture."""
    spec = request.spec
    if spec.options or (spec.mask is not None and (spec.mask.png is not None or request.takes > 1)):
        return None
    words = ["a1-reactor"]
    windows = [(f"{window.start}f", f"{window.stop}f") for window in spec.windows]
    if request.takes > 1:
        assert request.parent is not None, "a request for several takes names the clip"
        words += ["takes", request.parent]
        words += [part for pair in windows for part in ("--window", *pair)]
        words += ["--seeds", str(request.takes), "--first-seed", str(spec.seed)]
    elif windows:
        words += ["regen", *(part for pair in windows for part in ("--regen", *pair))]
        words += ["--parent", request.parent] if request.parent else []
        if spec.mask is not None and spec.mask.rectangle is not None:
            words += ["--mask", ",".join(map(str, (*spec.mask.rectangle, spec.mask.feather)))]
    else:
        words += ["demo"]
    words += ["--prompt", spec.prompt]
    if spec.negative_prompt is not None:
        words += ["--negative-prompt", spec.negative_prompt]
    words += ["--preset", spec.style_preset or "none"]
    if request.takes == 1:
        words += ["--seed", str(spec.seed)]
    if request.parent is None:
        words += ["--seconds", str(spell_rational(spec.seconds)), "--fps", str(spell_rational(spec.fps))]
        words += ["--width", str(spec.width), "--height", str(spec.height)]
    words += ["--provider", spec.provider]
    if request.endpoint is not None:
        words += ["--endpoint", request.endpoint]
    return shlex.join([*words, *(["--force"] if request.force else [])])


def export_line(request: ExportRequest) -> str:
    """One line for a shell that writes the same file into the folder where it is run."""
    words = ["a1-reactor", "export", request.clip, request.name]
    words += ["--mute"] if request.mute else []
    words += [] if request.width is None else ["--width", str(request.width)]
    return shlex.join(words)
