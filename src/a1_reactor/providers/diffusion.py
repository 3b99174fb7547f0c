"""Models on this machine: any folder that diffusers can load as a pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from a1_reactor.media.frames import Frame
from a1_reactor.media.mask import painted
from a1_reactor.providers.base import BaseClip, Capabilities, spans_of
from a1_reactor.providers.diffusion_inputs import old_frames
from a1_reactor.providers.diffusion_shape import PipelineShape, call_options
from a1_reactor.providers.modes import pick_mode
from a1_reactor.providers.wire import no_pulse
from a1_reactor.types import JobSpec, Span, Window
from reactor_core.errors import ConfigError, ProviderError, SpecError
from reactor_core.utils.canonical import content_hash
from reactor_core.utils.extras import require
from reactor_core.utils.files import sha256_file

__all__ = ["DiffusersProvider", "pipeline_name", "pipeline_shape"]


def _library() -> Any:
    require("torch", feature="a pipeline of diffusers", extra="train")
    return require("diffusers", feature="a pipeline of diffusers", extra="generate")


def _condition(picture: Any, place: int) -> Any:
    return _library().pipelines.ltx.pipeline_ltx_condition.LTXVideoCondition(image=picture, frame_index=place)


def pipeline_name(folder: Path) -> str:
    """The class that a folder names, without importing anything.

    Raises:
        ConfigError: The folder holds no pipeline.
    """
    try:
        name = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))["_class_name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{folder} holds no pipeline: model_index.json cannot be read ({error})",
            remedy="give the folder that save_pretrained wrote",
        ) from error
    return str(name)[:80]


def pipeline_shape(folder: Path) -> PipelineShape:
    """What the pipeline in a folder takes, without loading its weights.

    Raises:
        ConfigError: The folder holds no pipeline, or one of a class that the installed diffusers lacks.
        MissingExtra: diffusers is not installed.
    """
    library, name = _library(), pipeline_name(folder)
    found = getattr(library, name, None)
    if not (isinstance(found, type) and issubclass(found, library.DiffusionPipeline)):
        raise ConfigError(f"{folder}: diffusers {library.__version__} has no pipeline {name!r}")
    return PipelineShape.of(found)


class DiffusersProvider:
    """A pipeline, loaded at its first use and kept.

    Weights are read from safetensors only, nothing is fetched, and no code from the folder runs. Options of a job:
    ``steps``, ``guidance``, ``scheduler`` (a class of diffusers), and any number or text that the pipeline takes.

    Args:
        folder: What ``save_pretrained`` wrote.
        name: Name in specs and reports.
        device: Device of torch.
        dtype: Type of the weights, such as ``float32`` or ``bfloat16``.
        capabilities: What is known better than the pipeline tells, such as the longest call; None for nothing.
        pulse: Called after every denoising step; what it raises ends the call.
    """

    version = "2"

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "diffusers",
        device: str = "cpu",
        dtype: str = "float32",
        capabilities: Capabilities | None = None,
        pulse: Callable[[], None] = no_pulse,
    ) -> None:
        self.name = name
        self._folder = folder
        self._device = device
        self._dtype = dtype
        self._stated = capabilities
        self._pulse = pulse

    @cached_property
    def _shape(self) -> PipelineShape:
        return pipeline_shape(self._folder)

    @cached_property
    def _pipeline(self) -> Any:
        library = _library()
        import torch

        dtype = getattr(torch, self._dtype, None)
        if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
            raise ConfigError(f"dtype={self._dtype!r} is no type of weights", remedy="float32, float16 or bfloat16")
        try:
            pipeline = library.DiffusionPipeline.from_pretrained(
                self._folder, local_files_only=True, use_safetensors=True, dtype=dtype
            )
        except (OSError, ValueError, ImportError) as error:
            raise ProviderError(
                f"provider {self.name!r}: {self._folder} cannot be loaded: {str(error).splitlines()[0][:300]}",
                remedy="weights must be safetensors, and all parts must be in the folder",
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(self._device)

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the pipeline's arguments and parts say, unless the operator has said it.

        Raises:
            ConfigError, ProviderError, MissingExtra: It cannot be loaded.
        """
        return self._stated if self._stated is not None else self._shape.capabilities(self._pipeline)

    def identity(self) -> Mapping[str, str]:
        """Class, release of diffusers, type of the weights, and the folder's files.

        Settings count by their bytes, weights by size and time of change: reading them all takes minutes.
        """
        files = {}
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                stat = path.stat()
                small = path.suffix in {".json", ".txt"}
                files[path.relative_to(self._folder).as_posix()] = (
                    sha256_file(path) if small else f"{stat.st_size} {stat.st_mtime_ns}"
                )
        return {
            "name": self.name,
            "version": self.version,
            "pipeline": self._shape.name,
            "diffusers": str(_library().__version__),
            "dtype": self._dtype,
            "files": content_hash(files),
        }

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Make the whole clip, in an amount that the pipeline makes.

        Raises:
            ProviderError: The pipeline failed, or gave frames that are none.
            SpecError: An option is not one of the pipeline's.
        """
        amount = self.capabilities.quantum.at_least(job.frames) or job.frames
        for _, frame in self._run(job, Span(Window(0, job.frames), 0, amount, job.frames), None):
            yield frame

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """Make each window on its own; the context that comes back is dropped.

        Raises:
            ProviderError, SpecError: As :meth:`generate_frames`.
        """
        for span in spans_of(windows, job, self.capabilities):
            pick_mode(self.capabilities.modes, span)
            yield from self._run(job, span, base)

    def _run(self, job: JobSpec, span: Span, base: BaseClip | None) -> Iterator[tuple[int, Frame]]:
        arguments = self._arguments(job, span, base)
        self._set_scheduler(job.options.get("scheduler"))
        try:
            made = self._pipeline(**arguments)
        except (RuntimeError, ValueError, TypeError) as error:
            raise ProviderError(
                f"provider {self.name!r}: {self._shape.name} failed: {str(error).splitlines()[0][:300]}"
            ) from error
        frames = made.images if self._shape.kind == "picture" else made.frames[0]
        if len(frames) != len(span):
            raise ProviderError(f"provider {self.name!r} made {len(frames)} frames, {len(span)} were asked for")
        for index, frame in zip(range(span.start, span.stop), frames, strict=True):
            if index in span.window:
                if not np.isfinite(frame).all():
                    raise ProviderError(
                        f"provider {self.name!r}: frame {index} holds NaN or infinity",
                        remedy="load the pipeline with dtype float32 or bfloat16",
                    )
                yield index, np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8)

    def _arguments(self, job: JobSpec, span: Span, base: BaseClip | None) -> dict[str, Any]:
        import torch

        takes = self._shape.arguments

        def step_end(pipeline: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
            self._pulse()
            return values

        offered = {
            "prompt": job.prompt,
            "negative_prompt": job.negative_prompt or "",
            "height": job.height,
            "width": job.width,
            "num_frames": len(span),
            "frame_rate": float(job.fps),
            # The CPU's numbers are the same on every machine.
            "generator": torch.Generator("cpu").manual_seed(job.seed),
            "output_type": "np",
            "callback_on_step_end": step_end,
        }
        arguments = {name: value for name, value in offered.items() if name in takes}
        arguments |= call_options(job.options, self._shape)
        if base is None:
            return arguments
        part = painted(job.mask, width=job.width, height=job.height) if self.capabilities.spatial_mask else None
        return arguments | old_frames(self._shape, span, base, condition=_condition, part=part)

    def _set_scheduler(self, name: Any) -> None:
        """Take another scheduler with the old one's settings.

        Raises:
            SpecError: It is no scheduler of diffusers.
        """
        if name is None:
            name = type(self._own_scheduler).__name__
        library = _library()
        found = getattr(library, name, None) if isinstance(name, str) else None
        if not (isinstance(found, type) and issubclass(found, library.SchedulerMixin)):
            raise SpecError(
                f"option scheduler={name!r} is no scheduler of diffusers", remedy="such as UniPCMultistepScheduler"
            )
        if type(self._pipeline.scheduler) is not found:
            maker: Any = found
            self._pipeline.scheduler = maker.from_config(self._own_scheduler.config)

    @cached_property
    def _own_scheduler(self) -> Any:
        """The one that the folder names; a job's choice holds for that job alone."""
        return self._pipeline.scheduler
