"""Servers that never answer, on real sockets; whoever waits leaves long before any time-out."""

import contextlib
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from a1_reactor.providers.leaving import Exchange
from a1_reactor.providers.wire import Wire
from reactor_core.errors import Halted, ProviderError

PATIENCE = 60.0
"""A time-out that would be noticed."""


class Still:
    """Takes one connection, says something, and then nothing more until the client has gone."""

    def __init__(self, says=b"", reads=True, tls=None):
        self.says, self.reads, self.tls = says, reads, tls
        self.reached, self.gone = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        connection, _ = self.listener.accept()
        with connection if self.tls is None else self.tls.wrap_socket(connection, server_side=True) as connection:
            if self.reads:
                connection.recv(65536)
            connection.sendall(self.says)
            self.reached.set()
            if self.reads:
                with contextlib.suppress(OSError):  # it goes without a farewell
                    while connection.recv(65536):
                        pass
                self.gone.set()
            else:
                self.gone.wait(PATIENCE)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.gone.set()
        self.thread.join(PATIENCE)
        self.listener.close()


def left(server, **call):
    """Call it, and leave once it has been reached; how long that took."""

    def pulse():
        if server.reached.is_set():
            raise Halted("enough")

    wire = Wire(f"http://{server.address}/", allow=[server.address], timeout_s=2 * PATIENCE, pulse=pulse)
    began = time.monotonic()
    with pytest.raises(Halted, match="enough"):
        wire.call("POST", max_bytes=1000, **call)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_server_that_falls_silent_is_left_at_once_and_sees_it(says):
    with Still(says) as server:
        assert left(server, json={}) < PATIENCE / 2
        assert server.gone.wait(PATIENCE), "the connection was closed"


def test_a_server_that_does_not_read_is_left_at_once():
    with Still(reads=False) as server:
        assert left(server, content=bytes(64 << 20)) < PATIENCE / 2


def test_a_pause_between_attempts_is_left_at_once():
    with Still(b"HTTP/1.1 503 Later\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n") as server:
        assert left(server, json={}) < PATIENCE / 2


def test_nothing_is_sent_once_nobody_waits():
    reached, go_on, seen = threading.Event(), threading.Event(), []

    def slow(host, port):
        reached.set()
        assert go_on.wait(PATIENCE)
        return ["127.0.0.1"]

    def pulse():
        if reached.is_set():
            raise Halted("enough")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"localhost:{listener.getsockname()[1]}"
        wire = Wire(f"http://{address}/", allow=[address], pulse=pulse, resolver=slow)
        with pytest.raises(Halted):
            wire.call("POST", json={}, max_bytes=1000)
        threads = [thread for thread in threading.enumerate() if thread.name == "exchange"]
        go_on.set()
        for thread in threads:
            thread.join(PATIENCE)
        listener.setblocking(False)
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        with connection:
            connection.settimeout(PATIENCE)
            seen.append(connection.recv(100))
        assert seen == [b""]


def test_a_result_that_comes_too_late_is_freed():
    begun, go_on, freed = threading.Event(), threading.Event(), []

    def work(trace):
        begun.set()
        go_on.wait(PATIENCE)
        return "a file"

    def pulse():
        if begun.is_set():
            go_on.set()
            raise Halted("enough")

    with pytest.raises(Halted):
        Exchange(work, freed.append).wait(pulse)
    for thread in [thread for thread in threading.enumerate() if thread.name == "exchange"]:
        thread.join(PATIENCE)
    assert freed == ["a file"]


def test_what_the_work_raises_is_raised_to_whoever_waits():
    def work(trace):
        raise ProviderError("no")

    with pytest.raises(ProviderError, match="no"):
        Exchange(work, print).wait(lambda: None)


def test_a_server_under_tls_is_left_at_once(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with Still(tls=context) as server:

        def work(trace):
            with httpx.Client(verify=False, timeout=PATIENCE) as client:
                return client.get(f"https://{server.address}/", extensions={"trace": trace})

        def pulse():
            if server.reached.is_set():
                raise Halted("enough")

        with pytest.raises(Halted):
            Exchange(work, print).wait(pulse)
        assert server.gone.wait(PATIENCE / 2), "the connection was closed"
