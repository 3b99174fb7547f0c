"""``a1-reactor report``: what was measured of a clip, in words or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from a1_reactor.cli_perform import PLACE, Place, config_of, open_clip
from reactor_core.utils.command import print_json

if TYPE_CHECKING:
    from a1_reactor.report.facts import ClipFacts
    from a1_reactor.report.subject import Subject
    from a1_reactor.report.words import Finding

__all__ = ["report"]

_SIGNS = {"good": "+", "look": "!", "bad": "x", "fact": " "}


def report(
    clip: str,
    *,
    html: Path | None = None,
    deep: Annotated[bool, Parameter(negative=())] = False,
    place: Place = PLACE,
) -> None:
    """Say how well a clip holds together, and where a window of it was regenerated.

    Parameters
    ----------
    clip
        The clip's id, folder or mp4, or a branch.
    html
        Write a page with curves and filmstrips to this file. It needs nothing else: no network, no script.
    deep
        Also look whether the window shows what it showed, with a network that knows objects. Needs the extra [train];
        its weights (17 MB) are fetched once.
    """
    from a1_reactor.report.facts import gather
    from a1_reactor.report.subject import subject_finding
    from a1_reactor.report.words import findings, headline
    from a1_reactor.storage.store import ClipStore

    store = ClipStore(config_of(place).workspace)
    facts = gather(store, open_clip(place, clip))
    subject = _look(facts) if deep else None
    found = [*findings(facts), *([] if subject is None else [subject_finding(subject)])]
    verdict = headline(found)
    if html is not None:
        _write(html, facts, subject)
    if place.json:
        print_json(_as_json(facts, verdict, found, subject, html))
        return
    print(verdict.text)
    for one in found:
        print(f" {_SIGNS[one.mark]} {one.text}")
    if html is not None:
        print(html)


def _look(facts: ClipFacts) -> Subject:
    from a1_reactor.eval.embedding_net import Embedder
    from a1_reactor.eval.embedding_weights import fetch_embedding
    from a1_reactor.report.subject import subject_of
    from reactor_core.utils.settings import load_settings

    return subject_of(facts, Embedder(fetch_embedding(load_settings().cache_dir)))


def _write(path: Path, facts: ClipFacts, subject: Subject | None) -> None:
    from a1_reactor.report.page import render_report
    from reactor_core.utils.files import atomic_write

    atomic_write(path, render_report(facts, subject))


def _as_json(
    facts: ClipFacts, verdict: Finding, found: list[Finding], subject: Subject | None, html: Path | None
) -> dict[str, Any]:
    return {
        "clip_id": facts.clip.key,
        "parent_id": facts.clip.job.parent,
        "verdict": {"mark": verdict.mark, "text": verdict.text},
        "findings": [{"mark": one.mark, "text": one.text} for one in found],
        "temporal_consistency": facts.report["temporal_consistency"],
        "drift": facts.report.get("drift"),
        "seams": list(facts.seams),
        "subject": None if subject is None else subject.to_json(),
        "html": None if html is None else str(html.resolve()),
    }
