"""What a run costs: machine time at a stated price, what was spent on steps that had to be made again, and a limit.

Only a price that somebody states counts; without one a run has a duration and no cost. Energy is not estimated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reactor_core.cost.prices import NANO_USD, MachinePrice, to_usd
from reactor_core.errors import ConfigError
from reactor_core.events.vocabulary import EventType
from reactor_core.training.curves import read_log
from reactor_core.training.hooks import RunInfo, StepInfo, TrainingHook
from reactor_core.utils.files import storage_errors
from reactor_core.utils.ids import new_id

__all__ = ["NO_PRICE", "BudgetHook", "CostHook", "cost_facts", "note_redone", "redone"]

NO_PRICE = "no price is stated for this machine: set REACTOR_MACHINE_PRICE_USD_PER_HOUR"
"""Why a card has no cost."""

_REDONE = "redone.jsonl"


def note_redone(folder: Path, log: Path, *, step: int) -> None:
    """Note the steps of a killed session that are behind its last checkpoint: they were paid for, and are made again.

    Args:
        folder: The run's.
        log: Its loss curve, before the lines of those steps are taken out.
        step: Of the checkpoint that the run goes on from.

    Raises:
        StorageFull: No space is left.
    """
    lost = [line for line in read_log(log) if line["step"] > step] if log.exists() else []
    if not lost:
        return
    seconds = sum(line["seconds"] for line in lost)
    # Elapsed time names the session's end, so that a kill between this note and the cut is not counted twice.
    note = {"after": step, "steps": len(lost), "seconds": seconds, "elapsed": lost[-1]["elapsed"]}
    if note not in _notes(folder):
        with storage_errors(folder / _REDONE), (folder / _REDONE).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(note) + "\n")


def redone(folder: Path) -> tuple[int, float]:
    """Steps that a run had to make again, and the seconds that their first time took.

    What a machine that is gone did after its last upload is not known here and not in it.
    """
    notes = _notes(folder)
    return sum(note["steps"] for note in notes), sum(note["seconds"] for note in notes)


def _notes(folder: Path) -> list[dict[str, Any]]:
    return read_log(folder / _REDONE) if (folder / _REDONE).exists() else []


def cost_facts(
    price: MachinePrice | None, *, seconds: float, tokens: int, again: tuple[int, float] = (0, 0.0)
) -> dict[str, Any]:
    """A run's cost for its card, as JSON values.

    Args:
        price: Of the machine; None if nobody stated one.
        seconds: Of training that went into the result.
        tokens: That were trained.
        again: As :func:`redone` gives it.
    """
    whole = seconds + again[1]
    cost = None if price is None else price.cost(whole)
    return {
        "seconds": seconds,
        "redone_steps": again[0],
        "redone_seconds": again[1],
        "nano_usd": cost,
        "usd": None if cost is None else to_usd(cost),
        "usd_per_million_tokens": None if cost is None or not tokens else to_usd(cost) * 1e6 / tokens,
        "price": None if price is None else price.as_dict(),
        "reason": NO_PRICE if price is None else None,
    }


class BudgetHook(TrainingHook):
    """Ends a run before the step that would probably cost more than what is left. The result is written as usual.

    Args:
        price: Of the machine.
        max_cost_usd: What the run may cost, time that was lost to kills included.

    Raises:
        ConfigError: There is no price to reckon with.
    """

    def __init__(self, price: MachinePrice | None, max_cost_usd: float) -> None:
        if price is None:
            raise ConfigError(
                f"max_cost_usd={max_cost_usd:g} needs a price of this machine",
                remedy="set REACTOR_MACHINE_PRICE_USD_PER_HOUR, or use max_seconds",
            )
        self._price, self._most = price, round(max_cost_usd * NANO_USD)
        self._lost = self._expected = 0.0

    def on_start(self, run: RunInfo) -> None:
        """Count what earlier sessions lost."""
        self._lost = redone(run.run_dir)[1]

    def on_step(self, step: StepInfo) -> None:
        """Reckon with another step as long as this one."""
        self._expected = self._lost + step.elapsed + step.seconds

    def should_stop(self) -> str | None:
        """``budget`` if the next step would pass the limit."""
        return "budget" if self._price.cost(self._expected) > self._most else None


class CostHook(TrainingHook):
    """Publishes COST_UPDATE: what was spent since the last one, as a charge (``amount``) and not as a total.

    Every charge of a session has a key of its own, so that none counts twice; a step that is made again after a kill is
    charged again, since it is paid again. The charges of a session add up to its time at the price, to the nano-dollar.

    Args:
        bridge: An ``EventBridge``, or anything with its ``publish_sync``.
        price: Of the machine; with None nothing is published.
        every: Steps between charges.
    """

    def __init__(self, bridge: Any, price: MachinePrice | None, *, every: int = 10) -> None:
        self._bridge, self._price, self._every = bridge, price, every
        self._run_id = self._session = ""
        self._begun = self._charged = self._now = 0.0
        self._first = self._last = 0

    def on_start(self, run: RunInfo) -> None:
        """Begin to count."""
        self._run_id, self._session = run.run_id, new_id()
        self._begun = self._charged = self._now = run.elapsed
        self._first, self._last = run.step + 1, run.step

    def on_step(self, step: StepInfo) -> None:
        """Charge every so many steps."""
        self._now, self._last = step.elapsed, step.step
        if step.step % self._every == 0:
            self._charge()

    def on_pause(self, step: int) -> None:  # noqa: ARG002  the last step is known
        """Charge what is open: a pause may be long."""
        self._charge()

    def on_end(self, result: Any) -> None:
        """Charge the rest."""
        self._now = result.seconds
        self._charge()

    def on_error(self, error: BaseException) -> None:  # noqa: ARG002  what was spent was spent
        """Charge the rest."""
        self._charge()

    def _charge(self) -> None:
        if self._price is None or self._now <= self._charged:
            return
        # Differences of rounded sums, so that the charges of a session add up.
        amount = self._price.cost(self._now - self._begun) - self._price.cost(self._charged - self._begun)
        data = {
            "service": "training",
            "run_id": self._run_id,
            "amount": to_usd(amount),
            "nano_usd": amount,
            "duration_minutes": (self._now - self._charged) / 60,
            "first_step": self._first,
            "last_step": self._last,
            "price": self._price.describe(),
        }
        key = f"{self._run_id}:{self._session}:{self._first}-{self._last}:{self._now!r}"
        self._bridge.publish_sync(EventType.COST_UPDATE, data, dedup_key=key)
        self._charged, self._first = self._now, self._last + 1
