"""What a started process tells the one that started it: its result, or the error that ended its work."""

from __future__ import annotations

import json
from pathlib import Path

from reactor_core import errors
from reactor_core.errors import ReactorError, TrainingError
from reactor_core.training.result import TrainingResult
from reactor_core.utils.files import atomic_write

__all__ = ["error_from", "error_note", "read_outcome", "write_outcome"]

_FILE = "outcome.json"


def error_note(error: ReactorError) -> dict[str, str]:
    """An error of ours as JSON."""
    return {"type": type(error).__name__, "message": str(error)}


def error_from(note: dict[str, str], *, where: str) -> ReactorError:
    """The error again, of the same type where that takes no more than a message.

    Args:
        note: Of :func:`error_note`.
        where: Put before the message of an error that has to become a TrainingError.
    """
    kind = getattr(errors, note["type"], TrainingError)
    if kind.__init__ is ReactorError.__init__:
        made: ReactorError = kind(note["message"])
        return made
    return TrainingError(f"{where}: {note['message']}")


def write_outcome(folder: Path, outcome: TrainingResult | ReactorError) -> None:
    """Write down how the work ended."""
    if isinstance(outcome, TrainingResult):
        content: dict[str, object] = {"result": outcome.summary()}
    else:
        content = {"error": error_note(outcome), "exit_code": outcome.exit_code}
    atomic_write(folder / _FILE, json.dumps(content))


def read_outcome(folder: Path) -> TrainingResult | ReactorError | None:
    """What :func:`write_outcome` wrote; None where the work has not ended."""
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if "result" in content:
        return TrainingResult.from_summary(content["result"])
    error = error_from(content["error"], where="the run ended")
    error.exit_code = content["exit_code"]
    return error
