import email
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a1_reactor.providers.multipart import Part, boundary_of, join_parts, read_parts
from reactor_core.errors import ProviderError


class Drip(io.BytesIO):
    """Gives one byte at a time, as a slow network might."""

    def read(self, size=-1):
        return super().read(1)


def parts_of(body, boundary="B", limit=1000, stream=io.BytesIO):
    return list(read_parts(stream(body), boundary, max_part_bytes=limit))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.sampled_from([io.BytesIO, Drip]))
def test_parts_come_back_as_they_went(payloads, stream):
    body, boundary = join_parts(Part({"frame-index": str(i)}, data) for i, data in enumerate(payloads))
    parts = parts_of(body, boundary, stream=stream)
    assert [(part.headers["frame-index"], part.data) for part in parts] == [
        (str(i), data) for i, data in enumerate(payloads)
    ]


def test_the_standard_library_reads_what_is_written():
    body, boundary = join_parts([Part({"Content-Type": "image/png"}, b"abc"), Part({"X": "y"}, b"d\r\n--e")])
    message = email.message_from_bytes(f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + body)
    assert [part.get_payload(decode=True) for part in message.get_payload()] == [b"abc", b"d\r\n--e"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "ends in the middle"),
        (b"--C\r\n", "does not begin"),
        (b"--B\r\nA: b\r\n\r\nabc", "ends in the middle"),
        (b"--B\r\nA: b\r\n\r\nabc\r\n--B", "ends in the middle"),
        (b"--B\r\nA: b\r\n\r\nabc\r\n--B?!", "line end"),
        (b"--B\r\nno header\r\n\r\nabc\r\n--B--", "header"),
        (b"--B\r\nA: b\r\na: c\r\n\r\nabc\r\n--B--", "header"),
        (b"--B\r\nA: b\r\n\r\n" + bytes(1001) + b"\r\n--B--", "longer than 1000"),
        (b"--B\r\nA: b\r\n\r\n" + bytes(5000), "longer than 1000"),
        (b"--B\r\n" + bytes(9000), "longer than 4096"),
    ],
)
def test_any_other_body_is_refused(body, problem):
    with pytest.raises(ProviderError, match=problem):
        parts_of(body)


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("multipart/mixed; boundary=abc", "abc"),
        ('multipart/mixed; boundary="a:b"', "a:b"),
        ("multipart/mixed", None),
        ('multipart/mixed; boundary="a b"', None),
        ("multipart/mixed; boundary=", None),
        ('multipart/mixed; boundary="a\\r\\nb"', None),
        ("multipart/mixed; boundary=" + "a" * 71, None),
    ],
)
def test_a_boundary_is_read_from_the_type(content_type, found):
    assert boundary_of(content_type) == found
