"""What a caller of the wire relies on; the retries and limits of one request are in test_http_provider.py."""

import pytest
from tests.servers.frames_v2 import Quiet, listening

from a1_reactor.providers.wire import Wire
from reactor_core.errors import Halted, ProviderError

ALLOWED = {"allow": ["api.example:443"], "files_from": ["files.example:443"]}


class Echo(Quiet):
    """Answers with what it saw; /no refuses and repeats the key."""

    seen: list[tuple[str, str, str | None]]

    def do_GET(self):  # noqa: N802
        self.seen.append((self.command, self.path, self.headers.get("Authorization")))
        if self.path == "/no":
            self.answer(401, f"the key {self.headers['Authorization'].split()[-1]}\nis wrong \x1b[31m".encode())
        else:
            self.answer_json({"body": self.body().decode()})

    do_POST = do_DELETE = do_GET  # noqa: N815


@pytest.fixture
def echo():
    seen = []
    with listening(type("Handler", (Echo,), {"seen": seen})) as address:
        yield address, seen


def wire(address, path="/", **options):
    return Wire(f"http://{address}{path}", **{"allow": [address], "timeout_s": 5, **options})


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("/jobs/1?a=b", "https://api.example/jobs/1?a=b"),
        ("jobs/1", "https://api.example/v1/jobs/1"),
        ("https://api.example:443/x#y", "https://api.example/x"),
        ("https://files.example/f.mp4", "https://files.example/f.mp4"),
    ],
)
def test_addresses_of_the_same_server_and_of_listed_ones_are_followed(named, address):
    assert str(Wire("https://api.example/v1/frames", **ALLOWED).follow(named).url) == address


@pytest.mark.parametrize(
    "named",
    [
        "https://other.example/f.mp4",
        "http://api.example/f.mp4",
        "https://api.example:8443/f.mp4",
        "//other.example/f",
        "https://api.example@other.example/",
        "file:///etc/passwd",
        "https://user:word@api.example/",
        "https://[",
    ],
)
def test_other_addresses_are_not_followed(named):
    with pytest.raises(ProviderError, match=r"another server|no URL"):
        Wire("https://api.example/v1/frames", **ALLOWED).follow(named)


def test_a_listed_file_server_at_a_private_address_needs_permission_of_its_own():
    files = Wire("https://api.example/", files_from=["files.example:443"], resolver=lambda host, port: ["10.0.0.1"])
    with pytest.raises(ProviderError, match="not a public address"):
        files.call("GET", files.follow("https://files.example/f"), max_bytes=1)


def test_the_key_goes_to_the_endpoint_alone(echo):
    address, seen = echo
    with listening(type("Other", (Echo,), {"seen": seen})) as other:
        caller = wire(address, secret="Bearer hush", allow=[address, other], files_from=[other])
        caller.call("GET", max_bytes=1000).read()
        caller.call("GET", caller.follow(f"http://{other}/file"), max_bytes=1000).read()
    assert seen == [("GET", "/", "Bearer hush"), ("GET", "/file", None)]


def test_a_refusal_is_quoted_on_one_line_without_the_key(echo):
    address, _ = echo
    with pytest.raises(ProviderError) as caught:
        wire(address, "/no", secret="Bearer hush").call("GET", max_bytes=1000)
    assert "status 401 Unauthorized: the key *** is wrong [31m" in caught.value.message


def test_the_pulse_ends_a_call_but_not_a_dismissal(echo):
    address, seen = echo

    def tripped():
        raise Halted("the kill switch is tripped")

    caller = wire(address, pulse=tripped)
    with pytest.raises(Halted):
        caller.call("POST", json={}, max_bytes=1000)
    caller.dismiss("DELETE", caller.follow("/jobs/1"))
    assert [(method, path) for method, path, _ in seen] == [("DELETE", "/jobs/1")]


def test_a_body_is_sent_as_json(echo):
    address, _ = echo
    reply = wire(address).call("POST", json={"b": 1, "a": "ä"}, max_bytes=1000)
    assert reply.content_type == "application/json"
    assert reply.read() == b'{"body": "{\\"a\\":\\"\\u00e4\\",\\"b\\":1}"}'
