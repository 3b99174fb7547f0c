"""Checkpoints for machines that are taken away at half a minute's notice."""

from __future__ import annotations

from dataclasses import dataclass

from reactor_core.training.checkpointer import Checkpointer

__all__ = ["SpotVMCheckpointer"]


@dataclass(frozen=True, kw_only=True, init=False)
class SpotVMCheckpointer(Checkpointer):
    """Keeps a run's checkpoints in a bucket and goes on from there on the next machine.

    The trainer uploads in the background; files first, the list that names them last. It listens to the metadata server
    (``instance/preempted``) and to SIGTERM, and on either saves what the last step came to without waiting for the step
    that is going on, uploads it, and ends with Interrupted. The same command on a new machine, with the same options,
    data and model, downloads the newest checkpoint whose hashes are right, and takes the run over: a machine that still
    writes to it is refused from then on (:class:`~reactor_core.training.remote.TakenOver`).

    Args:
        checkpoint_interval: Optimizer steps between uploads; None uploads every checkpoint that the run writes
            (``TrainingConfig.save_seconds``).
        gcs_bucket: ``gs://bucket`` or ``gs://bucket/prefix``, a folder, or an address that fsspec opens; None takes
            ``GCS_CHECKPOINT_BUCKET``.
        metadata_host: Metadata server that is asked for preemption; None takes ``GCE_METADATA_HOST``.

    Raises:
        ConfigError: ``checkpoint_interval`` is below 1.
    """

    def __init__(
        self,
        checkpoint_interval: int | None = None,
        gcs_bucket: str | None = None,
        *,
        metadata_host: str | None = None,
    ) -> None:
        super().__init__(store=gcs_bucket, interval=checkpoint_interval, metadata_host=metadata_host)
