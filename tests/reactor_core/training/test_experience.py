from __future__ import annotations

import pytest

from reactor_core.data.records import read_dataset
from reactor_core.errors import NothingToTrain
from reactor_core.integration import EventBridge, EventSource
from reactor_core.training.experience import experience_dataset
from reactor_core.utils.settings import Settings


async def test_the_decisions_of_the_journal_become_a_dataset_of_verdicts(settings: Settings) -> None:
    async with EventBridge(source=EventSource.JARVIS_AGENT, workspace=settings.workspace, settings=settings) as bridge:
        await bridge.emit_safety_blocked(action="rm -rf /", reason="root", safety_tier="TIER_1_CRITICAL")
        await bridge.emit_safety_audit(goal="ls -la", plan_steps=1, verdict="SAFE", risk_level="LOW")
        await bridge.emit_safety_confirmation(
            action="git push --force", risk_level="MEDIUM", confirmed=False, confirmation_method="terminal"
        )
        await bridge.publish("cost_update", {"amount": 0.5})

    rows = read_dataset(experience_dataset(settings)).rows

    verdicts = {row.messages[-1].content.strip() for row in rows}
    assert verdicts == {"allow", "confirm", "block"}
    assert sorted(row.source["seq"] for row in rows) == [1, 2, 3]


def test_a_journal_without_decisions_is_nothing_to_train_on(settings: Settings) -> None:
    with pytest.raises(NothingToTrain):
        experience_dataset(settings)
