"""From frames to a stored, encoded and scored clip: frames a second beside the prototype's way, and beside the floor.

    python benchmarks/generate_clip.py            # about five minutes
    python benchmarks/generate_clip.py --quick    # under a minute, small frames, decides nothing

768x768 at 24 frames a second, x264, crf 18 on both sides; frames a second of CPU time, the model's time excluded. The
floor is what no way can do without: the hash and the PNG of every frame, its conversion and x264 with our preset.
Memory is the peak of a fresh process that makes a clip at 1280x720.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from _clips import FPS, PEER, Loop, clip_psnr, prototype_clip
from _harness import emit, medians, run_child

NAME = "generate_clip"
PACKAGES = ("av", "isal", "numpy", "opencv-python-headless", "pillow")


def measure_ours(seconds: int, width: int, height: int) -> dict[str, float]:
    """One clip through the engine."""
    from a1_reactor.config import ReactorConfig
    from a1_reactor.engine.engine import ReactorEngine
    from a1_reactor.types import JobSpec

    with tempfile.TemporaryDirectory() as folder:
        engine = ReactorEngine(ReactorConfig(workspace=Path(folder)), Loop())
        spec = JobSpec(prompt="golden hour, handheld", seconds=seconds, fps=FPS, width=width, height=height)
        start = time.process_time()
        clip = engine.generate(spec).clip
        spent = time.process_time() - start - clip.report()["timings"]["provider"]["cpu_ms"] / 1000
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shown = {index: clip.frame(index) for index in range(0, spec.frames, 7)}
        size = clip.artifact.stat().st_size / spec.frames / 1024
        return {"fps": spec.frames / spent, "psnr": clip_psnr(clip.artifact, shown), "size": size, "peak": peak}


def measure_peer(seconds: int, width: int, height: int) -> dict[str, float]:
    """The same frames through the prototype's way."""
    from a1_reactor.prompts import resolve
    from a1_reactor.types import JobSpec

    spec = JobSpec(prompt="golden hour, handheld", seconds=seconds, fps=FPS, width=width, height=height)
    frames = list(Loop().generate_frames(resolve(spec)))
    with tempfile.TemporaryDirectory() as folder:
        measured = prototype_clip(frames, Path(folder))
        shown = {index: frames[index] for index in range(0, len(frames), 7)}
        video = Path(folder) / "artifact.mp4"
        size = video.stat().st_size / len(frames) / 1024
        return {"fps": len(frames) / measured["cpu"], "psnr": clip_psnr(video, shown), "size": size}


def measure_floor(seconds: int, width: int, height: int) -> dict[str, float]:
    """Hash, PNG and x264 of the same frames, and nothing else."""
    from a1_reactor.media.frames import pixel_hash
    from a1_reactor.media.h264 import EncoderOptions, SegmentEncoder
    from a1_reactor.media.png import encode_png
    from a1_reactor.prompts import resolve
    from a1_reactor.types import JobSpec

    spec = JobSpec(prompt="golden hour, handheld", seconds=seconds, fps=FPS, width=width, height=height)
    frames = list(Loop().generate_frames(resolve(spec)))
    start = time.process_time()
    encoder = SegmentEncoder(width=width, height=height, fps=Fraction(FPS), options=EncoderOptions())
    for frame in frames:
        pixel_hash(frame)
        encode_png(frame)
        encoder.add(frame)
    encoder.finish()
    return {"fps": len(frames) / (time.process_time() - start)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small frames; decides nothing")
    parser.add_argument("--child", nargs=4, metavar=("WHO", "SECONDS", "WIDTH", "HEIGHT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        who, (seconds, width, height) = args.child[0], (int(value) for value in args.child[1:])
        ways = {"ours": measure_ours, "peer": measure_peer, "floor": measure_floor}
        print(json.dumps(ways[who](seconds, width, height)))
        return
    side, samples, lengths = (256, 1, (1, 2, 3)) if args.quick else (768, 3, (10, 20, 40))
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "peer": [], "floor": []}
    for _ in range(samples):
        for who, found in runs.items():
            found.append(run_child([__file__, "--child", who, "3", str(side), str(side)]))
    ours, peer, floor = (medians(found) for found in runs.values())
    print(f"ours {ours}, peer {peer}, floor {floor}", file=sys.stderr)
    emit(
        benchmark=NAME,
        claim=f"frames to a stored, encoded and scored clip of 3 s at {side}x{side}",
        unit="frames per CPU s",
        ours=ours["fps"],
        peer=peer["fps"],
        peer_name=PEER,
        better="higher",
        goal="at least 5 times as many",
        least_ratio=None if args.quick else 5.0,
        samples=samples,
        packages=PACKAGES,
    )
    emit(
        benchmark=NAME,
        claim="frames in the mp4 beside the frames that were stored, both at crf 18",
        unit="PSNR dB",
        ours=ours["psnr"],
        peer=peer["psnr"],
        peer_name=PEER,
        better="higher",
        goal="equal to 0.2 dB",
        least_ratio=None,
        holds=None if args.quick else ours["psnr"] >= peer["psnr"] - 0.2,
        samples=samples,
        packages=PACKAGES,
    )
    emit(
        benchmark=NAME,
        claim="size of that mp4",
        unit="KiB per frame",
        ours=ours["size"],
        peer=peer["size"],
        peer_name=PEER,
        better="lower",
        goal="told, not limited",
        least_ratio=None,
        samples=samples,
        packages=PACKAGES,
    )
    emit(
        benchmark=NAME,
        claim="share of the floor (conversion, x264, hash and PNG alone)",
        unit="frames per CPU s",
        ours=ours["fps"],
        peer=floor["fps"],
        peer_name="the floor",
        better="higher",
        goal="told, not limited",
        least_ratio=None,
        samples=samples,
        packages=PACKAGES,
    )
    width, height = (320, 180) if args.quick else (1280, 720)
    peaks = {
        seconds: run_child([__file__, "--child", "ours", str(seconds), str(width), str(height)])["peak"]
        for seconds in lengths
    }
    print(f"peaks {peaks}", file=sys.stderr)
    slope = statistics.linear_regression(list(peaks), list(peaks.values())).slope
    holds = slope < 1 and max(peaks.values()) < 1024
    for claim, value, unit, goal in (
        (f"peak memory of a clip of {lengths[-1]} s at {width}x{height}", max(peaks.values()), "MiB", "under 1 GB"),
        (f"growth of that peak over {lengths[0]} to {lengths[-1]} s", slope, "MiB per s of clip", "under 1"),
    ):
        emit(
            benchmark=NAME,
            claim=claim,
            unit=unit,
            ours=value,
            peer=None,
            peer_name=None,
            better="lower",
            goal=goal,
            least_ratio=None,
            holds=None if args.quick else holds,
            samples=1,
            packages=PACKAGES,
        )


if __name__ == "__main__":
    main()
