"""Jobs: a table with leases, and the processes that work on them."""

from typing import TYPE_CHECKING

from reactor_core.utils.lazy import attach

if TYPE_CHECKING:
    from reactor_core.jobs.context import JobContext as JobContext
    from reactor_core.jobs.job import Job as Job
    from reactor_core.jobs.job import JobEvent as JobEvent
    from reactor_core.jobs.job import JobState as JobState
    from reactor_core.jobs.kinds import JobKind as JobKind
    from reactor_core.jobs.kinds import find_kind as find_kind
    from reactor_core.jobs.supervisor import Supervisor as Supervisor
    from reactor_core.jobs.table import JobTable as JobTable

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Job": ".job",
        "JobContext": ".context",
        "JobEvent": ".job",
        "JobKind": ".kinds",
        "JobState": ".job",
        "JobTable": ".table",
        "Supervisor": ".supervisor",
        "find_kind": ".kinds",
    },
)
