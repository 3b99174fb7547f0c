import json
import subprocess
import sys

import pytest
from cyclopts import App

from reactor_core.errors import ConfigError
from reactor_core.utils.command import USAGE_ERROR, print_json, run_app


@pytest.fixture
def app():
    app = App(name="tool")

    @app.command
    def act(
        number: int = 0, *, note: str = "", json: bool = False, size: int | None = None, kind: tuple[str, ...] = ()
    ):
        if number == 1:
            raise ConfigError("rank=0 is too small", remedy="use 1 or more")
        if number == 3:
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        if number == 2:
            raise KeyboardInterrupt
        return number or None

    return app


def test_success_is_zero_and_a_status_is_passed_on(app):
    assert run_app(app, ["act"]) == 0
    assert run_app(app, ["act", "7"]) == 7


@pytest.mark.parametrize("words", [["fly"], ["act", "--wings"], ["act", "many"]])
def test_wrong_usage_is_two_and_is_said_on_stderr(app, words, capsys):
    assert run_app(app, words) == USAGE_ERROR
    captured = capsys.readouterr()
    assert captured.err
    assert captured.out == ""


def test_help_shows_the_defaults_that_say_something(app, capsys):
    assert run_app(app, ["act", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "[default: 0]" in shown
    assert not [word for word in ("", "False", "None", "()") if f"[default: {word}]" in shown]


def test_wrong_usage_is_told_whole_on_a_narrow_terminal_and_as_json(app, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert run_app(app, ["act", "--notes", "x", "--json"]) == USAGE_ERROR
    captured = capsys.readouterr()
    said = json.loads(captured.out)["error"]
    assert (said["type"], said["remedy"]) == ("UsageError", "tool act --help lists what there is")
    assert "Did you mean --note?" in said["message"]
    assert captured.err == f"error: {said['message']}\n  {said['remedy']}\n"


def test_an_error_ends_with_its_own_status_and_remedy(app, capsys):
    assert run_app(app, ["act", "1"]) == ConfigError.exit_code
    assert capsys.readouterr().err == "error: rank=0 is too small\n  use 1 or more\n"


def test_with_json_the_error_is_an_object(app, capsys):
    run_app(app, ["act", "1", "--json"])
    assert json.loads(capsys.readouterr().out)["error"] == {
        "type": "ConfigError",
        "message": "rank=0 is too small",
        "remedy": "use 1 or more",
    }


def test_control_c_says_how_to_go_on(app, capsys):
    assert run_app(app, ["act", "2", "--note", "two words"]) == 130
    assert "to go on: tool act 2 --note 'two words'" in capsys.readouterr().err


def test_json_refuses_what_json_cannot_carry():
    with pytest.raises(ValueError, match="JSON"):
        print_json({"x": float("nan")})


def test_a_command_whose_extra_is_absent_says_how_to_install_it(app, capsys):
    assert run_app(app, ["act", "3"]) == 5
    assert "pip install 'reactor-core[train]'" in capsys.readouterr().err


def test_a_program_that_ends_looks_for_no_garbage():
    script = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
        "from cyclopts import App\n"
        "from reactor_core.utils.command import run_app\n"
        "app = App(name='program')\n"
        "app.default(lambda: None)\n"
        "sys.argv = ['program']\n"
        "print(run_app(app), gc.get_freeze_count())\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert said.stdout.split() == ["0", "0", "True"]
