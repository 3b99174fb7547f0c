from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.data.records import read_dataset
from reactor_core.errors import Interrupted, NotFound
from reactor_core.training import Trainer, TrainingConfig, TrainingResult
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.training.lineage import Lineage, lineage_facts, note_checkpoint, read_lineage, write_lineage
from reactor_core.training.objective import Preference, Supervised
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]


@pytest.fixture
def events_file(tmp_path: Path) -> Path:
    """Ten rows, a blank line after the third: some from one event, some from several, some from none."""
    sources: list[Any] = [{"event_id": f"e{n}", "seq": n} for n in range(4)]
    sources += [{"origin": "keep", "events": ["k1", "k2"]}, {"origin": "keep", "events": ["k1", "k3"]}, "a book", None]
    sources += [{"event_id": "e0", "seq": 0}, None]
    lines = [
        json.dumps({"id": f"r{n}", "prompt": f"p{n}", "completion": f"c{n}", "source": source})
        for n, source in enumerate(sources)
    ]
    lines.insert(3, "")
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


class Recorder:
    """Notes which rows each step is really computed on."""

    def __init__(self, patch: pytest.MonkeyPatch, method: type[Supervised | Preference] = Supervised) -> None:
        self.steps: list[tuple[int, ...]] = []
        accumulate = method.accumulate

        def noting(objective: Any, rows: Sequence[int], **rest: Any) -> Any:
            self.steps.append(tuple(rows))
            return accumulate(objective, rows, **rest)

        patch.setattr(method, "accumulate", noting)


def run(model: Path, settings: Settings, file: Path, hooks: Sequence[TrainingHook] = (), **more: Any) -> TrainingResult:
    options = {"lora_rank": 2, "batch_size": 3, "num_epochs": 3, "seed": 5, "save_seconds": 1e-9, **more}
    return Trainer(TrainingConfig(model_name=str(model), **options), hooks=hooks, settings=settings).train(file)


class Signal(TrainingHook):
    def __init__(self, at: int) -> None:
        self.at = at

    def on_step(self, step: StepInfo) -> None:
        if step.step == self.at:
            os.kill(os.getpid(), signal.SIGINT)


def test_it_says_what_a_recorded_run_really_saw(
    model_folder: MakeModel, settings: Settings, events_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch)
    with pytest.raises(Interrupted):
        run(model_folder("llama"), settings, events_file, [Signal(5)])
    result = run(model_folder("llama"), settings, events_file)
    events_file.unlink()  # the answer outlives the file
    lineage = read_lineage(result.run_dir)
    assert (result.resumed_from, lineage.steps, len(recorder.steps)) == (5, 12, 12)
    said = json.loads(result.card_path.read_text())["lineage"]
    assert said == lineage_facts(result.run_dir)
    assert (said["rows"], said["named"], said["events"]) == (10, 10, 7)  # e0 to e3 and k1 to k3
    assert [lineage.rows_of(step) for step in range(1, 13)] == recorder.steps
    for row in range(10):
        expected = [step for step, rows in enumerate(recorder.steps, start=1) if row in rows]
        assert lineage.steps_of([row]) == expected
        assert len(expected) == 3  # once in each epoch
    # Rows 0 and 8 come from e0, on lines 1 and 10 with the blank line between them.
    seen = [step for step, rows in enumerate(recorder.steps, start=1) if {0, 8} & set(rows)]
    answer = lineage.about_event("e0")
    assert answer["steps"] == seen
    assert answer["first_step"] == seen[0]
    assert [row["line"] for row in answer["rows"]] == [1, 10]
    assert answer["in_adapter"] is True
    before = answer["checkpoint_before"]
    assert before is None if seen[0] == 1 else before["step"] == seen[0] - 1
    assert [row["id"] for row in lineage.about_event("k1")["rows"]] == ["r4", "r5"]
    assert lineage.about_line(5)["events"] == ["e3"]
    assert lineage.about_step(2)["rows"] == [
        {"line": row + 1 + (row > 2), "id": f"r{row}", "events": list(lineage.events.get(row, ()))}
        for row in recorder.steps[1]
    ]


def test_pairs_of_one_prompt_are_found_where_they_were_kept_together(
    model_folder: MakeModel, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch, Preference)
    file = tmp_path / "pairs.jsonl"
    rows = [
        {"prompt": f"p{n % 3}", "chosen": f"good {n}", "rejected": f"bad {n}", "source": {"events": [f"k{n}"]}}
        for n in range(9)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lineage = read_lineage(run(model_folder("llama"), settings, file, method="dpo").run_dir)
    assert lineage.groups is not None
    assert [lineage.rows_of(step) for step in range(1, 10)] == recorder.steps
    assert {row % 3 for row in recorder.steps[0]} == {recorder.steps[0][0] % 3}
    assert lineage.about_event("k4")["first_step"] == next(n for n, s in enumerate(recorder.steps, 1) if 4 in s)


def test_checkpoints_are_named_by_the_hash_of_their_manifest(
    model_folder: MakeModel, settings: Settings, events_file: Path
) -> None:
    manifests: dict[int, str] = {}

    class Look(TrainingHook):
        def on_step(self, step: StepInfo) -> None:
            for place in (settings.workspace / "runs").glob("*/checkpoints/step-*/manifest.json"):
                manifests[int(place.parent.name[5:])] = hashlib.sha256(place.read_bytes()).hexdigest()

    lineage = read_lineage(run(model_folder("llama"), settings, events_file, [Look()]).run_dir)
    assert len(manifests) == 11  # the one after the last step is written when no hook looks any more
    assert {step: lineage.checkpoints[step] for step in manifests} == manifests
    assert not any(place["kept"] for place in lineage.summary()["checkpoints"])


def test_a_result_of_earlier_weights_does_not_hold_what_came_later(
    model_folder: MakeModel, settings: Settings, events_file: Path, tmp_path: Path
) -> None:
    held = tmp_path / "held.jsonl"
    held.write_text('{"prompt": "x", "completion": "zzzzzz"}\n')
    more = {"eval_dataset": str(held), "eval_steps": 1, "learning_rate": 0.5, "num_epochs": 1}
    result = run(model_folder("llama"), settings, events_file, **more)
    assert result.best_step is not None
    lineage = read_lineage(result.run_dir)
    assert lineage.adapter_step == result.best_step < result.steps  # what is learned harms the held-out row
    assert lineage.about_step(result.best_step)["in_adapter"] is True
    assert lineage.about_step(result.steps)["in_adapter"] is False
    kept = read_lineage(run(model_folder("llama"), settings, events_file, **more, keep_best=False).run_dir)
    assert kept.adapter_step == kept.steps


def test_an_unfinished_run_has_a_lineage(model_folder: MakeModel, settings: Settings, events_file: Path) -> None:
    with pytest.raises(Interrupted):
        run(model_folder("llama"), settings, events_file, [Signal(2)])
    (folder,) = (settings.workspace / "runs").iterdir()
    lineage = read_lineage(folder)
    assert (lineage.steps, lineage.adapter_step) == (2, None)
    assert lineage.summary()["checkpoints"][-1]["kept"] is True
    assert lineage.about_step(1)["in_adapter"] is None
    unseen = next(row for row in range(10) if not lineage.steps_of([row]))
    answer = lineage.about_line(lineage.lines[unseen])
    assert (answer["steps"], answer["first_step"], answer["checkpoint_before"]) == ([], None, None)


def made(tmp_path: Path, rows: Sequence[dict[str, Any]], config: dict[str, Any], steps: int) -> Lineage:
    """A run's folder without a run."""
    file = tmp_path / "made.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    (folder / "lineage.jsonl").unlink(missing_ok=True)
    write_lineage(folder, read_dataset(file))
    facts = {"run_id": "train-1", "config": config, "dataset": {"sha256": "0"}}
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "loss.jsonl").write_text("".join(f'{{"step": {n}}}\n' for n in range(1, steps + 1)))
    return read_lineage(folder)


@given(
    rows=st.integers(1, 30),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 2**63 - 1),
    shuffle=st.booleans(),
    steps=st.integers(0, 20),
)
def test_steps_and_rows_are_each_others_inverse(
    tmp_path_factory: pytest.TempPathFactory, rows: int, batch_size: int, seed: int, shuffle: bool, steps: int
) -> None:
    config = {"batch_size": batch_size, "seed": seed, "shuffle": shuffle}
    lineage = made(tmp_path_factory.mktemp("run"), [{"text": f"{n}"} for n in range(rows)], config, steps)
    for step in range(1, steps + 1):
        assert all(step in lineage.steps_of([row]) for row in lineage.rows_of(step))
    for row in range(rows):
        assert all(row in lineage.rows_of(step) for step in lineage.steps_of([row]))


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    lineage = made(tmp_path, [{"text": "a"}, {"text": "b"}], {"batch_size": 1, "seed": 0, "shuffle": True}, 1)
    with pytest.raises(NotFound, match="no step 2"):
        lineage.rows_of(2)
    with pytest.raises(NotFound, match="no step 0"):
        lineage.about_step(0)
    with pytest.raises(NotFound, match="line 3 holds no row"):
        lineage.about_line(3)
    with pytest.raises(NotFound, match="comes from the event 'x'"):
        lineage.about_event("x")
    with pytest.raises(NotFound, match="holds no lineage"):
        read_lineage(tmp_path)


def test_a_file_without_names_takes_one_line(tmp_path: Path) -> None:
    made(tmp_path, [{"text": f"{n}"} for n in range(500)], {"batch_size": 1, "seed": 0, "shuffle": True}, 1)
    assert (tmp_path / "run" / "lineage.jsonl").read_text() == '{"rows": 500, "lines": [[0, 1, 500]], "groups": null}\n'


def test_a_checkpoint_that_was_written_again_counts_once(tmp_path: Path) -> None:
    lineage = made(tmp_path, [{"text": "a"}], {"batch_size": 1, "seed": 0, "shuffle": True}, 1)
    for content in ("{}", "[]"):
        (tmp_path / "manifest.json").write_text(content)
        note_checkpoint(lineage.folder, tmp_path, 1)
    assert read_lineage(lineage.folder).checkpoints == {1: hashlib.sha256(b"[]").hexdigest()}


def test_reading_it_imports_no_torch(tmp_path: Path) -> None:
    script = "import sys\nfrom reactor_core.training.lineage import read_lineage\nassert 'torch' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", script], check=True)
