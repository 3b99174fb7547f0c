"""Several processes that work together, forked from one that has imported everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.harness.forks import Child, Forks
from tests.reactor_core.training.distributed.roles import PRELOAD

Start = Callable[..., list[Child]]
"""Start a role on so many processes; returns them."""
Together = Callable[..., list[Any]]
"""The same, and what each of them came to (None for one that was killed)."""


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


def files(folder: Path) -> list[str]:
    """Names of all files in a folder, for comparison."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
