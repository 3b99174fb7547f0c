"""Every error that Reactor raises on purpose.

Catch the level you can act on::

    ReactorError
    ├── ConfigError               a setting or argument has a value that cannot be used   (ValueError)
    │   ├── DatasetError          a line of a data file is not valid; names file, line, field
    │   ├── UnknownModel          a model name that is no alias, hub id or folder
    │   ├── SpecError             a generation spec, prompt or window cannot be used
    │   └── UnknownEventType      a name that is no event type where one is required
    ├── NotFound                  a named run, adapter, clip or file does not exist       (LookupError)
    ├── MissingExtra              an optional part is not installed; carries the pip line (ImportError)
    ├── EnvironmentMissing        this machine lacks something that is needed
    ├── StorageError              reading or writing an artefact failed                   (OSError)
    │   ├── StorageFull           no space left; nothing half-written remains
    │   └── ArtifactCorrupt       a stored artefact does not match its recorded hash
    ├── DownloadError             fetching a model failed; says how to go on
    ├── JournalError              the event journal cannot be opened, written or read
    │   ├── JournalClosed         used after close()
    │   ├── NotAcknowledged       an event was not acknowledged in time; it may come yet  (TimeoutError)
    │   └── ChainBroken           the hash chain does not verify; names the first bad row
    ├── TrainingError             a training run cannot start or go on
    │   ├── NothingToTrain        no trainable tokens or no rows are left
    │   ├── NonFiniteLoss         loss or gradient is NaN or infinite; the optimizer has not moved
    │   ├── CheckpointInvalid     a checkpoint is torn or belongs to another run
    │   └── CertificateFailed     a step, computed again the plain way, came out otherwise
    ├── JobError                  a job cannot be changed that way, or its work is no longer ours
    │   ├── JobConflict           its state does not allow it, or its key names another job
    │   └── LeaseLost             another worker has the job; nothing was written
    ├── PromotionRefused          a candidate is not shown to be better
    ├── ProviderError             a generation provider failed or broke its contract
    ├── SafetyError               the safety gate did not let an action run                (PermissionError)
    │   ├── ActionBlocked         the policy refuses it; carries the decision
    │   ├── ActionDenied          a person refused it, or nobody answered in time
    │   ├── ApprovalInvalid       an answer is used up, expired, forged or meant for another action
    │   └── Halted                the kill switch is tripped
    └── Interrupted               stopped by the user; carries the command that goes on

A fault of the caller's own code is an ``assert``, not one of these. ``exit_code`` is the status with which the
command lines end when the error reaches them; docs/reference/exit-codes.md lists them.
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "ActionBlocked",
    "ActionDenied",
    "ApprovalInvalid",
    "ArtifactCorrupt",
    "CertificateFailed",
    "ChainBroken",
    "CheckpointInvalid",
    "ConfigError",
    "DatasetError",
    "DownloadError",
    "EnvironmentMissing",
    "Halted",
    "Interrupted",
    "JobConflict",
    "JobError",
    "JournalClosed",
    "JournalError",
    "LeaseLost",
    "MissingExtra",
    "NonFiniteLoss",
    "NotAcknowledged",
    "NotFound",
    "NothingToTrain",
    "PromotionRefused",
    "ProviderError",
    "ReactorError",
    "SafetyError",
    "SpecError",
    "StorageError",
    "StorageFull",
    "TrainingError",
    "UnknownEventType",
    "UnknownModel",
]


class ReactorError(Exception):
    """Base of every error in this module.

    Args:
        message: What failed, naming the option and the value.
        remedy: What the reader can do about it; appended to the message.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message if remedy is None else f"{message} ({remedy})")
        self.message = message
        self.remedy = remedy


class ConfigError(ReactorError, ValueError):
    """A setting or argument has a value that cannot be used."""

    exit_code = 3


class DatasetError(ConfigError):
    """A data file is not valid.

    Args:
        message: What is wrong.
        path: The file.
        line: 1-based line number, or None when the file as a whole is meant.
        field: The field at fault, or None.
        remedy: What to do.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path | str,
        line: int | None = None,
        field: str | None = None,
        remedy: str | None = None,
    ) -> None:
        where = str(path) if line is None else f"{path}:{line}"
        what = message if field is None else f"field {field!r}: {message}"
        super().__init__(f"{where}: {what}", remedy=remedy)
        self.path = Path(path)
        self.line = line
        self.field = field


class UnknownModel(ConfigError):
    """A model name that is no alias, hub id or folder; the message lists what is known."""


class SpecError(ConfigError):
    """A generation spec, prompt or window cannot be used."""


class UnknownEventType(ConfigError):
    """A name that is no event type where one is required."""


class NotFound(ReactorError, LookupError):
    """A named run, adapter, clip or file does not exist."""

    exit_code = 4


class MissingExtra(ReactorError, ImportError):
    """An optional part is not installed.

    Args:
        feature: What the caller wanted to use.
        extra: The extra of this distribution that brings it.
    """

    exit_code = 5

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra [{extra}]", remedy=f"pip install 'reactor-core[{extra}]'")
        self.feature = feature
        self.extra = extra


class EnvironmentMissing(ReactorError):
    """This machine lacks something that is needed (a program, memory, a permission)."""

    exit_code = 5


class StorageError(ReactorError, OSError):
    """Reading or writing an artefact failed."""


class StorageFull(StorageError):
    """No space is left on the device; nothing half-written remains."""


class ArtifactCorrupt(StorageError):
    """A stored artefact does not match its recorded hash or cannot be decoded."""


class DownloadError(ReactorError):
    """Fetching a model failed; the message says how to go on."""

    exit_code = 5


class JournalError(ReactorError):
    """The event journal cannot be opened, written or read."""


class JournalClosed(JournalError):
    """The journal or bridge was used after ``close()``."""


class NotAcknowledged(JournalError, TimeoutError):
    """An event was published, but nobody said in the given time that it is stored there; it may come yet."""


class ChainBroken(JournalError):
    """The journal's hash chain does not verify.

    Args:
        message: What was found.
        seq: Position of the first bad row.
    """

    def __init__(self, message: str, *, seq: int) -> None:
        super().__init__(message)
        self.seq = seq


class TrainingError(ReactorError):
    """A training run cannot start or go on."""

    retryable = False
    """Whether the same run may start later."""


class NothingToTrain(TrainingError, ValueError):
    """No trainable tokens or no rows are left after reading and truncating."""

    exit_code = 3


class NonFiniteLoss(TrainingError):
    """Loss or gradient is NaN or infinite; the optimizer has not moved."""


class CheckpointInvalid(TrainingError):
    """A checkpoint is torn, or belongs to another model, dataset or configuration."""


class CertificateFailed(TrainingError):
    """The first step, computed again the plain way, came out otherwise; the optimizer has not moved."""


class JobError(ReactorError):
    """A job cannot be changed that way, or its work is no longer ours."""


class JobConflict(JobError):
    """The state of a job does not allow what is asked, or an idempotency key names a job with another spec."""


class LeaseLost(JobError):
    """Another worker has the job, or nobody has; what this one wanted to write was not written."""


class PromotionRefused(ReactorError):
    """A candidate is not shown to be better than what it would replace; the message carries the evidence."""


class ProviderError(ReactorError):
    """A generation provider failed or broke its contract.

    Args:
        message: What happened.
        retryable: Whether the same request may succeed later.
        remedy: What to do.
    """

    def __init__(self, message: str, *, retryable: bool = False, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retryable = retryable


class SafetyError(ReactorError, PermissionError):
    """The safety gate did not let an action run; nothing of it has run."""

    exit_code = 6


class ActionBlocked(SafetyError):
    """The policy refuses the action.

    Args:
        message: Why.
        decision: What the gate found (``reactor_core.safety.Decision``), or None.
        remedy: What to do.
    """

    def __init__(self, message: str, *, decision: object = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.decision = decision


class ActionDenied(SafetyError):
    """A person refused the action, or nobody answered in time."""


class ApprovalInvalid(SafetyError):
    """An answer is used up, expired, forged, or was given for another action."""


class Halted(SafetyError):
    """The kill switch is tripped; nothing runs until a person clears it."""


class Interrupted(ReactorError):
    """Stopped by the user or by the machine; ``remedy`` is the command that goes on from here."""

    exit_code = 130
    by: str | None = None
    """What stopped it, such as a signal's name; None where the message says it all."""
