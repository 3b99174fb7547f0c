"""The report of one run as a single HTML file that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from reactor_core.demo.summary import Scores, Summary
from reactor_core.utils.environment import GIB

__all__ = ["render_page"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0; --paper: #fff; --tile: #f6f8fa;
  --mark: #0969da; --old: #8c959f; --good: 26, 127, 55; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117;
  --tile: #151b23; --mark: #4493f8; --old: #656c76; --good: 63, 185, 80; } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 1080px; padding: 24px }
h1 { font-size: 26px; margin: 0 0 4px } h2 { font-size: 19px; margin: 36px 0 10px }
p { margin: 6px 0; max-width: 75ch } .soft { color: var(--soft) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 10px; margin: 18px 0 }
.tile { background: var(--tile); border: 1px solid var(--line); border-radius: 8px; padding: 12px }
.tile b { display: block; font-size: 22px; font-weight: 600 }
.tile span { color: var(--soft); font-size: 13px }
table { border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums }
th, td { border: 1px solid var(--line); padding: 5px 10px; text-align: right; vertical-align: top }
th { background: var(--tile); font-weight: 600 } td.text, th.text { text-align: left; overflow-wrap: anywhere }
.pair { display: flex; flex-wrap: wrap; gap: 28px }
img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px; background: #fff }
figure { margin: 10px 0 } figcaption { color: var(--soft); font-size: 13px }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink) }
"""


def render_page(summary: Summary, *, loss_png: Path, before_png: Path, after_png: Path) -> str:
    """Build the page.

    Args:
        summary: What was measured.
        loss_png: Loss curve of the training run.
        before_png: Filmstrip of the clip before regeneration.
        after_png: Filmstrip of the same frames after it.
    """
    trained, clip = summary.trained, summary.clip
    gain = (summary.after.accuracy - summary.before.accuracy) * 100
    tiles = [
        (f"{summary.after.accuracy:.3f}", f"verdict accuracy after ({summary.before.accuracy:.3f} before)"),
        (f"{gain:+.1f} points", f"on {summary.heldout_rows} held-out rows"),
        (f"{trained.tokens_per_second:,.0f}", "training tokens per second"),
        (f"{trained.peak_memory_bytes / GIB:.2f} GiB", "peak memory of training"),
        (f"${summary.cost_nano_usd / 1e9:.4f}", "cost of this run"),
        (f"{summary.events:,}", f"events, chain {'verified' if summary.chain_verified else 'BROKEN'}"),
        (f"{clip['regen_frames_changed']} / {clip['frames']}", "frames regenerated"),
        (f"{summary.seconds:.0f} s", "for the whole turn"),
    ]
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<title>Reactor: {escape(summary.run_id)}</title><style>{_STYLE}</style></head><body>",
        "<h1>One turn of the loop</h1>",
        f"<p class=soft>{escape(summary.run_id)} · {escape(summary.machine)} · seed {summary.seed}</p>",
        "<div class=tiles>",
        *(f"<div class=tile><b>{escape(value)}</b><span>{escape(name)}</span></div>" for value, name in tiles),
        "</div>",
        "<h2>Judging actions it has not seen</h2>",
        f"<p>{escape(summary.model_name)} decides allow, confirm or block for {summary.heldout_rows} actions whose "
        "templates never occur in training. The bars carry 95 % bootstrap intervals.</p>",
        _accuracy_chart(summary),
        f"<p class=soft>McNemar's test: p = {summary.p_untuned:.2g} against the untuned model, "
        f"p = {summary.p_majority:.2g} against the majority class.</p>",
        "<div class=pair>",
        _confusion("Before", summary.before, summary.labels),
        _confusion("After", summary.after, summary.labels),
        _per_kind(summary),
        "</div>",
        _foreign(summary),
        f"<p>Asked about <code>{escape(summary.question)}</code>, which is in neither file, it answers: "
        f"<b>{escape(summary.answer)}</b>.</p>",
        "<h2>Training</h2>",
        f"<p>{trained.steps} steps over {trained.rows:,} of {trained.pool_rows:,} rows "
        f"({trained.tokens:,} tokens) in {trained.seconds:.0f} s; ended by {escape(trained.stopped)}. "
        f"Loss {trained.first_loss:.3f} → {trained.final_loss:.3f}.</p>",
        _image(loss_png, "Loss and learning rate by step"),
        "<h2>A window of a clip, regenerated</h2>",
        f"<p>{clip['regen_frames_changed']} frames were made anew; {clip['regen_frames_untouched']} frames outside the "
        f"window are the parent's very files, byte for byte. The mp4 decodes to {clip['decoded_frames']} frames.</p>",
        _image(before_png, "Before"),
        _image(after_png, "After"),
        "<div class=pair>",
        *_side_by_side(clip["report"]),
        "</div>",
        "<h2>Where it all came from</h2>",
        _table("Lineage", _lineage(summary)),
        _table("Time", [(step.name, f"{step.seconds:.1f} s") for step in summary.steps]),
        "</body></html>",
    ]
    return "\n".join(parts)


def _image(path: Path, caption: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    text = escape(caption, quote=True)
    return f"<figure><img alt='{text}' src='data:image/png;base64,{data}'><figcaption>{text}</figcaption></figure>"


def _accuracy_chart(summary: Summary) -> str:
    rows = [
        ("majority class", summary.majority_accuracy, None, "var(--old)"),
        ("untuned", summary.before.accuracy, summary.before.interval, "var(--old)"),
        ("tuned", summary.after.accuracy, summary.after.interval, "var(--mark)"),
    ]
    left, width, height = 110, 720, 34
    lines = [f"<svg viewBox='0 0 {left + width + 70} {height * len(rows) + 6}' role=img aria-label='Accuracies'>"]
    for index, (name, value, interval, colour) in enumerate(rows):
        y = index * height + 4
        lines.append(f"<text x='{left - 8}' y='{y + 17}' text-anchor='end'>{name}</text>")
        lines.append(f"<rect x='{left}' y='{y}' width='{value * width:.1f}' height='24' rx='3' fill='{colour}'/>")
        end = value
        if interval is not None:
            low, high = interval
            end = max(value, high)
            lines.append(
                f"<path d='M{left + low * width:.1f} {y + 12}H{left + high * width:.1f}' stroke='var(--ink)' "
                "stroke-width='2'/>"
            )
        lines.append(f"<text x='{left + end * width + 8:.1f}' y='{y + 17}'>{value:.3f}</text>")
    return "".join([*lines, "</svg>"])


def _confusion(title: str, scores: Scores, labels: tuple[str, ...]) -> str:
    head = "".join(f"<th>{escape(label)}</th>" for label in labels)
    body = []
    for label, counts in zip(labels, scores.confusion, strict=True):
        total = max(1, sum(counts))
        cells = "".join(
            f"<td style='background: rgba(var(--good), {0.7 * count / total:.2f})'>{count}</td>" for count in counts
        )
        body.append(f"<tr><th class=text>{escape(label)}</th>{cells}</tr>")
    return (
        f"<div><p><b>{title}</b> <span class=soft>truth by row, verdict by column</span></p>"
        f"<table><tr><th></th>{head}</tr>{''.join(body)}</table></div>"
    )


def _per_kind(summary: Summary) -> str:
    rows = "".join(
        f"<tr><th class=text>{escape(kind)}</th><td>{summary.before.per_kind[kind]:.2f}</td><td>{after:.2f}</td></tr>"
        for kind, after in sorted(summary.after.per_kind.items())
    )
    return (
        "<div><p><b>By kind of action</b> <span class=soft>accuracy</span></p>"
        f"<table><tr><th></th><th>before</th><th>after</th></tr>{rows}</table></div>"
    )


def _foreign(summary: Summary) -> str:
    if summary.also is None:
        return ""
    also = summary.also
    low, high = also.after.interval
    return (
        f"<p>On <code>{escape(Path(also.path).name)}</code>, {also.rows} rows of another making: "
        f"{also.before.accuracy:.3f} before, {also.after.accuracy:.3f} after ({low:.3f} to {high:.3f}).</p>"
    )


def _side_by_side(report: dict[str, Any]) -> list[str]:
    """The clip beside its parent, and the seams beside what they were before blending."""
    tables = (
        ("Temporal consistency", "parent", "clip", report["parent"], report["clip"]),
        ("Seams", "before blending", "after", report["seams_before_blending"], report["seams_after_blending"]),
    )
    pages = []
    for title, left, right, old, new in tables:
        rows = "".join(
            f"<tr><th class=text>{escape(name)}</th><td>{escape(_short(old.get(name)))}</td>"
            f"<td>{escape(_short(value))}</td></tr>"
            for name, value in new.items()
        )
        pages.append(
            f"<div><p><b>{title}</b></p><table><tr><th></th><th>{left}</th><th>{right}</th></tr>{rows}</table></div>"
        )
    return pages


def _short(value: object) -> str:
    """A JSON value in a few characters; lists are counted, not printed."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return str(len(value))
    return "" if value is None else str(value)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(
        f"<tr><th class=text>{escape(name)}</th><td class=text><code>{escape(value)}</code></td></tr>"
        for name, value in rows
    )
    return f"<p><b>{escape(title)}</b></p><table>{body}</table>"


def _lineage(summary: Summary) -> list[tuple[str, str]]:
    first, last = summary.event_range
    clip = summary.clip
    return [
        ("run", summary.run_id),
        ("base model", f"{summary.model_name} from {summary.model_source}, sha256 {summary.model_sha256}"),
        ("events trained on", f"journal positions {first} to {last}"),
        ("dataset", f"sha256 {summary.dataset_hash}"),
        ("held-out rows", f"sha256 {summary.heldout_sha256}"),
        ("adapter", f"{summary.adapter_id} in {summary.adapter_dir}"),
        ("clip", f"{clip['clip_path']} (parent {clip['parent_clip_path']})"),
        ("journal", f"{summary.events} events, head {summary.chain_head}"),
        ("price", summary.price),
    ]
