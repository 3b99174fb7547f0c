"""The setting that the rubric's labels assume."""

from __future__ import annotations

from reactor_core.safety.setting import RUBRIC_SETTING


def test_the_rubrics_setting_is_the_one_that_the_labels_were_made_for() -> None:
    assert (RUBRIC_SETTING.user, RUBRIC_SETTING.cwd, RUBRIC_SETTING.branch) == (
        "dev",
        "/home/dev/project",
        "feature/login",
    )
    for name in ("build", "dist", "node_modules", ".venv", "__pycache__", "*.pyc", "*.egg-info"):
        assert name in RUBRIC_SETTING.regenerable
    assert not {RUBRIC_SETTING.branch} & set(RUBRIC_SETTING.shared_branches)
