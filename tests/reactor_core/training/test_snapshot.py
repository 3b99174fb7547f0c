from __future__ import annotations

import psutil
import torch

from reactor_core.training.memory import peak_memory, reset_peak_memory
from reactor_core.training.optim import build_optimizer
from reactor_core.training.partial import Partial
from reactor_core.training.snapshot import Snapshot, Spare, has_room
from reactor_core.utils.environment_memory import MemoryRoom

GIB = 2**30
HALF = Partial("parts", 2, 1, 0.1, 7, 1.5, {"a": torch.ones(3, 2)}, {})


def moved() -> tuple[dict[str, torch.nn.Parameter], torch.optim.AdamW]:
    parameters = {"a": torch.nn.Parameter(torch.randn(3, 2)), "b": torch.nn.Parameter(torch.randn(2, 4).t())}
    optimizer = build_optimizer(parameters.values(), learning_rate=0.1, weight_decay=0.0, beta2=0.9)
    step(parameters, optimizer)
    return parameters, optimizer


def step(parameters: dict[str, torch.nn.Parameter], optimizer: torch.optim.AdamW) -> None:
    for parameter in parameters.values():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()


def tensors(snapshot: Snapshot) -> dict[str, torch.Tensor]:
    return {**snapshot.trained, **snapshot.moments, **snapshot.half}


def test_a_snapshot_names_every_tensor_of_the_state_and_follows_it() -> None:
    parameters, optimizer = moved()
    snapshot = Snapshot.of(parameters, optimizer, HALF)
    moments = {f"{name}.{key}" for name in parameters for key in ("step", "exp_avg", "exp_avg_sq")}
    assert (snapshot.trained.keys(), snapshot.moments.keys()) == (parameters.keys(), moments)
    assert (list(snapshot.half), snapshot.partial) == (["gradient.a"], HALF.facts())
    assert snapshot.nbytes == 4 * (3 * (6 + 8) + 2 + 6)
    step(parameters, optimizer)
    assert torch.equal(snapshot.trained["a"], parameters["a"])


def test_a_copy_stays_as_the_state_was_and_its_memory_is_used_again() -> None:
    parameters, optimizer = moved()
    spare = Spare(lambda _: True)
    state = Snapshot.of(parameters, optimizer, HALF)
    first = spare.copy(state)
    expected = {name: value.clone() for name, value in tensors(state).items()}
    places = {name: value.data_ptr() for name, value in tensors(first).items()}
    step(parameters, optimizer)
    assert all(torch.equal(value, expected[name]) for name, value in tensors(first).items())
    again = tensors(spare.copy(Snapshot.of(parameters, optimizer, HALF)))
    assert {name: value.data_ptr() for name, value in again.items()} == places
    assert torch.equal(again["a"], parameters["a"])
    assert all(value.is_contiguous() for value in again.values())


def test_memory_is_asked_for_once() -> None:
    parameters, optimizer = moved()
    state, asked = Snapshot.of(parameters, optimizer), []

    def room(size: int) -> bool:
        asked.append(size)
        return True

    spare = Spare(room)
    assert spare.fits(state)
    spare.copy(state)
    assert spare.fits(state)
    assert asked == [state.nbytes]
    assert not Spare(lambda _: False).fits(state)


def test_there_is_room_for_what_leaves_enough_for_the_next_steps() -> None:
    def probe(available: int) -> MemoryRoom:
        return MemoryRoom(64 * GIB, available, "as said")

    reset_peak_memory()
    again = max(0, peak_memory() - int(psutil.Process().memory_info().rss))
    assert has_room(GIB, lambda: probe(again + 8 * GIB))
    assert not has_room(GIB, lambda: probe(GIB))
    assert not has_room(9 * GIB, lambda: probe(again + 8 * GIB))
