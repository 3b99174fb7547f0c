"""Whether a model is asked as its adapter was trained to be asked."""

from __future__ import annotations

from pathlib import Path

from reactor_core.data.chat import ChatFormat
from reactor_core.errors import ArtifactCorrupt, ConfigError
from reactor_core.models.adapter_folder import read_card
from reactor_core.training.card import tokenizer_hash

__all__ = ["STORED_TEMPLATE", "require_same_prompts"]

STORED_TEMPLATE = "chat_template.jinja"
"""The template of an adapter's prompts, beside the adapter."""


def require_same_prompts(folder: Path, chat: ChatFormat) -> None:
    """Refuse to serve an adapter with other prompts than those that it was trained on: it would be quietly worse.

    Two templates count as the same if they write the same conversation. An adapter without a card and without a stored
    template says nothing about its prompts, so nothing is refused.

    Args:
        folder: The adapter's.
        chat: How prompts are to be written.

    Raises:
        ConfigError: The template is another one.
        ArtifactCorrupt: The tokenizer is another one than in training.
    """
    card, stored = read_card(folder), folder / STORED_TEMPLATE
    trained_with = None if card is None else card["identity"].get("tokenizer")
    if trained_with is not None and trained_with != tokenizer_hash(chat.tokenizer):
        raise ArtifactCorrupt(
            f"adapter {folder} was trained with another tokenizer than the base model has now",
            remedy="pull the model from the source that the adapter's card names",
        )
    if stored.is_file():
        same = ChatFormat(chat.tokenizer, str(stored)).writes_as(chat)
    else:
        same = card is None or chat.template is None
    if not same:
        raise ConfigError(
            f"adapter {folder} was trained on prompts that are written otherwise",
            remedy="leave chat_template out: the adapter brings its own",
        )
