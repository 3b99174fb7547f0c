"""Training rows, and the readers that refuse an invalid one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

from reactor_core.data.source import Lines, open_lines
from reactor_core.errors import DatasetError

__all__ = ["Dataset", "Message", "Row", "StoredRows", "parse_row", "read_dataset"]

_ROLES = ("system", "user", "assistant", "tool")
_SHAPES = "messages | prompt + completion | prompt + chosen + rejected | instruction (+ input) + output | text"


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True)
class Row:
    """One training example, whichever form it had in the file.

    Attributes:
        line: 1-based line in the file.
        messages: The conversation; empty for plain text.
        prompt_turns: How many leading messages are prompt even where they are the assistant's; later assistant messages
            are trained.
        prompt_text: Plain-text prompt (no template), which carries no loss.
        completion_text: Plain text that is trained; None for conversations.
        id: The row's own name, or None.
        source: Where it came from (event ids, a file), as the file says.
        rejected: The same prompt with a worse answer, for a row that holds a preference; else None.
    """

    line: int
    messages: tuple[Message, ...] = ()
    prompt_turns: int = 0
    prompt_text: str = ""
    completion_text: str | None = None
    id: str | None = None
    source: Any = None
    rejected: Row | None = None


@dataclass(frozen=True)
class Dataset:
    """All rows of a file.

    Attributes:
        path: The file.
        sha256: Hash of the file's bytes; the dataset's identity.
        rows: In file order.
    """

    path: Path
    sha256: str
    rows: Sequence[Row] = field(repr=False)


class _Invalid(Exception):
    def __init__(self, field_name: str | None, message: str, remedy: str | None = None) -> None:
        self.field, self.message, self.remedy = field_name, message, remedy


def _text(value: Any, name: str, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise _Invalid(name, f"must be a string, is {type(value).__name__}")
    if not empty and not value.strip():
        raise _Invalid(name, "is empty")
    try:
        value.encode()
    except UnicodeEncodeError as error:  # a lone surrogate: JSON can spell it, no tokenizer can read it
        raise _Invalid(name, f"holds half a character at position {error.start}") from error
    return value


def _messages(value: Any, name: str) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise _Invalid(name, "must be a non-empty list of {role, content}")
    turns = []
    for number, item in enumerate(value):
        where = f"{name}[{number}]"
        if not isinstance(item, dict):
            raise _Invalid(where, f"must be an object, is {type(item).__name__}")
        if item.get("role") not in _ROLES:
            raise _Invalid(f"{where}.role", f"is {item.get('role')!r}", f"one of {', '.join(_ROLES)}")
        turns.append(Message(item["role"], _text(item.get("content"), f"{where}.content")))
    return tuple(turns)


def parse_row(value: Any, line: int) -> Row:
    """Read one decoded JSON value as a row.

    Raises:
        _Invalid: Caught by :func:`read_dataset`, which adds file and line.
    """
    if not isinstance(value, dict):
        raise _Invalid(None, f"must be an object, is {type(value).__name__}")
    row_id = value.get("id")
    if row_id is not None and not isinstance(row_id, str | int):
        raise _Invalid("id", f"must be a string, is {type(row_id).__name__}")
    facts: dict[str, Any] = {
        "line": line,
        "id": None if row_id is None else str(row_id),
        "source": value.get("source"),
    }
    if "chosen" in value or "rejected" in value:
        return _preference_row(value, facts)
    if "messages" in value:
        messages = _messages(value["messages"], "messages")
        if not any(message.role == "assistant" for message in messages):
            raise _Invalid("messages", "holds no assistant message, so there is nothing to train")
        return Row(messages=messages, **facts)
    if "prompt" in value or "completion" in value:
        return _prompt_row(value, facts)
    if "instruction" in value or "output" in value:
        question = _text(value.get("instruction"), "instruction")
        extra = _text(value.get("input", "") or "", "input", empty=True)
        content = f"{question}\n\n{extra}" if extra.strip() else question
        answer = Message("assistant", _text(value.get("output"), "output"))
        return Row(messages=(Message("user", content), answer), prompt_turns=1, **facts)
    if "text" in value:
        return Row(completion_text=_text(value["text"], "text"), **facts)
    raise _Invalid(None, f"has none of the known forms, only {', '.join(map(repr, value)) or 'no field'}", _SHAPES)


def _prompt_row(value: dict[str, Any], facts: dict[str, Any]) -> Row:
    for name in ("prompt", "completion"):
        if name not in value:
            raise _Invalid(name, "is missing")
    prompt, completion = value["prompt"], value["completion"]
    if isinstance(prompt, str) and isinstance(completion, str):
        return Row(
            prompt_text=_text(prompt, "prompt", empty=True), completion_text=_text(completion, "completion"), **facts
        )
    before = (Message("user", _text(prompt, "prompt")),) if isinstance(prompt, str) else _messages(prompt, "prompt")
    if isinstance(completion, str):
        after: tuple[Message, ...] = (Message("assistant", _text(completion, "completion")),)
    else:
        after = _messages(completion, "completion")
    if not any(message.role == "assistant" for message in after):
        raise _Invalid("completion", "holds no assistant message, so there is nothing to train")
    return Row(messages=before + after, prompt_turns=len(before), **facts)


def _preference_row(value: dict[str, Any], facts: dict[str, Any]) -> Row:
    """Both answers as rows of their own, with the prompt that they share."""
    for name in ("chosen", "rejected"):
        if name not in value:
            raise _Invalid(name, "is missing")
    if "prompt" in value:
        rows = []
        for name in ("chosen", "rejected"):
            try:
                rows.append(_prompt_row({"prompt": value["prompt"], "completion": value[name]}, facts))
            except _Invalid as error:  # the field has another name here
                field_name = error.field and error.field.replace("completion", name, 1)
                raise _Invalid(field_name, error.message, error.remedy) from error
    else:  # two whole conversations: what they begin with alike is the prompt
        whole = [_messages(value[name], name) for name in ("chosen", "rejected")]
        shared = next(
            (place for place, (one, other) in enumerate(zip(*whole, strict=False)) if one != other),
            min(map(len, whole)),
        )
        for name, turns in zip(("chosen", "rejected"), whole, strict=True):
            if not any(message.role == "assistant" for message in turns[shared:]):
                raise _Invalid(name, "holds no answer of the assistant that the other one has not")
        rows = [Row(messages=turns, prompt_turns=shared, **facts) for turns in whole]
    return replace(rows[0], rejected=rows[1])


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _parse_line(path: Path, number: int, raw: bytes) -> Row:
    try:
        return parse_row(json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant), number)
    except UnicodeDecodeError as error:
        raise DatasetError(f"is not UTF-8 at byte {error.start}", path=path, line=number) from error
    except _Invalid as error:
        raise DatasetError(
            error.message, path=path, line=number, field=error.field, remedy=error.remedy or "correct the line"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"is no JSON: {error}", path=path, line=number, remedy="correct the line") from error


class StoredRows(Sequence[Row]):
    """The rows of a file, read and parsed when they are asked for; a file may be larger than memory.

    Args:
        lines: Of the file.

    Raises:
        DatasetError: On access: the file was changed since it was opened, or a line is not valid.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        return _parse_line(self._lines.path, *self._lines[index])


def read_dataset(path: Path | str) -> Dataset:
    """Read a data file once from end to end, before anything is trained on it; blank lines are passed over.

    The rows are validated now and parsed again when they are used, so that memory does not grow with the file. It may
    be JSON Lines, plain or gzipped, a JSON list or CSV (:mod:`reactor_core.data.source`).

    Accepted forms of a line::

        {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}
        {"prompt": "..." or [messages], "completion": "..." or [messages]}
        {"prompt": "..." or [messages], "chosen": "..." or [messages], "rejected": "..." or [messages]}
        {"chosen": [messages], "rejected": [messages]}    what both begin with is the prompt
        {"instruction": "...", "input": "...", "output": "..."}
        {"text": "..."}

    each with an optional ``id`` and ``source``. Two plain strings as prompt and completion are joined without a chat
    template.

    Raises:
        DatasetError: The file is absent or empty, or a line is not valid; names file, line and field.
        StorageFull: There is no space to unpack a compressed file.
    """
    file = Path(path)
    lines, digest = open_lines(file)
    if not lines:
        raise DatasetError("holds no rows", path=file)
    rows = StoredRows(lines)
    for _ in rows:
        pass
    return Dataset(file, digest, rows)
