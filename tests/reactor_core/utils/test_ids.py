import uuid

from reactor_core.utils.ids import new_id, new_run_id


def test_ids_are_uuid7_and_sort_by_age():
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {uuid.UUID(text).version for text in ids} == {7}


def test_a_run_id_names_its_kind():
    kind, _, rest = new_run_id("train").partition("-")
    assert kind == "train"
    assert uuid.UUID(rest).version == 7
