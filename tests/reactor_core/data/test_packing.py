from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.data.packing import Document, micro_batches, pack, split_evenly


def document(ids: list[int], trained_from: int, row: int = 0) -> Document:
    return Document(tuple(ids), tuple(place >= trained_from for place in range(len(ids))), row)


def test_equal_beginnings_are_held_once() -> None:
    batch = pack([document([1, 2, 3, 4], 3, 10), document([1, 2, 5, 6], 3, 11)])
    # The last token of each is a target only, so 1 2 3 5 remain.
    assert batch.input_ids.tolist() == [1, 2, 3, 5]
    assert batch.position_ids.tolist() == [0, 1, 2, 2]
    assert batch.predict.tolist() == [2, 3]
    assert batch.targets.tolist() == [4, 6]
    assert (batch.num_tokens, batch.rows) == (8, (10, 11))


def test_one_prompt_may_have_several_answers() -> None:
    batch = pack([document([1, 2, 7], 2), document([1, 2, 8], 2), document([1, 2, 8], 2)])
    assert batch.input_ids.tolist() == [1, 2]
    assert batch.predict.tolist() == [1, 1, 1]
    assert batch.targets.tolist() == [7, 8, 8]
    assert batch.owner.tolist() == [0, 1, 2]


def test_sharing_can_be_left_out() -> None:
    batch = pack([document([1, 2, 3], 1), document([1, 2, 3], 1)], share_prefixes=False)
    assert batch.input_ids.tolist() == [1, 2, 1, 2]


def test_the_first_token_is_never_a_target() -> None:
    batch = pack([document([4, 5], 0)])
    assert batch.targets.tolist() == [5]


documents = st.lists(
    st.lists(st.integers(0, 3), min_size=2, max_size=8).flatmap(
        lambda ids: st.builds(document, st.just(ids), st.integers(1, len(ids) - 1), st.integers(0, 99))
    ),
    min_size=1,
    max_size=8,
)


@given(documents, st.booleans())
def test_each_target_is_predicted_from_the_tokens_before_it(rows: list[Document], share: bool) -> None:
    batch = pack(rows, share_prefixes=share)
    parents: dict[int, list[int]] = {}
    # Read the documents back out of the layout: each row of a bucket is one document's packed positions.
    for gather, (count, width) in zip(batch.layout.gather, batch.layout.shapes, strict=True):
        for path in gather.view(count, width).tolist():
            for depth, token in enumerate(path):
                parents.setdefault(token, [batch.input_ids[place].item() for place in path[: depth + 1]])
    got = sorted(
        (owner, parents[place], target)
        for owner, place, target in zip(
            batch.owner.tolist(), batch.predict.tolist(), batch.targets.tolist(), strict=True
        )
    )
    expected = sorted(
        (number, list(row.ids[:depth]), row.ids[depth])
        for number, row in enumerate(rows)
        for depth in range(1, len(row.ids))
        if row.trained[depth]
    )
    assert got == expected


@given(documents, st.integers(1, 40), st.booleans())
def test_micro_batches_keep_every_row_and_the_limit(rows: list[Document], limit: int, share: bool) -> None:
    parts = micro_batches(rows, max_tokens=limit, share_prefixes=share)
    assert sorted((row.ids, row.row) for part in parts for row in part) == sorted((row.ids, row.row) for row in rows)
    for part in parts:
        assert len(part) == 1 or len(pack(part, share_prefixes=share).input_ids) <= limit


def test_parts_are_as_even_as_their_rows_allow() -> None:
    rows = [document([place] * 10, 1, place) for place in range(12)]
    assert [len(part) for part in micro_batches(rows, max_tokens=110)] == [6, 6]  # filling up would give 11 and 1


@pytest.mark.parametrize(("rows", "among", "lengths"), [(8, 2, [4, 4]), (9, 3, [3, 3, 3]), (2, 4, [1, 1]), (1, 2, [1])])
def test_processes_that_take_turns_get_parts_of_one_size(rows: int, among: int, lengths: list[int]) -> None:
    """All rows would fit into one part, and the other processes would wait for it."""
    made = [document([place] * 10, 1, place) for place in range(rows)]
    assert [len(part) for part in micro_batches(made, max_tokens=640, among=among)] == lengths


@given(documents, st.integers(1, 40), st.booleans(), st.integers(1, 4))
def test_turns_lose_no_row_and_pass_no_limit(rows: list[Document], limit: int, share: bool, among: int) -> None:
    parts = micro_batches(rows, max_tokens=limit, share_prefixes=share, among=among)
    assert sorted((row.ids, row.row) for part in parts for row in part) == sorted((row.ids, row.row) for row in rows)
    for part in parts:
        assert len(part) == 1 or len(pack(part, share_prefixes=share).input_ids) <= limit
    alone = micro_batches(rows, max_tokens=limit, share_prefixes=share)
    assert len(parts) <= -(-len(alone) // among) * among


def test_a_beginning_is_counted_once_in_each_part() -> None:
    rows = [document([*range(20), place, place], 20, place) for place in range(30, 40)]
    assert len(micro_batches(rows, max_tokens=40)) == 1
    assert len(micro_batches(rows, max_tokens=40, share_prefixes=False)) == 10
    assert [len(part) for part in micro_batches(rows, max_tokens=30)] == [5, 5]


def test_groups_stay_together_and_in_order() -> None:
    groups = [[document([place, 1], 1), document([place, 2, 3], 1)] for place in range(5)]
    assert split_evenly(groups, max_tokens=8) == [[0, 1], [2, 3], [4]]
    assert split_evenly(groups, max_tokens=1) == [[place] for place in range(5)]
    assert split_evenly([], max_tokens=1) == []


def test_long_and_short_rows_are_matched_where_order_would_leave_room() -> None:
    rows = [document([place, *([9] * (size - 1))], 1, place) for place, size in enumerate((50, 50, 30, 30))]
    parts = micro_batches(rows, max_tokens=80, share_prefixes=False)  # in order: 50, 50 and 30, 30
    assert sorted(sorted(len(row.ids) for row in part) for part in parts) == [[30, 50], [30, 50]]


@given(documents, st.integers(8, 40), st.booleans())
def test_even_parts_compute_hardly_more_than_full_ones(rows: list[Document], limit: int, share: bool) -> None:
    ordered = sorted(rows, key=lambda item: (item.ids, item.row))
    parts = split_evenly([[row] for row in ordered], max_tokens=limit, share_prefixes=share)
    in_order: list[list[Document]] = []
    for row in ordered:
        if not in_order or whole(in_order[-1] + [row], share) > limit:
            in_order.append([])
        in_order[-1].append(row)
    computed = sum(whole([ordered[place] for place in part], share) for part in parts)
    assert computed <= 1.02 * sum(whole(part, share) for part in in_order)


def whole(rows: list[Document], share: bool) -> int:
    """Tokens of a part, its targets included."""
    if not share:
        return sum(len(row.ids) for row in rows)
    return len({row.ids[: depth + 1] for row in rows for depth in range(len(row.ids))})
