"""Words of a resolved command, and the line that gives them again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_core.safety.scope import Scope
from reactor_core.safety.setting import RUBRIC_SETTING
from reactor_core.safety.shell.command import Command, Origin, Word, known, line_of
from reactor_core.safety.shell.run import judge
from reactor_core.safety.verdict import Judged


def scope() -> Scope:
    return Scope(RUBRIC_SETTING, lambda _kind, _text, _scope: Judged(), cwd="/w")


def test_a_word_tells_what_is_known_of_it() -> None:
    word = Word(("/tmp/", None, ".txt"))
    assert (word.text, word.known_prefix, word.pattern, str(word)) == (None, "/tmp/", "/tmp/*.txt", "/tmp/$?.txt")


@given(
    st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8), min_size=1, max_size=4
    )
)
def test_the_line_gives_the_words_again(texts: list[str]) -> None:
    line = line_of([known("show"), *map(known, texts)])
    assert judge(line, scope()).resolved == (line,)


def test_a_command_has_a_name_without_its_folder() -> None:
    command = Command((known("/usr/bin/rm"), known("-f")), scope())
    assert (command.name, str(command)) == ("rm", "/usr/bin/rm -f")
    assert Command((Word((None,)),), scope()).name == ""


def test_a_listing_is_whole_until_a_filter_drops_lines() -> None:
    whole = Origin(pipeline=(("docker", "ps", "-q"), ("sort",)))
    assert whole.listing == ("docker", "ps", "-q")
    assert Origin(pipeline=(("docker", "ps", "-q"), ("grep", "x"))).listing == ()


def test_origins_add_up() -> None:
    both = Origin(fetched=True, files=("/a",)) | Origin(secret=True, files=("/a", "/b"))
    assert (both.fetched, both.secret, both.files) == (True, True, ("/a", "/b"))
