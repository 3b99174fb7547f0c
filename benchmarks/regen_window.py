"""What regenerating 0.8 seconds costs in clips of 3 to 60 seconds, beside making the clip anew as the prototype did.

    python benchmarks/regen_window.py            # about ten minutes
    python benchmarks/regen_window.py --quick    # under a minute, small frames, decides nothing

768x768 at 24 frames a second, x264, crf 18 on both sides. CPU seconds of one regeneration, the model's time excluded:
frames 20 to 38 blended, stored, scored, encoded, joined and proved. Before each run the store of shared segments is
emptied, so each is the first take of its window. The peer makes every frame of the clip anew; it is measured up to 6
seconds, and its cost per frame is taken from there.

Not covered: disks that are slower than this machine's, models, other codecs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from _clips import FPS, PEER, Loop, clip_psnr, prototype_clip
from _harness import emit, run_child

NAME = "regen_window"
PACKAGES = ("av", "isal", "numpy", "opencv-python-headless", "pillow")
WINDOW = ("0.8", "1.6")
GOALS = {3: 10.0, 6: 20.0, 30: 100.0, 60: 200.0}
"""Seconds of the clip, and how many times less CPU than the peer a regeneration is to take."""


def measure_ours(seconds: int, side: int, samples: int) -> dict[str, object]:
    """Medians over some regenerations of the window in one clip."""
    from a1_reactor.config import ReactorConfig
    from a1_reactor.engine.engine import ReactorEngine
    from a1_reactor.types import JobSpec, Window

    with tempfile.TemporaryDirectory() as folder:
        moments: dict[str, float] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if done == total:
                moments[stage] = time.perf_counter()

        engine = ReactorEngine(ReactorConfig(workspace=Path(folder)), Loop(), progress=progress)
        spec = JobSpec(prompt="golden hour, handheld", seconds=seconds, fps=FPS, width=side, height=side)
        parent = engine.generate(spec).clip
        window = Window.from_seconds(*WINDOW, FPS)
        cpu, preview, psnr = [], [], []
        for seed in range(1, samples + 1):
            shutil.rmtree(Path(folder) / "store" / "segments")
            start = time.process_time()
            result = engine.regen(replace(spec, seed=seed, windows=(window,)), parent=parent)
            spent = time.process_time() - start
            cpu.append(spent - result.report["timings"]["provider"]["cpu_ms"] / 1000)
            preview.append(moments["preview"] - moments["regen"])
            clip = result.clip
            psnr.append(clip_psnr(clip.artifact, {index: clip.frame(index) for index in window.frames}))
            untouched = result.report["regen"]["frames"]["untouched"]
            assert untouched["count"] == spec.frames - len(window)
    return {
        "cpu": statistics.median(cpu),
        "preview": statistics.median(preview),
        "psnr": statistics.median(psnr),
        "encoded": result.report["regen"]["video"]["frames_encoded"],
    }


def measure_peer(seconds: int, side: int) -> dict[str, float]:
    """One run of the prototype's way over a whole clip; its frames are there already."""
    from a1_reactor.prompts import resolve
    from a1_reactor.types import JobSpec

    spec = JobSpec(prompt="golden hour, handheld", seconds=seconds, fps=FPS, width=side, height=side)
    frames = list(Loop().generate_frames(resolve(spec)))
    with tempfile.TemporaryDirectory() as folder:
        measured = prototype_clip(frames, Path(folder))
        inside = {index: frames[index] for index in range(20, 39)}
        return {**measured, "psnr": clip_psnr(Path(folder) / "artifact.mp4", inside), "frames": len(frames)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small frames and clips; decides nothing")
    parser.add_argument("--child", nargs=4, metavar=("SIDE", "SECONDS", "PIXELS", "SAMPLES"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        who, seconds, side, samples = args.child[0], *(int(value) for value in args.child[1:])
        found = measure_ours(seconds, side, samples) if who == "ours" else measure_peer(seconds, side)
        print(json.dumps(found))
        return
    side, samples = (256, 1) if args.quick else (768, 5)
    lengths = [3, 6] if args.quick else list(GOALS)
    measured_lengths = [3] if args.quick else [3, 6]
    ours, peer = {}, {}
    for seconds in lengths:
        ours[seconds] = run_child([__file__, "--child", "ours", str(seconds), str(side), str(samples)])
        print(f"ours, {seconds} s: {ours[seconds]}", file=sys.stderr)
        if seconds in measured_lengths:
            runs = [
                run_child([__file__, "--child", "peer", str(seconds), str(side), "1"]) for _ in range(min(3, samples))
            ]
            peer[seconds] = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
            print(f"peer, {seconds} s: {peer[seconds]}", file=sys.stderr)
    per_frame = peer[max(peer)]["cpu"] / peer[max(peer)]["frames"]
    for seconds in lengths:
        known = seconds in peer
        emit(
            benchmark=NAME,
            claim=f"regenerate 0.8 s in a clip of {seconds} s at {side}x{side}"
            + ("" if known else ", the peer's cost per frame taken from 6 s"),
            unit="CPU s",
            ours=ours[seconds]["cpu"],
            peer=peer[seconds]["cpu"] if known else per_frame * seconds * FPS,
            peer_name=PEER,
            better="lower",
            goal=f"at least {GOALS[seconds]:g} times less CPU",
            least_ratio=None if args.quick else GOALS[seconds],
            samples=samples,
            packages=PACKAGES,
        )
    longest = max(lengths)
    growth = ours[longest]["cpu"] / ours[3]["cpu"]
    emit(
        benchmark=NAME,
        claim=f"cost in a clip of {longest} s as a multiple of that in one of 3 s",
        unit="ratio",
        ours=growth,
        peer=None,
        peer_name=None,
        better="lower",
        goal="at most 1.15 at 60 s",
        least_ratio=None,
        holds=None if args.quick else growth <= 1.15,
        samples=samples,
        packages=PACKAGES,
    )
    shown = statistics.median(entry["preview"] for entry in ours.values())
    emit(
        benchmark=NAME,
        claim="from the window's last frame to a preview that plays",
        unit="wall s",
        ours=shown,
        peer=None,
        peer_name=None,
        better="lower",
        goal="at most 0.5 s",
        least_ratio=None,
        holds=None if args.quick else shown <= 0.5,
        samples=samples * len(ours),
        packages=PACKAGES,
    )
    emit(
        benchmark=NAME,
        claim="the window's frames in the mp4 beside the frames that were stored, both at crf 18",
        unit="PSNR dB",
        ours=ours[3]["psnr"],
        peer=peer[3]["psnr"],
        peer_name=PEER,
        better="higher",
        goal="equal to 0.2 dB",
        least_ratio=None,
        holds=None if args.quick else ours[3]["psnr"] >= peer[3]["psnr"] - 0.2,
        samples=samples,
        packages=PACKAGES,
    )


if __name__ == "__main__":
    main()
