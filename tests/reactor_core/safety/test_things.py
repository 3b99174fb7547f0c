"""What hangs on a thing."""

from __future__ import annotations

import pytest

from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.things import loss_rule, singular, stop_rule


@pytest.mark.parametrize(
    ("noun", "name", "rule"),
    [("namespaces", "prod", "B4"), ("namespaces", "tmp-1", "C4"), ("users", "7", "C3"), ("audit-logs", "", "B5"),
     ("repositories", "web", "B2"), ("snapshots", "s1", "C1")],
)  # fmt: skip
def test_the_loss_of_one(noun: str, name: str, rule: str) -> None:
    assert loss_rule(noun, name, RUBRIC_SETTING) == rule


def test_all_of_a_kind_weigh_more() -> None:
    assert loss_rule("snapshots", "", RUBRIC_SETTING, many=True) == "B1"
    assert stop_rule("instances", "", RUBRIC_SETTING, many=True) == "B4"
    assert singular("resource-groups") == "resourcegroup"
