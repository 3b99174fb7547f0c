"""What the gate says to a line of shell, by its text alone."""

from reactor_core.safety.engine import Decision, judge_action

__all__ = ["decided", "verdict"]


def decided(action: str) -> Decision:
    return judge_action(action, "shell")


def verdict(action: str) -> str:
    return str(decided(action).verdict)
