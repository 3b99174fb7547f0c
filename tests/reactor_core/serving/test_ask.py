import json

import pytest

from reactor_core.errors import DatasetError, NotFound
from reactor_core.eval import LABELS
from reactor_core.serving.ask import evaluate_file, find_adapter, open_chat
from reactor_core.utils.console import Silent


@pytest.fixture
def model(model_folder):
    return str(model_folder("llama"))


def chat(model, settings, **options):
    return open_chat(
        **{"adapter": "none", "model": model, "kind": None, "max_new_tokens": 5, "settings": settings} | options
    )


def test_a_verdict_is_the_likeliest_of_three(model, settings):
    answer = chat(model, settings, kind="shell")("rm -rf /")
    assert set(answer.probabilities) == set(LABELS)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.text == max(answer.probabilities, key=answer.probabilities.get)


def test_a_chat_remembers_what_was_said(model, settings):
    talk = chat(model, settings)
    first = talk("hello")
    assert first.probabilities is None
    talk("and then?")
    assert chat(model, settings)("hello") == first  # greedy answers repeat; another chat starts anew


def test_a_file_is_judged_row_by_row(model, settings, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(
        "".join(json.dumps({"action": f"ls {i}", "kind": "shell", "label": LABELS[i % 3]}) + "\n" for i in range(9))
    )
    report = evaluate_file(file, adapter="none", model=model, settings=settings, narrator=Silent())
    assert report.rows == 9
    file.write_text("{}\n")
    with pytest.raises(DatasetError, match=r"rows\.jsonl:1"):
        evaluate_file(file, adapter="none", model=model, settings=settings, narrator=Silent())


def test_names_of_adapters(settings, tmp_path):
    assert find_adapter("none", settings) is None
    assert find_adapter(str(tmp_path), settings) == tmp_path
    with pytest.raises(NotFound, match="reactor demo"):
        find_adapter("current", settings)
    with pytest.raises(NotFound, match="adapters list"):
        find_adapter("0123abcd", settings)
