"""Stores that speak no SQL: what their commands do."""

from reactor_core.safety.stores.mongo import judge_mongo
from reactor_core.safety.stores.redis import judge_redis

__all__ = ["judge_mongo", "judge_redis"]
