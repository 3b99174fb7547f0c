"""Stores that are no tables: documents, keys, search indexes, vectors."""

from __future__ import annotations

import shlex

from reactor_core.safety.python.values import Call, Value, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.things import name_kind
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["judge_indexes", "judge_keys", "judge_mongo"]


def judge_mongo(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Collections of documents."""
    name, method = function.name, function.last
    if method in ("delete_many", "update_many", "remove_many", "deleteMany", "replace_many"):
        narrow = call.get("filter", 0)
        every = narrow is not None and narrow.known and _matches_all(narrow)
        rule, scale = ("B3", Scale.ALL) if every or narrow is None else ("C3", Scale.MANY)
        world.say(
            found(
                rule, f"{method} on {name.rpartition('.')[0] or 'a collection'}", Effect(name, scale, reversible=False)
            ),
            part,
        )
        return unknown()
    if method in (
        "delete_one", "update_one", "replace_one", "find_one_and_delete", "find_one_and_update",
        "find_one_and_replace", "find_one_and_update", "bulk_write",
    ):  # fmt: skip
        world.say(found("C3", "changes a document", Effect(name, Scale.ITEM, reversible=False)), part)
        return unknown()
    if method in ("drop_collection", "drop_database", "dropDatabase"):
        world.say(found("B3", f"{method}: all documents are lost", Effect(name, Scale.ALL, reversible=False)), part)
        return unknown()
    if (
        method == "drop"
        and not call.args
        and not call.kwargs
        and ("Mongo" in name or name.startswith(("db.", "db[]", "collection")))
    ):
        rule = "C3" if name_kind(name, world.scope.setting) == "scratch" else "B3"
        world.say(found(rule, "drops a collection", Effect(name, Scale.ALL, reversible=False)), part)
        return unknown()
    return None


def _matches_all(value: Value) -> bool:
    inner = value.value
    if not isinstance(inner, dict):
        return inner is None
    if not inner:
        return True
    return all(_trivial(key, one) for key, one in inner.items())


def _trivial(key: object, value: object) -> bool:
    tested = value.value if isinstance(value, Value) else value
    if key == "$where":
        return isinstance(tested, str) and tested.strip().lower() in ("true", "1", "return true")
    if key == "$or" and isinstance(value, Value) and value.items:
        return any(_matches_all(one) for one in value.items)
    if not isinstance(tested, dict):
        return False
    return any(
        (test == "$exists" and isinstance(one, Value) and one.value is True and key in ("_id", "id"))
        or (test in ("$ne", "$gt", "$gte") and isinstance(one, Value) and one.known and one.value in (None, 0, -1, ""))
        or (test == "$regex" and isinstance(one, Value) and one.value in (".*", "", "^"))
        for test, one in tested.items()
    )


def judge_keys(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Redis and its kind."""
    name, method = function.name.lower(), function.last
    if name.startswith(("fakeredis.", "birdisle.", "mockredis.")):
        return unknown()  # stores of a test, in this process
    if method in ("flushall", "flushdb"):
        world.say(found("B3", "empties a store of keys", Effect(function.name, Scale.ALL, reversible=False)), part)
        return unknown()
    redis = "redis" in name or name.startswith(("r.", "rdb."))
    words = [one.string or "$unknown_value" for one in call.args]
    if method == "execute_command" and words:
        world.nested("shell", shlex.join(["redis-cli", *words]))
        return unknown("input")
    if redis and method in ("delete", "unlink", "hdel", "ltrim", "rename", "getdel", "expire"):
        many = world.repeated or (call.args and "keys" in call.args[0].name)
        rule = "B3" if many and any((one.args[0].string or "") == "*" for one in function.calls if one.args) else "C3"
        world.say(
            found(rule, "deletes keys", Effect("keys", Scale.MANY if many else Scale.ITEM, reversible=False)), part
        )
        return unknown()
    if redis and method in (
        "shutdown",
        "config_set",
        "script_flush",
        "slaveof",
        "replicaof",
        "config_rewrite",
        "debug_segfault",
    ):
        rule = "B4" if method == "shutdown" else "C5"
        world.say(found(rule, f"{method} of a store of keys", Effect("redis", Scale.ALL, reversible=False)), part)
        return unknown()
    return None


def judge_indexes(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Search engines and stores of vectors."""
    name, method = function.name, function.last
    if method == "delete_by_query" or method == "update_by_query":
        body = call.kwargs.get("body") or call.kwargs.get("query") or call.get("", 1)
        every = body is None or "match_all" in repr(body)
        world.say(
            found(
                "B3" if every else "C3", "changes documents of an index", Effect("index", Scale.MANY, reversible=False)
            ),
            part,
        )
        return unknown()
    if ".indices." in name and method in ("delete", "close", "delete_alias", "delete_index_template"):
        world.say(
            found(
                "B3" if method == "delete" else "C4",
                f"{method} of an index",
                Effect("index", Scale.ALL, reversible=False),
            ),
            part,
        )
        return unknown()
    if method in ("delete_collection", "delete_index", "drop_index_table", "delete_database"):
        world.say(found("B3", f"{method}: all entries are lost", Effect(method, Scale.ALL, reversible=False)), part)
        return unknown()
    whole = call.kwargs.get("delete_all") or call.kwargs.get("deleteAll")
    if method == "delete" and whole is not None and whole.value:
        world.say(found("B3", "deletes all entries", Effect("index", Scale.ALL, reversible=False)), part)
        return unknown()
    return None
