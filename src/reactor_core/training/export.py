"""What a run leaves for others to load: an adapter in PEFT's format, or a whole model."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError

from reactor_core.data.chat import ChatFormat
from reactor_core.models.load import LoadedModel
from reactor_core.training.config import TrainingConfig
from reactor_core.training.peft_format import adapter_config, save_adapter
from reactor_core.training.tensors import as_os_error
from reactor_core.utils.files import atomic_write, storage_errors

__all__ = ["export"]


def export(loaded: LoadedModel, chat: ChatFormat, config: TrainingConfig, folder: Path) -> None:
    """Write the trained weights and the template of their prompts into ``folder``.

    Args:
        loaded: The trained model and its tokenizer.
        chat: How its prompts were written.
        config: With LoRA, an adapter is written; without, the whole model and its tokenizer.
        folder: An empty folder.

    Raises:
        StorageFull: No space is left.
    """
    if config.use_lora:
        peft_config = adapter_config(
            loaded.model,
            base=loaded.entry.details.get("hub_id") or str(loaded.entry.path),
            rank=config.lora_rank,
            alpha=config.lora_alpha,
            dropout_p=config.lora_dropout,
            layers=config.layers,
            rslora=config.use_rslora,
            bias=config.lora_bias,
        )
        save_adapter(loaded.model, peft_config, folder)
    else:
        with storage_errors(folder):
            try:
                loaded.model.save_pretrained(str(folder))
            except SafetensorError as error:
                raise as_os_error(error) from error
            loaded.tokenizer.save_pretrained(str(folder))
    if chat.template is not None:
        atomic_write(folder / "chat_template.jinja", chat.as_file())
