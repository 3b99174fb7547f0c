"""Peak resident memory of this process."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

__all__ = ["peak_memory", "reset_peak_memory"]

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def reset_peak_memory() -> None:
    """Start a new peak where the kernel allows it (Linux: ``5`` in clear_refs, see proc(5)); elsewhere a no-op."""
    if _CLEAR.exists():
        try:
            _CLEAR.write_text("5")
        except OSError:  # some containers mount /proc read-only; the peak then counts from the process's start
            return


def peak_memory() -> int:
    """Highest resident bytes since the reset, or since the process started where there is no reset."""
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # Unix only

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
