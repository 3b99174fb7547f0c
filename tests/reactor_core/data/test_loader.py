from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_core.data.loader import num_steps, row_order, rows_of_step


@given(rows=st.integers(1, 50), batch=st.integers(1, 12), seed=st.integers(0, 9), shuffle=st.booleans())
def test_every_epoch_trains_every_row_once(rows: int, batch: int, seed: int, shuffle: bool) -> None:
    steps = num_steps(rows, batch)
    for epoch in range(2):
        seen = [
            row
            for step in range(epoch * steps, (epoch + 1) * steps)
            for row in rows_of_step(step, rows, batch_size=batch, seed=seed, shuffle=shuffle)
        ]
        assert sorted(seen) == list(range(rows))


def test_without_shuffling_rows_keep_the_order_of_the_file() -> None:
    assert rows_of_step(1, 5, batch_size=2, seed=3, shuffle=False) == (2, 3)
    assert rows_of_step(3, 5, batch_size=2, seed=3, shuffle=False) == (0, 1)


def test_epochs_and_seeds_differ() -> None:
    orders = {row_order(20, seed=seed, epoch=epoch, shuffle=True) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_the_order_is_the_sort_by_hash_that_the_documentation_states() -> None:
    import hashlib

    keys = [hashlib.blake2b(f"5:1:{row}".encode(), digest_size=8).digest() for row in range(8)]
    assert row_order(8, seed=5, epoch=1, shuffle=True) == tuple(sorted(range(8), key=keys.__getitem__))


@given(numbers=st.lists(st.integers(0, 5), min_size=1, max_size=30), seed=st.integers(0, 5))
def test_groups_stay_together_whatever_the_shuffle(numbers: list[int], seed: int) -> None:
    groups = tuple(numbers.index(number) for number in numbers)
    order = row_order(len(groups), seed=seed, epoch=1, shuffle=True, groups=groups)
    assert sorted(order) == list(range(len(groups)))
    for number in set(groups):
        places = [place for place, row in enumerate(order) if groups[row] == number]
        assert places == list(range(places[0], places[0] + len(places)))
        assert [order[place] for place in places] == sorted(order[place] for place in places)


def test_groups_of_one_row_change_nothing() -> None:
    plain = row_order(9, seed=1, epoch=0, shuffle=True)
    assert row_order(9, seed=1, epoch=0, shuffle=True, groups=tuple(range(9))) == plain
    assert row_order(9, seed=1, epoch=0, shuffle=False, groups=(0,) * 9) == tuple(range(9))
