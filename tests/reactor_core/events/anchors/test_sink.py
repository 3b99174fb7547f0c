from __future__ import annotations

import pytest
from tests.reactor_core.events.anchors.records import record

from reactor_core.events.anchors.sink import read_record, record_line
from reactor_core.events.note import NoteError

LINE = record_line(record(7))


def test_a_record_is_one_line_and_read_back():
    assert b"\n" not in LINE
    assert read_record(LINE) == ("j", record(7))


@pytest.mark.parametrize("position", range(0, len(LINE), 3))
def test_no_bit_of_a_record_can_change(position):
    for bit in range(8):
        changed = bytearray(LINE)
        changed[position] ^= 1 << bit
        try:
            _, found = read_record(bytes(changed))
        except NoteError:
            continue
        assert found == record(7)  # a space beside the JSON's own signs, say


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"\xff", LINE[:-5], b'{"key":"a","note":"b","more":1}'])
def test_other_lines_are_refused(line):
    with pytest.raises(NoteError):
        read_record(line)
