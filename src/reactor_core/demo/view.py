"""The demo's summary on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reactor_core.demo.summary import Summary
from reactor_core.utils.environment import GIB

__all__ = ["show_summary"]


def show_summary(summary: Summary) -> None:
    """Print what was measured, one value a row, and how to look further."""
    before, after, trained, clip = summary.before, summary.after, summary.trained, summary.clip
    low, high = after.interval
    rows = [
        (
            "verdict accuracy",
            f"{before.accuracy:.3f} before, {after.accuracy:.3f} after ({low:.3f} to {high:.3f}) "
            f"on {summary.heldout_rows} held-out rows; majority class {summary.majority_accuracy:.3f}",
        ),
        ("McNemar's test", f"p = {summary.p_untuned:.2g} (untuned), p = {summary.p_majority:.2g} (majority)"),
        (
            "training",
            f"{trained.rows:,} of {trained.pool_rows:,} rows, {trained.steps} steps, {trained.seconds:.0f} s, "
            f"{trained.tokens_per_second:,.0f} tokens/s, peak memory {trained.peak_memory_bytes / GIB:.2f} GiB",
        ),
        ("asked", f"{summary.question}  →  {summary.answer}"),
        (
            "clip",
            f"{clip['regen_frames_changed']} frames regenerated, {clip['regen_frames_untouched']} untouched: "
            f"{clip['clip_path']}",
        ),
        ("cost of this run", f"${summary.cost_nano_usd / 1e9:.4f} in {summary.seconds:.0f} s at {summary.price}"),
        ("journal", f"{summary.events:,} events, chain {'verified' if summary.chain_verified else 'BROKEN'}"),
        ("adapter", f"{summary.adapter_id}: {summary.adapter_dir}"),
        ("report", str(summary.report_path)),
    ]
    if summary.also is not None:
        also = summary.also
        rows.insert(
            2,
            (
                "another making",
                f"{also.before.accuracy:.3f} before, {also.after.accuracy:.3f} after "
                f"on {also.rows} rows of {also.path}",
            ),
        )
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"\nAsk it: reactor chat --kind shell '{summary.question}'", markup=False, soft_wrap=True)
