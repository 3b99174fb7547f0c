"""Conversations as tokens, with the exact mask of what is trained.

Training and serving render through the same :class:`ChatFormat`, and what a trained prompt looks like is stored beside
the adapter, so that the two cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from reactor_core.data.packing import Document
from reactor_core.data.records import Message, Row
from reactor_core.errors import ConfigError, NothingToTrain

__all__ = ["ALPACA_TEMPLATE", "BARE_TEMPLATE", "ChatFormat"]

BARE_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""ChatML as SmolLM2 was tuned on it, without the system prompt that its own template adds."""

ALPACA_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ 'Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n' }}{% endif %}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '### Instruction:\n' + message['content'] + '\n\n### Response:\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + '\n\n' }}"
    "{% else %}{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}"
)
"""Alpaca's prompt (https://github.com/tatsu-lab/stanford_alpaca), for models that have no template of their own."""

_ANSWER = "reactor answers"


class ChatFormat:
    """How conversations are written for a model.

    Args:
        tokenizer: A ``transformers`` tokenizer.
        template: ``model`` for the tokenizer's own chat template, ``bare`` for :data:`BARE_TEMPLATE`, ``alpaca`` for
            :data:`ALPACA_TEMPLATE` (after the BOS token, where the tokenizer itself would put one), a path to a Jinja
            file, or the Jinja text itself.

    Attributes:
        stop_ids: Tokens that end an answer: the tokenizer's EOS, and the control token that the template writes after
            what the assistant says.

    Raises:
        ConfigError: The model has no template, or lacks the tokens that ``bare`` or ``alpaca`` use.
    """

    def __init__(self, tokenizer: Any, template: str = "model") -> None:
        self.tokenizer = tokenizer
        self.name = template if template in ("model", "bare", "alpaca") else "custom"
        self.template = self._find(template)
        marks = self._marks()
        self.stop_ids = frozenset(marks[mark] for mark in marks if mark == tokenizer.eos_token or mark == self._stop)
        self._stops = tuple(mark for mark, token in marks.items() if token in self.stop_ids)
        self._control = tuple(marks)

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
        if template == "alpaca":
            if self.tokenizer.eos_token is None:
                raise ConfigError(
                    "chat_template='alpaca' needs an EOS token, which this model's tokenizer does not have"
                )
            first = self.tokenizer("a")["input_ids"][:1]
            bos = self.tokenizer.bos_token_id
            return ("{{ bos_token }}" if bos is not None and first == [bos] else "") + ALPACA_TEMPLATE
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

    def _marks(self) -> dict[str, int]:
        """Control tokens that conversations consist of, by their text; sets ``_stop`` to the one after an answer."""
        tokenizer = self.tokenizer
        self._stop: str | None = None
        marks = {
            text: tokenizer.convert_tokens_to_ids(text)
            for text in (tokenizer.bos_token, tokenizer.eos_token)
            if text is not None
        }
        try:
            probe = self.render((Message("user", "a"), Message("assistant", _ANSWER)), prompt=False)
        except ConfigError:  # a template for other conversations; what it does with these is said at the row
            return marks
        added = {token: str(text) for token, text in tokenizer.added_tokens_decoder.items()}
        marks |= {added[token]: token for token in self._ids(probe) if token in added}
        after = self._ids(probe.rpartition(_ANSWER)[2])
        self._stop = next((added[token] for token in after if token in added), None)
        return marks

    def render(self, messages: Sequence[Message], *, prompt: bool) -> str:
        """Write a conversation as text.

        Args:
            messages: The turns.
            prompt: End with the opening of an assistant's turn.

        Raises:
            ConfigError: The model has no chat template, or the template refuses the conversation.
        """
        if self.template is None:
            raise ConfigError(
                "the model has no chat template, and the rows are conversations",
                remedy="set chat_template to alpaca or a Jinja file, or give plain prompt and completion strings",
            )
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            text: str = self.tokenizer.apply_chat_template(
                turns, chat_template=self.template, tokenize=False, add_generation_prompt=prompt
            )
        except TemplateError as error:
            roles = ", ".join(message.role for message in messages)
            raise ConfigError(
                f"the chat template refuses a conversation of {roles}: {error}",
                remedy="write the row as the model's template wants it, or set chat_template",
            ) from error
        return text

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of a conversation up to where the assistant is to speak.

        Equal to the beginning of a training row with the same turns: an earlier answer is cut off from what is around
        it in both.
        """
        return [token for text, _ in self._cut(messages, len(messages)) for token in self._ids(text)]

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
            ConfigError: The row would teach something else than it says: there are two BOS tokens; a message holds a
                control token of the template; the template refuses the conversation, rewrites earlier turns, leaves
                nothing of an answer, or closes an assistant's turn with no stop token, so that a model trained on it
                would never learn to stop.
        """
        try:
            pieces = list(self._text_pieces(row) if row.completion_text is not None else self._chat_pieces(row))
        except ConfigError as error:
            raise ConfigError(f"line {row.line}: {error.message}", remedy=error.remedy) from error
        ids = [token for piece, _ in pieces for token in piece]
        trained = [flag for piece, flag in pieces for _ in piece]
        self._require_one_bos(ids, row.line)
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

    def _require_one_bos(self, ids: list[int], line: int) -> None:
        bos = self.tokenizer.bos_token_id
        if bos is None:
            return
        # Where BOS is also EOS, one answer's end may stand before the next turn's beginning.
        looked_at = ids[:2] if bos == self.tokenizer.eos_token_id else ids
        if (bos, bos) in pairwise(looked_at):
            raise ConfigError(
                f"line {line}: the text has two BOS tokens in a row", remedy="drop the one in the row or template"
            )

    def _text_pieces(self, row: Row) -> Iterator[tuple[list[int], bool]]:
        assert row.completion_text is not None
        eos = self.tokenizer.eos_token_id
        if eos is None:
            raise ConfigError(
                "the tokenizer has no EOS token, so a model trained on plain text would never learn to stop",
                remedy="set eos_token in the tokenizer's files",
            )
        if row.prompt_text:
            prompt: list[int] = self.tokenizer(row.prompt_text)["input_ids"]
            yield prompt[:-1] if prompt[-1:] == [eos] else prompt, False  # some tokenizers close every text
            answer = self._ids(row.completion_text)
        else:
            answer = self.tokenizer(row.completion_text)["input_ids"]
        yield answer if answer[-1:] == [eos] else [*answer, eos], True

    def _chat_pieces(self, row: Row) -> Iterator[tuple[list[int], bool]]:
        for message in row.messages:
            for mark in self._control:
                if mark in message.content:
                    raise ConfigError(
                        f"a message of the {message.role} holds {mark!r}, which the template writes between turns",
                        remedy="spell it another way, or remove the row",
                    )
        for text, trained in self._cut(row.messages, row.prompt_turns):
            ids = self._ids(text)
            if trained and ids[-1] not in self.stop_ids:
                raise self._never_stops()
            yield ids, trained

    def _cut(self, messages: Sequence[Message], prompt_turns: int) -> Iterator[tuple[str, bool]]:
        """A conversation in pieces: before an answer, the answer with its stop token, before the next one, and so on.

        Answers among the first ``prompt_turns`` messages are pieces that are not trained; what follows the last trained
        answer is left out. Where all messages are prompt, the last piece ends with the opening of an answer.
        """
        written, pieces = "", list[tuple[str, bool]]()
        ends = [number for number, message in enumerate(messages) if message.role == "assistant"]
        if prompt_turns == len(messages):
            ends.append(len(messages))
        for number in ends:
            opening = self.render(messages[:number], prompt=True)
            if not opening.startswith(written):
                if any(trained for _, trained in pieces):
                    raise self._rewrites()
                pieces, written = [], ""  # only the prompt was rewritten: it goes in whole, as the template writes it
            if number == len(messages):
                pieces.append((opening[len(written) :], False))
                break
            answer = self._answer(messages[: number + 1], opening, trained=number >= prompt_turns)
            if answer is not None:
                pieces += [(opening[len(written) :], False), (answer, number >= prompt_turns)]
                written = opening + answer
        return iter(pieces)

    def _answer(self, messages: Sequence[Message], opening: str, *, trained: bool) -> str | None:
        """What the template makes of the last message, up to its stop token; None if that cannot be said, which is an
        error only where it is trained."""
        closed = self.render(messages, prompt=False)
        if not closed.startswith(opening):
            if trained:
                raise self._rewrites()
            return None
        rest = closed[len(opening) :]
        ends = [(rest.index(mark), mark) for mark in self._stops if mark in rest]
        if not ends:
            if trained:
                raise self._never_stops()
            return None
        place, mark = min(ends)
        if trained and not rest[:place].strip():
            raise ConfigError("the chat template leaves nothing of the answer", remedy="remove the row")
        return rest[: place + len(mark)]

    def _rewrites(self) -> ConfigError:
        return ConfigError(
            "the chat template rewrites earlier turns, so no exact mask exists",
            remedy="train one turn a row, as prompt and completion, or set chat_template to one that does not",
        )

    def _never_stops(self) -> ConfigError:
        return ConfigError(
            "the chat template ends an assistant's turn without a stop token",
            remedy="use a template that writes the model's end-of-turn token after the content",
        )

    def as_file(self) -> str:
        """The template to store beside an adapter; empty where the model has none."""
        return self.template or ""

    def writes_as(self, other: ChatFormat) -> bool:
        """Whether another format writes a fixed conversation in the same way, apart from the day's date."""
        return self.template == other.template or self._sample() == other._sample()

    def _sample(self) -> list[str | None]:
        """What this format makes of two conversations; None for one that its template refuses."""
        begun = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
        found: list[str | None] = []
        for probe in (begun, (Message("system", "s"), *begun)):
            try:
                found.append(re.sub(r"\d{4}-\d\d-\d\d|\d\d? \w{3} \d{4}", "DATE", self.render(probe, prompt=True)))
            except ConfigError:
                found.append(None)
        return found
