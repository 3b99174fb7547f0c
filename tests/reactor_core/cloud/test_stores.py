from __future__ import annotations

from pathlib import Path

import pytest

from reactor_core.cloud.stores import open_store
from reactor_core.errors import ConfigError


def test_a_folder_can_be_named_as_a_file_url(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}/with%20space").where == str(tmp_path / "with space")


@pytest.mark.parametrize("url", ["gs://", "file://", "nonsense://x"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        open_store(url)
