"""Document stores and mappers of other languages."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "db.orders.deleteMany({})"),
    ("confirm", "db.orders.deleteMany({status: 'old'})"),
    ("allow", "db.orders.find({a: 1}).limit(3)"),
    ("block", "knex('users').del()"),
    ("confirm", "knex('users').where('id', 3).del()"),
    ("allow", "await prisma.user.findMany({ take: 3 })"),
    ("block", "await prisma.user.deleteMany({})"),
    ("confirm", "await prisma.user.update({ where: { id: 3 }, data: { a: 1 } })"),
    ("block", "User.delete_all"),
    ("confirm", "db.tmp_rates.drop()"),
    ("block", "DB::table('users')->truncate();"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "sql").verdict == verdict
