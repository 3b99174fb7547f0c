import importlib.util
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "run_all.py"


@pytest.fixture(scope="module")
def run_all():
    spec = importlib.util.spec_from_file_location("run_all", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def claim(**changes):
    return {
        "benchmark": "first_train", "claim": "tokens", "unit": "tokens/s", "ours": 300.0, "peer": 100.0,
        "peer_name": "TRL", "ratio": 3.0, "goal": ">= 1", "holds": True, "samples": 3, "machine": "M", "date": "D",
        "versions": {"torch": "2"},
    } | changes  # fmt: skip


def test_every_claim_is_a_row_under_its_benchmark(run_all):
    page = run_all.render(
        [claim(), claim(claim="memory", holds=False), claim(benchmark="other", peer=None, ratio=None)]
    )
    assert page.count("## first_train") == page.count("## other") == 1
    assert "| tokens | tokens/s | 300 | 100 (TRL) | 3.00 | >= 1 | yes | 3 |" in page
    assert "| memory | tokens/s | 300 | 100 (TRL) | 3.00 | >= 1 | no | 3 |" in page
    assert "| tokens | tokens/s | 300 |  |  | >= 1 | yes | 3 |" in page
    assert "M; torch 2; D." in page


def test_what_could_not_be_measured_says_why(run_all):
    page = run_all.render([claim(ours=None, peer=None, ratio=None, holds=None, reason="no CUDA device")])
    assert "| tokens | tokens/s |  |  |  | >= 1 | no CUDA device | 3 |" in page


def test_only_claims_are_read_and_a_failure_is_not_passed_over(run_all, tmp_path):
    script = tmp_path / "bench.py"
    script.write_text("import sys\nprint('noise')\nprint('{\"ours\": 1}')\nsys.exit('--quick' in sys.argv)\n")
    assert run_all.measure(script, quick=False) == [{"ours": 1}]
    with pytest.raises(subprocess.CalledProcessError):
        run_all.measure(script, quick=True)


def test_what_is_measured_alone_takes_the_place_of_its_section_only(run_all):
    old = run_all.render([claim(), claim(benchmark="events_kill", ours=1.0), claim(benchmark="other", ours=2.0)])
    new = run_all.render([claim(benchmark="events_kill", ours=7.0), claim(benchmark="added", ours=8.0)])
    page = run_all.merge(old, new)
    assert page == run_all.render(
        [
            claim(benchmark="added", ours=8.0),
            claim(benchmark="events_kill", ours=7.0),
            claim(),
            claim(benchmark="other", ours=2.0),
        ]
    )
