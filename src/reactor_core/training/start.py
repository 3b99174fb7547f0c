"""Starting from an adapter instead of from nothing: which one, and what follows from it for the run's options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reactor_core.errors import ConfigError, NotFound
from reactor_core.models.adapter_folder import ADAPTER_CONFIG, hash_adapter, read_card, require_same_base
from reactor_core.models.entry import ModelEntry
from reactor_core.training.config import TrainingConfig
from reactor_core.training.lora import target_paths
from reactor_core.training.peft_format import AdapterShape, read_shape
from reactor_core.utils.settings import Settings

__all__ = ["Start", "find_start"]


@dataclass(frozen=True)
class Start:
    """The adapter that a run starts from.

    Attributes:
        folder: Where it is.
        sha256: Over all its files (:func:`~reactor_core.models.adapter_folder.hash_adapter`).
        card: What the run that made it wrote beside it; None beside an adapter of PEFT's own.
    """

    folder: Path
    sha256: str
    card: dict[str, Any] | None

    def facts(self) -> dict[str, Any]:
        """What a card says about it as the parent."""
        return {
            "path": str(self.folder),
            "sha256": self.sha256,
            "run_id": None if self.card is None else self.card["run_id"],
        }

    def before_loading(self, config: TrainingConfig, entry: ModelEntry) -> TrainingConfig:
        """Options with how its base was kept and how its prompts were written, unless they are given.

        Raises:
            ArtifactCorrupt: It was trained on other base weights than the entry's.
        """
        require_same_base(self.folder, entry)
        if self.card is None:
            return config
        trained_with = self.card["config"]
        taken = {
            name: trained_with[name]
            for name in ("quantization", "double_quantization")
            if name in trained_with and name not in config.model_fields_set
        }
        if "chat_template" not in config.model_fields_set:
            own = trained_with["chat_template"]
            stored = self.folder / "chat_template.jinja"
            taken["chat_template"] = str(stored) if own not in ("model", "bare") and stored.is_file() else own
        return config.model_copy(update=taken)

    def shape(self, config: TrainingConfig, model: Any) -> TrainingConfig:
        """Options with its rank, alpha, scaling, biases and targets.

        Args:
            config: Options of the run.
            model: The base, not adapted yet.

        Raises:
            ConfigError: An option was given that says something else, or the adapter is of a kind that is not known.
            ArtifactCorrupt: The adapter cannot be read, or does not fit the model.
        """
        found = read_shape(self.folder, model)
        taken: dict[str, Any] = {
            "lora_rank": found.rank,
            "lora_alpha": found.alpha,
            "use_rslora": found.rslora,
            "lora_bias": found.bias,
        }
        for name, value in taken.items():
            if name in config.model_fields_set and getattr(config, name) != value:
                raise self._other(name, getattr(config, name), value)
        return config.model_copy(update={**taken, **self._targets(config, found, model)})

    def _targets(self, config: TrainingConfig, found: AdapterShape, model: Any) -> dict[str, Any]:
        if set(target_paths(model, config.target_modules, config.layers)) == set(found.paths):
            return {}
        for name in ("target_modules", "layers"):
            if name in config.model_fields_set:
                raise self._other(
                    name, getattr(config, name), f"{len(found.paths)} layers: {', '.join(found.paths[:3])} ..."
                )
        return {"target_modules": found.paths}

    def _other(self, name: str, given: Any, found: Any) -> ConfigError:
        return ConfigError(
            f"{name}={given!r}: the adapter {self.folder} has {found}",
            remedy=f"leave {name} out, and it is taken from the adapter",
        )


def find_start(config: TrainingConfig, settings: Settings) -> Start | None:
    """The adapter that ``config.adapter`` names.

    Args:
        config: Its ``adapter`` is the folder of an adapter or of a run, or the id of a run of the workspace.
        settings: Where the workspace is.

    Returns:
        None where the run starts from nothing.

    Raises:
        NotFound: There is no adapter of that name, or no finished run.
        ArtifactCorrupt: Its card cannot be read.
    """
    if config.adapter is None:
        return None
    named, run = Path(config.adapter).expanduser(), settings.workspace / "runs" / config.adapter
    for folder in (named, named / "adapter", run / "adapter"):
        if (folder / ADAPTER_CONFIG).is_file():
            return Start(folder.resolve(), hash_adapter(folder), read_card(folder))
    raise NotFound(
        f"adapter={config.adapter!r}: neither a folder with an adapter nor a finished run in {settings.workspace}",
        remedy="reactor runs list",
    )
