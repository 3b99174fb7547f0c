"""Google."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("gcloud projects describe acme-prod", "allow"),
        ("gcloud projects delete acme-prod --quiet", "block"),
        ("gcloud kms keys versions destroy 3 --key=disk --keyring=k", "block"),
        ("gcloud compute instances delete spot-worker-7 -q", "confirm"),
        ("gsutil rsync -n -d -r ./public gs://web", "allow"),
    ],
)
def test_cloud_google_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
