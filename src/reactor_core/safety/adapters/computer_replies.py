"""What vendors' replies ask of a computer, and what goes back to them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reactor_core.errors import ConfigError

__all__ = ["Done", "anthropic_result", "calls_of", "openai_output"]

Call = tuple[str, tuple[Mapping[str, Any], ...]]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step.

    Attributes:
        says: In words.
        picture: PNG of the screen, if that was asked for.
        failed: Whether it was not done.
    """

    says: str
    picture: bytes | None = None
    failed: bool = False


def calls_of(reply: Any) -> tuple[Literal["anthropic", "openai"], list[Call]]:
    """The computer calls of a reply: each with its name and its steps.

    Raises:
        ConfigError: It is no reply of a known vendor.
    """
    if isinstance(getattr(reply, "content", None), list):
        return "anthropic", [_asked(block) for block in reply.content if _is_computer(block)]
    if isinstance(getattr(reply, "output", None), list):
        found: list[Call] = []
        for item in reply.output:
            if item.type == "computer_call":
                steps = [*([item.action] if item.action else []), *(item.actions or [])]
                found.append((item.call_id, tuple(step.model_dump(mode="json") for step in steps)))
        return "openai", found
    raise ConfigError(
        f"reply={type(reply).__qualname__} is not known",
        remedy="use a message of Anthropic's or a response of OpenAI's",
    )


def anthropic_result(call_id: str, done: Done) -> dict[str, Any]:
    """A ``tool_result`` block."""
    content: dict[str, Any] = {"type": "text", "text": done.says}
    if done.picture is not None:
        data = base64.b64encode(done.picture).decode()
        content = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id, "content": [content]}
    return {**result, "is_error": True} if done.failed else result


def openai_output(call_id: str, picture: bytes) -> dict[str, Any]:
    """A ``computer_call_output`` item, which is always a picture."""
    url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    return {
        "type": "computer_call_output", "call_id": call_id,
        "output": {"type": "computer_screenshot", "image_url": url},
    }  # fmt: skip


def _is_computer(block: Any) -> bool:
    return getattr(block, "type", None) == "tool_use" and (
        block.name == "computer" or getattr(block, "toolset_name", None) == "computer"
    )


def _asked(block: Any) -> Call:
    given = dict(block.input) if isinstance(block.input, Mapping) else {}
    return block.id, (given if block.name == "computer" else {"action": block.name, **given},)
