"""Words of single hosters."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("heroku pg:reset DATABASE_URL -a acme-prod --confirm acme-prod", "block"),
        ("heroku ps --app acme-prod", "allow"),
        ("supabase db reset --linked", "block"),
        ("ETCDCTL_API=3 etcdctl del '' --prefix", "block"),
    ],
)
def test_cloud_words_decides(action: str, verdict: str) -> None:
    assert str(judge_action(action, "cloud").verdict) == verdict
