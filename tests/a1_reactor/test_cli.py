import subprocess
import sys

import pytest


def test_json_is_the_only_thing_on_stdout(demo):
    assert demo()["decoded_frames"] == 24


@pytest.mark.parametrize(
    "words", [["demo"], ["regen", "--prompt", "x"], ["regen", "--prompt", "x", "--regen", "1"], ["x"]]
)
def test_a_command_line_that_cannot_be_read_ends_with_2(a1, words):
    assert a1(*words)[0] == 2


def test_help_imports_neither_torch_nor_an_api_nor_the_engine():
    code = (
        "import sys; from a1_reactor.cli import main; main(['--help']); "
        "assert not {'torch', 'fastapi', 'av', 'numpy', 'httpx'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_module_runs_as_a_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "a1_reactor.cli", "demo", "--prompt", "\x01", "--workspace", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "error: " in done.stderr
