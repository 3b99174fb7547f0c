"""Mail actions: calls of mail tools, interfaces of mail libraries, mail programs of the shell."""

from reactor_core.safety.email.judge import judge

__all__ = ["judge"]
