"""A run's checkpoints in a bucket, where another machine finds them.

Under ``<identity>/`` lie files, each under its owner's token and its hash, and ``head.json``, which lists the newest
checkpoints. A checkpoint exists when the head names it: all its files are uploaded before. The head is replaced only by
compare and swap, and names one owner. Whoever claims the run writes a new owner into it, so the writes of the one
before fail from that moment on: two machines never write the same run, and no clock is compared for it.
"""

from __future__ import annotations

import json
import logging
import platform
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path

import msgspec

from reactor_core.cloud.blobs import ABSENT, BlobStore
from reactor_core.errors import CheckpointInvalid, StorageError, TrainingError
from reactor_core.training.mark import NOTHING, Mark
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.clock import Clock, to_iso
from reactor_core.utils.failpoints import reach
from reactor_core.utils.files import sha256_file
from reactor_core.utils.ids import new_id

__all__ = ["Head", "Piece", "RemoteRun", "Saved", "TakenOver"]

_log = logging.getLogger(__name__)

HEAD = "head.json"


class TakenOver(TrainingError):
    """Another machine has claimed the run since; nothing of it was changed."""


class Piece(msgspec.Struct, frozen=True):
    """One file of a checkpoint: where it lies in the store, and what it must be."""

    name: str
    sha256: str
    size: int


class Saved(msgspec.Struct, frozen=True):
    """A checkpoint: its step, when it was made, its files by their path in the run's folder, parts of a next step."""

    step: int
    at: str
    files: dict[str, Piece]
    parts: int = 0

    @property
    def mark(self) -> Mark:
        """Where in the run it was made."""
        return Mark(self.step, self.parts)


class Head(msgspec.Struct, frozen=True):
    """What ``head.json`` says.

    Args:
        owner: Token of the process that may write.
        host: Its machine, for messages.
        at: When it was written.
        run_id: The run's name, which it keeps on every machine.
        checkpoints: The newest ones, oldest first.
        result: Files of the finished run; None before its end.
    """

    owner: str
    host: str
    at: str
    run_id: str
    checkpoints: tuple[Saved, ...] = ()
    result: Saved | None = None


class RemoteRun:
    """One process's hold on a run in a store.

    Args:
        store: Where.
        identity: What makes two runs the same one: configuration, data, base model, template, tokenizer.
        clock: Source of time.
        keep: How many checkpoints are kept.
    """

    def __init__(self, store: BlobStore, identity: Mapping[str, str], *, clock: Clock, keep: int = 2) -> None:
        self._store, self._clock, self._keep = store, clock, keep
        self._folder = content_hash(dict(identity))[:32]
        self._token = new_id()
        self._version = ABSENT
        self.head: Head | None = None
        """As it was read or written last."""
        self.where = f"{store.where}/{self._folder}"
        """The run's place, for messages."""

    @property
    def newest(self) -> Mark:
        """The newest checkpoint that the head names."""
        return NOTHING if self.head is None else max((s.mark for s in self.head.checkpoints), default=NOTHING)

    def close(self) -> None:
        """Give up connections; the next call makes new ones."""
        self._store.close()

    def look(self) -> Head | None:
        """What the store holds of this run; None for nothing.

        Raises:
            StorageError: The store cannot be reached.
            CheckpointInvalid: The head cannot be read.
        """
        found = self._store.read(f"{self._folder}/{HEAD}")
        if found is None:
            self.head, self._version = None, ABSENT
            return None
        try:
            self.head = msgspec.json.decode(found[0], type=Head)
        except msgspec.MsgspecError as error:
            raise CheckpointInvalid(
                f"{self.where}/{HEAD} is no list of checkpoints: {error}",
                remedy="look at the bucket; train with resume=False to start over",
            ) from error
        self._version = found[1]
        return self.head

    def claim(self, run_id: str, *, over: bool = False) -> None:
        """Become the only one who may write; call :meth:`look` first.

        Args:
            run_id: Of a run that begins; one that goes on keeps its own.
            over: Whether the run begins again, without the checkpoints that are there.

        Raises:
            TakenOver: Another machine was faster.
            StorageError: The store cannot be reached.
        """
        # A run that is finished is not gone on with.
        before = None if over or (self.head is not None and self.head.result is not None) else self.head
        if before is None:
            head = Head(self._token, platform.node(), self._now(), run_id)
        else:
            head = msgspec.structs.replace(before, owner=self._token, host=platform.node(), at=self._now())
        self._write(head)
        self._sweep()

    def bring(self, run_folder: Path, *, newer_than: Mark) -> Mark | None:
        """Download the newest checkpoint that is whole into a run's folder.

        Every file is compared with its hash. A damaged checkpoint is passed over with a warning.

        Args:
            run_folder: Of this machine.
            newer_than: The checkpoint that is there, or :data:`~reactor_core.training.mark.NOTHING`.

        Returns:
            Its mark, or None if nothing newer is stored.

        Raises:
            CheckpointInvalid: Newer checkpoints are stored, and not one is whole.
            StorageError: The store cannot be reached.
        """
        wanted = [] if self.head is None else [saved for saved in self.head.checkpoints if saved.mark > newer_than]
        for saved in reversed(wanted):
            fault = self._bring(saved, run_folder)
            if fault is None:
                return saved.mark
            warnings.warn(f"the checkpoint of {saved.mark} in {self.where} is damaged ({fault})", stacklevel=2)
        if wanted and newer_than == NOTHING:
            raise CheckpointInvalid(
                f"no checkpoint in {self.where} is intact", remedy="train with resume=False to start over"
            )
        return None

    def save(self, mark: Mark, files: Mapping[str, Path]) -> None:
        """Upload a checkpoint and, when all of it is there, name it in the head.

        Files that an earlier checkpoint of this process holds with the same content are not sent again.

        Args:
            mark: Where in the run it was made.
            files: By their path in the run's folder.

        Raises:
            TakenOver: Another machine has claimed the run.
            StorageError: The store cannot be reached or refuses; what it holds is as it was.
        """
        head = self._held()
        saved = Saved(mark.step, self._now(), self._upload(files), mark.parts)
        # An equal or a later one is damaged: the run would not have gone on from before it.
        earlier = (before for before in head.checkpoints if before.mark < mark)
        kept = (*earlier, saved)[-self._keep :]
        self._write(msgspec.structs.replace(head, at=saved.at, checkpoints=kept))
        self._sweep()

    def finish(self, step: int, files: Mapping[str, Path]) -> None:
        """Upload what the run came to, and remove its checkpoints.

        Raises:
            TakenOver: Another machine has claimed the run.
            StorageError: The store cannot be reached or refuses; what it holds is as it was.
        """
        head = self._held()
        result = Saved(step, self._now(), self._upload(files))
        self._write(msgspec.structs.replace(head, at=result.at, checkpoints=(), result=result))
        self._sweep()

    def _held(self) -> Head:
        assert self.head is not None, "claimed before"
        return self.head

    def _now(self) -> str:
        return to_iso(self._clock.utc_now())

    def _write(self, head: Head) -> None:
        """Replace the head, unless it is no longer the one that this process knows."""
        name = f"{self._folder}/{HEAD}"
        data = msgspec.json.encode(head)
        reach("remote.naming")
        version = self._store.swap(name, data, expected=self._version)
        other = self._store.read(name) if version is None else None
        if other is not None and _owner(other[0]) == self._token:
            # An earlier write of this process was carried out, and neither its answer nor a look afterwards came back.
            version = self._store.swap(name, data, expected=other[1])
        if version is None:
            host = "another process" if other is None else _host(other[0])
            raise TakenOver(
                f"{host} has taken over the run in {self.where}",
                remedy="let it go on, or stop it and run the same command again here",
            )
        reach("remote.named")
        self.head, self._version = head, version

    def _upload(self, files: Mapping[str, Path]) -> dict[str, Piece]:
        known = set(_names(self._held()))
        pieces = {}
        for path, file in files.items():
            digest = sha256_file(file)
            # Under the token: what this process lists, no other process removes while it owns the run.
            piece = Piece(f"{self._folder}/{self._token}/{digest}", digest, file.stat().st_size)
            if piece.name not in known:
                reach("remote.uploading")
                self._store.upload(piece.name, file)
                known.add(piece.name)
            pieces[path] = piece
        reach("remote.uploaded")
        return pieces

    def _sweep(self) -> None:
        """Remove what the head does not name, of this owner and of those before; what stays only costs space.

        An owner before that is uploading at this moment can lose nothing by it: its head would be refused.
        """
        kept = _names(self._held())
        try:
            for name in self._store.names(f"{self._folder}/"):
                if name.count("/") > 1 and name not in kept:  # below a token, so never the head itself
                    self._store.delete(name)
        except StorageError as error:
            _log.warning("old files stay in %s: %s", self.where, error)

    def _bring(self, saved: Saved, run_folder: Path) -> str | None:
        """Put a checkpoint into a run's folder; what is wrong with it, or None."""
        temporary = run_folder / f".tmp-{new_id()}"
        try:
            fault = self._download(saved, temporary)
            if fault is None:
                _move_into(run_folder, temporary, last=Path("checkpoints") / saved.mark.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return fault

    def _download(self, saved: Saved, folder: Path) -> str | None:
        for path, piece in saved.files.items():
            if Path(path).is_absolute() or ".." in Path(path).parts:
                return f"{path} lies outside the run"
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._store.download(piece.name, place)
            except StorageError as error:
                self._store.read(f"{self._folder}/{HEAD}")  # raises if it is the store that cannot be reached
                return str(error)
            if place.stat().st_size != piece.size or sha256_file(place) != piece.sha256:
                return f"{path} does not match its hash"
        return None


def _move_into(run_folder: Path, temporary: Path, *, last: Path) -> None:
    """Move what was downloaded into its place; the checkpoint's own folder at the end, and whole."""
    for file in sorted(temporary.rglob("*")):
        path = file.relative_to(temporary)
        if file.is_file() and not path.is_relative_to(last):
            (run_folder / path).parent.mkdir(parents=True, exist_ok=True)
            file.replace(run_folder / path)
    (run_folder / last).parent.mkdir(parents=True, exist_ok=True)
    if (run_folder / last).exists():  # damaged: an intact one would not have been asked for
        shutil.rmtree(run_folder / last)
    (temporary / last).replace(run_folder / last)


def _names(head: Head) -> list[str]:
    listed = head.checkpoints if head.result is None else (*head.checkpoints, head.result)
    return sorted({piece.name for saved in listed for piece in saved.files.values()})


def _owner(data: bytes) -> str | None:
    try:
        return msgspec.json.decode(data, type=Head).owner
    except msgspec.MsgspecError:
        return None


def _host(data: bytes) -> str:
    try:
        return f"another process, on {json.loads(data)['host']},"
    except (ValueError, KeyError):
        return "another process"
