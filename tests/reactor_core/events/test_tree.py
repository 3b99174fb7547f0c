"""The tree against published roots, and against the definition of RFC 6962 written down as it stands there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.events import tree

# Inputs and roots of the reference implementation (google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc,
# also in transparency-dev/merkle, testonly): the root after each of these eight leaves.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in INPUTS]


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + number.to_bytes(4, "big")).digest() for number in range(count)]


def split(count: int) -> int:
    """The largest power of two smaller than count."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, over hashed leaves."""
    if not d:
        return hashlib.sha256(b"").digest()
    if len(d) == 1:
        return d[0]
    k = split(len(d))
    return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2."""
    if m == len(d):
        return [] if whole else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], whole), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size):
    assert tree.root(tree.extend([], 0, LEAVES[:size])).hex() == ROOTS[size - 1]


def test_the_root_of_nothing():
    # RFC 6962, 2.1: the hash of an empty list is the hash of an empty string.
    assert tree.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_published_example_of_rfc_6962():
    # Section 2.1.3 draws the tree of seven leaves: the path of d0 is [b, h, l], of d3 [c, g, l], of d4 [f, j, k] and
    # of d6 [i, k]; and PROOF(3, D[7]) = [c, d, g, l], PROOF(4, D[7]) = [l], PROOF(6, D[7]) = [i, j, k].
    a, b, c, d, e, f, j = d7 = LEAVES[:7]
    g, h, i = tree.node(a, b), tree.node(c, d), tree.node(e, f)
    k, l_ = tree.node(g, h), tree.node(i, j)
    found = [[mth(d7[start:end]) for start, end in tree.inclusion_ranges(m, 7)] for m in (0, 3, 4, 6)]
    assert found == [[b, h, l_], [c, g, l_], [f, j, k], [i, k]]
    proofs = [[mth(d7[start:end]) for start, end in tree.consistency_ranges(m, 7)] for m in (3, 4, 6)]
    assert proofs == [[c, d, g, l_], [l_], [i, j, k]]


@given(st.lists(st.integers(0, 40), max_size=8))
def test_growing_in_any_steps_gives_the_same_tree(steps):
    peaks: list[bytes] = []
    kept: dict[tuple[int, int], bytes] = {}
    size = 0
    d = leaves(sum(steps))

    def keep(level, first, nodes):
        for offset, value in enumerate(nodes):
            assert (level, first + offset) not in kept, "a node is complete once"
            kept[level, first + offset] = value

    for step in steps:
        peaks = tree.extend(peaks, size, d[size : size + step], keep=keep)
        size += step
        assert tree.root(peaks) == mth(d[:size])
        assert peaks == [kept[place] for place in tree.peak_ranges(size)]
    complete = {(level, i) for level in range(12) for i in range(size >> level)}
    assert set(kept) == complete
    assert all(kept[level, i] == mth(d[i << level : (i + 1) << level]) for level, i in complete)


@given(st.data())
def test_inclusion_proofs_are_the_defined_ones_and_verify(data):
    size = data.draw(st.integers(1, 130))
    index = data.draw(st.integers(0, size - 1))
    d = leaves(size)
    proof = [mth(d[start:end]) for start, end in tree.inclusion_ranges(index, size)]
    assert proof == path(index, d)
    assert tree.verify_inclusion(d[index], index, size, proof, mth(d))


@given(st.data())
def test_an_inclusion_proof_holds_for_nothing_else(data):
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    d = leaves(size)
    proof, top = path(index, d), mth(d)
    other = data.draw(st.integers(-1, size).filter(lambda number: number != index))
    assert not tree.verify_inclusion(d[index], other, size, proof, top)
    spoiled = data.draw(st.integers(0, len(proof) - 1))
    assert not tree.verify_inclusion(d[index], index, size, [*proof[:spoiled], *proof[spoiled + 1 :]], top)
    assert not tree.verify_inclusion(d[index], index, size, [*proof, top], top)
    assert not tree.verify_inclusion(top, index, size, proof, top)


@given(st.data())
def test_consistency_proofs_are_the_defined_ones_and_verify(data):
    new = data.draw(st.integers(1, 130))
    old = data.draw(st.integers(1, new))
    d = leaves(new)
    proof = [mth(d[start:end]) for start, end in tree.consistency_ranges(old, new)]
    assert proof == subproof(old, d, True)
    assert tree.verify_consistency(old, new, mth(d[:old]), mth(d), proof)


@given(st.data())
def test_a_consistency_proof_holds_for_nothing_else(data):
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    d = leaves(new)
    proof, before, after = subproof(old, d, True), mth(d[:old]), mth(d)
    assert not tree.verify_consistency(old, new, after, after, proof)
    assert not tree.verify_consistency(old, new, before, before, proof)
    assert not tree.verify_consistency(old, new, before, after, proof[1:])
    assert not tree.verify_consistency(old, new, before, after, [*proof, after])
    assert not tree.verify_consistency(0, new, before, after, proof)
    assert not tree.verify_consistency(new, old, after, before, proof)


def test_a_tree_is_consistent_with_itself_by_no_proof_at_all():
    top = mth(leaves(5))
    assert tree.verify_consistency(5, 5, top, top, [])
    assert not tree.verify_consistency(5, 5, top, top, [top])


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_subtrees_cover_a_range_once_and_aligned(one, other):
    start, end = sorted((one, other))
    position = start
    for level, index in tree.subtrees(start, end):
        assert index << level == position
        position += 1 << level
    assert position == end
    assert len(list(tree.subtrees(start, end))) <= 2 * max(1, (end - start).bit_length())
