from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.servers.gcs import Bucket

from reactor_core.gcp.drill import Drill, drill_preempt
from reactor_core.utils.settings import Settings

PASSED = Drill("m", "gs://b", 10.0, 3.0, 0.1, 2.0, 7, 7)


def test_a_rehearsal_on_a_bucket_loses_nothing(
    model_folder: Callable[[str], Path], settings: Settings, bucket: Bucket
) -> None:
    model, store = str(model_folder("llama")), f"{bucket.url}/drill"
    found = drill_preempt(model=model, store=store, settings=settings, batch_size=4)
    assert found.passed
    assert found.resumed_from >= found.step >= 2
    assert found.seconds_to_store is not None
    assert 0 < found.seconds_to_disk <= found.seconds_to_store
    assert not settings.workspace.exists()
    assert any(name.endswith("head.json") for name in bucket.names("drill/"))


@pytest.mark.parametrize("change", [{"resumed_from": 6}, {"seconds_to_store": None}, {"seconds_to_store": 31.0}])
def test_a_lost_step_or_a_late_copy_does_not_pass(change: dict[str, float | None]) -> None:
    assert PASSED.passed
    assert not replace(PASSED, **change).passed  # type: ignore[arg-type]
