"""Command lines, read as their own programs would."""

from __future__ import annotations

import shlex

from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.tools.line import Known, Line, program_name, read_line, spelled


def line(text: str, **reading: object) -> Line:
    return read_line("x", [Known(word) for word in shlex.split(text)], **reading)  # type: ignore[arg-type]


def test_a_cluster_is_several_options() -> None:
    assert [option.name for option in line("-rfv a").options] == ["-r", "-f", "-v"]


def test_a_value_is_in_the_same_word_or_the_next() -> None:
    assert [
        line(text, values=("-o", "--out")).value("-o", "--out")
        for text in ("-ofile", "-o file", "--out=file", "--out file")
    ] == ["file"] * 4


def test_after_two_dashes_everything_is_an_operand() -> None:
    assert line("-a -- -b c").words == ("-b", "c")


def test_a_cut_off_long_option_is_completed_where_it_is_unambiguous() -> None:
    assert line("--rec", known=("--recursive", "--force")).has("--recursive")
    assert not line("--re", known=("--recursive", "--remove")).has("--recursive")


def test_an_exact_option_is_never_completed() -> None:
    assert line("--force", known=("--force", "--force-with-lease")).has("--force")


def test_one_dash_may_begin_a_long_option() -> None:
    assert line("-name x -type f", single_dash=True, values=("-name", "-type")).value("-name") == "x"


def test_a_number_behind_a_dash_is_an_option_of_its_own() -> None:
    assert [option.name for option in line("-20 file").options] == ["-20"]


def test_options_may_end_at_the_first_operand() -> None:
    assert line("-u me host -x", values=("-u",), stops=True).words == ("host", "-x")


def test_an_unknown_word_makes_the_line_unsure() -> None:
    assert read_line("x", [Known(None)]).unsure


def test_a_program_is_named_without_its_folder() -> None:
    assert [program_name(text) for text in ("/usr/bin/../bin/rm", "RM.EXE", "rm")] == ["rm", "rm", "rm"]


@settings(deadline=None)  # machines are shared
@given(st.lists(st.text(min_size=1).filter(lambda text: "\0" not in text)))
def test_spelled_words_are_read_again_as_they_were(words: list[str]) -> None:
    assert shlex.split(spelled([Known(word) for word in words])) == words


@settings(deadline=None)  # machines are shared
@given(st.lists(st.text(alphabet="-abc=/ ", min_size=1), max_size=6))
def test_no_word_is_lost_or_made_up(words: list[str]) -> None:
    read = read_line("x", [Known(word) for word in words])
    assert set(read.words) <= set(words)
    assert len(read.operands) + len(read.options) >= len([word for word in words if word != "--"])
