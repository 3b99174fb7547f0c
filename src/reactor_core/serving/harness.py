"""The tasks of lm-eval (the LM Evaluation Harness of EleutherAI), asked of a served model.

:class:`HarnessModel` answers the three kinds of questions that the harness has; :func:`run_tasks` lets the installed
harness ask them. Texts are tokenized and cut as the harness's own adapter for ``transformers`` does, so that figures
can be compared with published ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reactor_core.data.packing import Document
from reactor_core.data.records import Message
from reactor_core.errors import ConfigError
from reactor_core.serving.engine import Engine
from reactor_core.serving.scoring import document_logprobs, greedy_documents
from reactor_core.utils.extras import require

__all__ = ["HarnessModel", "rolling_windows", "run_tasks"]

_MAX_GEN = 256
"""Tokens of an answer where a task does not say, as in the harness."""

_LENGTH_NAMES = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")


class HarnessModel:
    """What the harness asks of a model.

    Args:
        engine: The model. Its chat template is used only where the harness is told to use one.

    Raises:
        ConfigError: The model has no window, or its tokenizer no token to begin with.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine, self.tokenizer = engine, engine.tokenizer
        window = getattr(engine.model.config, "max_position_embeddings", None)
        prefix = self.tokenizer.bos_token_id
        prefix = self.tokenizer.eos_token_id if prefix is None else prefix
        if window is None or prefix is None:
            what = "a window" if window is None else "a BOS or EOS token"
            raise ConfigError(f"{engine.entry.name!r} has no {what}", remedy="evaluate a model that has")
        self.window, self.prefix = int(window), int(prefix)

    def likelihoods(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, bool]]:
        """Log-probability of each continuation after its context, and whether the model would write it by itself.

        Args:
            pairs: (context, continuation); an empty context is the beginning of a text.

        Raises:
            ConfigError: A continuation has no tokens or fills the window.
        """
        return self._score([self._encode(context, continuation) for context, continuation in pairs])

    def text_likelihoods(self, texts: Sequence[str]) -> list[float]:
        """Log-probability of each whole text; long ones in windows, each with as much context as fits."""
        pieces, owners = [], []
        for number, text in enumerate(texts):
            for context, target in rolling_windows(self._ids(text), prefix=self.prefix, window=self.window):
                pieces.append((context, target))
                owners.append(number)
        totals = [0.0] * len(texts)
        for owner, (logprob, _) in zip(owners, self._score(pieces, cut=False), strict=True):
            totals[owner] += logprob
        return totals

    def continuations(self, requests: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """What the model writes after each context, up to a stop text or its own stop token.

        Args:
            requests: (context, options): ``until`` (a text or several), ``max_gen_toks``, ``temperature``, ``top_p``.
                Contexts that leave no room are cut at their beginning.
        """
        return [self._write(context, dict(options)) for context, options in requests]

    def chat_text(self, turns: Sequence[Mapping[str, str]], *, prompt: bool) -> str:
        """A conversation in the engine's chat template."""
        return self.engine.chat.render([Message(turn["role"], turn["content"]) for turn in turns], prompt=prompt)

    def _score(self, pieces: Sequence[tuple[list[int], list[int]]], *, cut: bool = True) -> list[tuple[float, bool]]:
        documents = []
        for number, (context, target) in enumerate(pieces):
            ids = [*context, *target]
            if cut:  # from the left, as the harness does; one more token than the window, as the last is only a target
                ids = ids[-(self.window + 1) :]
            flags = (False,) * (len(ids) - len(target)) + (True,) * len(target)
            documents.append(Document(tuple(ids), flags, number))
        logprobs, greedy = document_logprobs(self.engine, documents), greedy_documents(self.engine, documents)
        return [(float(logprob), bool(own)) for logprob, own in zip(logprobs, greedy, strict=True)]

    def _encode(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        if not context:
            head, target = [self.prefix], self._ids(continuation)
        else:
            # Spaces before a word belong to it.
            kept = context.rstrip()
            continuation, context = context[len(kept) :] + continuation, kept
            head = self._ids(context) or [self.prefix]
            target = self._ids(context + continuation)[len(self._ids(context)) :]
        if not 0 < len(target) <= self.window:
            raise ConfigError(f"the continuation {continuation!r} has {len(target)} tokens, the window {self.window}")
        return head, target

    def _write(self, context: str, options: dict[str, Any]) -> str:
        until = options.pop("until", None) or []
        stops = [until] if isinstance(until, str) else list(until)
        limit = int(next((options.pop(name) for name in _LENGTH_NAMES if options.get(name) is not None), _MAX_GEN))
        sampled = options.pop("do_sample", None) is not False
        temperature = float(options.pop("temperature", 0.0) or 0.0) if sampled else 0.0
        top_p = float(options.pop("top_p", 1.0))
        if options:
            raise ConfigError(
                f"generation options {sorted(options)} are not known", remedy="leave them out of the task"
            )
        room = self.window - limit
        if room < 1:
            raise ConfigError(f"an answer of {limit} tokens leaves no room in the window of {self.window}")
        ids = self._ids(context) or [self.prefix]
        text = ""
        for piece in self.engine.complete_ids(ids[-room:], max_new_tokens=limit, temperature=temperature, top_p=top_p):
            text += piece
            if any(stop and stop in text for stop in stops):
                break
        for stop in stops:
            if stop:
                text = text.split(stop)[0]
        return text

    def _ids(self, text: str) -> list[int]:
        # A text in which the beginning is written out needs no second one.
        special = not text.startswith(self.tokenizer.decode([self.prefix]))
        ids: list[int] = self.tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids


def rolling_windows(ids: Sequence[int], *, prefix: int, window: int) -> Iterator[tuple[list[int], list[int]]]:
    """Cut a long text so that every token is predicted once: (context, targets), contexts not among the targets.

    The first piece begins with ``prefix`` and fills the window; each later one predicts up to a window of new tokens
    after at least one that is known, and the last one takes as much context as fits.

    Args:
        ids: The text's tokens.
        prefix: Token before the first.
        window: Tokens that go through the model at once.
    """
    done = min(window, len(ids))
    if done:
        yield [prefix], list(ids[:done])
    while done < len(ids):
        end = min(done + window, len(ids))
        yield list(ids[end - window - 1 : done]), list(ids[done:end])
        done = end


def run_tasks(engine: Engine, tasks: Sequence[Any], *, chat: bool = False, **options: Any) -> dict[str, Any]:
    """Run tasks of the installed harness on a served model.

    Args:
        engine: The model, with its adapter.
        tasks: Names of tasks, or their descriptions as the harness takes them; most fetch their data from the hub.
        chat: Ask in the engine's chat template.
        options: Further arguments of ``lm_eval.simple_evaluate``, such as ``limit``, ``num_fewshot``, ``task_manager``.

    Returns:
        The harness's results: task -> metric -> value, with its standard error.

    Raises:
        MissingExtra: The extra [eval] is not installed.
        ConfigError: The model cannot be asked.
    """
    evaluator = require("lm_eval", feature="lm-eval tasks", extra="eval")
    api = require("lm_eval.api.model", feature="lm-eval tasks", extra="eval")
    model = HarnessModel(engine)

    class Served(api.LM):  # type: ignore[name-defined, misc]
        """The harness refuses what does not inherit from its own class, which is there only once it is imported."""

        tokenizer_name = f"{engine.entry.name}:{engine.chat.name}"

        def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
            return model.likelihoods([request.args for request in requests])

        def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
            return model.text_likelihoods([request.args[0] for request in requests])

        def generate_until(self, requests: list[Any]) -> list[str]:
            return model.continuations([request.args for request in requests])

        def apply_chat_template(self, chat_history: list[Any], add_generation_prompt: bool = True) -> str:
            return model.chat_text(chat_history, prompt=add_generation_prompt)

    found = evaluator.simple_evaluate(model=Served(), tasks=list(tasks), apply_chat_template=chat, **options)
    results: dict[str, Any] = found["results"]
    return results
