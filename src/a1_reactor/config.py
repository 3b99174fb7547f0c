"""What an engine is set up with, apart from the job."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reactor_core.utils.settings import Settings

__all__ = ["ReactorConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactorConfig:
    """Places and permissions of one process."""

    workspace: Path = Path(".a1r")
    """Folder of the clips."""
    provider: str = "mock"
    """Provider for specs that name none."""
    http_endpoint: str | None = None
    """Address that the HTTP provider posts to. Comes from the operator, never from a job."""
    http_timeout_s: float = 120.0
    """Longest that one request may take, from the first byte sent to the last received."""
    provider_allow: tuple[str, ...] = field(default=())
    """``host:port`` pairs of private addresses that may be called."""
    halted_by: Path | None = None
    """Workspace of Reactor whose kill switch ends jobs; None for none."""
    cache_dir: Path = field(default_factory=lambda: Path.home() / ".cache" / "reactor")
    """Weights that were fetched, shared by all workspaces of a user."""

    @classmethod
    def from_settings(cls, settings: Settings) -> ReactorConfig:
        """The configuration that the environment asks for."""
        return cls(
            workspace=settings.a1_workspace,
            provider_allow=settings.provider_allow,
            halted_by=settings.workspace,
            cache_dir=settings.cache_dir,
        )
