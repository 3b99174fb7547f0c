"""What a Python snippet does: read, computed as far as its constants go, never run."""

from reactor_core.safety.python.judge import judge

__all__ = ["judge"]
