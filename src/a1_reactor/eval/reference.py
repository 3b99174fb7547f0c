"""The scene that the seam goals are set on.

Two layers of texture that move apart, a ball on an arc, film grain. Another take of a window has the faults that real
generators show at its edges: 2 pixels off, another colour (+12, -4, -8), other fine texture, other grain. Left as it
is, its joins stand out about four times; a clip that was never cut has joins of 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from a1_reactor.media.frames import Frame
from a1_reactor.providers.mock_look import Look
from a1_reactor.providers.mock_scene import Scene, build_scene
from a1_reactor.types import Window

__all__ = ["ReferenceScene"]

_LOOK = Look(hue=0.07, saturation=0.8, detail=1.2)
_SHIFT = (2.0, 0.0)
_CAST = (12, -4, -8)
_SEED = 20250
_WINDOW = Window(12, 28)


@dataclass(frozen=True, slots=True)
class ReferenceScene:
    """A clip without a cut, another take of it, and a picture of something else.

    Args:
        side: Pixels of either side. The goals hold at 768; a shift of 2 pixels is a larger fault in a smaller picture.
        frames: Length of the clip.
        window: What was regenerated.
    """

    side: int = 768
    frames: int = 40
    window: Window = _WINDOW
    _scenes: dict[str, Scene] = field(default_factory=dict, init=False, repr=False, compare=False)

    def old(self, index: int) -> Frame:
        """A frame of the clip as it was."""
        return self._scene("old").draw(index)

    def new(self, index: int) -> Frame:
        """The same instant in the other take, as a generator returns it."""
        return self._scene("new").draw(index)

    def other(self, index: int) -> Frame:
        """A frame of another shot altogether."""
        return self._scene("other").draw(index)

    def noise(self, index: int) -> Frame:
        """A frame that follows from nothing."""
        return np.random.default_rng([_SEED, index]).integers(0, 256, (self.side, self.side, 3), dtype=np.uint8)

    def hard_cut(self, index: int) -> Frame:
        """The clip with the other take put in as it came."""
        return self.new(index) if index in self.window.frames else self.old(index)

    def _scene(self, name: str) -> Scene:
        if name not in self._scenes:
            taken = name == "new"
            layout = _SEED + (name == "other")
            self._scenes[name] = build_scene(
                width=self.side,
                height=self.side,
                layout_seed=layout,
                texture_seed=layout,
                look=_LOOK,
                new_texture_seed=_SEED + 7 if taken else None,
                shift=_SHIFT if taken else (0.0, 0.0),
                cast=_CAST if taken else (0, 0, 0),
            )
        return self._scenes[name]
