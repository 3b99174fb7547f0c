"""The processes that train one run together, and the little that they say to each other between the tensors.

Every process runs the same loop. What only one of them can know (the clock, a person's wish, what a hook says) is
followed from the first; what any of them may see (a signal, the kill switch) is told to all. So each of them takes the
same turn at the same step, and none waits for company that has left.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from reactor_core.errors import ReactorError, TrainingError
from reactor_core.training.distributed.outcome import error_from, error_note
from reactor_core.utils.settings import process_environment

__all__ = ["LEFT_SECONDS", "Ranks", "World", "find_device", "find_world", "join"]

LEFT_SECONDS = 2.0
"""How long a process whose company is gone waits for the reason that it left behind."""
_TIMEOUT = timedelta(minutes=30)
"""Of one exchange: longer than any step, measurement or last upload of the first process."""
_LEFT: Final = "reactor/left"
_JOINED: Final = "reactor/joined"
_ALL_JOINED: Final = "reactor/all-joined"


class World:
    """A process that trains alone. It follows itself, and every sum is its own."""

    rank = 0
    """Number of this process, from 0."""
    size = 1
    """How many there are."""

    @property
    def first(self) -> bool:
        """Whether this process writes what there is to write."""
        return self.rank == 0

    def follow(self, value: Any) -> Any:
        """What the first process gives; others may give anything.

        Args:
            value: Made of JSON's types.
        """
        return value

    def told(self, reason: str | None) -> str | None:
        """What the lowest process says that says anything; None if nobody does."""
        return reason

    def sums(self, values: Sequence[float]) -> list[float]:
        """The sum of each over all processes, in float64."""
        return list(values)

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace float32 tensors by their sum over all processes: the same bits everywhere."""

    def copy_from_first(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace tensors by those of the first process, which have the same shapes and types."""

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Tell the others why, if the block ends in an error; raise theirs, if they are the ones that left."""
        yield


class Ranks(World):
    """One of several processes.

    Args:
        store: That they all reach.
        device: Where the tensors of the model are.
    """

    def __init__(self, store: Store, device: torch.device) -> None:
        self.rank, self.size, self.device = dist.get_rank(), dist.get_world_size(), device
        self._store = store

    def follow(self, value: Any) -> Any:
        """See :meth:`World.follow`."""
        return self._from(0, value)

    def _from(self, rank: int, value: Any) -> Any:
        text = json.dumps(value).encode() if self.rank == rank else b""
        length = torch.tensor([len(text)])
        dist.broadcast(length, rank)
        content = torch.empty(int(length), dtype=torch.uint8)
        if self.rank == rank:
            content = torch.frombuffer(bytearray(text), dtype=torch.uint8)
        dist.broadcast(content, rank)
        return json.loads(content.numpy().tobytes())

    def told(self, reason: str | None) -> str | None:
        """See :meth:`World.told`."""
        who = torch.tensor([self.size if reason is None else self.rank])
        dist.all_reduce(who, dist.ReduceOp.MIN)
        speaker = int(who)
        if speaker == self.size:
            return None
        said: str = self._from(speaker, reason)
        return said if speaker == self.rank else f"{said} of process {speaker}"

    def sums(self, values: Sequence[float]) -> list[float]:
        """See :meth:`World.sums`."""
        total = torch.tensor(list(values), dtype=torch.float64)
        dist.all_reduce(total)
        found: list[float] = total.tolist()
        return found

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """See :meth:`World.add_up`. One exchange for all of them, in the order given."""
        if not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        begin = 0
        for tensor in tensors:
            end = begin + tensor.numel()
            tensor.copy_(flat[begin:end].view_as(tensor))
            begin = end

    def copy_from_first(self, tensors: Sequence[torch.Tensor]) -> None:
        """See :meth:`World.copy_from_first`."""
        for tensor in tensors:
            dist.broadcast(tensor, 0)

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """See :meth:`World.leaving`.

        A process that fails alone leaves the others in the middle of an exchange, which breaks when its connections
        close. They then look for the reason, which it left in the store.
        """
        try:
            yield
        except ReactorError as error:
            self._leave(error)
            raise
        except RuntimeError as error:  # torch's own types of broken exchanges are of this one
            reason = self._reason()
            if reason is None:
                raise
            raise reason from error

    def _leave(self, error: ReactorError) -> None:
        note = {**error_note(error), "where": f"process {self.rank} ended"}
        with contextlib.suppress(RuntimeError):  # the store is gone with whoever kept it, and nobody will look
            self._store.compare_set(_LEFT, "", json.dumps(note))  # the first reason is the cause of the others

    def _reason(self) -> ReactorError | None:
        try:
            self._store.wait([_LEFT], timedelta(seconds=LEFT_SECONDS))
            note = json.loads(self._store.get(_LEFT))
        except RuntimeError:  # it left without a word: killed, most likely
            return None
        return error_from(note, where=note["where"])


def join(store: Store, *, rank: int, size: int, device: torch.device) -> Ranks:
    """Become one of the processes that train together.

    Args:
        store: That they all reach.
        rank: Number of this process.
        size: How many there are.
        device: Where the tensors of the model are.

    Raises:
        TrainingError: The others did not come.
    """
    backend = "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"
    try:
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_TIMEOUT)
        # The first to be connected may fail at once, and would take its connections from those that still connect.
        if store.add(_JOINED, 1) == size:
            store.set(_ALL_JOINED, "")
        store.wait([_ALL_JOINED], _TIMEOUT)
    except RuntimeError as error:
        raise TrainingError(
            f"process {rank} of {size} did not find the others: {error}",
            remedy="start all of them, and let them reach the rendezvous endpoint",
        ) from error
    return Ranks(store, device)


def find_device() -> torch.device:
    """Where this process computes: a GPU of its own among those of its machine, or else the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if not dist.is_available() or not dist.is_torchelastic_launched():
        return torch.device("cuda")
    device = torch.device("cuda", dist.get_node_local_rank() % torch.cuda.device_count())
    torch.cuda.set_device(device)
    return device


def find_world(device: torch.device) -> World:
    """Whom this process trains with: those that ``torchrun`` (or ``reactor train --nproc``) started with it, those of
    a process group that the program has made itself, or nobody.

    They stay together until the process ends.

    Raises:
        TrainingError: The others did not come.
    """
    if not dist.is_available():
        return World()
    if dist.is_initialized():
        store = dist.distributed_c10d._get_default_store()  # noqa: SLF001  torch has no public reader
        return World() if dist.get_world_size() == 1 else Ranks(store, device)
    if not dist.is_torchelastic_launched():
        return World()
    store, rank, size = next(rendezvous("env://"))
    told = process_environment()  # by torchrun
    if told.get("TORCHELASTIC_USE_AGENT_STORE") == "True":  # one for all starts: keep off what the dead left there
        store = PrefixStore(f"start-{told['TORCHELASTIC_RESTART_COUNT']}", store)
    return World() if size == 1 else join(store, rank=rank, size=size, device=device)
