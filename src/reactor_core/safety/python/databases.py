"""Calls that reach databases: SQL as text, mappers of objects, documents and caches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from reactor_core.safety.python.stores import judge_indexes, judge_keys, judge_mongo
from reactor_core.safety.python.values import DECODED, Call, Value, named, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["DATABASES", "judge_database_method"]

Handler = Callable[[World, Value, Call, str], Value | None]
_HEAD = re.compile(
    r"^[\s(;]*(?:--[^\n]*\n|/\*.*?\*/|\s)*(?:/\*!|select|insert|update|delete|drop|truncate|alter|create|grant|revoke|merge|with"
    r"|replace|call|exec|execute|begin|commit|rollback|set|show|describe|explain|vacuum|pragma|copy|attach|load|use|kill|do|analyze"
    r"|optimize|reindex|lock|refresh|declare|if|comment|values|table|rename|purge|flush|reset|shutdown|restore|backup)\b",
    re.IGNORECASE | re.DOTALL,
)
_CYPHER = re.compile(
    r"\bmatch\b.*\b(?:detach\s+delete|delete|remove)\b|^\s*g\.V\(\).*\bdrop\(\)", re.IGNORECASE | re.DOTALL
)
_MAKES = re.compile(r"\s*create\s+(?:local\s+|global\s+)?temp(?:orary)?\s+table\b", re.IGNORECASE)
_RUNS = frozenset({
    "execute", "executemany", "executescript", "exec_driver_sql", "raw", "run_sql", "execute_sql", "sql", "query",
    "mogrify", "execute_string", "run_query", "fetch", "fetchval", "fetchrow", "command", "execute_query",
    "scalars", "scalar", "execute_async", "copy_expert", "execute_immediate", "do", "fetch_all", "fetch_one",
    "execute_batch", "prepare", "query_df", "read_sql", "run",
})  # fmt: skip
_SURE = frozenset({"execute", "executemany", "executescript", "exec_driver_sql"})
_NOT_RUN = frozenset({"mogrify", "prepare"})
_DIALECTS = {
    "sqlite3": "sqlite", "psycopg": "postgres", "asyncpg": "postgres", "pymysql": "mysql", "MySQLdb": "mysql",
    "mysql.": "mysql", "aiomysql": "mysql", "pyodbc": "tsql", "pymssql": "tsql", "aiosqlite": "sqlite",
    "duckdb": "duckdb", "snowflake": "snowflake", "clickhouse": "clickhouse", "google.cloud.bigquery": "bigquery",
    "oracledb": "oracle", "cx_Oracle": "oracle",
}  # fmt: skip
_NARROWS = frozenset(
    {"filter", "filter_by", "where", "exclude", "having", "get", "first", "limit", "find", "search", "match"}
)


def _text(_world: World, _: Value, call: Call, _part: str) -> Value | None:
    first = call.args[0] if call.args else None
    return replace(first, path=False) if first is not None else unknown()


def _pandas(world: World, _: Value, call: Call, _part: str) -> Value | None:
    first = call.get("sql", 0)
    if first is not None and first.string is not None and " " in first.string.strip():
        world.nested("sql", first.string)
    return unknown("input")


def _built(_world: World, function: Value, call: Call, _part: str) -> Value | None:
    """``delete(User)``: nothing runs until it is executed."""
    return named(f"sqlalchemy.{function.last}()", calls=(call,))


DATABASES: dict[str, Handler] = {

    **dict.fromkeys((
        "sqlalchemy.text", "text", "django.db.models.expressions.RawSQL", "psycopg.sql.SQL", "psycopg2.sql.SQL",
        "sqlalchemy.sql.text", "sql.SQL",
    ), _text),
    **dict.fromkeys((
        "pandas.read_sql", "pandas.read_sql_query", "pd.read_sql", "pd.read_sql_query", "polars.read_database",
        "pl.read_database", "duckdb.sql", "duckdb.query", "pandas.io.sql.execute",
    ), _pandas),
    **dict.fromkeys(("sqlalchemy.delete", "sqlalchemy.update", "sqlalchemy.insert", "sqlalchemy.select"), _built),
}  # fmt: skip
"""Full name -> what it does with databases."""


def judge_database_method(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Methods that run SQL, or that delete and change rows, documents and keys; None: it is something else."""
    name, method = function.name, function.last
    if method == "format" and function.owner is not None and function.owner.string is not None:
        return None
    if method == "callproc":
        world.ask("calls a stored procedure", part)
        return unknown("input")
    if method in _RUNS and call.args and (run := _execute(world, function, call, part)) is not None:
        return run
    for judge in (_mapped, judge_mongo, judge_keys, judge_indexes, _schema):
        result = judge(world, function, call, part)
        if result is not None:
            return result
    if method == "to_sql" and call.kwargs.get("if_exists") is not None:
        how = call.kwargs["if_exists"].string
        if how != "fail":
            rule = "B3" if how == "replace" else "C3"
            target = call.get("name", 0)
            table = (target.string if target is not None else None) or "a table"
            world.say(found(rule, f"writes over {table}", Effect(table, Scale.ALL, reversible=False)), part)
        return unknown()
    if (over_table := call.kwargs.get("if_table_exists")) is not None and method == "write_database":
        rule = "B3" if over_table.string == "replace" else "C3"
        world.say(found(rule, "writes over a table", Effect("table", Scale.ALL, reversible=False)), part)
        return unknown()
    if method in ("saveAsTable", "insertInto", "jdbc", "createOrReplace", "overwritePartitions", "overwrite"):
        over = method in ("createOrReplace", "overwrite") or any(
            one.string == "overwrite" for made in (*function.calls, call) for one in (*made.args, *made.kwargs.values())
        )
        if ".write" in name:
            rule = "B3" if over else "C3"
            world.say(found(rule, f"{method} of a table", Effect("table", Scale.ALL, reversible=not over)), part)
            return unknown()
    if name.endswith(".to_sql"):
        world.say(found("C3", "makes a table of many rows", Effect("table", Scale.MANY)), part)
        return unknown()
    return None


def _execute(world: World, function: Value, call: Call, part: str) -> Value | None:
    """A text of SQL, or a statement that was built."""
    method, first = function.last, call.args[0]
    if first.name.startswith(("sqlalchemy.delete()", "sqlalchemy.update()")):
        narrowed = _narrowed(first)
        rule = "C3" if narrowed else "B3"
        says = "changes some rows" if narrowed else "changes every row of a table"
        world.say(found(rule, says, Effect("table", Scale.ITEM if narrowed else Scale.ALL, reversible=False)), part)
        return unknown()
    if ".delete()" in first.name or ".drop()" in first.name:
        return _rows(world, first, part, "deletes")
    if first.name.startswith("sqlalchemy."):
        many = len(call.args) > 1 and "insert" in first.name
        if many:
            world.say(found("C3", "adds many rows", Effect("table", Scale.MANY)), part)
        return unknown("input")
    text = first.string if not first.path else None
    if text is None:
        text = first.rendered("unknown_name")
    if method in _NOT_RUN and "asyncpg" not in function.name:
        return None
    if text is not None and _CYPHER.search(text):
        narrowed = re.search(r"\bwhere\b|\{[^}]*:|\bhas\(", text, re.IGNORECASE) is not None
        rule = "C3" if narrowed else "B3"
        world.say(found(rule, "deletes from a graph", Effect("graph", Scale.MANY, reversible=False)), part)
        return unknown("input")
    if text is None or not _HEAD.match(text):
        if text is None and method in _SURE and (_database(function) or function.owner is not None):
            world.ask("runs a statement of SQL that is not known", part)
            return unknown("input")
        return None
    dialect = next((known for start, known in _DIALECTS.items() if function.name.startswith(start)), "")
    changes: dict[str, object] = {"dialect": dialect}
    opened = next((one for one in function.calls if one.name in ("connect", "create_engine")), None)
    where = opened.args[0].string if opened is not None and opened.args else None
    if where is not None:
        changes["host"] = (
            ":memory:" if ":memory:" in where or where in ("sqlite://", "sqlite:///") else where.split("@")[-1]
        )
    if method == "executemany":
        judged = world.nested("sql", text, decoded=DECODED in first.marks, **changes)
        if text.lstrip()[:6].upper() == "INSERT" and not judged.findings and changes.get("host") != ":memory:":
            world.say(found("C3", "adds many rows", Effect("table", Scale.MANY)), part)
        return unknown("input")
    world.nested("sql", ";\n".join([*world.tables, text]), decoded=DECODED in first.marks, **changes)
    if _MAKES.match(text):
        world.tables.append(text)
    return unknown("input")


def _database(function: Value) -> bool:
    words = set(re.split(r"[^a-z]+", function.name.lower()))
    known = {
        "cursor",
        "conn",
        "connection",
        "cur",
        "session",
        "engine",
        "db",
        "database",
        "c",
        "cnx",
        "con",
        "tx",
        "client",
    }
    return bool(words & known)


def _narrowed(value: Value) -> bool:
    """Whether one of the calls on the way picks rows."""
    return any(call.name in _NARROWS and _picks(call) for call in value.calls)


def _picks(call: Call) -> bool:
    """Whether the arguments of a filter leave rows out."""
    if call.name in ("first", "limit", "get"):
        return True
    if not call.args and not call.kwargs:
        return call.starred
    if call.name == "exclude":
        keys = [name for name, value in call.kwargs.items() if not (name.split("__")[0] in _KEYS and value.known)]
        return bool(keys or call.args)
    return any(not _always(name, value) for name, value in call.kwargs.items()) or any(
        _condition_picks(one) for one in call.args
    )


_KEYS = ("id", "pk", "uuid", "_id", "created_at", "created", "date_joined")


def _always(name: str, value: Value) -> bool:
    """``pk__gte=0`` and ``id__isnull=False`` are true of every row."""
    column, _, test = name.partition("__")
    if column not in _KEYS:
        return False
    if test in ("gt", "gte") and value.known and isinstance(value.value, (int, float)):
        return bool(value.value <= 1)
    if test in ("lt", "lte") and value.known and isinstance(value.value, (int, float)):
        return bool(value.value >= 10**8)
    if test == "isnull":
        return value.known and not value.value
    if test == "in":
        return ".objects" in value.name and not _narrowed(value)
    return test == "lte" and "now" in value.name


def _condition_picks(value: Value) -> bool:
    """Whether a condition in Python's operators picks rows: ``User.id == 5`` does, ``User.id > 0`` does not."""
    if value.known:
        if isinstance(value.value, dict):
            return bool(value.value)
        return (
            not value.value
            if isinstance(value.value, bool)
            else not (isinstance(value.value, (int, str)) and value.value)
        )
    if value.name in ("sqlalchemy.true()", "true()") or value.last in ("is_not()", "isnot()"):
        return False
    if value.name == "comparison" and value.calls:
        sides = value.calls[-1].args
        if len(sides) == 2 and sides[0].name and sides[0].name == sides[1].name:
            return False
        column, other = sides[0], sides[-1]
        if column.last in _KEYS and other.known and (other.value is None or other.value in (0, -1)):
            return False
    return not (value.name.endswith("Q()") and value.calls and not value.calls[-1].args and not value.calls[-1].kwargs)


def _mapped(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Mappers of objects: Django, SQLAlchemy, peewee, Tortoise, Pony, MongoEngine."""
    name, method, calls = function.name, function.last, function.calls
    if name.startswith(("boto3", "google", "azure")):
        return None
    mapped = (
        ".objects" in name or ".query" in name or "query()" in name or "_default_manager" in name or "QuerySet" in name
    )
    if method == "execute" and ".delete()" in name and not call.args:
        return _rows(world, function, part, "deletes")
    if method == "execute" and ".update()" in name and not call.args:
        return _rows(world, function, part, "changes")
    if mapped and method in ("delete", "_raw_delete", "adelete", "hard_delete", "delete_all"):
        return _rows(world, function, part, "deletes")
    if mapped and method in ("update", "aupdate", "update_many") and (call.args or call.kwargs):
        return _rows(world, function, part, "changes")
    if mapped and method in (
        "bulk_create",
        "bulk_update",
        "abulk_create",
        "update_or_create",
        "bulk_save_objects",
        "in_bulk_update",
    ):
        world.say(found("C3", "changes many rows", Effect("table", Scale.MANY, reversible=False)), part)
        return unknown()
    if mapped and method == "drop_collection":
        world.say(found("B3", "drops a collection", Effect("collection", Scale.ALL, reversible=False)), part)
        return unknown()
    if method == "save" and any(one.name in ("get", "first", "last", "latest", "get_object_or_404") for one in calls):
        world.say(found("C3", "changes a row", Effect("row", Scale.ITEM, reversible=False)), part)
        return unknown()
    if mapped and method == "save" and "[]" in name:
        world.say(found("C3", "changes rows", Effect("rows", Scale.MANY, reversible=False)), part)
        return unknown()
    if method == "delete" and call.args and _session(function):
        world.say(found("C3", "deletes a row", Effect("row", Scale.ITEM, reversible=False)), part)
        return unknown()
    if method in ("bulk_insert_mappings", "bulk_save_objects", "bulk_update_mappings", "insert_many"):
        world.say(found("C3", "changes many rows", Effect("table", Scale.MANY)), part)
        return unknown()
    if name.endswith(".delete().where().execute"):
        return _rows(world, function, part, "deletes")
    if method in ("delete_by_id", "delete_instance", "bulk_delete"):
        world.say(found("C3", "deletes rows", Effect("row", Scale.ITEM, reversible=False)), part)
        return unknown()
    return None


def _session(function: Value) -> bool:
    return function.owner is not None and (
        "session" in function.owner.name.lower() or function.owner.name.lower() in ("db", "s", "db.session")
    )


def _rows(world: World, function: Value, part: str, does: str) -> Value:
    """Rows that a chain of filters stands for are deleted or changed."""
    narrowed = _narrowed(function)
    if "[]" in function.name and "()[]" in function.name and world.repeated and not narrowed:
        narrowed = False
    rule, scale = ("C3", Scale.ITEM) if narrowed else ("B3", Scale.ALL)
    model = function.name.split(".")[0].removesuffix("[]")
    says = f"{does} some rows of {model}" if narrowed else f"{does} every row of {model}"
    world.say(found(rule, says, Effect(model, scale, reversible=False)), part)
    return unknown()


def _schema(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Tables as objects, and migrations."""
    name, method = function.name, function.last
    dropping: Sequence[str] = (
        "drop_all", "drop_tables", "drop_all_tables", "drop_table", "truncate_table", "drop_database",
        "drop_schema", "delete_table", "truncate_tables", "reset_db", "flush_db",
    )  # fmt: skip
    if method in dropping and not name.startswith(("pd.", "df.")):
        target = call.args[0] if call.args else None
        opened = [one for value in (*call.args, *call.kwargs.values()) for one in value.calls]
        if any(":memory:" in (value.string or "") for one in opened for value in one.args):
            return unknown()
        scratch = (
            target is not None
            and target.string is not None
            and any(w in target.string for w in world.scope.setting.scratch_words)
        )
        world.say(
            found("C3" if scratch else "B3", f"{method}: tables are lost", Effect(name, Scale.ALL, reversible=False)),
            part,
        )
        return unknown()
    if method == "drop" and ("__table__" in name or "Table()" in name):
        world.say(found("B3", "drops a table", Effect(name, Scale.ALL, reversible=False)), part)
        return unknown()
    if (name.startswith("op.") or "migrations." in name or "alembic.op" in name) and method in (
        "drop_column",
        "drop_index",
        "drop_constraint",
        "alter_column",
        "rename_table",
        "RemoveField",
        "AlterField",
    ):
        world.say(found("C3", f"{method} in a migration", Effect(method, Scale.ITEM, reversible=False)), part)
        return unknown()
    return None
