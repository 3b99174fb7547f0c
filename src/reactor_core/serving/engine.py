"""A base model with an adapter that answers: generation, choices by log-probability, token counts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from reactor_core.data.chat import ChatFormat
from reactor_core.data.packing import Document, micro_batches, pack
from reactor_core.data.records import Message
from reactor_core.errors import ConfigError
from reactor_core.models.adapter_folder import read_card, require_same_base
from reactor_core.models.load import LoadedModel, load_model
from reactor_core.models.quantize import Quantization
from reactor_core.models.store import resolve_model
from reactor_core.serving.prompts import require_same_prompts
from reactor_core.training.llama import FastLlama, why_not_fast
from reactor_core.training.lora import merge_adapter
from reactor_core.training.peft_format import load_adapter
from reactor_core.training.step import predicting_states
from reactor_core.utils.settings import Settings, load_settings

__all__ = ["Engine", "Prompt", "load_engine"]

Prompt = str | Sequence[Mapping[str, str]]
"""A user's message, or a conversation of ``{"role", "content"}``."""

_MAX_TOKENS = 4096
"""Packed tokens in one forward pass; without gradients a few hundred megabytes for a 135M model."""

_HEAD_ROWS = 256
"""Rows that go through the head at once; 50 MB of logits for a vocabulary of 49,152."""


class Engine:
    """Answers with one model.

    Args:
        loaded: Model and tokenizer, an adapter already on it, and merged unless the base is kept in four bits.
        chat: How prompts are written; the one that the adapter was trained with.
        adapter: Folder of the adapter, or None.
    """

    def __init__(self, loaded: LoadedModel, chat: ChatFormat, adapter: Path | None) -> None:
        self.model, self.tokenizer, self.entry = loaded.model, loaded.tokenizer, loaded.entry
        self.chat, self.adapter = chat, adapter
        self.fast = FastLlama(self.model) if why_not_fast(self.model) is None else None
        self._window = getattr(self.model.config, "max_position_embeddings", None)

    def count_tokens(self, prompt: Prompt) -> int:
        """Tokens of a prompt as the model sees it, template included."""
        return len(self._prompt_ids(prompt))

    def generate(
        self,
        prompt: Prompt,
        *,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> str:
        """The model's whole answer; see :meth:`stream`."""
        return "".join(
            self.stream(prompt, max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p, seed=seed)
        )

    def stream(
        self,
        prompt: Prompt,
        *,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Iterator[str]:
        """The model's answer piece by piece; closing the iterator ends the work.

        Args:
            prompt: A user's message or a conversation.
            max_new_tokens: Longest answer; it ends earlier at the model's stop token.
            temperature: 0 takes the likeliest token each time.
            top_p: Sample only from the likeliest tokens that together reach this probability.
            seed: Of the sampling.

        Raises:
            ConfigError: An option has a value that cannot be used, or the prompt leaves no room in the model's window.
        """
        ids = self._prompt_ids(prompt)
        return self._checked(ids, max_new_tokens, temperature, top_p, seed)

    def complete_ids(
        self,
        ids: Sequence[int],
        *,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Iterator[str]:
        """How the model goes on after some tokens, as they are; otherwise as :meth:`stream`.

        Raises:
            ConfigError: As :meth:`stream`, or there are no tokens.
        """
        if not ids:
            raise ConfigError("there are no tokens to go on from", remedy="give at least one")
        return self._checked(list(ids), max_new_tokens, temperature, top_p, seed)

    def _checked(
        self, ids: list[int], max_new_tokens: int, temperature: float, top_p: float, seed: int
    ) -> Iterator[str]:
        if max_new_tokens < 1 or temperature < 0 or not 0 < top_p <= 1:
            raise ConfigError(
                f"max_new_tokens={max_new_tokens}, temperature={temperature}, top_p={top_p}",
                remedy="max_new_tokens at least 1, temperature at least 0, top_p in (0, 1]",
            )
        if self._window is not None and len(ids) + max_new_tokens > self._window:
            raise ConfigError(
                f"a prompt of {len(ids)} tokens and max_new_tokens={max_new_tokens} pass the window of {self._window}",
                remedy="shorten the conversation, or lower max_new_tokens",
            )
        return self._stream(ids, max_new_tokens, temperature, top_p, torch.Generator().manual_seed(seed))

    def _stream(
        self, ids: list[int], limit: int, temperature: float, top_p: float, generator: torch.Generator
    ) -> Iterator[str]:
        device = self.model.device
        cache: Any = None
        fresh, answer, shown = ids, list[int](), 0
        for _ in range(limit):
            with torch.inference_mode():
                out = self.model(
                    input_ids=torch.tensor([fresh], device=device),
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
            cache = out.past_key_values
            token = _choose(out.logits[0, -1].float().cpu(), temperature, top_p, generator)
            if token in self.chat.stop_ids:
                break
            answer.append(token)
            fresh = [token]
            text: str = self.tokenizer.decode(answer, skip_special_tokens=True)
            if len(text) > shown and not text.endswith("\N{REPLACEMENT CHARACTER}"):  # a character may span tokens
                yield text[shown:]
                shown = len(text)
        rest: str = self.tokenizer.decode(answer, skip_special_tokens=True)[shown:]
        if rest:
            yield rest

    def choice_logprobs(self, prompts: Sequence[Prompt], choices: Sequence[str]) -> NDArray[np.float64]:
        """How likely each choice is as the answer to each prompt.

        The prompts are packed without padding; a beginning that several share, and each prompt under its choices, is
        computed once.

        Args:
            prompts: N messages or conversations.
            choices: C possible answers, none empty.

        Returns:
            ``[N, C]``: for each the sum over the choice's tokens of their log-probabilities, in nats. The stop token is
            not counted.

        Raises:
            ConfigError: There are no choices, or one is empty.
        """
        endings = [self.tokenizer(choice, add_special_tokens=False)["input_ids"] for choice in choices]
        if not endings or not all(endings):
            raise ConfigError(f"choices={list(choices)!r}", remedy="give at least one, none empty")
        documents = []
        for number, prompt in enumerate(prompts):
            head = self._prompt_ids(prompt)
            for choice, ending in enumerate(endings):
                flags = (False,) * len(head) + (True,) * len(ending)
                documents.append(Document((*head, *ending), flags, number * len(endings) + choice))
        result = np.zeros(len(prompts) * len(endings))
        with torch.inference_mode():
            for part in micro_batches(documents, max_tokens=_MAX_TOKENS):
                batch = pack(part).to(self.model.device)
                states = predicting_states(self.model, batch, self.fast)
                scores = self._log_probs(states, batch.predict, batch.targets)
                np.add.at(result, np.asarray(batch.rows)[batch.owner.cpu().numpy()], scores)
        return result.reshape(len(prompts), len(endings))

    def _log_probs(self, states: torch.Tensor, predict: torch.Tensor, targets: torch.Tensor) -> NDArray[np.float64]:
        """Log-probability of each target, from the states ``[K, C]`` at the predicting positions ``[K]``."""
        head = self.model.get_output_embeddings()
        # The choices of one prompt are predicted from the same place: its logits are computed once.
        places, which = torch.unique(predict, return_inverse=True)
        one_of = torch.empty_like(places).scatter_(0, which, torch.arange(len(which), device=which.device))
        scores = np.empty(len(predict))
        for start in range(0, len(places), _HEAD_ROWS):
            mine = ((which >= start) & (which < start + _HEAD_ROWS)).nonzero()[:, 0]
            log_probs = head(states[one_of[start : start + _HEAD_ROWS]]).float().log_softmax(dim=-1)
            scores[mine.cpu().numpy()] = log_probs[which[mine] - start, targets[mine]].double().cpu().numpy()
        return scores

    def _prompt_ids(self, prompt: Prompt) -> list[int]:
        turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        return self.chat.prompt_ids([Message(turn["role"], turn["content"]) for turn in turns])


def _choose(logits: torch.Tensor, temperature: float, top_p: float, generator: torch.Generator) -> int:
    """Pick the next token from logits ``[V]``."""
    if temperature == 0:
        return int(logits.argmax())
    probabilities, order = (logits / temperature).softmax(dim=0).sort(descending=True)
    before = probabilities.cumsum(0) - probabilities
    probabilities[before >= top_p] = 0  # the first token always stays
    return int(order[torch.multinomial(probabilities, 1, generator=generator)])


def load_engine(
    model_name: str,
    adapter: Path | str | None = None,
    *,
    chat_template: str | None = None,
    quantization: Quantization | Literal["as trained"] | None = "as trained",
    settings: Settings | None = None,
) -> Engine:
    """Load a model, and an adapter on it.

    On full weights the adapter is merged into them. On weights in four bits it stays beside them: they take an eighth
    of the memory, and are computed back in full at every token, which is slower.

    Args:
        model_name: Alias, hub id or folder of the base model.
        adapter: Folder of an adapter in PEFT's format, or None.
        chat_template: As :class:`~reactor_core.data.chat.ChatFormat` takes it; None takes the one stored beside the
            adapter, or else the model's own.
        quantization: How the base is kept: ``"nf4"``, or None for full weights. ``"as trained"`` does what the
            adapter's card says it was trained on, so that it computes what it learned and was judged by; without a
            card or an adapter it means full weights.
        settings: Where the cache is; None reads the environment.

    Raises:
        NotFound: The folder holds no adapter.
        ArtifactCorrupt: The adapter does not fit, or was trained on other base weights than these.
        ConfigError: The adapter uses what this package cannot compute.
        MissingExtra: The base is to be kept in four bits and bitsandbytes is not installed.
        UnknownModel: The model's name means nothing.
    """
    entry = resolve_model(model_name, settings=settings or load_settings())
    folder = None if adapter is None else Path(adapter)
    if folder is not None:
        require_same_base(folder, entry)
    kept, double = _how_kept(folder, quantization)
    loaded = load_model(entry, quantization=kept, double_quantization=double)
    template = chat_template
    if folder is not None:
        load_adapter(loaded.model, folder)
        if kept is None:
            merge_adapter(loaded.model)
        stored = folder / "chat_template.jinja"
        if template is None and stored.is_file():
            template = str(stored)
    loaded.model.eval()
    chat = ChatFormat(loaded.tokenizer, template or "model")
    if folder is not None:
        require_same_prompts(folder, chat)
    return Engine(loaded, chat, folder)


def _how_kept(
    folder: Path | None, wanted: Quantization | Literal["as trained"] | None
) -> tuple[Quantization | None, bool]:
    """How the base's weights are kept, and whether with double quantization."""
    card = None if folder is None else read_card(folder)
    options: dict[str, Any] = {} if card is None else card["config"]
    trained: Quantization | None = options.get("quantization")
    kept = trained if wanted == "as trained" else wanted
    if card is not None and kept != trained:
        names = {None: "full weights", "nf4": "weights in four bits (nf4)"}
        warnings.warn(
            f"adapter {folder} was trained on {names[trained]} and is served on {names[kept]}: "
            "its answers will differ a little from those that it was judged by",
            stacklevel=3,
        )
    return kept, bool(options.get("double_quantization", True))
