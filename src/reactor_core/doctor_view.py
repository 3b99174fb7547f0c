"""The doctor's report on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from reactor_core.doctor import Report, Status

__all__ = ["show_report"]

_MARKS = {Status.OK: "[green]ok[/]", Status.WARN: "[yellow]warn[/]", Status.FAIL: "[red]fail[/]"}


def show_report(report: Report) -> None:
    """Print the verdict, its reasons, and a line per check with the remedy below it."""
    console = Console(highlight=False, soft_wrap=True)
    environment = report.environment
    quantized = ", quantized" if environment.quantized else ""
    console.print(f"[bold]{environment.kind}[/]: {environment.mode}{quantized}, device {environment.device}")
    for reason in environment.reasons:
        console.print(f"  because {escape(reason)}")
    for check in report.checks:
        console.print(f"{_MARKS[check.status]:>18}  {escape(check.name)}: {escape(check.detail)}")
        if check.remedy is not None:
            console.print(f"        remedy: {escape(check.remedy)}")
