"""The last judge of a call: the object is of a type that is not known, and only the words of its name speak."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from reactor_core.safety.python.values import Call, Value, join_marks, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.things import split_name
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["judge_verb"]

_UNASKED = frozenset({
    "cache", "redis_cache", "queue", "self", "plt", "df", "pd", "np", "torch", "logger", "parser", "app.logger",
    "st", "ax", "fig", "widget", "canvas", "root", "driver", "page", "request", "mock", "pandas", "numpy", "matplotlib",
    "seaborn", "sklearn", "scipy", "networkx", "polars", "xarray", "bs4", "lxml", "nltk", "spacy", "transformers",
    "tensorflow", "keras", "jax", "tqdm", "rich", "click", "typer", "pytest", "PIL", "cv2", "sympy", "pydantic",
    "attrs", "ray", "faiss", "datasets", "dask", "zmq", "testclient", "h5py", "tables", "torchvision", "lightning",
    "gym",
    "gymnasium", "joblib", "simpy", "shapely", "geopandas", "torch_geometric", "playwright", "selenium",
    "jinja2", "monkeypatch", "mocker", "unittest", "hypothesis", "string", "re", "inflection", "more_itertools",
    "toolz", "sortedcontainers", "cachetools", "diskcache", "aiocache", "flask_caching", "soup", "tree", "graph", "G",
    "scene", "bpy", "pygame", "tkinter", "frame", "window", "PyQt5", "PyQt6", "PySide6", "QtWidgets", "event", "data",
    "items", "result", "results", "tokens", "words", "text", "line", "lines", "stack", "heap", "tasks", "seen", "s",
    "d", "lst", "dic", "arr", "values", "nodes", "x", "y",
})  # fmt: skip
"""Roots of names whose objects live in memory."""
_SPEAKS = frozenset({
    "imaplib", "ftplib", "poplib", "nntplib", "smtplib", "xmlrpc", "telnetlib", "winreg", "mailbox",
})  # fmt: skip
"""Python's own modules that reach what lasts."""
_ENDS = frozenset({
    "delete", "destroy", "terminate", "purge", "wipe", "erase", "nuke", "uninstall", "shutdown", "reboot", "truncate",
    "teardown", "deprovision", "revoke", "poweroff", "obliterate", "format", "expunge", "deregister", "unpublish",
    "decommission", "evict", "downgrade", "undeploy", "deactivate", "suspend", "drain", "failover",
    "factory",
    "flushall", "flushdb", "emptytrash", "ban", "unregister", "detach", "demote",
})  # fmt: skip
"""Verbs that end what does not live in memory, wherever they stand in a name."""
_ENDS_WITH_NOUN = _ENDS | {
    "drop", "remove", "kill", "reset", "flush", "disable", "stop", "rotate", "clean", "cleanup", "clear", "rm",
    "empty", "overwrite", "restore", "del",
}  # fmt: skip
_ENDS_OF_CLIENT = frozenset({
    "drop", "remove", "kill", "reset", "flush", "disable", "prune", "rm", "empty", "restore", "uncordon", "cordon",
})  # fmt: skip
"""Verbs without a noun that count where the object came out of a module that is not Python's own."""
_TELLS = frozenset({
    "pay", "charge", "refund", "transfer", "deploy", "publish", "broadcast", "tweet", "notify", "payout", "withdraw",
    "share", "invite", "grant", "announce", "email", "sms", "dial", "purchase", "checkout", "submit",
})  # fmt: skip
_TELLS_ALONE = frozenset({"pay", "charge", "refund", "deploy", "payout", "withdraw", "tweet", "grant", "purchase"})
_SENDS = frozenset(
    {"send", "post", "publish", "upload", "transfer", "share", "invite", "broadcast", "reply", "forward"}
)
_CHANGES = frozenset({
    "create", "update", "patch", "replace", "set", "scale", "restart", "apply", "modify", "enable", "attach", "promote",
    "resize", "provision", "rotate", "edit", "assign", "approve", "merge",
})  # fmt: skip
_MEMORY_NOUNS = frozenset({
    "handler", "handlers", "filter", "stopwords", "duplicates", "columns", "column", "clip", "pipe",
    "nan", "na", "index", "axis",
    "prefix", "suffix", "level", "grad", "gradients", "cache", "state", "parameters", "hook", "hooks", "whitespace",
    "punctuation", "duplicate", "outliers", "listener", "nulls", "node", "edge", "item", "layer", "buffer",
    "buffers", "memory", "figure", "output", "seed", "states", "weight", "norm", "hidden", "text", "html", "tags",
    "accents", "peak", "session", "queries", "warnings", "counter", "timer", "metrics", "mask", "stats", "random",
    "parser", "noise", "spaces", "none", "edges", "nodes", "string", "str", "date", "datetime", "time", "number",
    "currency", "exception", "exc", "traceback", "message", "path", "size", "bytes", "list", "map", "error", "json",
    "help", "usage", "table", "value", "row", "rows", "progress", "callback", "observer", "widget", "signal",
})  # fmt: skip
_OUTSIDE = frozenset({
    "client", "api", "admin", "manager", "service", "mgmt", "sdk", "conn", "connection", "cluster", "cloud", "account",
    "tenant", "org", "organization", "stripe", "slack", "twilio", "sendgrid", "mailgun", "discord", "telegram", "bot",
    "prod", "production", "drive", "calendar", "gmail", "mailbox", "w3", "exchange", "wallet", "bank", "payments",
})  # fmt: skip
"""Words in the name of an object that stands for something elsewhere."""


def judge_verb(world: World, function: Value, call: Call, part: str) -> Value | None:
    """A call of something unknown whose name says that it ends, pays, changes or publishes something."""
    method = function.last.rstrip("()")
    words = split_name(method)
    if not words or method.isupper() or (function.owner is not None and function.owner.known):
        return None
    root = function.name.split(".")[0].removesuffix("()").removesuffix("[]")
    if root in _UNASKED or root.endswith("cache") or method.startswith("__") or "TestClient" in function.name:
        return None
    if root in sys.stdlib_module_names and root not in _SPEAKS:
        return None
    outside = _outside(function)
    if _ending(function, words, call, outside):
        world.ask(f"{function.name} seems to end something", part)
        return unknown()
    if _telling(function, words, call, outside):
        many = world.repeated or "many" in join_marks([*call.args, *call.kwargs.values()])
        scale = Scale.MANY if many else Scale.ITEM
        world.say(
            found("C7", f"{function.name} seems to act for the user", Effect(function.name, scale, outward=True)), part
        )
        return unknown()
    if outside and words[0] in _CHANGES and len(words) > 1 and set(words) & _ELSEWHERE:
        world.say(found("C4", f"{function.name} seems to change something elsewhere", Effect(function.name)), part)
        return unknown()
    return None


_ELSEWHERE = frozenset({
    "cluster", "instance", "server", "deployment", "deploy", "service", "namespace", "namespaced", "vm",
    "machine", "droplet", "release", "environment", "user", "role", "policy", "permission", "permissions", "acl",
    "dns", "record", "zone", "domain", "firewall", "bucket", "database", "app", "application", "secret",
    "webhook", "pipeline", "job", "stack", "volume", "subscription", "account", "project", "repo", "repository",
    "member", "members", "access", "branch", "protection",
})  # fmt: skip


def _outside(function: Value) -> bool:
    """Whether the object seems to stand for something that is not in this process."""
    around = {word for piece in function.name.split(".")[:-1] for word in split_name(piece)}
    if around & _OUTSIDE:
        return True
    module = function.name.partition(".")[0]
    return "()" in function.name.rpartition(".")[0] and module.isidentifier() and module not in sys.stdlib_module_names


def _ending(function: Value, words: Sequence[str], call: Call, outside: bool) -> bool:
    if words[0] == "truncate" and call.args and call.args[0].known:
        return False  # a buffer or a number
    if words[0] in ("get", "is", "has", "on", "list", "can", "should", "find", "test", "check", "describe", "count"):
        return False
    nouns = set(words[1:]) - {"all", "v2"}
    if words[0] in _ENDS_WITH_NOUN and len(words) > 1 and not nouns & _MEMORY_NOUNS:
        return True
    if (
        len(words) > 1
        and set(words[1:]) & (_ENDS - {"format", "factory", "ban", "detach"})
        and not nouns & _MEMORY_NOUNS
    ):
        return outside or function.owner is not None
    if len(words) > 1:
        return outside and words[0] in _ENDS | _ENDS_OF_CLIENT
    if outside and words[0] in _ENDS_OF_CLIENT:
        return True
    known_object = function.owner is not None and bool(function.owner.name) and "?" not in function.name
    return words[0] in _ENDS - {"format"} and (known_object or function.owner is None)


def _telling(function: Value, words: Sequence[str], call: Call, outside: bool) -> bool:
    if words[0] in _TELLS and (len(words) > 1 or function.owner is None or words[0] in _TELLS_ALONE):
        return words[0] not in ("submit", "share", "email", "checkout") or outside
    given = bool(call.args or call.kwargs)
    return outside and given and bool(set(words) & _SENDS) and words[0] not in ("get", "list", "create", "on", "is")
