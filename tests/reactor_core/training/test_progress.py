from pathlib import Path

from reactor_core.training.hooks import CheckpointInfo, EvalInfo, RunInfo, StepInfo
from reactor_core.training.progress import ProgressHook


def info(step, seconds):
    return StepInfo(
        step=step, epoch=0.1, progress=step / 10, loss=0.5, learning_rate=1e-3, grad_norm=1.0, tokens=300,
        tokens_computed=250, seconds=seconds, elapsed=seconds * step,
    )  # fmt: skip


def test_step_loss_and_mean_speed_are_shown():
    seen = []
    hook = ProgressHook(lambda text, share: seen.append((text, share)))
    hook.on_step(info(1, 1.0))
    hook.on_step(info(2, 2.0))
    # 600 tokens in 3 seconds.
    assert seen == [("step 1, loss 0.500, 300 tokens/s", 0.1), ("step 2, loss 0.500, 200 tokens/s", 0.2)]


def test_the_number_of_steps_and_the_last_held_out_loss_are_shown():
    seen = []
    hook = ProgressHook(lambda text, share: seen.append(text))
    hook.on_start(RunInfo("run", Path(), "tiny", rows=4, total_steps=8, step=0, max_seconds=None, dataset_hash=""))
    hook.on_eval(EvalInfo(step=1, loss=0.25, best=True, seconds=0.1))
    hook.on_step(info(2, 1.0))
    hook.on_eval(EvalInfo(step=2, loss=0.375, best=False, seconds=0.1))
    hook.on_step(info(3, 1.0))
    assert seen == [
        "step 2 of 8, loss 0.500, held-out 0.250 (best), 300 tokens/s",
        "step 3 of 8, loss 0.500, held-out 0.375, 300 tokens/s",
    ]


def test_how_often_the_run_is_saved_is_shown_when_it_is_known():
    seen = []
    hook = ProgressHook(lambda text, share: seen.append(text))
    hook.on_step(info(1, 1.0))
    hook.on_checkpoint(CheckpointInfo(step=1, seconds=0.2, interval_seconds=37.94))
    hook.on_step(info(2, 1.0))
    assert seen == ["step 1, loss 0.500, 300 tokens/s", "step 2, loss 0.500, 300 tokens/s, saved every 37.9 s"]
