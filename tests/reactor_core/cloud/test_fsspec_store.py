from __future__ import annotations

from reactor_core.cloud.fsspec_store import FsspecStore


def test_it_says_that_two_machines_are_not_kept_apart() -> None:
    assert not FsspecStore("memory://x").fenced


def test_the_address_is_told_without_credentials() -> None:
    store = FsspecStore("memory://checkpoints/runs/")
    assert store.where == "memory://checkpoints/runs"
