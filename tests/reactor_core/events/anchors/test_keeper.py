from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tests.reactor_core.events.anchors.records import record

from reactor_core.errors import ConfigError, StorageError
from reactor_core.events.anchors import Anchors, Record, anchor_at, default_anchor
from reactor_core.events.anchors.file import FileAnchor
from reactor_core.events.anchors.gcs import GcsAnchor
from reactor_core.events.anchors.redis import RedisAnchor
from reactor_core.events.checkpoints import Checkpoint
from reactor_core.events.note import Verifier
from reactor_core.utils.settings import Settings

PATIENCE = 30


def offer(anchors: Anchors, size: int, *, urgent: bool = False) -> None:
    made = record(size)
    anchors.offer(Checkpoint(size, 0, b"", b"", b"", made.note), Verifier.from_text(made.key), urgent)


def eventually(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.005)


def sizes(path: Path) -> list[int]:
    if not path.exists():
        return []
    return [found.size for found in FileAnchor(path).read("j") if isinstance(found, Record)]


def test_an_urgent_checkpoint_is_written_at_once_and_others_at_the_anchor_s_pace(tmp_path):
    path = tmp_path / "anchor"
    anchors = Anchors([FileAnchor(path, every=3600.0)])
    offer(anchors, 1)
    eventually(lambda: sizes(path) == [1])
    offer(anchors, 2)
    offer(anchors, 3)
    offer(anchors, 4, urgent=True)
    eventually(lambda: sizes(path)[-1:] == [4])
    offer(anchors, 5)
    anchors.close()
    assert sizes(path) == [1, 4, 5]  # 2 and 3 were overtaken, the last one is written at the end
    assert [status.size for status in anchors.status()] == [5]


def test_a_failing_anchor_is_visible_and_delays_no_other(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    anchors = Anchors([FileAnchor(tmp_path / "file" / "anchor"), FileAnchor(tmp_path / "good")])
    offer(anchors, 1, urgent=True)
    eventually(lambda: anchors.status()[1].size == 1)
    assert sizes(tmp_path / "good") == [1]
    eventually(lambda: anchors.status()[0].failures >= 1)
    bad, good = anchors.status()
    assert (bad.size, good.size, good.error) == (0, 1, "")
    assert "file" in bad.error
    figures = {(sample.name, sample.labels["anchor"]): sample.value for sample in anchors.metrics()}
    assert figures["reactor_anchor_up", bad.where] == 0
    assert figures["reactor_anchor_up", good.where] == 1
    assert "not anchored" in caplog.text
    anchors.close()


def test_an_anchor_that_comes_back_gets_the_newest_checkpoint(tmp_path):
    way = tmp_path / "file"
    way.write_text("in the way")
    anchors = Anchors([FileAnchor(way / "anchor")])
    offer(anchors, 1)
    eventually(lambda: anchors.status()[0].failures >= 1)
    offer(anchors, 2)
    way.unlink()
    eventually(lambda: sizes(way / "anchor") == [2])
    eventually(lambda: anchors.status()[0].error == "")
    anchors.close()


def test_closing_without_a_checkpoint_starts_nothing(tmp_path):
    anchors = Anchors([FileAnchor(tmp_path / "anchor")])
    anchors.close()
    offer(anchors, 1)
    assert list(tmp_path.iterdir()) == []


def test_closing_waits_for_no_anchor_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr("reactor_core.events.anchors.keeper._CLOSE_SECONDS", 0.05)
    released = threading.Event()

    class Hanging:
        where = "nowhere"
        every = 0.0

        def write(self, _: Record) -> None:
            released.wait(PATIENCE)
            raise StorageError("given up")

        def read(self, _: str):
            return iter(())

        def close(self) -> None:
            pass

    anchors = Anchors([Hanging()])
    offer(anchors, 1)
    anchors.close()
    assert anchors.status()[0].size == 0
    released.set()
    anchors.close()


def test_the_default_is_a_file_of_the_user_s_state_folder(tmp_path):
    settings = Settings(state_dir=tmp_path)
    assert default_anchor("j", settings).path == tmp_path / "anchors" / "j.checkpoints"
    settings = Settings(audit_anchor_path=tmp_path / "mine")
    assert default_anchor("j", settings).path == tmp_path / "mine"


def test_the_settings_add_anchors(tmp_path):
    settings = Settings(state_dir=tmp_path, audit_anchors=(str(tmp_path / "x"), "redis://localhost:1"))
    wheres = [status.where for status in Anchors.of("j", settings).status()]
    assert wheres == [str(tmp_path / "anchors" / "j.checkpoints"), str(tmp_path / "x"), "redis://localhost:1"]


def test_a_text_names_an_anchor(tmp_path):
    assert isinstance(anchor_at("redis://localhost", "j"), RedisAnchor)
    assert isinstance(anchor_at("gs://bucket/x", "j"), GcsAnchor)
    assert anchor_at(str(tmp_path), "j").where == str(tmp_path / "j.checkpoints")
    assert anchor_at(str(tmp_path / "file"), "j").where == str(tmp_path / "file")
    with pytest.raises(ConfigError, match="ftp"):
        anchor_at("ftp://x", "j")
