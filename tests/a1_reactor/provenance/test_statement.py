import json
from dataclasses import replace

import pytest

from a1_reactor.provenance.statement import REGEN_LABEL, ingredient_entry, statement_of


def said(statement):
    """Actions, and the facts of our own."""
    actions, facts = (assertion["data"] for assertion in statement.manifest["assertions"])
    return [action["action"] for action in actions["actions"]], facts


def source_type(statement):
    action = statement.manifest["assertions"][0]["data"]["actions"][-1]
    return action.get("digitalSourceType", "").rpartition("/")[2]


def test_a_generated_clip_was_created_of_nothing(clips):
    statement = statement_of(clips["base"], parent=None, source=None, title="a.mp4")
    assert (said(statement)[0], statement.ingredient) == (["c2pa.created"], None)
    assert source_type(statement) == "algorithmicMedia"  # the mock provider draws, nothing is trained


def test_a_regenerated_clip_opens_its_parent_and_says_which_frames_are_new(clips):
    statement = statement_of(clips["child"], parent=clips["base"], source=None, title="a.mp4")
    actions, facts = said(statement)
    assert actions == ["c2pa.opened", "c2pa.edited"]
    assert statement.ingredient.path == clips["base"].artifact
    assert ingredient_entry(statement.ingredient)["relationship"] == "parentOf"
    assert (facts["windows"], facts["frames_kept"], facts["parent"]) == ([[4, 8]], 8, clips["base"].key)


def test_the_digest_of_kept_frames_is_that_of_the_parents_frames(clips):
    child, base = clips["child"], clips["base"]
    facts = said(statement_of(child, parent=base, source=None, title="a.mp4"))[1]
    swapped = replace(child, manifest=replace(child.manifest, frames=base.manifest.frames))
    assert said(statement_of(swapped, parent=base, source=None, title="a.mp4"))[1] == facts


def test_without_its_parents_file_it_claims_no_ingredient(clips):
    statement = statement_of(clips["child"], parent=None, source=None, title="a.mp4")
    assert (said(statement)[0], statement.ingredient) == (["c2pa.created"], None)


def test_an_imported_clip_opens_the_file_that_it_was(clips):
    statement = statement_of(clips["film"], parent=None, source=clips["source"], title="a.mp4")
    assert said(statement)[0] == ["c2pa.opened", "c2pa.transcoded"]
    assert statement.ingredient.title == "harbour.mp4"
    fog = statement_of(clips["fog"], parent=clips["film"], source=None, title="a.mp4")
    assert source_type(fog) == "compositeSynthetic"


@pytest.mark.parametrize("name", ["base", "child", "film", "fog"])
def test_the_prompt_is_not_told(clips, name):
    text = json.dumps(statement_of(clips[name], parent=None, source=None, title="a.mp4").manifest)
    assert clips[name].job.asked.prompt not in text
    assert REGEN_LABEL in text
