"""Calls to services by their clients: clouds, clusters, hosts of code and models, chats, payments."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from reactor_core.safety.python.values import MANY, Call, Value, named, unknown
from reactor_core.safety.python.world import World
from reactor_core.safety.sensitive import personal_in
from reactor_core.safety.things import DESTROYS, STOPS, loss_rule, name_kind, split_name, stop_rule
from reactor_core.safety.verdict import Effect, Scale, found

__all__ = ["SERVICES", "judge_service_method"]

Handler = Callable[[World, Value, Call, str], Value | None]
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SAYS = frozenset({
    "chat_postMessage", "chat_update", "chat_scheduleMessage", "files_upload", "files_upload_v2", "create_tweet",
    "update_status", "create_issue", "create_comment", "create_pull", "create_issue_comment", "merge",
    "create_git_release", "create_release", "push_to_hub", "upload_file", "upload_folder", "upload_large_folder",
    "create_repo", "create_commit", "send_message", "send_photo", "post_message", "publish", "create_discussion",
    "chat_delete", "send_sms", "toot", "status_post", "send_mail", "send_email", "reply_text", "send_push",
    "create_review", "add_to_collaborators", "sendMessage", "send_raw_email", "add_collaborator", "create_event",
    "insert_event",
})  # fmt: skip
_PUBLIC = frozenset({"update_status", "create_tweet", "toot", "status_post", "create_gist", "publish"})
_PAYS = frozenset({
    "Charge", "PaymentIntent", "Refund", "Transfer", "Payout", "Subscription", "Invoice", "charges", "refunds",
    "payment_intents", "transfers", "payouts", "subscriptions", "invoices", "orders",
})  # fmt: skip
_CLOUDS = (
    "boto3.", "google.cloud", "googleapiclient", "azure.", "kubernetes", "oci.", "digitalocean", "linode_api",
    "hcloud", "openstack", "compute_v", "storage.Client", "cloudflare", "pulumi", "docker", "databricks",
    "aiobotocore", "botocore", "heroku3", "vercel", "ibm_", "tencentcloud", "huggingface_hub", "HfApi", "github",
    "Github", "gitlab", "wandb", "mlflow", "firebase_admin", "snowflake.core", "consul", "hvac", "jenkins",
    "sagemaker", "bigquery", "ec2", "s3", "rds",
)  # fmt: skip


def _manage(world: World, _: Value, call: Call, part: str) -> Value | None:
    """``call_command('flush')`` is ``django-admin flush``."""
    words = [one.string if one.string is not None else "$unknown_value" for one in call.args]
    if not words:
        world.ask("runs a command of the framework that is not known", part)
        return unknown()
    flags = ["--no-input"] if "interactive" in call.kwargs else []
    flags += [
        f"--{name.replace('_', '-')}" for name, value in call.kwargs.items() if value.known and value.value is True
    ]
    world.nested("shell", " ".join(["django-admin", *map(shlex.quote, words), *flags]))
    return unknown()


def _alembic(world: World, function: Value, call: Call, _part: str) -> Value | None:
    words = [one.string for one in call.args[1:] if one.string is not None]
    printed = call.kwargs.get("sql")
    if printed is not None and printed.value is True:
        return unknown()  # prints the statements and runs none
    world.nested("shell", " ".join(["alembic", function.last, *map(shlex.quote, words)]))
    return unknown()


def _client(_world: World, function: Value, call: Call, _part: str) -> Value | None:
    return named(f"{function.name}()", calls=(*function.calls, call))


def _secret(_world: World, _: Value, _call: Call, _part: str) -> Value | None:
    return unknown("secret")


def _keyring(world: World, function: Value, _call: Call, part: str) -> Value | None:
    world.say(found("C8", f"{function.last} of the keyring", Effect("keyring", Scale.ITEM, secret=True)), part)
    return unknown("secret")


SERVICES: dict[str, Handler] = {
    **dict.fromkeys(("django.core.management.call_command", "call_command", "management.call_command"), _manage),
    **dict.fromkeys((
        "alembic.command.downgrade", "alembic.command.upgrade", "alembic.command.stamp", "command.downgrade",
        "command.upgrade", "flask_migrate.downgrade", "flask_migrate.upgrade",
    ), _alembic),
    **dict.fromkeys((
        "getpass.getpass", "secrets.token_hex", "secrets.token_urlsafe", "secrets.token_bytes",
        "cryptography.fernet.Fernet.generate_key",
    ), _secret),
    **dict.fromkeys((
        "keyring.get_password", "keyring.set_password", "keyring.delete_password", "keyring.get_credential",
    ), _keyring),
}  # fmt: skip
"""Full name -> what it does."""


def judge_service_method(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Methods of the clients of services; None: it is something else."""
    name, method = function.name, function.last
    if name.startswith(("boto3.client()", "boto3.Session().client()", "boto3.session.Session().client()")):
        return _boto(world, function, call, part)
    if name.startswith(("git.Repo()", "Repo()", "git.Repo.init()")) or ".git." in name:
        return _git(world, function, call, part)
    if "containers.run" in name and call.args:
        return _container(world, call, part)
    if method in ("create_namespaced_pod", "create_namespaced_job", "create_namespaced_deployment"):
        world.say(found("C4", f"{method} in a cluster", Effect(method, Scale.ITEM, outward=True)), part)
        return unknown()
    if name in ("pynput.keyboard.Listener", "keyboard.on_press", "keyboard.hook", "pynput.keyboard.Listener()"):
        world.say(found("B5", "listens to every key", Effect("keyboard", Scale.ALL, secret=True)), part)
        return unknown("secret")
    if name.startswith(("browser_cookie3.", "browsercookie.", "pycookiecheat.", "win32crypt.")):
        return unknown("secret")
    if "CronTab()" in name and method in ("new", "write", "write_to_user", "remove_all"):
        world.say(found("C5", "changes scheduled work", Effect("crontab", Scale.ITEM, privilege=True)), part)
        return unknown()
    root = set(name.lower().replace("_", ".").split("."))
    if root & {"gate", "safety", "guard", "firewall", "guardrail"} and method in (
        "clear",
        "disable",
        "stop",
        "uninstall",
        "bypass",
    ):
        world.say(found("B5", f"{name} switches a safeguard off", Effect(name, Scale.ALL, privilege=True)), part)
        return unknown()
    grants = call.kwargs.get("ACL")
    if grants is not None and (grants.string or "").startswith("public"):
        world.say(found("B7", "lets everybody read a bucket or object", Effect(name, Scale.ALL, outward=True)), part)
        return unknown()
    public = call.kwargs.get("public")
    if method == "create_gist":
        shown = public is not None and public.value is True and bool(personal_in(part.replace("_", " ")))
        world.say(found("B7" if shown else "C7", "publishes a text", Effect("gist", Scale.ITEM, outward=True)), part)
        return unknown()
    if any(part_ in _PAYS for part_ in name.split(".")[:-1]) and method in (
        "create",
        "modify",
        "capture",
        "confirm",
        "cancel",
        "pay",
    ):
        world.say(
            found("C7", "moves money in the user's name", Effect(name, Scale.ITEM, outward=True, reversible=False)),
            part,
        )
        return unknown()
    if method in _SAYS:
        return _says(world, function, call, part)
    if (
        method == "create"
        and name.endswith(("messages.create", "calls.create", "tweets.create"))
        and "to" in call.kwargs
    ):
        return _says(world, function, call, part)
    if any(cloud in name for cloud in _CLOUDS):
        return _cloud(world, function, call, part)
    if name.endswith(("control.purge", "control.shutdown", "control.broadcast", "control.revoke")):
        rule = {"purge": "B3", "shutdown": "B4"}.get(method, "C4")
        world.say(found(rule, f"{method} of the workers", Effect("queue", Scale.ALL, reversible=False)), part)
        return unknown()
    return None


def _says(world: World, function: Value, _call: Call, part: str) -> Value:
    if function.last in _PUBLIC and personal_in(part.replace("_", " ")):
        world.say(found("B7", "publishes personal data", Effect(function.name, Scale.MANY, outward=True)), part)
    elif world.repeated:
        world.say(
            found("B7", "speaks to an open list in the user's name", Effect(function.name, Scale.ALL, outward=True)),
            part,
        )
    else:
        world.say(
            found("C7", "speaks or publishes in the user's name", Effect(function.name, Scale.ITEM, outward=True)), part
        )
    return unknown()


def _boto(world: World, function: Value, call: Call, part: str) -> Value | None:
    """``boto3.client('ec2').stop_instances(...)`` is ``aws ec2 stop-instances ...``."""
    opened = next((one for one in function.calls if one.name == "client"), None)
    service = opened.args[0].string if opened is not None and opened.args else None
    method = function.last
    if function.name.count(".") > 2 and "()" in function.name.rpartition(".")[0].rpartition("client()")[2]:
        return None  # a method of a result
    if service is None or not method.islower():
        return None
    if method in (
        "get_paginator",
        "get_waiter",
        "generate_presigned_url",
        "can_paginate",
        "exceptions",
        "meta",
        "close",
    ):
        return None
    if method in (
        "upload_file",
        "upload_fileobj",
        "put_object",
        "copy_object",
        "copy",
        "download_file",
        "download_fileobj",
    ):
        return _objects(world, call, method, part)
    words = ["aws", "s3api" if service == "s3" else service, method.replace("_", "-")]
    for name, value in call.kwargs.items():
        option = "--" + _CAPITALS.sub("-", name).lower().replace("_", "-")
        if value.known and isinstance(value.value, bool):
            words.append(option if value.value else "--no-" + option[2:])
            continue
        inner = value.items
        texts = [one.rendered("$unknown_value") for one in inner] if inner else [value.rendered("$unknown_value")]
        words += [option, *(shlex.quote(text) if text and "$" not in text else "$unknown_value" for text in texts)]
    judged = world.nested("shell", " ".join(words))
    if world.repeated and judged.findings and any(one.rule == "C4" for one in judged.findings):
        world.say(
            found("B4", f"{method} of everything that is listed", Effect(service, Scale.ALL, reversible=False)), part
        )
    return named(f"boto3.client().{method}()", calls=(*function.calls, call))


def _objects(world: World, call: Call, method: str, part: str) -> Value:
    if "secret" in {mark for value in (*call.args, *call.kwargs.values()) for mark in value.marks}:
        world.say(found("B5", "sends a secret to a bucket", Effect("bucket", secret=True, outward=True)), part)
        return unknown()
    if method in ("download_file", "download_fileobj"):
        target = call.get("Filename", 2)
        if target is not None:
            world.overwrite(target, part)
        return unknown("remote")
    public = any((value.string or "").startswith("public") for value in call.kwargs.values())
    world.read(call.get("Filename", 0), part)
    world.say(found("B7" if public else "C7", "uploads to a bucket", Effect("bucket", Scale.ITEM, outward=True)), part)
    return unknown()


def _git(world: World, function: Value, call: Call, _part: str) -> Value | None:
    """GitPython: ``repo.git.push('--force')`` and the methods of its objects."""
    method, name = function.last, function.name
    words = [one.string or "$unknown_value" for one in call.args]
    if ".git." in name:
        flags = [
            f"--{key.replace('_', '-')}" if len(key) > 1 else f"-{key}"
            for key, value in call.kwargs.items()
            if value.value is True
        ]
        if method == "execute" and call.args and call.args[0].items:
            words = [one.string or "$unknown_value" for one in call.args[0].items or []]
            world.nested("shell", " ".join(map(shlex.quote, words)))
        else:
            world.nested("shell", " ".join(["git", method.replace("_", "-"), *flags, *map(shlex.quote, words)]))
        return unknown()
    refspec = call.kwargs.get("refspec")
    if refspec is not None:
        words.append(refspec.string or "$unknown_value")
    forced = any(call.kwargs[key].value for key in ("force", "f") if key in call.kwargs)
    lines = {
        "push": f"git push{' --force' if forced else ''} origin {' '.join(words)}",
        "delete_head": f"git branch -D {' '.join(words)}", "delete_tag": f"git tag -d {' '.join(words)}",
        "delete_remote": f"git remote remove {' '.join(words)}",
    }  # fmt: skip
    if method == "reset" and ".head." in name:
        hard = "working_tree" in call.kwargs and call.kwargs["working_tree"].value
        world.nested("shell", "git reset --hard" if hard else "git reset")
        return unknown()
    if method in lines:
        world.nested("shell", lines[method])
        return unknown()
    return None


def _container(world: World, call: Call, _part: str) -> Value:
    """``client.containers.run(image, command, volumes=...)`` is ``docker run``."""
    words = ["docker", "run"]
    volumes = call.kwargs.get("volumes")
    if volumes is not None and volumes.known and isinstance(volumes.value, dict):
        for source, target in volumes.value.items():
            inner = target.value.get("bind") if isinstance(target, Value) and isinstance(target.value, dict) else None
            words += ["-v", shlex.quote(f"{source}:{inner.string if inner is not None else '/mnt'}")]
    elif volumes is not None and volumes.items:
        words += [word for one in volumes.items for word in ("-v", shlex.quote(one.string or "$unknown_value"))]
    for option in ("privileged",):
        words += [f"--{option}"] if option in call.kwargs and call.kwargs[option].value else []
    for option in ("pid_mode", "network_mode"):
        if option in call.kwargs:
            words.append(f"--{option.removesuffix('_mode')}={call.kwargs[option].string}")
    command = call.get("command", 1)
    inner_words = (
        [one.string or "$unknown_value" for one in command.items] if command is not None and command.items else None
    )
    text = (
        " ".join(map(shlex.quote, inner_words))
        if inner_words
        else (command.rendered("$unknown_value") if command else None)
    )
    world.nested("shell", " ".join([*words, shlex.quote(call.args[0].string or "image"), text or ""]))
    return unknown()


def _cloud(world: World, function: Value, call: Call, part: str) -> Value | None:
    """Other clients by the verb and the noun of their methods."""
    method = function.last
    words = [
        word
        for word in split_name(method)
        if word not in ("begin", "namespaced", "async", "v1", "force", "bulk", "all")
    ]
    if not words:
        return None
    nouns = " ".join(words[1:])
    if not nouns:
        before = [one for one in re.split(r"[^A-Za-z_]+", function.name.rpartition(".")[0]) if one]
        nouns = " ".join(split_name(before[-1])) if before else ""
        if nouns in ("objects", "object versions", "blobs"):
            nouns = "bucket" if not any(one.name == "filter" and one.kwargs for one in function.calls) else "object"
    verb, label = words[0], ""
    for value in (*call.args, *call.kwargs.values()):
        label = label or (value.string or "")
    for one in reversed(function.calls):
        label = label or next((value.string for value in one.args if value.string), "") or ""
    many = "all" in split_name(method) or "collection" in words or world.repeated or MANY in function.marks
    if "collection" in words or "all()" in function.name:
        many = not label or name_kind(label, world.scope.setting) != "scratch"
    effect = Effect(label or function.name, Scale.ALL if many else Scale.ITEM, reversible=False)
    if verb in DESTROYS and verb not in ("clear", "clean", "reset", "expire", "flush", "discard"):
        rule = loss_rule(nouns.replace("collection", "").strip() or "item", label, world.scope.setting, many=many)
        world.say(found(rule, f"{method} of {label or nouns or 'something'}", effect), part)
        return unknown()
    if verb in STOPS:
        rule = stop_rule(nouns or "instance", label, world.scope.setting, many=many)
        world.say(found(rule, f"{method} of {label or nouns or 'something'}", effect), part)
        return unknown()
    if verb in (
        "create", "update", "patch", "replace", "put", "set", "insert", "run", "start", "restart", "reboot",
        "scale", "resize", "attach", "apply", "add", "modify", "enable", "prune", "revoke", "upload", "rotate",
        "transfer", "edit",
    ):  # fmt: skip
        world.say(found("C4", f"{method} of {label or nouns or 'something'}", effect), part)
        return unknown()
    return None
