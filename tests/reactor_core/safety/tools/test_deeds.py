"""Deeds."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("gcloud compute instances stop web-4", "confirm"),
        ("gcloud compute instances stop $(gcloud compute instances list --format='value(name)')", "block"),
        ("doctl compute droplet delete $(doctl compute droplet list --format ID --no-header) -f", "block"),
    ],
)
def test_deeds_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
