"""The shipped experience log: its files, its split, and the generator that makes them."""

import importlib
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from reactor_core.data.dedup import jaccard, near_duplicates, shingles

FOLDER = Path(__file__).parents[2] / "examples" / "experience"
FIELDS = {"action": str, "kind": str, "label": str, "rule": str, "template": str, "why": str}
OWN_MODULES = {"generate", "slots", "template"}


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def pool() -> list[dict]:
    return read("pool.jsonl")


@pytest.fixture(scope="module")
def heldout() -> list[dict]:
    return read("heldout.jsonl")


@pytest.fixture(scope="module")
def generate():
    """The generator as a module; its folder is on the path only while these tests run."""
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("generate")
    sys.path.remove(str(FOLDER))
    for name in OWN_MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def template(generate: ModuleType) -> ModuleType:
    return sys.modules["template"]


@pytest.mark.parametrize("name", ["pool.jsonl", "heldout.jsonl"])
def test_rows_follow_the_schema(name: str, template: ModuleType):
    for row in read(name):
        assert set(row) == {*FIELDS, "approved"}
        assert all(type(row[field]) is kind and row[field] for field, kind in FIELDS.items())
        assert row["kind"] in template.KINDS
        assert row["rule"] in template.RULES[row["label"]]
        assert row["template"].startswith(row["kind"] + "-")
        assert (type(row["approved"]) is bool) == (row["label"] == "confirm")


@pytest.mark.parametrize(("name", "least"), [("pool.jsonl", 4000), ("heldout.jsonl", 450)])
def test_files_are_large_enough(name: str, least: int):
    assert len(read(name)) >= least


@pytest.mark.parametrize("name", ["pool.jsonl", "heldout.jsonl"])
def test_labels_are_balanced_exactly(name: str):
    assert len(set(Counter(row["label"] for row in read(name)).values())) == 1


def test_every_rule_is_taught_and_examined(pool: list[dict], heldout: list[dict], template: ModuleType):
    rules = {rule for of_label in template.RULES.values() for rule in of_label}
    assert {row["rule"] for row in pool} == rules
    assert {row["rule"] for row in heldout} == rules


def test_every_kind_is_taught_and_examined(pool: list[dict], heldout: list[dict], template: ModuleType):
    cells = {(kind, label) for kind in template.KINDS for label in template.LABELS}
    assert {(row["kind"], row["label"]) for row in pool} == cells
    assert {(row["kind"], row["label"]) for row in heldout} == cells


def test_no_template_is_on_both_sides(pool: list[dict], heldout: list[dict]):
    assert not {row["template"] for row in pool} & {row["template"] for row in heldout}


def test_no_template_skeleton_is_on_both_sides(pool: list[dict], heldout: list[dict], generate: ModuleType):
    form = {entry.id: entry.skeleton for entry in generate.load_templates()}
    assert not {form[row["template"]] for row in pool} & {form[row["template"]] for row in heldout}


def test_no_action_skeleton_is_on_both_sides(pool: list[dict], heldout: list[dict], template: ModuleType):
    forms = [{template.skeleton(row["action"]) for row in rows} for rows in (pool, heldout)]
    assert not forms[0] & forms[1]


def test_no_near_duplicate_crosses_the_split(pool: list[dict], heldout: list[dict], generate: ModuleType):
    left = [row["action"].lower() for row in pool]
    right = [row["action"].lower() for row in heldout]
    assert near_duplicates(left, right, generate.NEAR_DUPLICATE) == []


def test_brute_force_finds_no_near_duplicate_in_a_sample(pool: list[dict], heldout: list[dict], generate: ModuleType):
    left = [shingles(row["action"].lower()) for row in pool[::7]]
    right = [shingles(row["action"].lower()) for row in heldout[::3]]
    assert max(jaccard(a, b) for a in left for b in right) < generate.NEAR_DUPLICATE


def test_actions_are_distinct(pool: list[dict], heldout: list[dict]):
    actions = [row["action"] for row in pool + heldout]
    assert len(actions) == len(set(actions))


def test_no_action_has_two_labels(pool: list[dict], heldout: list[dict]):
    pairs = {(" ".join(row["action"].split()), row["label"]) for row in pool + heldout}
    assert len(pairs) == len({action for action, _ in pairs})


@pytest.mark.parametrize("length", [30, 300, 1500])
def test_any_prefix_is_balanced_and_varied(pool: list[dict], length: int):
    prefix = pool[:length]
    assert set(Counter(row["label"] for row in prefix).values()) == {length // 3}
    # No label has fewer than 500 pool templates, so the first pass over them covers 1,500 rows.
    assert len({row["template"] for row in prefix}) == length


def test_people_mostly_agree_but_not_always(pool: list[dict]):
    answers = [row["approved"] for row in pool if row["label"] == "confirm"]
    assert 0.5 < sum(answers) / len(answers) < 0.9


def test_check_mode_reproduces_the_files():
    done = subprocess.run(
        [sys.executable, FOLDER / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_changed_or_missing_file_differs(tmp_path: Path, generate: ModuleType):
    path = tmp_path / "pool.jsonl"
    assert generate.differs(path, "{}\n")
    path.write_text("{}\n", encoding="utf-8")
    assert not generate.differs(path, "{}\n")
    assert generate.differs(path, "{}\n{}\n")


def test_skeleton_forgets_slots_paths_numbers_and_quotes(template: ModuleType):
    assert template.skeleton("rm  -rf «system_dir»") == template.skeleton("rm -rf /usr/lib")
    assert template.skeleton("kill -9 'x7'") == 'kill -0 "x0"'


def test_equal_slots_take_equal_values_and_numbered_ones_differ(template: ModuleType):
    slots = {"f": ("a", "b", "c")}
    for action in template.expand("mv «f» «f.2» # «f»", slots, random.Random(0)):
        _, first, second, _, again = action.split()
        assert first == again != second


def test_expansion_ends_when_the_values_run_out(template: ModuleType):
    actions = list(template.expand("ls «d» «n»", {"d": ("a", "b"), "n": ("1", "2", "3")}, random.Random(0)))
    assert sorted(actions) == ["ls a 1", "ls a 2", "ls a 3", "ls b 1", "ls b 2", "ls b 3"]


def test_unknown_slot_is_an_error_that_names_it(template: ModuleType):
    with pytest.raises(template.TemplateError, match="«nowhere»"):
        list(template.expand("ls «nowhere»", {}, random.Random(0)))


@pytest.mark.parametrize(
    ("label", "rule"),
    [("block", "A1"), ("allow", "A7"), ("deny", "B1")],
    ids=["mismatch", "no such rule", "no such label"],
)
def test_label_and_rule_must_match(template: ModuleType, label: str, rule: str):
    with pytest.raises(template.TemplateError, match=r"rule|label"):
        template.Template(label, rule, "ls", "lists")


def test_one_action_under_two_labels_is_an_error(generate: ModuleType):
    row = {"kind": "shell", "template": "shell-001", "approved": None, "why": "x"}
    rows = [
        generate.Row(action="ls  -l", label="allow", rule="A1", **row),
        generate.Row(action="ls -l", label="block", rule="B1", **row),
    ]
    with pytest.raises(generate.TemplateError, match="allow by shell-001 and block by shell-001"):
        generate.check_labels(rows)
