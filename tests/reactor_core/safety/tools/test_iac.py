"""Descriptions of environments."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("terraform plan -destroy", "allow"),
        ("terraform destroy -auto-approve", "block"),
        ("TF_CLI_ARGS_apply='-destroy -auto-approve' terraform apply", "block"),
        ("terraform apply plan.out", "confirm"),
        ("pulumi preview", "allow"),
        ("ansible all -m ping", "allow"),
    ],
)
def test_iac_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
