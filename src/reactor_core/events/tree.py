"""The Merkle tree of RFC 6962 (and 9162, section 2.1) over a growing list of leaves, as pure functions.

::

    node           = SHA-256(0x01 || left || right)
    root of none   = SHA-256("")
    root of [a, b) = the leaf itself, or node(root of [a, a + k), root of [a + k, b)), k the largest power of 2 < b - a

The leaves come hashed (:func:`reactor_core.events.chain.leaf`). A tree of ``size`` leaves is carried forward as its
*peaks*: the roots of the full subtrees that the binary digits of ``size`` name, the largest first. A proof is a list
of hashes; which subtrees they are the roots of depends on positions only, so :func:`inclusion_ranges` and
:func:`consistency_ranges` name them and any store can look them up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "EMPTY_ROOT",
    "consistency_ranges",
    "extend",
    "inclusion_ranges",
    "node",
    "peak_ranges",
    "root",
    "subtrees",
    "verify_consistency",
    "verify_inclusion",
]

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of a tree without leaves."""

Range = tuple[int, int]
"""Leaves ``[start, end)``, counted from 0."""


def node(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(peaks: Sequence[bytes]) -> bytes:
    """Root of the tree that has these peaks."""
    if not peaks:
        return EMPTY_ROOT
    answer = peaks[-1]
    for peak in reversed(peaks[:-1]):
        answer = node(peak, answer)
    return answer


def extend(
    peaks: Sequence[bytes],
    size: int,
    leaves: Sequence[bytes],
    *,
    keep: Callable[[int, int, list[bytes]], None] | None = None,
) -> list[bytes]:
    """Append leaves to a tree of ``size`` leaves; returns the new peaks.

    Args:
        keep: Called as ``keep(level, index, nodes)`` for each level with the neighbouring nodes that became complete:
            node ``index`` of a level is the root of the leaves from ``index << level`` to ``(index + 1) << level``.
    """
    sha256 = hashlib.sha256
    waiting = list(peaks)  # the right-most peak is the next left neighbour
    done: list[bytes] = []  # new peaks, the smallest first
    nodes, first, level = list(leaves), size, 0
    while nodes:
        if keep is not None:
            keep(level, first, nodes)
        if first & 1:  # the same as this level's digit of ``size``: an old peak ends here
            nodes.insert(0, waiting.pop())
            first -= 1
        if len(nodes) & 1:
            done.append(nodes.pop())
        pairs = iter(nodes)
        nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
        first, level = first >> 1, level + 1
    return [*waiting, *reversed(done)]


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The fewest full subtrees that cover ``[start, end)``, from left to right, as ``(level, index)``."""
    while start < end:
        level = (start & -start).bit_length() - 1 if start else (end - start).bit_length()
        while start + (1 << level) > end:
            level -= 1
        yield level, start >> level
        start += 1 << level


def peak_ranges(size: int) -> list[tuple[int, int]]:
    """``(level, index)`` of the peaks of a tree, the largest first."""
    return list(subtrees(0, size))


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose roots prove that a leaf is in a tree, from the leaf upwards (RFC 6962, 2.1.1).

    Args:
        index: Position of the leaf, from 0.
        size: Number of leaves.
    """
    assert 0 <= index < size, "the leaf must be in the tree"
    answer: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            answer.append((middle, end))
            end = middle
        else:
            answer.append((start, middle))
            start = middle
    return answer[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose roots prove that a tree grew out of another one, in RFC 6962's order (2.1.2).

    Args:
        old: Number of leaves of the older tree, at least 1.
        new: Number of leaves of the newer one, at least ``old``.
    """
    assert 0 < old <= new, "a tree grows out of one that is not empty and not larger"
    answer: list[Range] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            answer.append((middle, end))
            end = middle
        else:
            answer.append((start, middle))
            start, whole = middle, False
    if not whole:
        answer.append((start, end))
    return answer[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether ``proof`` leads from a leaf to a root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, answer = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            answer = node(sibling, answer)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            answer = node(answer, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and answer == expected_root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree of ``old`` leaves is the beginning of the one of ``new`` (2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:  # a full subtree is its own first hash
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            older, newer = node(sibling, older), node(sibling, newer)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            newer = node(newer, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and older == old_root and newer == new_root


def _split(count: int) -> int:
    """The largest power of two below ``count``, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)
