from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from reactor_core.errors import ConfigError, DatasetError, NotFound, PromotionRefused
from reactor_core.serving.evaluation import read_eval_file
from reactor_core.serving.promotion import Outcome, PromotionOptions, find_candidate, promote, require_unseen
from reactor_core.serving.registry import AdapterRegistry
from reactor_core.training.trainer import Trainer, TrainingConfig
from reactor_core.utils.console import Silent
from reactor_core.utils.files import sha256_file
from reactor_core.utils.settings import Settings

MakeModel = Callable[[str], Path]

WORDS = ["fig", "pea", "oat", "rye", "yam", "nut", "kale", "leek", "corn", "rice", "plum", "lime"]
UNSEEN = [f"{a}{b}" for a, b in pairwise(WORDS)]


def write(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def answer(word: str) -> dict[str, str]:
    return {"instruction": f"say {word}", "output": word.upper()}


def preference(word: str) -> dict[str, Any]:
    return {"prompt": [{"role": "user", "content": word}], "chosen": word.upper(), "rejected": f"no {word}"}


@pytest.fixture(scope="module")
def world(model_folder: MakeModel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str, Path]:
    """A workspace, a model, and a run that was taught to answer in capitals."""
    folder = tmp_path_factory.mktemp("world")
    settings = Settings(workspace=folder / "workspace", cache_dir=folder / "cache")
    model = str(model_folder("llama"))
    config = TrainingConfig(
        model_name=model, lora_rank=8, num_epochs=12, batch_size=4, learning_rate=0.01, chat_template="bare"
    )
    run = Trainer(config, settings=settings).train(write(folder / "train.jsonl", *map(answer, WORDS)))
    return settings, model, run.run_dir


def go(world: tuple[Settings, str, Path], rows: Path, **options: Any) -> Outcome:
    settings, model, run = world
    options = {"candidate": run.name, "rows": rows, "model": model, "register": False} | options
    return promote(PromotionOptions(**options), settings=settings, narrator=Silent())


def test_a_better_candidate_is_reported_with_all_that_the_decision_rests_on(world: Any, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.jsonl", *map(answer, UNSEEN))
    outcome = go(world, rows)
    assert outcome.refusal is None
    assert outcome.entry is None
    report = json.loads((outcome.folder / "report.json").read_text())
    assert report["promoted"] is True
    assert report["rows_sha256"] == sha256_file(rows)
    assert report["trained_on"] == [str(world[2].parents[2] / "train.jsonl")]
    assert set(report["measurements"]) == {"candidate", "untuned"}
    assert report["comparisons"][0]["gain"] > 0
    assert {file.name for file in outcome.folder.iterdir()} == {"report.json", "report.md", "report.png"}


def test_a_candidate_that_is_not_better_is_refused_with_a_report(world: Any, tmp_path: Path) -> None:
    small = [{**answer(word), "output": word} for word in UNSEEN]
    outcome = go(world, write(tmp_path / "rows.jsonl", *small), register=True)
    assert isinstance(outcome.refusal, PromotionRefused)
    assert outcome.entry is None
    assert AdapterRegistry(world[0].workspace).current() is None
    assert (outcome.folder / "report.md").read_text().startswith("# Not promoted")


def test_preferences_are_compared_by_what_was_learned_beyond_the_untuned_model(world: Any, tmp_path: Path) -> None:
    outcome = go(world, write(tmp_path / "rows.jsonl", *map(preference, UNSEEN)))
    found = outcome.as_dict()
    assert found["rows_kind"] == "preferences"
    assert found["measurements"]["untuned"]["value"] == 0.5  # its own reference
    assert found["measurements"]["candidate"]["value"] > 0.9
    assert outcome.refusal is None


def test_verdicts_have_to_beat_the_majority_too(world: Any, tmp_path: Path) -> None:
    labels = ("allow", "confirm", "block")
    rows = [{"action": f"run {n}", "kind": "shell", "label": labels[n % 3]} for n in range(9)]
    outcome = go(world, write(tmp_path / "rows.jsonl", *rows))
    assert {c.baseline for c in outcome.report.comparisons} == {"untuned", "majority"}


def test_a_judge_decides_over_written_answers(world: Any, tmp_path: Path) -> None:
    outcome = go(world, write(tmp_path / "rows.jsonl", *map(answer, UNSEEN[:4])), judge=world[1], max_new_tokens=4)
    (comparison,) = outcome.report.comparisons
    assert comparison.metric.name == "win rate"
    measured = outcome.as_dict()["measurements"]["candidate against untuned"]
    assert measured["wins"] + measured["losses"] + measured["ties"] + measured["disagreements"] == 4


def test_a_judge_needs_prompts(world: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no prompt to answer"):
        go(world, write(tmp_path / "a.jsonl", {"text": "once"}), judge=world[1])
    with pytest.raises(ConfigError, match="right answers"):
        go(world, write(tmp_path / "b.jsonl", {"action": "x", "kind": "shell", "label": "allow"}), judge=world[1])


def test_rows_that_were_trained_on_are_refused_before_anything_is_loaded(world: Any, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.jsonl", answer("new"), answer(WORDS[4]))
    with pytest.raises(DatasetError, match=r"rows\.jsonl:2: 1 of 2 rows were seen in training, this one as line 5"):
        go(world, rows, model="no such model")


def test_a_candidate_is_found_by_run_and_by_folder(world: Any, tmp_path: Path) -> None:
    settings, _, run = world
    for name in (run.name, run.name[:20], str(run), str(run / "adapter")):
        assert find_candidate(name, settings).resolve() == (run / "adapter").resolve()
    with pytest.raises(NotFound, match="no run"):
        find_candidate("train-0000", settings)


def made(folder: Path, **card: Any) -> Path:
    """An adapter's folder with a card, and no weights: they are not looked at here."""
    folder.mkdir()
    (folder / "card.json").write_text(
        json.dumps({"config": {"keep_best": True}, "held_out": None, "parent": None} | card)
    )
    return folder


def facts(path: Path) -> dict[str, str]:
    return {"path": str(path), "sha256": sha256_file(path)}


def seen(rows: Path, adapter: Path, **options: Any) -> list[str]:
    return require_unseen(
        read_eval_file(rows), adapter, PromotionOptions(candidate="x", rows=rows, model="m", **options)
    )


def test_rows_that_chose_the_checkpoint_are_refused_too(tmp_path: Path) -> None:
    train, held = write(tmp_path / "t.jsonl", answer("a")), write(tmp_path / "h.jsonl", answer("b"))
    adapter = made(tmp_path / "adapter", dataset=facts(train), held_out=facts(held))
    with pytest.raises(DatasetError, match=r"line 1 of .*h\.jsonl"):
        seen(held, adapter)
    other = made(tmp_path / "other", dataset=facts(train), held_out=facts(held), config={"keep_best": False})
    assert seen(held, other) == [str(train)]


def test_what_the_adapter_started_from_has_seen_counts(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.jsonl", answer("a")), write(tmp_path / "b.jsonl", answer("b"))
    parent = made(tmp_path / "parent", dataset=facts(first))
    child = made(tmp_path / "child", dataset=facts(second), parent={"path": str(parent), "hash": "0"})
    with pytest.raises(DatasetError, match=r"a\.jsonl"):
        seen(write(tmp_path / "rows.jsonl", answer("a")), child)
    assert seen(write(tmp_path / "rows.jsonl", answer("c")), child) == [str(second), str(first)]


def test_where_nobody_can_say_what_was_seen_nothing_is_promoted(tmp_path: Path) -> None:
    train, rows = write(tmp_path / "t.jsonl", answer("a")), write(tmp_path / "rows.jsonl", answer("b"))
    adapter = made(tmp_path / "adapter", dataset=facts(train))
    moved = train.rename(tmp_path / "moved.jsonl")
    with pytest.raises(PromotionRefused, match=r"gone or has changed .*--trained-on FILE"):
        seen(rows, adapter)
    assert seen(rows, adapter, trained_on=(moved,)) == [str(moved)]
    write(train, answer("other"))
    with pytest.raises(PromotionRefused, match="--trained-on"):
        seen(rows, adapter)


def test_an_adapter_without_a_card_needs_the_file_that_it_was_trained_on(tmp_path: Path) -> None:
    rows, train = write(tmp_path / "rows.jsonl", answer("b")), write(tmp_path / "t.jsonl", answer("b"))
    (tmp_path / "foreign").mkdir()
    with pytest.raises(PromotionRefused, match="has no card"):
        seen(rows, tmp_path / "foreign")
    with pytest.raises(DatasetError, match="seen in training"):
        seen(rows, tmp_path / "foreign", trained_on=(train,))


def test_an_action_that_was_trained_on_is_found_whatever_its_label(tmp_path: Path) -> None:
    from reactor_core.eval import verdict_messages

    train = write(tmp_path / "t.jsonl", {"prompt": verdict_messages("ls", "shell"), "completion": "block"})
    rows = write(tmp_path / "rows.jsonl", {"action": "ls", "kind": "shell", "label": "allow"})
    with pytest.raises(DatasetError, match="seen in training"):
        seen(rows, made(tmp_path / "adapter", dataset=facts(train)))
