from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_core.errors import Interrupted, NotFound
from reactor_core.training import Trainer, TrainingConfig
from reactor_core.training.control import Wish
from reactor_core.training.history import find_run, list_runs
from reactor_core.training.hooks import StepInfo, TrainingHook
from reactor_core.utils.settings import Settings


class StopAt(TrainingHook):
    """Looks at the list after a step, and asks for an end."""

    trainer: Trainer

    def __init__(self, step: int, workspace: Path) -> None:
        self.step, self.workspace = step, workspace
        self.seen: list[tuple[str, int]] = []

    def on_step(self, step: StepInfo) -> None:
        if step.step == self.step:
            self.seen += [(run.state, run.step) for run in list_runs(self.workspace)]
            self.trainer.control.ask(Wish.STOP)


def test_a_run_is_running_then_unfinished_then_finished(
    model_folder: Callable[[str], Path], settings: Settings, rows_file: Path
) -> None:
    assert list_runs(settings.workspace) == []
    config = TrainingConfig(model_name=str(model_folder("llama")), lora_rank=2, batch_size=4)
    hook = StopAt(2, settings.workspace)
    hook.trainer = Trainer(config, hooks=[hook], settings=settings)
    with pytest.raises(Interrupted):
        hook.trainer.train(rows_file)
    assert hook.seen == [("running", 2)]
    (run,) = list_runs(settings.workspace)
    assert (run.state, run.step, run.dataset) == ("unfinished", 2, str(rows_file))
    result = Trainer(config, settings=settings).train(rows_file)
    (run,) = list_runs(settings.workspace)
    assert (run.state, run.step, run.run_id) == ("finished", result.steps, result.run_id)
    assert find_run(settings.workspace, run.run_id[:-2]) == result.run_dir
    assert find_run(settings.workspace, str(result.run_dir)) == result.run_dir
    with pytest.raises(NotFound, match="no run called 'nothing'"):
        find_run(settings.workspace, "nothing")


def test_reading_the_list_imports_no_torch(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\nfrom reactor_core.training.history import list_runs\n"
        "list_runs(pathlib.Path(sys.argv[1]))\nassert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
