"""Stores that are no tables."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "db.users.delete_many({})"),
    ("block", "db.users.delete_many({'_id': {'$exists': True}})"),
    ("confirm", "db.users.delete_many({'a': 1})"),
    ("block", "import redis\nredis.Redis().flushall()"),
    ("confirm", "import redis\nredis.Redis().delete('k')"),
    ("block", "es.delete_by_query(index='a', body={'query': {'match_all': {}}})"),
    ("block", "index.delete(delete_all=True)"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
