"""What a job of the kind ``train`` is to do, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reactor_core.errors import ConfigError
from reactor_core.training.config import TrainingConfig

__all__ = ["KIND", "TrainRequest"]

KIND = "train"
"""Name of the kind in the table of jobs."""

_TEMPLATES = ("model", "bare", "alpaca")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """One run.

    Raises:
        ConfigError: The data file has no absolute path.
    """

    config: TrainingConfig
    """Its options."""
    dataset: Path
    """JSON Lines file. Its path is absolute, as the job's worker may start in any folder."""
    resume: bool = True
    """Go on with an unfinished run of the same options and data, if there is one; False starts over. A later attempt
    of the same job goes on in any case."""
    store: str | None = None
    """Where checkpoints go beside the run's folder; None leaves that to the machine."""

    def __post_init__(self) -> None:
        if not self.dataset.is_absolute():
            raise ConfigError(f"dataset={str(self.dataset)!r} is no absolute path", remedy="give the whole path")

    @classmethod
    def of(
        cls, config: TrainingConfig, dataset: Path, *, resume: bool = True, store: str | None = None
    ) -> TrainRequest:
        """A request in whose options every path that is relative to the current folder is absolute.

        Args:
            config: Options of the run. Names of models and runs stay as they are.
            dataset: JSON Lines file.
            resume: As the attribute.
            store: As the attribute.
        """
        named = {
            name: value
            for name in ("model_name", "adapter", "eval_dataset", "output_dir", "chat_template")
            if (value := getattr(config, name)) is not None
            and not (name == "chat_template" and value in _TEMPLATES)
            and (name in ("eval_dataset", "output_dir") or Path(value).expanduser().exists())
        }
        placed = {name: str(Path(value).expanduser().resolve()) for name, value in named.items()}
        if store is not None and "://" not in store:
            store = str(Path(store).expanduser().resolve())
        found = config.model_copy(update=placed) if placed else config
        return cls(config=found, dataset=dataset.expanduser().resolve(), resume=resume, store=store)

    def to_json(self) -> dict[str, Any]:
        """JSON that :meth:`parse` reads back. Options that were not given are left out: some are then taken from the
        adapter that the run starts from."""
        return {
            "config": self.config.model_dump(mode="json", exclude_unset=True),
            "dataset": str(self.dataset),
            "resume": self.resume,
            "store": self.store,
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> TrainRequest:
        """Read a request from JSON.

        Raises:
            ConfigError: A field is unknown, missing or cannot be used.
        """
        values = dict(document)
        unknown = sorted(set(values) - {"config", "dataset", "resume", "store"})
        if unknown:
            raise ConfigError(
                f"a job of kind {KIND} has no field {unknown[0]!r}", remedy="config, dataset, resume, store"
            )
        config, dataset = values.pop("config", {}), values.pop("dataset", None)
        resume, store = values.pop("resume", True), values.pop("store", None)
        for name, value, wanted in (
            ("config", config, Mapping),
            ("dataset", dataset, str),
            ("resume", resume, bool),
            ("store", store, str | None),
        ):
            if not isinstance(value, wanted):
                what = wanted.__name__ if isinstance(wanted, type) else "str or null"
                raise ConfigError(f"{name}={value!r:.80} is no {what}")
        return cls(config=TrainingConfig.from_mapping(config), dataset=Path(dataset), resume=resume, store=store)
