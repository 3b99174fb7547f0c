"""Near-duplicate texts: character shingles, Jaccard similarity, and MinHash with banding to find candidate pairs.

Resemblance of shingle sets and its estimate by minima of random permutations: Broder, "On the resemblance and
containment of documents" (1997). Banding and its curve 1 - (1 - s^r)^b: Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", section 3.4. Candidates are verified with the exact similarity, so a reported pair is always true;
a true pair is missed with probability at most `MISS_PROBABILITY`.
"""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MISS_PROBABILITY = 1e-6
"""Bound on the chance that banding overlooks a pair whose similarity is at least the threshold."""

_MAX_ROWS, _MAX_BANDS = 8, 64
# A Mersenne prime below 2^31 keeps a * x + b under 2^63, so that the products fit into uint64 exactly.
_PRIME = np.uint64(2**31 - 1)

Signatures = npt.NDArray[np.uint64]


class DuplicatePair(NamedTuple):
    """Positions of two similar texts in the two sequences, and their exact Jaccard similarity."""

    index_a: int
    index_b: int
    similarity: float


def shingles(text: str, n: int = 5) -> frozenset[str]:
    """All substrings of `n` characters; a shorter text is its own single shingle, an empty text has none.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"n={n}: a shingle needs at least one character; give n >= 1")
    if not text:
        return frozenset()
    return frozenset(text[i : i + n] for i in range(max(1, len(text) - n + 1)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Size of the intersection over size of the union, in [0, 1]; two empty sets are equal, so 1."""
    if not a and not b:
        return 1.0
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def banding(threshold: float) -> tuple[int, int]:
    """(bands, rows per band) that keep the miss of a pair at `threshold` below MISS_PROBABILITY.

    A pair of similarity s shares no band with probability (1 - s^rows)^bands. More rows give fewer false candidates
    and need more bands; the largest number of rows whose bands stay within 64 is taken, at the least one.

    Raises:
        ValueError: the threshold is not in (0, 1].
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold={threshold}: a similarity threshold lies in (0, 1]")
    for rows in range(_MAX_ROWS, 0, -1):
        hit = threshold**rows
        bands = 1 if hit == 1.0 else math.ceil(math.log(MISS_PROBABILITY) / math.log1p(-hit))
        if bands <= _MAX_BANDS or rows == 1:
            return bands, rows
    raise AssertionError("the loop returns at rows == 1")


def minhash(sets: Sequence[frozenset[str]], permutations: int, seed: int = 0) -> Signatures:
    """MinHash signatures, shape [len(sets), permutations]; an empty set gets the largest value everywhere.

    Permutations are (a x + b) mod p of the CRC-32 of a shingle; `seed` fixes a and b.
    """
    rng = np.random.default_rng(seed)
    a = rng.integers(1, int(_PRIME), size=(permutations, 1), dtype=np.uint64)
    b = rng.integers(0, int(_PRIME), size=(permutations, 1), dtype=np.uint64)
    signatures = np.full((len(sets), permutations), _PRIME, dtype=np.uint64)
    for row, members in enumerate(sets):
        if members:
            codes = np.fromiter((zlib.crc32(s.encode()) for s in members), dtype=np.uint64, count=len(members))
            signatures[row] = ((a * (codes % _PRIME) + b) % _PRIME).min(axis=1)
    return signatures


def near_duplicates(
    texts_a: Sequence[str], texts_b: Sequence[str], threshold: float = 0.7, *, n: int = 5, seed: int = 0
) -> list[DuplicatePair]:
    """Pairs (a, b) whose shingle sets have Jaccard similarity >= `threshold`, sorted by positions.

    Texts are compared as given; fold case or white space before the call if they should not count.

    Raises:
        ValueError: the threshold is not in (0, 1], or `n` is below 1.
    """
    bands, rows = banding(threshold)
    sets_a = [shingles(text, n) for text in texts_a]
    sets_b = [shingles(text, n) for text in texts_b]
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, keys in enumerate(_band_keys(minhash(sets_a, bands * rows, seed), bands)):
        for band, key in enumerate(keys):
            buckets[band, key].append(index)
    pairs = []
    for index_b, keys in enumerate(_band_keys(minhash(sets_b, bands * rows, seed), bands)):
        candidates = {i for band, key in enumerate(keys) for i in buckets.get((band, key), ())}
        for index_a in candidates:
            similarity = jaccard(sets_a[index_a], sets_b[index_b])
            if similarity >= threshold:
                pairs.append(DuplicatePair(index_a, index_b, similarity))
    return sorted(pairs)


def _band_keys(signatures: Signatures, bands: int) -> list[list[bytes]]:
    """The bytes of each band of each signature."""
    split = signatures.reshape(len(signatures), bands, signatures.shape[1] // bands)
    return [[band.tobytes() for band in row] for row in split]
