from __future__ import annotations

import pytest

from reactor_core.errors import ConfigError
from reactor_core.gcp import SpotVMCheckpointer
from reactor_core.training.checkpointer import Checkpointer


def test_it_is_a_checkpointer_under_the_published_names() -> None:
    made = SpotVMCheckpointer(checkpoint_interval=500, gcs_bucket="gs://my-training-checkpoints")
    assert isinstance(made, Checkpointer)
    assert (made.interval, made.store, made.metadata_host) == (500, "gs://my-training-checkpoints", None)


def test_without_arguments_the_environment_decides() -> None:
    assert SpotVMCheckpointer() == SpotVMCheckpointer(None, None)
    assert SpotVMCheckpointer().store is None


def test_an_interval_of_no_steps_is_refused() -> None:
    with pytest.raises(ConfigError, match="interval=0"):
        SpotVMCheckpointer(checkpoint_interval=0)
