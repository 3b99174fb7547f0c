"""Verifying a workspace's journal from outside, for the command line and for scripts."""

from __future__ import annotations

from pathlib import Path

from reactor_core.errors import NotFound
from reactor_core.events.chain import ChainReport
from reactor_core.events.journal import JOURNAL_NAME, Journal

__all__ = ["verify_workspace"]


def verify_workspace(workspace: Path) -> ChainReport:
    """Walk the whole chain of a workspace's journal; writers may go on meanwhile.

    Raises:
        NotFound: The workspace holds no journal.
        JournalError: The file is no journal.
    """
    path = workspace / JOURNAL_NAME
    if not path.is_file():
        raise NotFound(f"no journal at {path}", remedy="name the workspace: REACTOR_WORKSPACE=DIR")
    journal = Journal.shared(path)
    try:
        return journal.verify()
    finally:
        journal.release()
