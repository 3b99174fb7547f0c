"""Amazon."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("aws ec2 describe-instances", "allow"),
        ("aws s3 rb s3://acme-prod-data --force", "block"),
        ("aws s3 rm s3://acme-tmp/x/ --recursive", "confirm"),
        ("aws ec2 terminate-instances --instance-ids i-1 --dry-run", "allow"),
        ("aws ec2 terminate-instances --instance-ids i-1", "confirm"),
    ],
)
def test_cloud_aws_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
