"""Frozen specs: what is asked, with exact time."""

from a1_reactor.types.mask import Mask
from a1_reactor.types.moment import parse_moment, window_between
from a1_reactor.types.quantum import FrameQuantum, Span, grow_window
from a1_reactor.types.rational import Rational, parse_rational
from a1_reactor.types.spec import JobSpec
from a1_reactor.types.window import Window, merge_windows

__all__ = [
    "FrameQuantum",
    "JobSpec",
    "Mask",
    "Rational",
    "Span",
    "Window",
    "grow_window",
    "merge_windows",
    "parse_moment",
    "parse_rational",
    "window_between",
]
