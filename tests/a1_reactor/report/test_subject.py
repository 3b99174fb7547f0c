import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.report.page import render_report
from a1_reactor.report.subject import Subject, spread_over, subject_finding, subject_of


class ByColour:
    """Embeds a frame as the direction of its mean colour."""

    def __init__(self):
        self.seen = 0

    def embed(self, frames):
        self.seen += len(frames)
        means = [frame.mean(axis=(0, 1)).astype(np.float32) for frame in frames]
        return [mean / np.linalg.norm(mean) for mean in means]


def test_the_first_frame_is_like_itself_and_windows_are_compared_with_the_parent(facts):
    looks = ByColour()
    subject = subject_of(facts, looks)
    assert subject.to_first[0] == pytest.approx(1)
    assert (subject.frames[0], subject.frames[-1], len(subject.frames)) == (0, 23, 9)
    assert 0.9 < subject.old_new <= 1
    assert looks.seen == 9 + 2 * 9


def test_without_a_window_there_is_nothing_to_compare(parent_facts):
    assert subject_of(parent_facts, ByColour()).old_new is None


@pytest.mark.parametrize(
    ("old_new", "mark", "says"),
    [(0.97, "good", "shows what it showed: 0.97"), (0.8, "look", "something else: 0.80"), (None, "fact", "least 0.60")],
)
def test_likeness_is_told_in_words(old_new, mark, says):
    finding = subject_finding(Subject(frames=(0, 9), to_first=(1.0, 0.6), old_new=old_new))
    assert finding.mark == mark
    assert says in finding.text


def test_the_page_shows_it_where_it_was_looked_at(facts):
    page = render_report(facts, Subject(frames=(0, 9), to_first=(1.0, 0.6), old_new=0.97))
    assert "shows what it showed: 0.97" in page
    assert "Subject: likeness to the first frame" in page
    assert "Subject" not in render_report(facts)


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 20))
def test_samples_are_different_and_reach_both_ends(start, length, count):
    chosen = spread_over(start, start + length, count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) <= count
    assert chosen[0] == start
    assert count == 1 or chosen[-1] == start + length - 1
