"""Jobs: a table with leases, and the processes that work on them."""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.jobs.job import Job as Job
    from reactor_core.jobs.job import JobEvent as JobEvent
    from reactor_core.jobs.job import JobState as JobState
    from reactor_core.jobs.table import JobTable as JobTable

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Job": ".job",
        "JobEvent": ".job",
        "JobState": ".job",
        "JobTable": ".table",
    },
)
