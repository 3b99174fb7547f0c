from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from reactor_core.errors import ConfigError
from reactor_core.training.distributed.world import World, find_world

Together = Callable[..., list[Any]]


def test_a_process_alone_follows_itself() -> None:
    world = find_world(torch.device("cpu"))
    assert type(world) is World
    tensor = torch.ones(2)
    world.add_up([tensor])
    world.copy_from_first([tensor])
    assert (world.first, world.follow([1]), world.told("Ctrl-C"), world.told(None)) == (True, [1], "Ctrl-C", None)
    assert (world.sums((1, 2)), tensor.tolist()) == ([1, 2], [1.0, 1.0])
    with pytest.raises(ConfigError), world.leaving():
        raise ConfigError("batch_size=0")


def test_what_processes_say_to_each_other(together: Together) -> None:
    first, *others = answers = together("talk", size=3)
    assert first["first"]
    assert not any(other["first"] for other in others)
    for answer in answers:
        assert answer["followed"] == {"from": 0, "text": "üüü"}
        assert answer["nobody"] is None
        assert answer["sums"] == [3.0, 3.0, 3 * 2.0**-60]
        assert answer["added"] == [[[6.0, 6.0], [6.0, 6.0]], [0.0, 3.0, 6.0]]
        assert answer["copied"] == [0, 0]
    assert [answer["one"] for answer in answers] == ["SIGTERM of process 1", "SIGTERM", "SIGTERM of process 1"]
    assert [answer["all"] for answer in answers] == ["reason 0", "reason 0 of process 0", "reason 0 of process 0"]


def test_a_process_that_fails_alone_tells_the_others_why(together: Together) -> None:
    left, failed = together("leave", error="config")
    assert left == failed == {"type": "ConfigError", "message": "layers=9: the model has 3 layers"}
    left, failed = together("leave", error="other")
    assert failed["type"] == left["type"] == "StorageFull"
    assert left["message"] == "no space left on /data (free some)"


def test_a_process_that_is_killed_breaks_the_exchange_of_the_others(together: Together) -> None:
    left, killed = together("leave", error="killed")
    assert killed is None
    assert left["type"] not in ("ConfigError", "TrainingError")
