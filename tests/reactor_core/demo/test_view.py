from reactor_core.demo.view import show_summary


def test_every_promised_value_is_shown(summary, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    show_summary(summary)
    shown = capsys.readouterr().out
    for text in (
        "0.340 before",
        "0.620 after",
        "300 held-out",
        "0.333",
        "240 tokens/s",
        "3.00 GiB",
        "$0.0123",
        "4,321",
    ):
        assert text in shown
    assert "0.620 after on 120 rows of other.jsonl" in shown
    assert "chain verified" in shown


def test_square_brackets_in_an_action_are_text(summary, capsys):
    object.__setattr__(summary, "question", "echo [red]x[/red]")
    show_summary(summary)
    assert capsys.readouterr().out.count("[red]x[/red]") == 2  # in the table and in the last line
