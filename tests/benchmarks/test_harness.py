import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def harness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_harness", ROOT / "benchmarks" / "_harness.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def line(harness: ModuleType, capsys: pytest.CaptureFixture[str], **changes: object) -> dict[str, object]:
    fields = {
        "benchmark": "b",
        "claim": "c",
        "unit": "tokens/s",
        "ours": 300.0,
        "peer": 100.0,
        "peer_name": "peer",
        "better": "higher",
        "goal": "at least equal",
        "least_ratio": 1.0,
        "samples": 3,
        "packages": ["numpy"],
    }
    harness.emit(**{**fields, **changes})
    (text,) = capsys.readouterr().out.splitlines()
    return json.loads(text)


def test_a_claim_is_one_line_with_the_agreed_fields(harness, capsys):
    assert list(line(harness, capsys)) == [
        "benchmark", "claim", "unit", "ours", "peer", "peer_name", "ratio", "goal", "holds", "samples", "machine",
        "versions", "date",
    ]  # fmt: skip


def test_ratio_says_how_many_times_better_we_are_whatever_the_unit(harness, capsys):
    assert line(harness, capsys)["ratio"] == 3.0
    assert line(harness, capsys, better="lower", ours=100.0, peer=150.0)["ratio"] == 1.5


def test_a_goal_that_is_missed_is_said_to_be_missed(harness, capsys):
    assert line(harness, capsys)["holds"] is True
    assert line(harness, capsys, ours=99.0)["holds"] is False


def test_a_quick_run_decides_nothing(harness, capsys):
    assert line(harness, capsys, least_ratio=None)["holds"] is None


def test_what_could_not_be_measured_says_why(harness, capsys):
    found = line(harness, capsys, ours=None, peer=None, peer_name=None, reason="no CUDA device")
    assert (found["ours"], found["ratio"], found["holds"], found["reason"]) == (None, None, None, "no CUDA device")
    assert "reason" not in line(harness, capsys)


def test_without_a_peer_there_is_no_ratio(harness, capsys):
    assert line(harness, capsys, peer=None, peer_name=None)["ratio"] is None


def test_medians_are_taken_number_by_number(harness):
    runs = [{"wall": 3.0, "cpu": 1.0}, {"wall": 1.0, "cpu": 9.0}, {"wall": 2.0, "cpu": 2.0}]
    assert harness.medians(runs) == {"wall": 2.0, "cpu": 2.0}


def test_a_child_reports_on_its_last_line(harness, tmp_path: Path):
    script = tmp_path / "child.py"
    script.write_text("print('noise')\nprint('{\"tokens\": 7}')\n")
    assert harness.run_child([str(script)]) == {"tokens": 7}


def test_a_child_that_fails_is_an_error(harness, tmp_path: Path):
    script = tmp_path / "child.py"
    script.write_text("raise SystemExit(3)\n")
    with pytest.raises(RuntimeError, match="status 3"):
        harness.run_child([str(script)])
