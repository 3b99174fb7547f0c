from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reactor_core.data.fit import require_fit
from reactor_core.data.records import Dataset, Row
from reactor_core.data.tokens import TokenTable
from reactor_core.errors import DatasetError

# Two rows of two documents; a trained token stands as its complement.
TABLE = TokenTable(
    np.array([3, ~4, 3, ~5, 3, 9, ~2, 3, ~8], np.int32), np.array([[2, 0], [4, 0], [7, 0], [9, 0]], np.int64), per_row=2
)
DATASET = Dataset(Path("rows.jsonl"), "0" * 64, (Row(3), Row(8)))


@pytest.mark.parametrize("positions", [3, 4, None])
def test_tokens_that_the_model_knows_pass(positions: int | None) -> None:
    require_fit(TABLE, DATASET, vocabulary=10, positions=positions)


@pytest.mark.parametrize(("vocabulary", "line", "token"), [(9, 8, 9), (8, 8, 9), (5, 3, 5), (4, 3, 4)])
def test_a_token_outside_the_vocabulary_names_its_line(vocabulary: int, line: int, token: int) -> None:
    with pytest.raises(DatasetError, match=rf"rows\.jsonl:{line}: .*token id {token}, .*has {vocabulary} embeddings"):
        require_fit(TABLE, DATASET, vocabulary=vocabulary, positions=None)


def test_a_row_longer_than_the_models_positions_names_its_line() -> None:
    with pytest.raises(DatasetError, match=r"rows\.jsonl:8: this row has 3 tokens.*set max_length=2"):
        require_fit(TABLE, DATASET, vocabulary=10, positions=2)
