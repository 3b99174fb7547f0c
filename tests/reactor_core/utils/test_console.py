from reactor_core.utils.console import Silent, Terminal


class Ticks:
    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def test_without_a_terminal_a_line_appears_now_and_then(capsys):
    with Terminal(clock=Ticks(3.0)).step("Train") as advance:
        for index in range(4):
            advance(f"step {index}", index / 4)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    # The clock moves 3 s a look: a line is due at every second look after the last one.
    assert lines[0] == "  Train: step 1 (25%)"
    assert lines[-1].startswith("✓ Train")


def test_an_unknown_share_is_not_shown(capsys):
    with Terminal(clock=Ticks(9.0)).step("Fetch") as advance:
        advance("12 MB", None)
    assert "  Fetch: 12 MB\n" in capsys.readouterr().err


def test_square_brackets_are_text(capsys):
    Terminal().note("[bold]rm[/bold]")
    assert capsys.readouterr().err == "[bold]rm[/bold]\n"


def test_silence_is_silent(capsys):
    silent = Silent()
    with silent.step("x") as advance:
        advance("y", 0.5)
    silent.note("z")
    assert capsys.readouterr() == ("", "")
