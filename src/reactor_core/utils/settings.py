"""The only reader of environment variables.

Every value has a default that works on a fresh laptop. Read once with :func:`load_settings`, then passed down: a
variable that changes later changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from reactor_core.errors import ConfigError

__all__ = ["Settings", "load_settings", "meet_afresh", "process_environment", "spin_briefly"]


def _env(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Settings(BaseSettings):
    """What the environment says about this process."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True)

    workspace: Path = Field(Path(".reactor"), validation_alias=_env("REACTOR_WORKSPACE"))
    """Folder of the journal, runs, adapters and registry."""
    a1_workspace: Path = Field(Path(".a1r"), validation_alias=_env("A1_REACTOR_WORKSPACE"))
    """Folder of the clips."""
    cache_dir: Path = Field(
        default_factory=lambda: Path.home() / ".cache" / "reactor", validation_alias=_env("REACTOR_CACHE_DIR")
    )
    """Downloaded and converted models, shared by all workspaces of a user."""

    host: str = Field("127.0.0.1", validation_alias=_env("REACTOR_CORE_HOST"))
    """Address of the REST API."""
    port: int = Field(8003, ge=1, le=65535, validation_alias=_env("REACTOR_CORE_PORT"))
    """Port of the REST API."""

    event_bridge_ws_url: str | None = Field(None, validation_alias=_env("EVENT_BRIDGE_WS_URL"))
    """Hub to exchange events with; None keeps events in this workspace."""
    event_bridge_redis_url: str | None = Field(None, validation_alias=_env("EVENT_BRIDGE_REDIS_URL"))
    """Redis to exchange events through; None for none."""
    event_bridge_fallback_file: Path = Field(
        Path("/tmp/events.jsonl"),  # noqa: S108  the seed's public default
        validation_alias=_env("EVENT_BRIDGE_FALLBACK_FILE"),
    )
    """JSON lines file that neighbours without a network read."""
    event_bridge_token: SecretStr | None = Field(None, validation_alias=_env("EVENT_BRIDGE_TOKEN"))
    """Bearer token for the hub at ``event_bridge_ws_url``."""
    jarvis_events_dir: Path | None = Field(None, validation_alias=_env("JARVIS_EVENTS_DIR"))
    """Folder of event files that the services of the family share (``~/.jarvis/events``); None does not use it."""

    event_store_url: SecretStr | None = Field(None, validation_alias=_env("EVENT_STORE_URL"))
    """Postgres to copy the journal into, as ``postgresql://user:password@host/database``; None for none."""
    cloud_sql_instance: str | None = Field(None, validation_alias=_env("CLOUD_SQL_INSTANCE"))
    """Cloud SQL instance (``project:region:name``) to reach ``event_store_url`` through Google's connector."""

    audit_anchor_path: Path | None = Field(None, validation_alias=_env("AUDIT_ANCHOR_PATH"))
    """File outside the workspace that gets the signed checkpoints; None takes one in the user's state folder."""
    audit_anchors: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias=_env("AUDIT_ANCHORS"))
    """More places for checkpoints, comma separated: paths, ``redis://`` or ``gs://bucket/prefix``."""
    state_dir: Path = Field(
        default_factory=lambda: Path.home() / ".local" / "state" / "reactor", validation_alias=_env("REACTOR_STATE_DIR")
    )
    """What outlives a workspace, such as the anchors of its journal."""

    api_token: SecretStr | None = Field(None, validation_alias=_env("REACTOR_API_TOKEN"))
    """Bearer token of the API and the hub; None takes the one that the workspace's first start makes."""

    jarvis_api_url: str = Field("http://localhost:8000", validation_alias=_env("JARVIS_API_URL"))
    """Base address of JARVIS-AI-Agent."""
    jarvis_prime_url: str = Field("http://localhost:8001", validation_alias=_env("JARVIS_PRIME_URL"))
    """Base address of JARVIS Prime."""
    jarvis_prime_api_key: SecretStr | None = Field(None, validation_alias=_env("JARVIS_PRIME_API_KEY"))
    """Bearer key for JARVIS Prime."""

    cost_daily_budget: float = Field(100.0, ge=0, validation_alias=_env("COST_DAILY_BUDGET"))
    """US dollars a day."""
    cost_alert_threshold: float = Field(0.8, gt=0, le=1, validation_alias=_env("COST_ALERT_THRESHOLD"))
    """Share of the budget at which an alert is published."""
    machine_price_usd_per_hour: float | None = Field(
        None, ge=0, validation_alias=_env("REACTOR_MACHINE_PRICE_USD_PER_HOUR")
    )
    """What this machine costs. With None a run has no cost on its card, and the demo shows a dated list price of a
    comparable rented machine."""

    report_project: str = Field("reactor", min_length=1, validation_alias=_env("REACTOR_REPORT_PROJECT"))
    """Name under which TensorBoard's neighbours gather the runs that report to them."""
    wandb_mode: str = Field("offline", validation_alias=_env("WANDB_MODE"))
    """``online`` sends runs to Weights & Biases while they go on; ``offline`` keeps them for ``wandb sync``."""
    mlflow_tracking_uri: str | None = Field(None, validation_alias=_env("MLFLOW_TRACKING_URI"))
    """Server or store of MLflow; None takes a SQLite file in the workspace."""
    trackio_dir: Path | None = Field(None, validation_alias=_env("TRACKIO_DIR"))
    """Folder of trackio; None takes one in the workspace."""

    gcp_project_id: str | None = Field(None, validation_alias=_env("GCP_PROJECT_ID"))
    """Google Cloud project."""
    gcs_checkpoint_bucket: str | None = Field(None, validation_alias=_env("GCS_CHECKPOINT_BUCKET"))
    """Bucket for checkpoints, as ``gs://name``."""
    gce_metadata_host: str = Field("metadata.google.internal", validation_alias=_env("GCE_METADATA_HOST"))
    """Address of the metadata server; the variable is the one that Google's own clients honour."""

    safety_audit_enabled: bool = Field(True, validation_alias=_env("SAFETY_AUDIT_ENABLED"))
    """False is an operator's choice at process start; it never clears a latch."""
    safety_preview_duration_ms: int = Field(2000, ge=0, validation_alias=_env("SAFETY_PREVIEW_DURATION_MS"))
    """How long a click is previewed before it is made."""
    kill_switch_enabled: bool = Field(True, validation_alias=_env("KILL_SWITCH_ENABLED"))
    """False is an operator's choice at process start; it never clears a latch."""
    kill_switch_lease_ms: int = Field(1000, ge=100, le=60_000, validation_alias=_env("KILL_SWITCH_LEASE_MS"))
    """How long a process may be silent before the watcher stops it, and the watcher before the process stops itself."""
    kill_switch_corner: str = Field("top-left", validation_alias=_env("KILL_SWITCH_CORNER"))
    """Corner of the screen that halts everything: top-left, top-right, bottom-left, bottom-right, or none."""
    kill_switch_hotkey: str = Field("ctrl+alt+k", validation_alias=_env("KILL_SWITCH_HOTKEY"))
    """Keys that halt everything; none for none."""
    safety_policy_file: Path | None = Field(None, validation_alias=_env("SAFETY_POLICY_FILE"))
    """The organisation's rules; None takes ``reactor.toml`` of the project, if there is one."""
    safety_confirmation_timeout_seconds: float = Field(
        300.0, gt=0, validation_alias=_env("SAFETY_CONFIRMATION_TIMEOUT_SECONDS")
    )
    """How long a question waits for an answer; no answer is a denial."""
    safety_retention_days: int | None = Field(None, ge=1, validation_alias=_env("SAFETY_RETENTION_DAYS"))
    """Age at which what safety events say is erased, while their proofs stay; None keeps it."""

    provider_allow: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias=_env("A1_REACTOR_PROVIDER_ALLOW"))
    """``host:port`` pairs, comma separated, of private provider addresses that may be called."""
    a1_jobs: int = Field(1, ge=1, le=64, validation_alias=_env("A1_REACTOR_JOBS"))
    """Clips that one server makes at once."""
    a1_upload_mb: int = Field(2048, ge=1, validation_alias=_env("A1_REACTOR_UPLOAD_MB"))
    """Largest video, in MiB, that may be sent to a server for import."""
    no_color: str | None = Field(None, validation_alias=_env("NO_COLOR"))
    """Any value asks for plain terminal output (https://no-color.org)."""

    @field_validator("provider_allow", "audit_anchors", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def process_environment() -> dict[str, str]:
    """A copy of this process's environment, for a child that is to have it."""
    return dict(os.environ)


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        ConfigError: A variable has a value that cannot be used; the message names it.
    """
    try:
        return Settings()  # type: ignore[call-arg]  # every field has a default; aliases hide that from mypy
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"environment variable {name}={first.get('input')!r}: {first['msg']}",
            remedy="correct or unset it",
        ) from error


def meet_afresh() -> None:
    """Let processes that ``torchrun`` starts again from here meet in a store of their own, not in that of the dead.

    Otherwise those of a second start read the addresses that the first ones left there.
    """
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"


def spin_briefly() -> None:
    """Let idle compute threads sleep after a short spin, unless the user chose; effective before torch is imported.

    GNU OpenMP spins 300,000 times at a barrier, which on two processors that other programs use as well halves the
    speed of inference and burns twice the processor time; 10,000 times cost nothing measurable on idle ones, never
    spinning costs a quarter (figures in docs/notes). For programs, not for libraries: call it where a process starts.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
