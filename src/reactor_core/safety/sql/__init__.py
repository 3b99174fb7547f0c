"""What a SQL text does: read as every dialect would read it, and judged by the worst reading."""

from reactor_core.safety.sql.judge import judge

__all__ = ["judge"]
