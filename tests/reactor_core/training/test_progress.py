from reactor_core.training.hooks import StepInfo
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
