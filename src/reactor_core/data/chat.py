"""Conversations as tokens, with the exact mask of what is trained.

Training and serving render through the same :class:`ChatFormat`, and what a trained prompt looks like is stored beside
the adapter, so that the two cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reactor_core.data.packing import Document
from reactor_core.data.records import Message, Row
from reactor_core.errors import ConfigError, NothingToTrain

__all__ = ["BARE_TEMPLATE", "ChatFormat"]

BARE_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""ChatML as SmolLM2 was tuned on it, without the system prompt that its own template adds."""


class ChatFormat:
    """How conversations are written for a model.

    Args:
        tokenizer: A ``transformers`` tokenizer.
        template: ``model`` for the tokenizer's own chat template, ``bare`` for :data:`BARE_TEMPLATE`, a path to a
            Jinja file, or the Jinja text itself.

    Raises:
        ConfigError: The model has no template, or lacks the tokens that ``bare`` uses.
    """

    def __init__(self, tokenizer: Any, template: str = "model") -> None:
        self.tokenizer = tokenizer
        self.name = template if template in ("model", "bare") else "custom"
        self.template = self._find(template)
        stops = {tokenizer.eos_token_id}
        if "<|im_end|>" in (self.template or ""):
            stops.add(tokenizer.convert_tokens_to_ids("<|im_end|>"))
        self.stop_ids = frozenset(token for token in stops if token is not None and token >= 0)

    def _find(self, template: str) -> str | None:
        if template == "model":
            own = self.tokenizer.chat_template
            return own if isinstance(own, str) else None
        if template == "bare":
            missing = [mark for mark in ("<|im_start|>", "<|im_end|>") if not self._is_one_token(mark)]
            if missing:
                raise ConfigError(
                    f"chat_template='bare' needs {' and '.join(missing)}, which this model's tokenizer does not have",
                    remedy="use chat_template='model' or the path of a Jinja template",
                )
            return BARE_TEMPLATE
        if "{" in template:
            return template
        if not Path(template).is_file():
            raise ConfigError(
                f"chat_template={template!r} is no file", remedy="model, bare, or the path of a Jinja template"
            )
        return Path(template).read_text(encoding="utf-8")

    def _is_one_token(self, text: str) -> bool:
        ids = self.tokenizer.convert_tokens_to_ids(text)
        return ids is not None and ids != self.tokenizer.unk_token_id

    def render(self, messages: Sequence[Message], *, prompt: bool) -> str:
        """Write a conversation as text.

        Args:
            messages: The turns.
            prompt: End with the opening of an assistant's turn.

        Raises:
            ConfigError: The model has no chat template.
        """
        if self.template is None:
            raise ConfigError(
                "the model has no chat template, and the rows are conversations",
                remedy="set chat_template to a Jinja file, or give rows with plain prompt and completion strings",
            )
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text: str = self.tokenizer.apply_chat_template(
            turns, chat_template=self.template, tokenize=False, add_generation_prompt=prompt
        )
        return text

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of a conversation up to where the assistant is to speak."""
        return self._ids(self.render(messages, prompt=True))

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def encode(self, row: Row, index: int, *, max_length: int | None = None) -> Document:
        """Tokens and mask of a training row.

        Of a conversation every assistant turn after the prompt is trained, its stop token included and the template's
        own text around it excluded. Pieces are tokenized where serving would cut them, so that a prompt has the same
        tokens in both.

        Args:
            row: The row.
            index: Its place in the dataset.
            max_length: Tokens beyond this are cut from the end; None keeps all.

        Raises:
            NothingToTrain: No token of the row carries loss, as it stands or once it is cut.
            ConfigError: The template starts with two BOS tokens, rewrites earlier turns, or closes an assistant's turn
                with no stop token, so that a model trained on it would never learn to stop.
        """
        pieces = self._text_pieces(row) if row.completion_text is not None else self._chat_pieces(row)
        ids = [token for piece, _ in pieces for token in piece]
        trained = [flag for piece, flag in pieces for _ in piece]
        bos = self.tokenizer.bos_token_id
        if bos is not None and ids[:2] == [bos, bos]:
            raise ConfigError(
                f"line {row.line}: the text starts with two BOS tokens", remedy="drop the one in the row or template"
            )
        full = sum(trained[1:])
        if max_length is not None:
            ids, trained = ids[:max_length], trained[:max_length]
        document = Document(tuple(ids), tuple(trained), index, full - sum(trained[1:]))
        if not document.num_trained:
            cut = f" after cutting it to max_length={max_length}" if full else ""
            raise NothingToTrain(
                f"line {row.line}: no token of this row is trained{cut}",
                remedy="raise max_length" if full else "give it a completion",
            )
        return document

    def _text_pieces(self, row: Row) -> list[tuple[list[int], bool]]:
        assert row.completion_text is not None
        eos = self.tokenizer.eos_token_id
        end = [] if eos is None else [eos]
        if not row.prompt_text:
            ids: list[int] = self.tokenizer(row.completion_text)["input_ids"]
            return [(ids + end if ids[-1:] != end else ids, True)]
        prompt: list[int] = self.tokenizer(row.prompt_text)["input_ids"]
        if prompt[-1:] == end:  # a tokenizer that closes every text would close the prompt too
            prompt = prompt[:-1]
        return [(prompt, False), (self._ids(row.completion_text) + end, True)]

    def _chat_pieces(self, row: Row) -> list[tuple[list[int], bool]]:
        pieces: list[tuple[list[int], bool]] = []
        written = ""
        for number, message in enumerate(row.messages):
            if message.role != "assistant" or number < row.prompt_turns:
                continue
            opening = self.render(row.messages[:number], prompt=True)
            closed = self.render(row.messages[: number + 1], prompt=False)
            if not (opening.startswith(written) and closed.startswith(opening)):
                raise ConfigError(
                    f"line {row.line}: the chat template rewrites earlier turns, so no exact mask exists",
                    remedy="train one turn a row, as prompt and completion",
                )
            pieces.append((self._ids(opening[len(written) :]), False))
            answer = self._ids(closed[len(opening) :])
            stop = max((place for place, token in enumerate(answer) if token in self.stop_ids), default=-1)
            if stop < 0:
                raise ConfigError(
                    f"line {row.line}: the chat template ends an assistant's turn without a stop token",
                    remedy="use a template that writes the model's end-of-turn token after the content",
                )
            pieces += [(answer[: stop + 1], True), (answer[stop + 1 :], False)]
            written = closed
        while pieces and not pieces[-1][1]:  # what follows the last trained token teaches nothing
            pieces.pop()
        return pieces

    def as_file(self) -> str:
        """The template to store beside an adapter; empty where the model has none."""
        return self.template or ""

    def fingerprint_text(self) -> str:
        """A fixed conversation as this format writes it, for comparing two formats."""
        probe = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
        return "" if self.template is None else re.sub(r"\d{4}-\d\d-\d\d", "DATE", self.render(probe, prompt=True))
