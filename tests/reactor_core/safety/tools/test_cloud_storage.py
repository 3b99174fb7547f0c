"""Backups and buckets."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("restic snapshots", "allow"),
        ("rclone purge remote:prod", "block"),
        ("rclone lsd remote:", "allow"),
        ("velero backup get", "allow"),
    ],
)
def test_cloud_storage_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
