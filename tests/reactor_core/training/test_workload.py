import pytest

from reactor_core.data.packing import Document, micro_batches, pack
from reactor_core.data.pairs import Pair
from reactor_core.training.config import TrainingConfig
from reactor_core.training.workload import survey


def document(length, row, start=3):
    return Document(tuple(range(start, start + length)), (False, *[True] * (length - 1)), row)


ROWS = [document(20 + row, row, start=3 + 100 * row) for row in range(10)]


def test_an_epoch_is_counted_exactly_where_every_step_is_looked_at():
    config = TrainingConfig(batch_size=4, micro_batch_tokens=50, shuffle=False)
    found = survey(ROWS, None, config, share_prefixes=True)
    parts = [part for start in (0, 4, 8) for part in micro_batches(ROWS[start : start + 4], max_tokens=50)]
    computed = [len(pack(part).input_ids) for part in parts]
    assert (found.rows, found.steps, found.seen) == (10, 3, 3)
    assert found.tokens == sum(len(row.ids) for row in ROWS)
    assert found.computed == sum(computed)
    assert found.most == max(computed)
    assert found.parts == len(parts) / 3
    assert found.several


def test_epochs_multiply_and_shared_beginnings_are_computed_once():
    same = [document(30, row) for row in range(4)]
    found = survey(same, None, TrainingConfig(batch_size=4, num_epochs=5), share_prefixes=True)
    assert (found.tokens, found.computed) == (5 * 120, 5 * 29)  # nothing is predicted from the last token
    assert not found.several
    apart = survey(same, None, TrainingConfig(batch_size=4), share_prefixes=False)
    assert apart.computed == 4 * 29


def test_the_longest_row_is_looked_at_however_long_the_run_is():
    rows = [document(5, row) for row in range(300)]
    rows[137] = document(90, 137)
    found = survey(rows, None, TrainingConfig(batch_size=1), share_prefixes=True)
    assert found.seen < 60
    assert found.most == 89
    assert found.tokens == 299 * 5 + 90
    assert found.computed == pytest.approx(299 * 4 + 89, rel=0.5)


def test_both_answers_of_a_pair_are_computed():
    pairs = [Pair(document(10, row), document(12, row, start=50), row) for row in range(4)]
    documents = [one for pair in pairs for one in pair.documents]
    found = survey(documents, pairs, TrainingConfig(method="dpo", batch_size=2), share_prefixes=True)
    assert (found.rows, found.steps) == (4, 2)
    assert found.tokens == 4 * 22
    assert found.most == 9 + 11  # pairs that are equal are computed once
