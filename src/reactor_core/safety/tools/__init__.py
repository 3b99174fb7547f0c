"""What programs do: tables for most, judges in Python for those that a table cannot state."""

from reactor_core.safety.tools.commands import judge_command

__all__ = ["judge_command"]
