"""What a pipeline of diffusers can do, read from the arguments it takes and the sizes of its parts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from a1_reactor.providers.base import Capabilities, Mode
from a1_reactor.providers.price import FREE
from a1_reactor.types import FrameQuantum
from reactor_core.errors import ConfigError, SpecError

__all__ = ["Kind", "PipelineShape", "call_options"]

Kind = Literal["masked", "conditions", "video_to_video", "ends", "first", "words", "picture"]
"""How old frames go in: video and mask; conditions at frame numbers; a video to redraw; first and last picture; first
picture alone; not at all; not at all, and one picture comes out."""

_MODES: dict[Kind, frozenset[Mode]] = {
    "masked": frozenset({"mask", "full"}),
    "conditions": frozenset({"first_last", "full"}),
    "video_to_video": frozenset({"mask"}),
    "ends": frozenset({"first_last"}),
    "first": frozenset({"first_last"}),
    "words": frozenset({"full"}),
    "picture": frozenset({"full"}),
}
_CONTEXT: dict[Kind, int] = {"masked": 8, "video_to_video": 4, "conditions": 1, "ends": 1, "first": 1}
"""Frames on each side: as many as show motion where the model sees frames, the ends where it sees those alone."""

_OWN = frozenset(
    (
        "self", "prompt", "negative_prompt", "video", "mask", "image", "last_image", "conditions", "height", "width",
        "num_frames", "frame_rate", "generator", "latents", "output_type", "return_dict", "num_videos_per_prompt",
        "num_images_per_prompt", "kwargs",
    )
)  # fmt: skip
"""Arguments that the provider fills, or that would change the number of results."""
_SHORT = {"steps": "num_inference_steps", "guidance": "guidance_scale"}


@dataclass(frozen=True, slots=True)
class PipelineShape:
    """The arguments of a pipeline's call."""

    name: str
    """The pipeline's class."""
    arguments: frozenset[str]

    @classmethod
    def of(cls, pipeline_class: type) -> PipelineShape:
        """Read a class."""
        return cls(pipeline_class.__name__, frozenset(inspect.signature(pipeline_class.__call__).parameters))

    @property
    def kind(self) -> Kind:
        """How old frames go in.

        Raises:
            ConfigError: The pipeline makes neither pictures nor videos from what is known here.
        """
        has = self.arguments.__contains__
        if "prompt" not in self.arguments:
            raise ConfigError(
                f"pipeline {self.name} takes no prompt",
                remedy="take a pipeline that makes videos or pictures from text",
            )
        if has("video") and has("mask"):
            return "masked"
        if self.name.startswith("LTXCondition"):
            return "conditions"
        if has("video") and has("strength") and not has("conditions"):
            return "video_to_video"
        if has("num_frames"):
            if has("conditions") or has("video"):
                raise ConfigError(f"pipeline {self.name} takes its conditions in a form that is not known here")
            return "ends" if has("image") and has("last_image") else "first" if has("image") else "words"
        if has("image") or has("video"):
            raise ConfigError(f"pipeline {self.name} changes pictures", remedy="take one that makes them from text")
        return "picture"

    def capabilities(self, pipeline: Any) -> Capabilities:
        """What a loaded pipeline can do: a latent frame stands for several frames, a latent pixel for many."""
        kind = self.kind
        modes, context = _MODES[kind], _CONTEXT.get(kind, 0)
        multiple = _ratio(pipeline, "spatial", default=8) * _patch(pipeline)
        if kind == "picture":
            return Capabilities(
                context_frames=0,
                quantum=FrameQuantum(maximum=1),
                size_multiple=multiple,
                max_frames=1,
                modes=modes,
                windows_apart=True,
                price=FREE,
            )
        step = _ratio(pipeline, "temporal", default=1)
        return Capabilities(
            context_frames=context,
            modes=modes,
            quantum=FrameQuantum(step=step, offset=1 % step),
            size_multiple=multiple,
            windows_apart=True,
            spatial_mask=kind == "masked",
            price=FREE,
        )


def call_options(options: Mapping[str, Any], shape: PipelineShape) -> dict[str, Any]:
    """A job's options as arguments of the call: ``steps`` and ``guidance`` by their short names, others by their own.

    ``scheduler`` is not among them; the provider sets it before the call.

    Raises:
        SpecError: The pipeline has no such argument, or it is not the job's to set.
    """
    arguments = {}
    for name, value in options.items():
        if name == "scheduler":
            continue
        argument = _SHORT.get(name, name)
        simple = isinstance(value, bool | int | float | str) or (
            isinstance(value, list) and all(isinstance(item, int | float) for item in value)
        )
        if argument not in shape.arguments or argument in _OWN or not simple:
            known = sorted(
                {*_SHORT, "scheduler"} | {n for n in ("strength", "conditioning_scale") if n in shape.arguments}
            )
            raise SpecError(
                f"option {name}={value!r} is no number or text that {shape.name} takes",
                remedy=f"such as {', '.join(known)}",
            )
        arguments[argument] = value
    return arguments


def _ratio(pipeline: Any, axis: str, *, default: int) -> int:
    """How many frames or pixels one of the latent ones stands for, under the names in use."""
    names = [f"vae_scale_factor_{axis}", f"vae_{axis}_compression_ratio"]
    if axis == "spatial":
        names.append("vae_scale_factor")
    for name in names:
        value = getattr(pipeline, name, None)
        if isinstance(value, int):
            return value
    return default


def _patch(pipeline: Any) -> int:
    """Latent pixels that a transformer takes as one, along a side; 1 for a U-Net."""
    config = getattr(getattr(pipeline, "transformer", None), "config", None)
    size = getattr(config, "patch_size", 1)
    return int(size if isinstance(size, int) else size[-1])
