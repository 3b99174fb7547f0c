from __future__ import annotations

import pytest
from sqlalchemy import inspect

from reactor_core.events.store.schema import upgrade
from reactor_core.events.store.tables import EVENTS, JOURNALS


@pytest.mark.parametrize("table", [EVENTS, JOURNALS], ids=lambda table: table.name)
def test_queries_see_the_columns_that_the_migrations_make(server, table):
    upgrade(server)
    made = {column["name"]: column["type"] for column in inspect(server.engine).get_columns(table.name)}
    assert list(made) == [column.name for column in table.columns]
    for column in table.columns:
        dialect = server.engine.dialect
        assert column.type.compile(dialect) == made[column.name].compile(dialect)
