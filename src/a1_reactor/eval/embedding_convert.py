"""A process of its own: reads the pickle of EfficientNet-Lite0 as tensors and nothing else, and writes safetensors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

_NEEDED = ("_conv_stem.weight", "_blocks.15._project_conv.weight", "_conv_head.weight", "_bn1.running_var")


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert ``arguments[0]`` to ``arguments[1]``.

    The pickle's own code never runs: ``weights_only=True`` builds tensors and plain containers, and refuses the rest.
    """
    import torch
    from safetensors.torch import save_file

    source, target = (Path(text) for text in (sys.argv[1:] if arguments is None else arguments))
    loaded = torch.load(source, map_location="cpu", weights_only=True)
    # The classifier names the thousand classes of ImageNet; likeness does not need them.
    kept = {
        str(name): value.float().contiguous()
        for name, value in loaded.items()
        if not str(name).startswith("_fc.") and not str(name).endswith("num_batches_tracked")
    }
    for name in _NEEDED:
        if name not in kept:
            raise ValueError(f"{source} has no {name}")
    save_file(kept, target, metadata={"model": "EfficientNet-Lite0", "license": "Apache-2.0"})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
