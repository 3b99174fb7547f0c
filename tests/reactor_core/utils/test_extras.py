import json

import pytest

from reactor_core.errors import MissingExtra
from reactor_core.utils.extras import installed, missing_extra, require


def test_an_installed_module_is_imported():
    assert installed("json")
    assert require("json", feature="a test", extra="train") is json


def test_an_absent_module_names_the_install_line():
    assert not installed("no_such_module_at_all")
    assert not installed("no_such_package.part")
    with pytest.raises(
        MissingExtra, match=r"training needs the extra \[train\] \(pip install 'reactor-core\[train\]'\)"
    ):
        require("no_such_module_at_all", feature="training", extra="train")


@pytest.mark.parametrize(("module", "extra"), [("torch", "train"), ("torch.nn", "train"), ("cv2", "media")])
def test_a_failed_import_of_an_optional_module_names_its_extra(module, extra):
    found = missing_extra(ModuleNotFoundError(name=module), "training")
    assert isinstance(found, MissingExtra)
    assert found.extra == extra


def test_a_failed_import_of_anything_else_is_not_explained_away():
    assert missing_extra(ModuleNotFoundError(name="reactor_core.trainig"), "training") is None
