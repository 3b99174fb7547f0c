import pytest

from a1_reactor.prompts.presets import PRESETS, preset_suffix
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
