from __future__ import annotations

import hashlib
import struct

from hypothesis import given
from hypothesis import strategies as st

from reactor_core.events import chain

texts = st.binary(max_size=12)


def test_a_link_is_what_the_module_documents():
    row_header = chain.header(7, -1, 2, b"id", b"error", b"user", b"", b"k")
    lengths = struct.pack(">5I", 2, 5, 4, 0, 1)
    by_hand = b"\x01" + (7).to_bytes(8, "big") + (b"\xff" * 8) + b"\x02" + lengths + b"iderroruserk"
    assert row_header == by_hand
    leaf = hashlib.sha256(b"\x00" + by_hand + hashlib.sha256(b"{}").digest()).digest()
    assert chain.leaf(row_header, chain.payload_hash(b"{}")) == leaf
    before = hashlib.sha256(b"reactor-journal-1" + b"some-id").digest()
    assert chain.genesis("some-id") == before
    assert chain.link(before, leaf) == hashlib.sha256(b"\x02" + before + leaf).digest()


@given(st.lists(texts, min_size=5, max_size=5), st.lists(texts, min_size=5, max_size=5))
def test_different_fields_never_make_the_same_header(one, other):
    if one != other:
        assert chain.header(1, 0, 1, *one) != chain.header(1, 0, 1, *other)


@given(
    st.integers(1, 2**62), st.integers(-(2**62), 2**62), st.integers(1, 4), st.lists(st.text(), min_size=5, max_size=5),
    st.binary(),
)  # fmt: skip
def test_a_row_in_one_go_has_the_hashes_of_its_parts(seq, ts_us, priority, texts, payload):
    previous = chain.genesis("some journal")
    row_header = chain.header(seq, ts_us, priority, *(text.encode() for text in texts))
    row_leaf = chain.leaf(row_header, chain.payload_hash(payload))
    assert chain.extend(previous, seq, ts_us, priority, *texts, payload) == (
        chain.payload_hash(payload),
        row_leaf,
        chain.link(previous, row_leaf),
    )
