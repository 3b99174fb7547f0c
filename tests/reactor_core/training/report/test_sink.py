from __future__ import annotations

import importlib.util

import pytest

from reactor_core.errors import MissingExtra
from reactor_core.training.config import TrainingConfig
from reactor_core.training.report.sink import SINKS, Offer, load_factory, require_sinks
from reactor_core.training.trainer import Trainer


def test_the_configuration_offers_every_sink() -> None:
    assert TrainingConfig(report_to=tuple(SINKS)).report_to == tuple(SINKS)


def test_where_a_run_is_shown_is_not_part_of_what_it_is() -> None:
    assert TrainingConfig(report_to=("wandb",)).hash == TrainingConfig().hash


@pytest.mark.parametrize("name", [name for name, offer in SINKS.items() if importlib.util.find_spec(offer.needs)])
def test_what_is_installed_is_found(name: str) -> None:
    require_sinks([name])
    assert load_factory(SINKS[name].factory).__name__.endswith("Sink")  # type: ignore[attr-defined]


def test_a_library_that_is_missing_is_said_before_anything_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SINKS, "trackio", Offer("nowhere:Sink", "no_such_library", "trackio"))
    with pytest.raises(MissingExtra, match=r"report_to='trackio'.*\[trackio\]"):
        Trainer(TrainingConfig(report_to=("trackio",)))
