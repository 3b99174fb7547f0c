import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a1_reactor.prompts.document import MAX_BYTES, read_document
from reactor_core.errors import NotFound, SpecError


@pytest.fixture
def file(tmp_path):
    """Write a file and read it as a spec file."""

    def read(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_document(path)

    return read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # YAML 1.1, and so PyYAML by itself, makes False, 8, 90, 1.5 and a date of these.
        ("no", "no"),
        ("on", "on"),
        ("010", 10),
        ("1:30", "1:30"),
        ("0:01.5", "0:01.5"),
        ("2026-11-22", "2026-11-22"),
        ("0o17", 15),
        ("0x1f", 31),
        ("-7", -7),
        ("2.2", 2.2),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        ("true", True),
        ("~", None),
        ("", None),
        ("24000/1001", "24000/1001"),
        ('"12"', "12"),
        ("[0.8, 12f]", [0.8, "12f"]),
        ("{a: {b: no}}", {"a": {"b": "no"}}),
    ],
)
def test_yaml_is_that_of_its_core_schema(file, text, value):
    found = file("spec.yaml", f"field: {text}\n")["field"]
    assert (found, type(found)) == (value, type(value))


# JSON escapes characters beyond the first plane as pairs, which PyYAML reads as two halves; specs refuse those by name.
# Names of fields are short: PyYAML looks for a colon only so far.
words = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.dictionaries(words, values, max_size=4))
def test_json_read_as_yaml_or_as_json_is_itself(tmp_path_factory, document):
    # YAML 1.2 contains JSON.
    for name in ("spec.json", "spec.yml"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_text(json.dumps(document))
        assert read_document(path) == document


def test_a_byte_order_mark_is_passed_over(file):
    assert file("spec.json", '\ufeff{"prompt": "x"}') == {"prompt": "x"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("spec.txt", "{}", "ends in .json, .yaml or .yml"),
        ("spec.json", "{", "is no JSON"),
        ("spec.json", "[]", "holds list"),
        ("spec.json", '{"seed": 1, "seed": 2}', "'seed' occurs twice"),
        ("spec.json", '{"seconds": NaN}', "NaN is no number"),
        ("spec.json", "[" * 100_000, "nested too deeply"),
        ("spec.json", b"\xff", "no UTF-8 at byte 0"),
        ("spec.json", b" " * (MAX_BYTES + 1), "longer than"),
        ("spec.yaml", "", "holds NoneType"),
        ("spec.yaml", "a: 1\na: 2", "'a' occurs twice"),
        ("spec.yaml", "1: a", "1 is no text"),
        ("spec.yaml", "[a]: b", "is no text"),
        ("spec.yaml", "a: &x 1\nb: *x", "anchors and aliases"),
        ("spec.yaml", "a: 1\n---\nb: 2", "is no YAML"),
        ("spec.yaml", "a: !!python/object/apply:os.system ['true']", "is no YAML"),
        ("spec.yaml", "a: !!binary aGk=", "is no YAML"),
        ("spec.yaml", "a: !!int x", "is no YAML"),
        ("spec.yaml", "a: [1", "line 1"),
    ],
)
def test_what_is_no_single_object_is_refused_with_the_reason(file, name, text, says):
    with pytest.raises(SpecError) as caught:
        file(name, text)
    assert says in f"{caught.value.message} {caught.value.remedy}"


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match=r"none\.yaml"):
        read_document(tmp_path / "none.yaml")
