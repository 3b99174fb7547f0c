"""``reactor audit``: is the journal as it was written?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from reactor_core.events.audit import verify_workspace
from reactor_core.utils.command import print_json
from reactor_core.utils.settings import load_settings

__all__ = ["verify"]

Json = Annotated[bool, Parameter(name="--json", negative=())]


def verify(*, json: Json = False) -> int:
    """Verify the hash chain of the workspace's journal; ends with 1 and names the first bad row otherwise.

    Parameters
    ----------
    json
        Print one JSON object.
    """
    report = verify_workspace(load_settings().workspace)
    if json:
        print_json(asdict(report))
    else:
        sys.stdout.write(f"{report.events} events, head {report.head}: {'verified' if report.ok else report.detail}\n")
    return 0 if report.ok else 1
