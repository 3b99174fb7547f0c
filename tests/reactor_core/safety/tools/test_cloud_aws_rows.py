"""Special cases of Amazon."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("aws cloudtrail stop-logging --name t", "block"),
        ("aws cloudtrail start-logging --name t", "allow"),
        ("aws kms schedule-key-deletion --key-id k", "block"),
        (
            "aws iam attach-user-policy --user-name dev --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
            "block",
        ),
    ],
)
def test_cloud_aws_rows_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
