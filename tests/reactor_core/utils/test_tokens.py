from __future__ import annotations

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from reactor_core.errors import ConfigError, StorageError
from reactor_core.utils.settings import Settings
from reactor_core.utils.tokens import Token, bearer, is_loopback, matches, workspace_token


def test_a_first_start_makes_a_token_that_only_its_owner_can_read(settings: Settings) -> None:
    token = workspace_token(settings)
    assert token.made
    assert token.path == settings.workspace / "token"
    assert stat.S_IMODE(token.path.stat().st_mode) == 0o600
    assert len(token.value) >= 43  # 256 bits
    assert [entry.name for entry in settings.workspace.iterdir()] == ["token"]


def test_later_starts_keep_it(settings: Settings) -> None:
    first, second = workspace_token(settings), workspace_token(settings)
    assert second == Token(first.value, first.path, made=False)


def test_two_workspaces_have_two_tokens(tmp_path: Path) -> None:
    values = {workspace_token(Settings(workspace=tmp_path / name)).value for name in "ab"}
    assert len(values) == 2


def test_processes_that_start_together_agree(settings: Settings) -> None:
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(lambda _: workspace_token(settings), range(64)))
    assert len({token.value for token in tokens}) == 1
    assert sum(token.made for token in tokens) == 1


def test_the_setting_comes_first_and_no_file_is_made(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path / "w", api_token=SecretStr("a-token-of-my-own"))
    assert workspace_token(settings) == Token("a-token-of-my-own", None, made=False)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("value", ["short", "", "with a space in the middle", "naïve-naïve-naïve", "x" * 20 + "\n1"])
def test_a_token_that_cannot_be_used_is_refused_with_its_place(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="REACTOR_API_TOKEN"):
        workspace_token(Settings(workspace=tmp_path, api_token=SecretStr(value)))
    (tmp_path / "token").write_text(value, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"token: a token has"):
        workspace_token(Settings(workspace=tmp_path))


def test_a_file_that_others_can_read_is_closed_to_them(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    path = workspace_token(settings).path
    assert path is not None
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        workspace_token(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "0600" in caplog.text


def test_a_workspace_that_cannot_hold_one_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="file"):
        workspace_token(Settings(workspace=tmp_path / "file"))


def test_the_secret_is_not_in_its_repr() -> None:
    assert "hunter2" not in repr(Token("hunter2-hunter2-hunter2", None, made=True))


def test_only_the_same_token_matches() -> None:
    assert matches("correct-horse-battery", "correct-horse-battery")
    for wrong in (None, "", "correct-horse-batter", "correct-horse-battery ", "\ud800"):
        assert not matches(wrong, "correct-horse-battery")


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        (None, None),
    ],
)
def test_the_authorization_header(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "localhost", "LOCALHOST.", "::1%lo"]
)
def test_what_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "localhost.evil.example", "testclient", "", "127.1", None],
)
def test_what_may_be_another_machine(host: str | None) -> None:
    assert not is_loopback(host)
