import importlib.util
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def test_the_prototypes_mp4_begins_with_its_only_key_frame(tmp_path):
    """The program ffmpeg forgets that each PNG was an I-frame; where that is kept, the file is three times as large."""
    spec = importlib.util.spec_from_file_location("_clips", ROOT / "benchmarks" / "_clips.py")
    clips = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(clips)
    y, x = np.mgrid[0:64, 0:96]
    frames = [np.stack([2 * x + shift, 3 * y, x + y + shift], axis=-1).astype(np.uint8) for shift in range(9)]
    clips.prototype_clip(frames, tmp_path)
    with av.open(str(tmp_path / "artifact.mp4")) as video:
        keys = [packet.is_keyframe for packet in video.demux(video=0) if packet.size]
    assert keys == [True] + [False] * 8
