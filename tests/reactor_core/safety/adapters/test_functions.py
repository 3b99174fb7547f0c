from __future__ import annotations

import pytest
from tests.reactor_core.safety.adapters.conftest import Asked, trail

from reactor_core.errors import ActionBlocked, ActionDenied
from reactor_core.safety.adapters import guarded
from reactor_core.safety.gate import SafetyGate


def test_a_function_runs_if_what_it_does_is_let_through(gate: SafetyGate, people: Asked) -> None:
    @guarded(gate, kind="sql", action="DELETE FROM {table} WHERE id = {row}")
    def delete(table: str, row: int = 5) -> str:
        """Delete a row."""
        return f"{table} {row}"

    assert delete("users") == "users 5"
    assert (delete.__name__, delete.__doc__) == ("delete", "Delete a row.")
    assert [entry.action for entry in trail(gate)] == ["DELETE FROM users WHERE id = 5"]
    people.yes = False
    with pytest.raises(ActionDenied):
        delete(table="users", row=6)
    with pytest.raises(TypeError):
        delete()


async def test_a_coroutine_function_does_too(gate: SafetyGate) -> None:
    ran = []

    @guarded(gate, kind="sql", action=lambda query: query)
    async def ask(query: str) -> str:
        ran.append(query)
        return "rows"

    assert await ask("SELECT 1") == "rows"
    with pytest.raises(ActionBlocked):
        await ask("DROP TABLE users")
    assert ran == ["SELECT 1"]
    assert [entry.outcome for entry in trail(gate)] == ["completed", ""]


def test_a_function_without_words_is_judged_as_its_call(gate: SafetyGate) -> None:
    @guarded(gate, kind="file")
    def read_file(path: str, limit: int = 10) -> int:
        return limit

    assert read_file("src/a.py") == 10
    assert [entry.action for entry in trail(gate)] == ['read_file(path="src/a.py", limit=10)']
