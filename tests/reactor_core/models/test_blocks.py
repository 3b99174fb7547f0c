from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.models.blocks import query_blocks

# Each document keeps the first `shared` tokens of the one before and adds `new`.
trees = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 150)), min_size=1, max_size=7)


def grow(shape: list[tuple[int, int]]) -> tuple[list[list[int]], int]:
    documents: list[list[int]] = []
    count = 0
    for shared, new in shape:
        head = documents[-1][:shared] if documents else []
        new = new or int(not head)
        documents.append([*head, *range(count, count + new)])
        count += new
    return documents, count


@settings(max_examples=60, deadline=None)
@given(trees)
def test_each_token_is_a_query_once_and_sees_the_tokens_before_it(shape: list[tuple[int, int]]) -> None:
    documents, count = grow(shape)
    before = {path[depth]: path[: depth + 1] for path in documents for depth in range(len(path))}
    asked = []
    for block in query_blocks(documents, count):
        keys = [token for start, end in block.keys for token in range(start, end)]
        for row, query in enumerate(range(block.start, block.end)):
            asked.append(query)
            free = len(keys) - block.hidden.shape[1]
            seen = keys[:free] + [
                key for key, gone in zip(keys[free:], block.hidden[row].tolist(), strict=True) if not gone
            ]
            assert seen == sorted(before[query])
    assert asked == list(range(count))


def test_a_long_document_skips_what_lies_ahead() -> None:
    blocks = query_blocks([list(range(640))], 640)
    assert [(block.start, block.end) for block in blocks] == [(128 * n, 128 * n + 128) for n in range(5)]
    assert [block.keys for block in blocks] == [((0, 128 * n + 128),) for n in range(5)]
    assert all(tuple(block.hidden.shape) == (128, 127) for block in blocks)  # every query sees the first of its block


def test_short_documents_share_a_block_and_long_ones_do_not() -> None:
    short = query_blocks([list(range(10 * n, 10 * n + 10)) for n in range(6)], 60)
    assert [(block.start, block.end) for block in short] == [(0, 60)]
    long = query_blocks([list(range(n, n + 500)) for n in (0, 500)], 1000)
    assert any(block.start == 500 for block in long)


def test_equal_documents_cost_nothing_more() -> None:
    path = list(range(30))
    (block,) = query_blocks([path, path, path[:20]], 30)
    assert (block.start, block.end, block.keys) == (0, 30, ((0, 30),))
