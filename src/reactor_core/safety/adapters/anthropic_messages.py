"""Anthropic's Messages API: ``tool_use`` blocks go through the gate, whole or in pieces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reactor_core.errors import ConfigError, SafetyError
from reactor_core.safety.adapters.passing import Passing
from reactor_core.safety.adapters.tool_calls import Describe, tool_actions
from reactor_core.safety.adapters.wrapping import wrap_posts

__all__ = ["install"]


def install(client: Any, passing: Passing, *, refused: str, describe: Describe | None) -> None:
    """Put the gate in front of a client."""
    wrap_posts(client, _Messages(passing, refused, describe))


class _Messages:
    """The vendor's side of :func:`wrap_posts`."""

    def __init__(self, passing: Passing, refused: str, describe: Describe | None) -> None:
        self.passing = passing
        self.raises = refused == "raise"
        self._describe = describe

    def concerns(self, path: str) -> bool:
        return path.partition("?")[0].rstrip("/") == "/v1/messages"

    def sent(self, _path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The results of earlier calls go back to the model: that is what came of them."""
        for message in body.get("messages") or ():
            content = message.get("content") if isinstance(message, Mapping) else None
            for block in content if isinstance(content, list) else ():
                if isinstance(block, Mapping) and block.get("type") == "tool_result":
                    self.passing.result(str(block.get("tool_use_id")), failed=bool(block.get("is_error")))
        return body

    def reply(self, _path: str, reply: Any) -> Any:
        if not isinstance(getattr(reply, "content", None), list):
            raise ConfigError(f"a reply of type {type(reply).__qualname__} cannot be looked into by the gate")
        for i, block in enumerate(reply.content):
            if getattr(block, "type", None) == "tool_use":
                error = self.take(block.id, block.name, block.input, str(getattr(block, "toolset_name", None) or ""))
                if error is not None:
                    reply.content[i] = _text_block(block, _says(block.name, error))
        if reply.stop_reason == "tool_use" and not any(block.type == "tool_use" for block in reply.content):
            reply.stop_reason = "end_turn"
        return reply

    def filter(self, _path: str) -> _Pieces:
        return _Pieces(self)

    def take(self, call_id: str, name: str, given: Any, toolset: str) -> SafetyError | None:
        """Take one call through the gate; the error if it does not come through, raised where that is wanted."""
        if not isinstance(given, Mapping):
            given = {"input": given}
        actions = tool_actions(name, given, toolset=toolset, describe=self._describe)
        error = self.passing.take(call_id, actions, tool=name)
        if error is not None and self.raises:
            raise error
        return error


class _Pieces:
    """Holds back a ``tool_use`` block of a stream until it is complete."""

    def __init__(self, messages: _Messages) -> None:
        self._messages = messages
        self._held: dict[int, list[Any]] = {}
        self._passed = False
        self._refused = False

    def waits(self, event: Any) -> bool:
        return event.type == "content_block_stop" and event.index in self._held

    def feed(self, event: Any) -> list[Any]:
        if event.type == "content_block_start" and event.content_block.type == "tool_use":
            self._held[event.index] = [event]
            return []
        if event.type == "message_delta" and event.delta.stop_reason == "tool_use":
            if self._refused and not self._passed:
                event.delta.stop_reason = "end_turn"
            return [event]
        held = self._held.get(getattr(event, "index", -1))
        if held is None:
            return [event]
        held.append(event)
        if event.type != "content_block_stop":
            return []
        del self._held[event.index]
        return self._complete(held)

    def _complete(self, held: list[Any]) -> list[Any]:
        start, *deltas, stop = held
        block = start.content_block
        text = "".join(piece.delta.partial_json for piece in deltas if piece.delta.type == "input_json_delta")
        try:
            given = json.loads(text) if text else block.input
        except ValueError:
            given = {"command": text}  # cut off: whatever the caller makes of it is judged as the worst that it may be
        toolset = str(getattr(block, "toolset_name", None) or "")
        error = self._messages.take(block.id, block.name, given, toolset)
        if error is None:
            self._passed = True
            return held
        self._refused = True
        opened = type(start).model_validate(
            {"type": "content_block_start", "index": start.index, "content_block": {"type": "text", "text": ""}}
        )
        says = {"type": "text_delta", "text": _says(block.name, error)}
        delta = _delta_type(start).model_validate({"type": "content_block_delta", "index": start.index, "delta": says})
        return [opened, delta, stop]


def _says(name: str, error: SafetyError) -> str:
    return f"[The call of {name} was not let through. {error}]"


def _text_block(block: Any, text: str) -> Any:
    if ".beta." in type(block).__module__:
        from anthropic.types.beta import BetaTextBlock

        return BetaTextBlock(type="text", text=text)
    from anthropic.types import TextBlock

    return TextBlock(type="text", text=text)


def _delta_type(start: Any) -> Any:
    if ".beta." in type(start).__module__:
        from anthropic.types.beta import BetaRawContentBlockDeltaEvent

        return BetaRawContentBlockDeltaEvent
    from anthropic.types import RawContentBlockDeltaEvent

    return RawContentBlockDeltaEvent
