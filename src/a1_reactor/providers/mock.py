"""A provider without a model: a deterministic moving scene, so that seams, flicker and blending mean something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from a1_reactor.media.frames import Frame
from a1_reactor.providers.base import BaseClip, Capabilities
from a1_reactor.providers.mock_look import apply_words, look_of, seed_of
from a1_reactor.providers.mock_scene import Scene, build_scene
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
    capabilities = Capabilities(context_frames=0)

    def identity(self) -> Mapping[str, str]:
        """Name and version: there is no model behind it."""
        return {"name": self.name, "version": self.version}

    def generate_frames(self, job: JobSpec) -> Iterator[Frame]:
        """Draw the clip, in order."""
        scene = self._scene(job)
        for index in range(job.frames):
            yield scene.draw(index)

    def regen_frames(self, job: JobSpec, base: BaseClip, windows: Sequence[Window]) -> Iterator[tuple[int, Frame]]:
        """Draw the windows' frames, in order."""
        origin = base.origin
        take = seed_of("take", origin.prompt, origin.seed, job.prompt, job.seed)
        scene = build_scene(
            width=job.width,
            height=job.height,
            layout_seed=seed_of("layout", origin.prompt, origin.seed),
            texture_seed=seed_of("texture", origin.prompt, origin.seed),
            new_texture_seed=take,
            look=apply_words(look_of(origin.prompt), job.prompt),
            shift=(2.0, 0.0),
            cast=_CASTS[take % len(_CASTS)],
        )
        for window in windows:
            for index in window.frames:
                yield index, scene.draw(index)

    @staticmethod
    def _scene(job: JobSpec) -> Scene:
        return build_scene(
            width=job.width,
            height=job.height,
            layout_seed=seed_of("layout", job.prompt, job.seed),
            texture_seed=seed_of("texture", job.prompt, job.seed),
            look=look_of(job.prompt),
        )
