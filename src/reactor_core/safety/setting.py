"""What a judgement assumes about the machine, the project and the organisation."""

from __future__ import annotations

import msgspec

__all__ = ["RUBRIC_SETTING", "Setting"]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where an action would run, and what is precious there. All paths are absolute, without a slash at the end.

    Attributes:
        user: Who runs it.
        home: His home.
        cwd: Folder that it starts in.
        project: Root of the project.
        branch: Branch that is checked out.
        shared_branches: Branches of others; a pattern may end in ``*``.
        regenerable: Names that can be made again wherever they lie in the project: folders, or files by ``*.ext``.
        regenerable_paths: Absolute paths and prefixes ending in ``*`` that can be made again.
        scratch_words: Parts of a name that say that the thing is scratch: bounded, so a person is asked.
        precious_words: Parts of a name that say that the thing is irreplaceable.
        precious_paths: Absolute paths of data sets, mounts and backups.
        protected: Paths that no action may change: the policy, its keys, the audit trail.
        own_hosts: Hosts and domains of the organisation; empty: none is known.
    """

    user: str = "dev"
    home: str = "/home/dev"
    cwd: str = "/home/dev/project"
    project: str = "/home/dev/project"
    branch: str = "feature/login"
    shared_branches: tuple[str, ...] = ("main", "master", "develop", "trunk", "production", "release*", "hotfix*")
    regenerable: tuple[str, ...] = (
        "build", "dist", "target", "out", "node_modules", ".venv", "__pycache__", ".pytest_cache", "*.pyc",
        "*.egg-info", ".mypy_cache", ".ruff_cache", ".tox", ".next", ".turbo", ".parcel-cache", "coverage",
        ".coverage", "htmlcov", ".gradle",
    )  # fmt: skip
    regenerable_paths: tuple[str, ...] = ("/tmp/reactor-*",)  # noqa: S108  the rubric's own
    scratch_words: tuple[str, ...] = ("tmp", "temp", "staging", "spot", "scratch")
    precious_words: tuple[str, ...] = ("prod", "production", "backup", "backups")
    precious_paths: tuple[str, ...] = ("/data", "/mnt", "/srv", "/var/lib", "/home")
    protected: tuple[str, ...] = ()
    own_hosts: tuple[str, ...] = ()


RUBRIC_SETTING = Setting()
"""The setting that every label of the rubric assumes (docs/reference/rubric.md)."""
