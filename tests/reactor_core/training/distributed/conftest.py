"""Several processes that work together, forked from one that has imported everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.harness.forks import Forks
from tests.reactor_core.conftest import build_model, build_tokenizer
from tests.reactor_core.training.distributed.roles import PRELOAD

Together = Callable[..., list[Any]]
"""Let a role play in so many processes; gives what each of them came to, None for one that was killed."""


SFT = [{"prompt": f"{n} + {n} = ", "completion": f"{2 * n}"} for n in range(12)]
DPO = [{"prompt": row["prompt"], "chosen": row["completion"], "rejected": "?"} for row in SFT]
HELD = [{"prompt": f"{n} + 20 = ", "completion": f"{n + 20}"} for n in range(5)]


@pytest.fixture(scope="package")
def forks() -> Iterator[Forks]:
    with Forks(*PRELOAD) as forks:
        yield forks


@pytest.fixture(scope="package")
def together(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Together:
    def run(role: str, *, size: int = 2, **options: Any) -> list[Any]:
        folder = tmp_path_factory.mktemp(role)
        children, outs = [], []
        for rank in range(size):
            outs.append(folder / f"{rank}.json")
            children.append(
                forks.start(
                    f"tests.reactor_core.training.distributed.roles:{role}",
                    folder,
                    f"rank-{rank}",
                    out=str(outs[-1]),
                    store=str(folder / "store"),
                    rank=rank,
                    size=size,
                    **options,
                )
            )
        for child in children:
            child.join()
        return [json.loads(out.read_text()) if out.exists() else None for out in outs]

    return run


@pytest.fixture(scope="package")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "llama"
    tokenizer = build_tokenizer()
    build_model("llama", len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Runs:
    """Runs of one model, each in a workspace of its own unless told otherwise."""

    def __init__(self, together: Together, model: Path, folder: Path) -> None:
        self._together, self._model, self.folder = together, model, folder

    def rows(self, name: str, rows: list[dict[str, str]]) -> str:
        file = self.folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(file)

    def __call__(
        self,
        name: str,
        *,
        size: int = 2,
        rows: list[dict[str, str]] = SFT,
        say: dict[str, Any] | None = None,
        **options: Any,
    ) -> list[Any]:
        base = {"model_name": str(self._model), "lora_rank": 4, "learning_rate": 0.01, "batch_size": 4}
        return self._together(
            "train",
            size=size,
            workspace=str(self.folder / name),
            cache=str(self.folder / "cache"),
            rows=self.rows("rows", rows),
            options={**base, "num_epochs": 2, "micro_batch_tokens": 60, **options},
            say=say,
        )

    def end(self, name: str, **more: Any) -> Any:
        """What the first process of a run came to that has ended."""
        found = self(name, **more)[0]
        assert "error" not in found, found
        return found


@pytest.fixture
def runs(together: Together, model: Path, tmp_path: Path) -> Runs:
    return Runs(together, model, tmp_path)
