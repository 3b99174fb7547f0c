"""What Google's Cloud SQL connector speaks to, as far as tests need it: the admin API and the proxy of an instance.

The instance behind it is any Postgres on this machine. Both check what they get: the API the bearer token, the proxy
the client's certificate, which only the API signs.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PROXY_PORT = 3307  # fixed in the connector; the address is one that nobody else listens on
PROXY_ADDRESS = "127.77.33.7"
TOKEN = "a-token-of-this-machine"


class CloudSql:
    """One instance, ``project:region:name``.

    Args:
        folder: For certificates.
        port: Of the Postgres behind it.
    """

    instance = "project:region:name"

    def __init__(self, folder: Path, port: int) -> None:
        self.certificates = 0
        self.connections = 0
        self._port = port
        self._key, self._authority = _authority()
        self._api = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._proxy = socket.create_server((PROXY_ADDRESS, PROXY_PORT))
        self._tls = self._server_context(folder)
        self.api_url = f"http://127.0.0.1:{self._api.server_port}"
        for serve in (self._api.serve_forever, self._accept):
            threading.Thread(target=serve, daemon=True).start()

    def close(self) -> None:
        self._api.shutdown()
        self._api.server_close()
        with contextlib.suppress(OSError):
            self._proxy.shutdown(socket.SHUT_RDWR)
        self._proxy.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("/projects/project/instances/name/connectSettings", {
                    "region": "region",
                    "databaseVersion": "POSTGRES_18",
                    "ipAddresses": [{"type": "PRIMARY", "ipAddress": PROXY_ADDRESS}],
                    "serverCaCert": {"cert": _pem(cloud._authority)},
                })  # fmt: skip

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = serialization.load_pem_public_key(asked["public_key"].encode())
                cloud.certificates += 1
                self._answer(
                    "/projects/project/instances/name:generateEphemeralCert",
                    {"ephemeralCert": {"cert": _pem(cloud._sign(key))}},
                )

            def _answer(self, path: str, value: dict[str, object]) -> None:
                known = self.path.endswith(path) and self.headers["Authorization"] == f"Bearer {TOKEN}"
                text = json.dumps(value if known else {"error": {"message": "not allowed here"}}).encode()
                self.send_response(200 if known else 403)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                plain, _ = self._proxy.accept()
                threading.Thread(target=self._forward, args=(plain,), daemon=True).start()

    def _forward(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), self._tls.wrap_socket(plain, server_side=True) as client:
            self.connections += 1
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()

    def _sign(self, key: object) -> x509.Certificate:
        return _certificate("client", key, self._key, self._authority.subject)

    def _server_context(self, folder: Path) -> ssl.SSLContext:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = _certificate("project:name", key.public_key(), self._key, self._authority.subject)
        (folder / "server.pem").write_text(_pem(certificate) + _private(key))
        (folder / "authority.pem").write_text(_pem(self._authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        context.load_verify_locations(folder / "authority.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _authority() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    return key, _certificate("authority", key.public_key(), key, name, authority=True)


def _certificate(
    name: str, public: object, signer: rsa.RSAPrivateKey, issuer: x509.Name, *, authority: bool = False
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return builder.sign(signer, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
