"""What names say."""

from __future__ import annotations

from reactor_core.safety.naming import name_class, names_class, wordset
from reactor_core.safety.setting import RUBRIC_SETTING


def test_production_wins_over_scratch() -> None:
    assert name_class("prod-tmp", RUBRIC_SETTING) == "precious"
    assert name_class("spot-worker", RUBRIC_SETTING) == "scratch"
    assert names_class(["tmp-a", "orders"], RUBRIC_SETTING) == "plain"
    assert wordset("a b a") == {"a", "b"}
