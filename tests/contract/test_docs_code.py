"""Every Python block of the documentation runs, page by page, in an empty folder.

A block with a title is a file that the page tells its reader to make, and is written first. Aliases of models resolve
to a tiny one, so that a page trains in seconds; nothing else differs from what a reader does.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
WITH_PYTHON = [page for page in PAGES if "```python\n" in page.read_text(encoding="utf-8")]


# peft asks transformers by a name that transformers has deprecated; no code of ours is involved.
@pytest.mark.filterwarnings("default:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_python_of_a_page_runs(page: Path, seed_workspace: Path, tiny_llama: Path) -> None:
    from reactor_core.models import add_model

    add_model("smollm2-135m", tiny_llama)
    namespace: dict[str, object] = {"__name__": "documentation"}
    for language, title, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if title:
            (seed_workspace / title).parent.mkdir(parents=True, exist_ok=True)
            (seed_workspace / title).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, str(page.relative_to(ROOT)), "exec"), namespace)
