import pytest

from a1_reactor.engine.proof import prove_unchanged
from a1_reactor.types import Window
from reactor_core.errors import ArtifactCorrupt

WINDOWS = (Window(2, 4),)


@pytest.fixture
def parent(engine, spec):
    return engine.generate(spec(seconds="1/4")).clip


@pytest.fixture
def draft(engine, parent):
    with engine.store.draft("0" * 16, parent=parent) as draft:
        yield draft


def test_links_are_shown_by_their_inode_and_what_changed_is_counted(parent, draft):
    methods = draft.link_frames([0, 1, 4, 5], parent)
    draft.add_frame(2, parent.frame(2))
    draft.add_frame(3, parent.frame(0))
    proof = prove_unchanged(parent, draft, WINDOWS, methods)
    assert proof["untouched"]["frames"] == [[0, 2], [4, 6]]
    assert sum(proof["untouched"]["shown_by"].values()) == 4
    assert proof["untouched"]["sha256_of_hashes"] == proof["untouched"]["sha256_of_parent_hashes"]
    # Frame 2 came out as it was; only frame 3 is another picture.
    assert proof["changed"] == {"count": 1, "frames": [[3, 4]]}


def test_a_link_that_was_replaced_is_noticed(parent, draft):
    methods = draft.link_frames([0, 1, 4, 5], parent)
    for index in WINDOWS[0].frames:
        draft.add_frame(index, parent.frame(0))
    draft.frame_path(4).unlink()
    draft.frame_path(4).write_bytes(parent.frame_path(3).read_bytes())
    with pytest.raises(ArtifactCorrupt, match="frame 4 lies outside"):
        prove_unchanged(parent, draft, WINDOWS, methods)


def test_a_copy_is_shown_by_its_hash(parent, draft):
    methods = draft.link_frames([0, 1, 4, 5], parent)
    for index in WINDOWS[0].frames:
        draft.add_frame(index, parent.frame(0))
    data = draft.frame_path(4).read_bytes()
    draft.frame_path(4).unlink()
    draft.frame_path(4).write_bytes(data)
    proof = prove_unchanged(parent, draft, WINDOWS, {**methods, 4: "copy"})
    assert proof["untouched"]["shown_by"]["same hash"] >= 1
