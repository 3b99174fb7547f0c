"""``a1-reactor import`` and ``export``: somebody's own video in, files for other programs out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from a1_reactor.cli_perform import PLACE, Place, config_of, open_clip, open_terminal, show_result
from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from a1_reactor.engine.exporting import Sign
    from a1_reactor.storage.clip import Clip

__all__ = ["export", "import_"]


def import_(
    file: Path,
    *,
    prompt: str | None = None,
    fps: str | None = None,
    reduce_depth: Annotated[bool, Parameter(negative=())] = False,
    force: Annotated[bool, Parameter(negative=())] = False,
    place: Place = PLACE,
) -> None:
    """Make a clip of a video file of your own; its sound goes into exports.

    Parameters
    ----------
    file
        mp4, mov, mkv, webm or whatever FFmpeg reads.
    prompt
        What it shows; by default its name.
    fps
        Rate of the clip. Without it a constant rate is kept, and a variable one becomes the usual rate that is closest.
    reduce_depth
        Take 10 and more bits per sample, rounded to 8.
    force
        Make the clip again even if it is there.
    """
    from a1_reactor.engine.engine import ReactorEngine
    from a1_reactor.engine.importing import import_clip
    from a1_reactor.engine.stages import overall_share
    from a1_reactor.providers.mock import MockProvider
    from a1_reactor.types import parse_rational

    rate = None if fps is None else parse_rational(fps, name="fps")
    with open_terminal().step("Import") as advance:
        engine = ReactorEngine(
            config_of(place),
            MockProvider(),
            progress=lambda stage, done, total: advance(f"{stage} {done}/{total}", overall_share(stage, done, total)),
        )
        engine.store.sweep()
        result = import_clip(engine, file, prompt=prompt, fps=rate, reduce_depth=reduce_depth, force=force)
    show_result(result, json=place.json)


def export(
    clip: str,
    file: Path,
    *,
    mute: Annotated[bool, Parameter(negative=())] = False,
    width: int | None = None,
    sign_key: Path | None = None,
    sign_cert: Path | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    place: Place = PLACE,
) -> None:
    """Write a clip into a file: mp4, webm, gif, or a zip of PNG stills, as the name's ending says.

    Parameters
    ----------
    clip
        The clip: its id, folder or mp4, or a branch.
    file
        The file to write, complete or not at all.
    mute
        Leave out the sound of an imported clip.
    width
        Pixels of a gif; its height is in proportion.
    sign_key
        Private key (PEM) to sign an mp4 with; what it says then is C2PA content credentials, the parent as ingredient.
    sign_cert
        Certificates (PEM) of the key, the signer's own first.
    force
        Replace a file that is there.
    """
    from a1_reactor.engine.exporting import export_clip
    from reactor_core.errors import ConfigError

    chosen = open_clip(place, clip)
    if (sign_key is None) != (sign_cert is None):
        raise ConfigError("a key needs its certificates", remedy="pass --sign-key and --sign-cert")
    sign = None if sign_key is None or sign_cert is None else _signer(place, chosen, file, sign_key, sign_cert)
    terminal = open_terminal()
    with terminal.step("Export") as advance:
        written = export_clip(
            chosen,
            file,
            workspace=config_of(place).workspace,
            mute=mute,
            gif_width=width,
            sign=sign,
            force=force,
            progress=lambda stage, done, total: advance(f"{stage} {done}/{total}", done / max(1, total)),
        )
    if place.json:
        print_json({"clip_id": chosen.key, **written.to_json()})
    else:
        for note in written.notes:
            terminal.note(f"  {note}")
        print(f"{written.path}\n{written.frames} frames, {written.size:,} bytes" + (", signed" if sign else ""))


def _signer(place: Place, clip: Clip, file: Path, key: Path, certificates: Path) -> Sign:
    """What signs the finished file: with the parent, or the file that it was imported from, as ingredient."""
    from a1_reactor.provenance.credentials import read_credentials
    from a1_reactor.provenance.signing import sign_mp4
    from a1_reactor.provenance.statement import statement_of
    from a1_reactor.storage.sources import SourceStore, source_of
    from reactor_core.errors import NotFound

    credentials = read_credentials(key, certificates)
    sha256, parent, source = source_of(clip.job), None, None
    if clip.job.parent is not None:
        try:
            parent = open_clip(place, clip.job.parent)
        except NotFound:
            open_terminal().note(f"  parent {clip.job.parent} is gone: signed without an ingredient")
    elif sha256 is not None:
        source = SourceStore(config_of(place).workspace).open(sha256)
    statement = statement_of(clip, parent=parent, source=source, title=file.name)
    return lambda old, new: sign_mp4(old, new, statement, credentials)
