import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reactor_core.errors import ArtifactCorrupt, NotFound, PromotionRefused
from reactor_core.eval import Measurement, Metric, Promotion, compare
from reactor_core.serving.registry import AdapterRegistry


def measured(right: range) -> Measurement:
    accuracy = Metric("accuracy", "share of rows", higher_is_better=True)
    clusters = [str(n) for n in range(300)]
    return Measurement.of(accuracy, [n in right for n in range(300)], rows="rows", clusters=clusters)


# 100 rows gained, 10 lost.
PASSED = Promotion(300, (compare(measured(range(10, 210)), measured(range(110)), baseline="untuned"),))
EVALUATION = {"accuracy": 0.7, "rows": 300}


class Ticking:
    """A clock that moves one second at every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def utc_now(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def registry(tmp_path: Path) -> AdapterRegistry:
    return AdapterRegistry(tmp_path / "workspace", clock=Ticking())


def adapter(folder: Path, weights: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(weights)
    return folder


def test_nothing_is_current_in_a_new_workspace(registry: AdapterRegistry):
    assert registry.current() is None
    assert registry.list() == []


def test_a_registered_adapter_is_current_and_carries_its_evidence(registry: AdapterRegistry, tmp_path: Path):
    entry = registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    assert registry.current() == entry
    assert entry.evaluation == EVALUATION
    assert entry.promotion["comparisons"][0]["gained"] == 100
    assert entry.parent is None
    assert registry.check(entry) == tmp_path / "a"


def test_the_parent_is_the_one_that_was_current(registry: AdapterRegistry, tmp_path: Path):
    first = registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    second = registry.register(adapter(tmp_path / "b", b"other"), EVALUATION, PASSED)
    assert second.parent == first.entry_id
    assert [e.entry_id for e in registry.list()] == [first.entry_id, second.entry_id]


def test_an_earlier_entry_can_be_used_again(registry: AdapterRegistry, tmp_path: Path):
    first = registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    registry.register(adapter(tmp_path / "b"), EVALUATION, PASSED)
    registry.set_current(first.entry_id)
    assert registry.current() == first


@pytest.mark.parametrize("promotion", [None, True, {"better": True}])
def test_without_a_passed_decision_nothing_is_registered(registry: AdapterRegistry, tmp_path: Path, promotion: object):
    with pytest.raises(PromotionRefused, match="evidence"):
        registry.register(adapter(tmp_path / "a"), EVALUATION, promotion)
    assert registry.list() == []


def test_a_folder_without_an_adapter_is_refused(registry: AdapterRegistry, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match=r"adapter_config\.json"):
        registry.register(tmp_path / "empty", EVALUATION, PASSED)


def test_weights_changed_after_registration_are_noticed(registry: AdapterRegistry, tmp_path: Path):
    entry = registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    (tmp_path / "a" / "adapter_model.safetensors").write_bytes(b"changed")
    with pytest.raises(ArtifactCorrupt, match="not the adapter that was evaluated"):
        registry.check(entry)


def test_an_entry_that_was_edited_is_noticed(registry: AdapterRegistry, tmp_path: Path):
    entry = registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    path = tmp_path / "workspace" / "registry" / "entries" / f"{entry.entry_id}.json"
    fields = json.loads(path.read_text())
    fields["evaluation"]["accuracy"] = 0.99
    path.write_text(json.dumps(fields))
    with pytest.raises(ArtifactCorrupt, match="changed after it was written"):
        registry.list()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"entry_id": "x"}'])
def test_a_file_that_is_no_entry_is_named(registry: AdapterRegistry, tmp_path: Path, content: str):
    registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    (tmp_path / "workspace" / "registry" / "entries" / "0.json").write_text(content)
    with pytest.raises(ArtifactCorrupt, match="no registry entry"):
        registry.list()


def test_a_broken_alias_is_named(registry: AdapterRegistry, tmp_path: Path):
    registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    (tmp_path / "workspace" / "registry" / "current.json").write_text("[]")
    with pytest.raises(ArtifactCorrupt, match=r"current\.json"):
        registry.current()


def test_an_unknown_entry_lists_what_is_known(registry: AdapterRegistry, tmp_path: Path):
    entry = registry.register(adapter(tmp_path / "a"), EVALUATION, PASSED)
    with pytest.raises(NotFound, match=entry.entry_id):
        registry.set_current("0" * 64)
