import pytest

from a1_reactor.prompts import TEMPLATES, render
from a1_reactor.prompts.templates import holes_of
from reactor_core.errors import SpecError


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_subject_goes_into_every_template(name):
    assert "a brass lamp" in render(name, subject="a brass lamp")


def test_braces_of_a_subject_are_only_braces():
    assert "{x.__class__}" in render("product_studio", subject="{x.__class__}")


@pytest.mark.parametrize("values", [{}, {"subjekt": "x"}, {"subject": "x", "lens": "y"}])
def test_a_value_too_few_or_too_many_is_refused(values):
    with pytest.raises(SpecError, match="takes"):
        render("product_studio", **values)


def test_an_unknown_template_lists_what_is_known():
    with pytest.raises(SpecError, match="product_studio"):
        render("poster", subject="x")


def test_doubled_braces_are_braces():
    assert render("code", {"code": "{subject} in {{}}"}, subject="x") == "x in {}"
    assert holes_of("{subject} in {{}} at {place}") == {"subject", "place"}
