from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.media.cuts import grid_pieces, pieces_after_edit
from a1_reactor.types import Window, merge_windows


def nothing(piece, frames):
    return 0


def everything(piece, frames):
    return frames


def test_the_grid_ends_with_what_is_left():
    assert grid_pieces(50, 24) == [(0, 24), (24, 48), (48, 50)]
    assert grid_pieces(1, 24) == [(0, 1)]


def test_the_end_of_a_window_is_a_cut_and_its_beginning_where_frames_can_be_kept():
    pieces = pieces_after_edit(grid_pieces(72, 24), [Window(20, 39)], 24, lambda piece, frames: frames - 2)
    assert pieces == [(0, 18), (18, 24), (24, 39), (39, 48), (48, 72)]


def test_where_nothing_can_be_kept_a_window_takes_its_whole_first_piece():
    assert pieces_after_edit([(0, 24)], [Window(20, 22)], 24, nothing) == [(0, 22), (22, 24)]


def test_behind_a_window_nothing_of_that_piece_is_kept():
    pieces = pieces_after_edit([(0, 24)], [Window(4, 6), Window(12, 14)], 24, everything)
    assert pieces == [(0, 4), (4, 6), (6, 12), (12, 14), (14, 24)]
    asked = []
    pieces_after_edit([(0, 24)], [Window(0, 6), Window(12, 14)], 24, lambda *about: asked.append(about) or 0)
    assert not asked


def test_a_window_over_earlier_edits_leaves_only_the_grid_inside():
    old = [(0, 7), (7, 9), (9, 13), (13, 24), (24, 48)]
    assert pieces_after_edit(old, [Window(0, 48)], 24, everything) == [(0, 24), (24, 48)]


CLIPS = st.integers(1, 120).flatmap(
    lambda frames: st.tuples(
        st.just(frames),
        st.sets(st.integers(1, max(1, frames - 1)), max_size=8),
        st.lists(st.tuples(st.integers(0, frames - 1), st.integers(1, 40)), min_size=1, max_size=4),
        st.integers(1, 30),
        st.integers(0, 5),
    )
)


@given(CLIPS)
def test_pieces_cover_the_clip_and_no_old_piece_is_cut_without_need(clip):
    frames, cuts, spans, length, lost = clip
    old = list(pairwise(sorted({0, frames} | {cut for cut in cuts if cut < frames})))
    windows = merge_windows((Window(a, min(frames, a + n)) for a, n in spans), frames=frames)
    pieces = pieces_after_edit(old, windows, length, lambda piece, most: max(0, most - lost))
    assert [pieces[0][0], *(stop for _, stop in pieces)] == [start for start, _ in pieces] + [frames]
    assert all(start < stop for start, stop in pieces)
    for piece in old:
        if not any(window.start < piece[1] and piece[0] < window.stop for window in windows):
            assert piece in pieces
    for window in windows:
        assert window.stop in {stop for _, stop in pieces}
