import pytest

from a1_reactor.prompts.presets import BUILT_IN, FILE_NAME, PRESETS, load_book, preset_suffix
from reactor_core.errors import SpecError


def test_the_four_presets_of_the_first_prototype_exist():
    assert set(PRESETS) == {"cinematic", "studio", "noir", "anime"}
    assert all(preset_suffix(name) for name in PRESETS)


def test_an_unknown_preset_lists_what_is_known():
    with pytest.raises(SpecError, match="cinematic, studio, noir, anime"):
        preset_suffix("vaporwave")


def test_presets_cannot_be_changed():
    with pytest.raises(TypeError):
        PRESETS["cinematic"] = "x"


@pytest.fixture
def book(tmp_path):
    """Write presets.toml and read it."""

    def load(text):
        (tmp_path / FILE_NAME).write_text(text)
        return load_book(tmp_path)

    return load


def test_without_a_file_there_is_what_is_built_in(tmp_path):
    assert load_book(tmp_path) == BUILT_IN


def test_a_users_own_presets_and_templates_stand_beside_the_built_in_ones(book):
    found = book("""
        [presets.golden]
        prompt = "warm  low sun"
        negative = "harsh flash"
        [templates]
        portrait = "{subject}, window light on {face}"
    """)
    assert (found.preset("golden").prompt, found.preset("golden").negative) == ("warm low sun", "harsh flash")
    assert found.preset("noir").prompt == PRESETS["noir"]
    assert found.templates["portrait"] == "{subject}, window light on {face}"
    assert found.own == {"golden", "portrait"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x", "is no TOML"),
        ("[preset.golden]", "unknown field 'preset'"),
        ("presets = 3", "no table"),
        ("[presets]\ngolden = 'warm'", "[presets.golden]"),
        ("[presets.golden]", "prompt of preset 'golden' is None"),
        ("[presets.golden]\nprompt = ' '", "white space"),
        ("[presets.golden]\nprompt = 'x'\nwords = 'y'", "unknown field 'words'"),
        ("[presets.golden]\nprompt = 'x'\nnegative = 3", "negative of preset 'golden'"),
        ("[presets.noir]\nprompt = 'x'", "'noir' is built in"),
        ("[presets.none]\nprompt = 'x'", "no name"),
        ("[templates]\na = 'no hole'", "put {subject}"),
        ("[templates]\na = '{subject'", "{{"),
        ("[templates]\na = '{subject.__class__}'", "no plain name"),
        ("[templates]\na = '{}'", "no plain name"),
        ("[templates]\na = '{subject!r:>9}'", "no plain name"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_with_the_file(book, text, says):
    with pytest.raises(SpecError) as caught:
        book(text)
    assert says in f"{caught.value.message} {caught.value.remedy}"
    assert FILE_NAME in caught.value.message


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(SpecError, match="cannot read"):
        load_book(tmp_path)
