from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from reactor_core.training.curves import LossLog, plot_curves, read_log
from reactor_core.training.hooks import StepInfo


def step(number: int) -> StepInfo:
    return StepInfo(number, number / 4, number / 4, 2.0 / number, 1e-3, 1.0, 40, 30, 0.5, number * 0.5)


def test_steps_after_the_checkpoint_are_dropped_before_they_are_trained_again(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "loss.jsonl", keep_steps=0)
    for number in range(1, 5):
        log.append(step(number))
    again = LossLog(tmp_path / "loss.jsonl", keep_steps=2)
    again.append(step(3))
    assert [line["step"] for line in read_log(tmp_path / "loss.jsonl")] == [1, 2, 3]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "loss.jsonl", keep_steps=0)
    log.append(step(1))
    with log.path.open("a") as stream:
        stream.write('{"step": 2, "lo')
    assert [line["step"] for line in read_log(log.path)] == [1]


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "loss.jsonl", keep_steps=0)
    for number in range(1, 5):
        log.append(step(number))
    plot_curves(log.path, tmp_path / "loss.png", title="a run")
    with Image.open(tmp_path / "loss.png") as picture:
        assert picture.format == "PNG"
        assert picture.convert("L").getextrema() != (255, 255)


def colours(picture: Path) -> set[tuple[int, ...]]:
    with Image.open(picture) as image:
        return {colour for _, colour in image.convert("RGB").getcolors(maxcolors=1 << 24)}


def test_loss_learning_rate_and_held_out_rows_each_have_their_line(tmp_path: Path) -> None:
    log = LossLog(tmp_path / "loss.jsonl", keep_steps=0)
    for number in range(1, 9):
        log.append(step(number))
    held = tmp_path / "eval.jsonl"
    held.write_text("".join(json.dumps({"step": at, "loss": -0.1 * at}) + "\n" for at in (4, 8)))
    plot_curves(log.path, tmp_path / "without.png", title="a run")
    plot_curves(log.path, tmp_path / "with.png", title="a run", held_out=held)
    blue, orange, green = (0x11, 0x33, 0x55), (0xCC, 0x66, 0x33), (0x22, 0x88, 0x33)
    assert {blue, orange} <= colours(tmp_path / "without.png")
    assert green not in colours(tmp_path / "without.png")
    assert {blue, orange, green} <= colours(tmp_path / "with.png")
