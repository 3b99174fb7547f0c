import pytest

from reactor_core import errors


def test_every_error_is_a_reactor_error_with_an_exit_code():
    for name in errors.__all__:
        error = getattr(errors, name)
        assert issubclass(error, errors.ReactorError)
        assert 1 <= error.exit_code <= 130


def test_the_tree_at_the_head_shows_every_error():
    missing = [name for name in errors.__all__ if name not in errors.__doc__]
    assert missing == []


def test_a_remedy_is_part_of_the_message():
    assert (
        str(errors.ConfigError("rank=0 is too small", remedy="use 1 or more")) == "rank=0 is too small (use 1 or more)"
    )


def test_a_dataset_error_names_file_line_and_field():
    error = errors.DatasetError("is missing", path="rows.jsonl", line=3, field="prompt")
    assert str(error) == "rows.jsonl:3: field 'prompt': is missing"


def test_users_faults_are_value_errors():
    with pytest.raises(ValueError, match="x"):
        raise errors.DatasetError("x", path="f")
