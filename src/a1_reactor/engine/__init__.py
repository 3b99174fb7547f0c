"""Lock, target, regen, blend, stitch, score."""
