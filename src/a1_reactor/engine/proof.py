"""The proof that a regeneration changed nothing outside its windows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from a1_reactor.engine.report import frame_ranges
from a1_reactor.storage.clip import Clip
from a1_reactor.storage.draft import Draft
from a1_reactor.storage.layout import frame_name
from a1_reactor.storage.links import inodes
from a1_reactor.types import Window
from reactor_core.errors import ArtifactCorrupt
from reactor_core.utils.files import sha256_file

__all__ = ["prove_unchanged"]


def prove_unchanged(
    parent: Clip, draft: Draft, windows: Sequence[Window], methods: Mapping[int, str]
) -> dict[str, Any]:
    """Show for every frame outside the windows that its file is the parent's.

    A hard link is shown by its inode: two names of one inode cannot hold different bytes, so nothing is read. What was
    taken over in another way is hashed. That the parent's file is what was once stored was checked when it was linked,
    by its seal or by its hash; ``a1-reactor verify`` hashes everything whenever one likes.

    Args:
        methods: How each file was taken over, by frame number.

    Returns:
        Counts, ranges, one digest over the hashes on either side, and how many frames inside really changed.

    Raises:
        ArtifactCorrupt: A file outside the windows differs.
    """
    inside = {index for window in windows for index in window.frames}
    outside = [index for index in range(parent.frame_count) if index not in inside]
    shown: Counter[str] = Counter()
    here, there = (inodes(path.parent) for path in (draft.frame_path(0), parent.frame_path(0)))
    for index in outside:
        recorded, file = parent.manifest.frames[index].file, draft.entry(index).file
        name = frame_name(index)
        same = methods[index] == "hardlink" and here[name] == there[name]
        if file != recorded or not (same or sha256_file(draft.frame_path(index)) == recorded):
            raise ArtifactCorrupt(f"frame {index} lies outside the windows and yet differs from the parent's file")
        shown["same inode" if same else "same hash"] += 1
    ours = _digest((index, draft.entry(index).file) for index in outside)
    theirs = _digest((index, parent.manifest.frames[index].file) for index in outside)
    assert ours == theirs, "each line was compared above"
    changed = [index for index in sorted(inside) if draft.entry(index).pixels != parent.manifest.frames[index].pixels]
    return {
        "untouched": {
            "count": len(outside),
            "frames": frame_ranges(outside),
            "sha256_of_hashes": ours,
            "sha256_of_parent_hashes": theirs,
            "taken_over_by": dict(sorted(Counter(methods.values()).items())),
            "shown_by": dict(sorted(shown.items())),
        },
        "changed": {"count": len(changed), "frames": frame_ranges(changed)},
    }


def _digest(hashes: Iterable[tuple[int, str]]) -> str:
    return hashlib.sha256("".join(f"{index} {hash_}\n" for index, hash_ in hashes).encode()).hexdigest()
