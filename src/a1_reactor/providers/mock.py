"""A provider without a model: a deterministic moving scene, so that seams, flicker and blending mean something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import BaseClip, Capabilities
from a1_reactor.providers.mock_look import apply_words, look_of, seed_of
from a1_reactor.providers.mock_scene import Scene, build_scene
from a1_reactor.providers.price import FREE
from a1_reactor.types import JobSpec, Window

__all__ = ["MockProvider"]

_CASTS = ((12, -4, -8), (-8, -4, 12), (8, 8, -8), (-10, 6, 4))


class MockProvider:
    """Draws a scene that the prompt colours and the seed lays out.

    Regenerating continues the old clip's scene: the same layout and motion, but fine texture partly and grain
    wholly of another seed, 2 pixels off, with a colour cast. Those are the faults that real generators show at the
    edges of a window; without blending the seam is plain to see.
    """

    name = "mock"
    version = "1"
    capabilities = Capabilities(context_frames=0, windows_apart=True, any_frame=True, price=FREE)

    def identity(self) -> Mapping[str, str]:
        """Name and version: there is no model behind it."""
        return {"name": self.name, "version": self.version}

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Draw the clip, in order."""
        return (frame for _, frame in self._draw(job, None, range(job.frames)))

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """Draw the windows' frames, in order."""
        return self._draw(job, base, [index for window in windows for index in window.frames])

    def frames_at(
        self,
        job: JobSpec,
        base: BaseClip | None,
        windows: Sequence[Window],  # noqa: ARG002  a frame's number says all
        indices: Sequence[int],
    ) -> Iterator[tuple[int, Frame]]:
        """Draw some frames, in order."""
        return self._draw(job, base, indices)

    def _draw(self, job: JobSpec, base: BaseClip | None, indices: Sequence[int]) -> Iterator[tuple[int, Frame]]:
        scene = self._scene(job) if base is None else self._retake(job, base.origin)
        for index in indices:
            yield index, scene.draw(index)

    @staticmethod
    def _retake(job: JobSpec, origin: JobSpec) -> Scene:
        take = seed_of("take", origin.prompt, origin.seed, job.prompt, job.seed)
        return build_scene(
            width=job.width,
            height=job.height,
            layout_seed=seed_of("layout", origin.prompt, origin.seed),
            texture_seed=seed_of("texture", origin.prompt, origin.seed),
            new_texture_seed=take,
            look=apply_words(look_of(origin.prompt), job.prompt),
            shift=(2.0, 0.0),
            cast=_CASTS[take % len(_CASTS)],
        )

    @staticmethod
    def _scene(job: JobSpec) -> Scene:
        return build_scene(
            width=job.width,
            height=job.height,
            layout_seed=seed_of("layout", job.prompt, job.seed),
            texture_seed=seed_of("texture", job.prompt, job.seed),
            look=look_of(job.prompt),
        )
