"""Makers of clips are killed at any moment: the clip is the same, and nothing that was kept is asked for again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.faults.harness.forks import Forks
from tests.faults.harness.makers import PRELOAD, engine_of
from tests.faults.harness.tally import Tally
from tests.servers.frames_v2 import DESCRIPTION, FramesV2

from a1_reactor.storage.clip import Clip
from a1_reactor.types import JobSpec, Window
from reactor_core.utils.files import sha256_file

MAKER = "tests.faults.harness.makers:maker"
WHOLE = JobSpec(prompt="a street", seconds=1, fps=12, width=32, height=32)
WINDOWS = (Window(2, 4), Window(7, 10))
LIVES = 4


@pytest.fixture(scope="module")
def makers() -> Iterator[Forks]:
    with Forks(*PRELOAD) as forks:
        yield forks


def described(*, any_frame: bool) -> dict[str, Any]:
    can = {"modes": ["full", "mask"], "context_frames": 1, "any_frame": any_frame, "price": {"usd_per_call": 1}}
    return {**DESCRIPTION, "capabilities": can}


def bytes_of(clip: Clip) -> tuple[str, list[str]]:
    return sha256_file(clip.artifact), [sha256_file(clip.frame_path(index)) for index in range(clip.frame_count)]


def kept_in(workspace: Path) -> set[int]:
    """Numbers of the frames that are kept for the one clip that is not finished; the one written last may be half."""
    files = sorted((workspace / "answers").glob("*/*.*"), key=lambda path: path.stat().st_mtime_ns)
    return {int(path.name[:6]) for path in files[:-1] if path.suffix in (".raw", ".png")}


def asked_for(job: dict[str, Any]) -> set[int]:
    return set(job.get("frames", range(*job["window"])))


def wrong_in(jobs: list[dict[str, Any]], kept: set[int], *, any_frame: bool) -> list[str]:
    """Which requests ask for what was there, in sentences."""
    found = []
    for job in jobs:
        asked, window = asked_for(job), set(range(*job["window"]))
        if any_frame and asked & kept:
            found.append(f"frames {sorted(asked & kept)} were kept and asked for again")
        if window <= kept:
            found.append(f"frames {job['window']} were all kept and asked for again")
    return found


@pytest.mark.parametrize(
    ("usual", "any_frame"),
    [
        pytest.param(1, False, id="few"),
        pytest.param(4, False, id="many", marks=pytest.mark.slow),
        pytest.param(4, True, id="many, any frame", marks=pytest.mark.slow),
    ],
)
def test_a_clip_whose_maker_dies_is_the_clip_of_one_who_lives(
    makers: Forks, tally: Tally, tmp_path: Path, usual: int, any_frame: bool
) -> None:
    server = FramesV2(description=described(any_frame=any_frame))
    wrong: list[str] = []
    with server.serving() as address:
        whole = engine_of(tmp_path / "untouched", address)
        base = whole.generate(WHOLE).clip
        for number in tally.times(usual):
            clips = tmp_path / f"clips-{number}"
            for spec in (WHOLE, replace(WHOLE, prompt="a wet street", windows=WINDOWS)):
                parent = base.key if spec.windows else None
                wanted = whole.regen(spec, parent=base).clip if spec.windows else base
                for life in range(LIVES):
                    kept, before = kept_in(clips), len(server.jobs)
                    dies_at = tally.chance.randint(1, 12 if parent is None else 5)
                    child = makers.start(
                        MAKER,
                        tmp_path,
                        f"maker-{number}-{parent}-{life}",
                        workspace=str(clips),
                        address=address,
                        spec=spec.to_json(),
                        parent=parent,
                        die_at=("frames.kept", dies_at, 0.0) if life < LIVES - 2 else None,
                    )
                    if life == LIVES - 2:
                        time.sleep(tally.chance.uniform(0.0, 0.4))
                        child.kill()
                    if child.join() < 0:
                        tally.count("makers of clips killed")
                    if kept and len(server.jobs) > before:
                        tally.count("makers that asked for the rest")
                    elif kept:
                        tally.count("makers that had all")
                    wrong += wrong_in(server.jobs[before:], kept, any_frame=any_frame)
                made = engine_of(clips, address).store.open(wanted.key)
                assert bytes_of(made) == bytes_of(wanted)
                assert not (clips / "answers" / wanted.key).exists()
            tally.run()
    assert wrong == []
