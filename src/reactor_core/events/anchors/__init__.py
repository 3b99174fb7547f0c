"""Anchors: places outside the journal that remember its signed checkpoints, so that a cut or a rewrite is found."""

from reactor_core.events.anchors.keeper import Anchors, AnchorStatus, anchor_at, default_anchor
from reactor_core.events.anchors.sink import Record, Sink

__all__ = ["AnchorStatus", "Anchors", "Record", "Sink", "anchor_at", "default_anchor"]
