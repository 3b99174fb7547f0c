"""Where stations and watchers meet, and what they say."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from reactor_core.errors import StorageError
from reactor_core.safety.kill import wire


def test_messages_arrive_whole_and_in_order(tmp_path: Path) -> None:
    listening = wire.bind(tmp_path)
    assert listening is not None
    connected = wire.connect(tmp_path)
    assert connected is not None
    accepted, _ = listening.accept()
    with listening, connected, accepted:
        said = [wire.Beat(1, True, "click"), wire.Enlist(5, 6, 0, "make"), wire.Trip("cli", "why", "", 1.5, "id", "me")]
        for message in said:
            wire.send(connected, message)
        assert [wire.receive(accepted, at="watcher") for _ in said] == said
        wire.send(accepted, wire.Echo(1, 2, True))
        assert wire.receive(connected, at="station") == wire.Echo(1, 2, True)


def test_a_workspace_has_one_watcher(tmp_path: Path) -> None:
    first = wire.bind(tmp_path)
    assert first is not None
    with first:
        assert wire.bind(tmp_path) is None


def test_the_place_is_the_folder_whatever_it_is_called(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    listening = wire.bind(folder)
    assert listening is not None
    with listening:
        connected = wire.connect(link)
        assert connected is not None
        connected.close()


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    listening = wire.bind(tmp_path)
    assert listening is not None
    listening.close()
    assert wire.connect(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        wire.bind(tmp_path / "nowhere")


def test_the_end_of_the_other_side_is_lost() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one:
        other.close()
        with pytest.raises(wire.Lost):
            wire.receive(one, at="station")
        with pytest.raises(wire.Lost):
            wire.send(one, wire.Ask())


@pytest.mark.parametrize("noise", [b"\0", b"\xff" * 100, b"\x81\xa4type\xa5hello"])
def test_noise_is_lost_and_no_crash(noise: bytes) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        other.send(noise)
        with pytest.raises(wire.Lost):
            wire.receive(one, at="watcher")


def test_a_station_does_not_take_a_stations_message() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        wire.send(other, wire.Ask())
        with pytest.raises(wire.Lost):
            wire.receive(one, at="station")


def test_processes_of_this_user_are_ours() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        assert wire.is_ours(one) is (os.getuid() == os.geteuid())
