"""OpenAI's Responses and Chat Completions: calls that the caller would carry out go through the gate.

A ``computer_call`` with ``pending_safety_checks`` is always asked about. Once a person has agreed, its checks are
acknowledged in the ``computer_call_output`` that the caller sends back; one
that nobody agreed to cannot be acknowledged.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from reactor_core.errors import ApprovalInvalid, ConfigError
from reactor_core.safety.adapters.passing import Passing
from reactor_core.safety.adapters.tool_calls import Describe, ToolAction, computer_action, tool_actions
from reactor_core.safety.adapters.wrapping import wrap_posts

__all__ = ["install"]

_OUTPUTS = frozenset(
    (
        "function_call_output", "custom_tool_call_output", "computer_call_output", "shell_call_output",
        "local_shell_call_output", "apply_patch_call_output",
    )
)  # fmt: skip
_CALLS = frozenset(name.removesuffix("_output") for name in _OUTPUTS)


def install(client: Any, passing: Passing, *, describe: Describe | None) -> None:
    """Put the gate in front of a client."""
    wrap_posts(client, _Responses(passing, describe))


class _Responses:
    """The vendor's side of :func:`wrap_posts`."""

    def __init__(self, passing: Passing, describe: Describe | None) -> None:
        self._passing = passing
        self._describe = describe
        self._agreed: dict[str, list[dict[str, Any]]] = {}

    def concerns(self, path: str) -> bool:
        return path.partition("?")[0].rstrip("/") in ("/responses", "/chat/completions")

    def sent(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if path.startswith("/chat"):
            if body.get("stream"):
                raise ConfigError(
                    "chat completions in pieces cannot be guarded", remedy="use responses, or stream=False"
                )
            for message in body.get("messages") or ():
                if isinstance(message, Mapping) and message.get("role") == "tool":
                    self._passing.result(str(message.get("tool_call_id")))
            return body
        given = body.get("input")
        if not isinstance(given, list):
            return body
        return {**body, "input": [self._output(item) if isinstance(item, Mapping) else item for item in given]}

    def reply(self, path: str, reply: Any) -> Any:
        if path.startswith("/chat"):
            for choice in reply.choices:
                for call in choice.message.tool_calls or ():
                    function = getattr(call, "function", None)
                    name, text = (
                        (call.custom.name, call.custom.input)
                        if function is None
                        else (function.name, function.arguments)
                    )
                    self._take(call.id, tool_actions(name, _arguments(text), describe=self._describe), name)
            return reply
        if not isinstance(getattr(reply, "output", None), list):
            raise ConfigError(f"a reply of type {type(reply).__qualname__} cannot be looked into by the gate")
        for item in reply.output:
            self.take(item)
        return reply

    def filter(self, _path: str) -> _Pieces:
        return _Pieces(self)

    def take(self, item: Any) -> None:
        """Take an item of a reply through the gate.

        Raises:
            SafetyError: It does not come through.
        """
        if item.type not in _CALLS:
            return
        if item.type == "computer_call":
            checks = [check.model_dump(exclude_none=True) for check in item.pending_safety_checks]
            doubts = "; ".join(check.get("message") or check.get("code") or check["id"] for check in checks)
            steps = [*([item.action] if item.action else []), *(item.actions or [])]
            actions = [
                one for step in steps for one in computer_action(step.model_dump(mode="json"), describe=self._describe)
            ]
            if checks and not actions:
                actions = [ToolAction("gui", f"{steps[0].type if steps else 'step'}: screen")]
            if checks:
                actions = [one._replace(doubt=f"OpenAI asks: {doubts}") for one in actions]
            self._take(item.call_id, tuple(actions), "computer")
            if checks:
                self._agreed[item.call_id] = checks
            return
        self._take(item.call_id, self._actions(item), str(getattr(item, "name", item.type)))

    def _actions(self, item: Any) -> tuple[ToolAction, ...]:
        if item.type == "shell_call":
            return tuple(ToolAction("shell", command) for command in item.action.commands)
        if item.type == "local_shell_call":
            return tool_actions("shell", {"command": shlex.join(item.action.command)})
        if item.type == "apply_patch_call":
            change = item.operation
            if change.type == "delete_file":
                return tool_actions("str_replace_editor", {"command": "delete", "path": change.path})
            return tool_actions(
                "str_replace_editor", {"command": "str_replace", "path": change.path, "new_str": change.diff}
            )
        text = item.input if item.type == "custom_tool_call" else item.arguments
        return tool_actions(item.name, _arguments(text), describe=self._describe)

    def _take(self, call_id: str, actions: tuple[ToolAction, ...], name: str) -> None:
        error = self._passing.take(call_id, actions, tool=name)
        if error is not None:
            raise error

    def _output(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """A result goes back: note it, and acknowledge what people agreed to."""
        if item.get("type") not in _OUTPUTS:
            return item
        call_id = str(item.get("call_id"))
        self._passing.result(call_id, failed=item.get("status") in ("failed", "incomplete"))
        if item["type"] != "computer_call_output":
            return item
        agreed = self._agreed.pop(call_id, [])
        claimed = item.get("acknowledged_safety_checks")
        known = {check["id"] for check in agreed}
        if claimed and not {str(check["id"]) for check in claimed} <= known:
            raise ApprovalInvalid(f"nobody agreed to the safety checks of call {call_id}")
        return {**item, "acknowledged_safety_checks": agreed} if agreed else item


class _Pieces:
    """Holds back the events of a call until it is complete."""

    def __init__(self, responses: _Responses) -> None:
        self._responses = responses
        self._held: dict[int, list[Any]] = {}
        self._taken: set[str] = set()

    def waits(self, event: Any) -> bool:
        return event.type in ("response.output_item.done", "response.completed")

    def feed(self, event: Any) -> list[Any]:
        place = getattr(event, "output_index", None)
        if event.type == "response.output_item.added" and event.item.type in _CALLS:
            self._held[event.output_index] = [event]
            return []
        if event.type == "response.output_item.done" and event.item.type in _CALLS:
            self._take(event.item)
            return [*self._held.pop(event.output_index, []), event]
        if event.type in ("response.completed", "response.incomplete"):
            for item in event.response.output:
                if item.type in _CALLS:
                    self._take(item)
        if place is not None and place in self._held:
            self._held[place].append(event)
            return []
        return [event]

    def _take(self, item: Any) -> None:
        if item.call_id not in self._taken:
            self._responses.take(item)
            self._taken.add(item.call_id)


def _arguments(text: str) -> dict[str, Any]:
    """The arguments of a call; text that is no object is judged as a command."""
    try:
        given = json.loads(text) if text else {}
    except ValueError:
        given = None
    return given if isinstance(given, dict) else {"command": text}
