import json
from pathlib import Path

import pytest

from a1_reactor.engine.summary import summarize_result
from a1_reactor.types import Window
from reactor_core.errors import ArtifactCorrupt


@pytest.fixture
def results(engine, spec):
    parent = engine.generate(spec(seconds="1/2"))
    window = spec(prompt="sharper", seconds="1/2", windows=(Window(4, 8),))
    return parent, engine.regen(window, parent=parent.clip)


def test_a_summary_names_the_files_that_are_there(results):
    summary = summarize_result(results[1])
    paths = [summary[name] for name in ("clip_path", "report_path", "parent_clip_path")]
    for path in (*paths, *summary["filmstrip"].values()):
        assert Path(path).is_absolute()
        assert Path(path).is_file()
    assert summary["windows"] == [{"start_frame": 4, "stop_frame": 8, "asked_seconds": None}]
    assert (summary["regen_frames_changed"], summary["regen_frames_untouched"]) == (4, 8)
    json.dumps(summary, allow_nan=False)


def test_a_generated_clip_has_no_window(results):
    summary = summarize_result(results[0])
    assert summary["parent_id"] is None
    assert "windows" not in summary


def test_a_report_that_lacks_a_field_says_which(results):
    path = results[0].clip.path / "run" / "report.json"
    path.write_text("{}")
    with pytest.raises(ArtifactCorrupt, match="decoded_frames"):
        summarize_result(type(results[0])(clip=results[0].clip, parent=None, report={}, reused=True))
