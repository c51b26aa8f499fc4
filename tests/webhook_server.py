"""A platform's server on this machine that webhooks call (回调接收方, 供测试): over TLS, in a manner it is told."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.certificates import named

HOST = "hooks.example.cn"
FOREVER = b"x" * 65536


@dataclass(frozen=True)
class Got:
    """One call as it came: the host it was meant for by TLS, headers in lower case, the bytes."""

    server_name: str | None
    line: str
    headers: Mapping[str, str]
    body: bytes


class HookServer:
    """Listens at 127.0.0.1. ``status``: what it answers.

    ``manner``: answers; hangs, for ``patience`` seconds; drips (its header a byte at a time); endless-head;
    endless-body; garbage; drops; mute (says nothing, not even of TLS); plain (speaks HTTP without TLS).
    """

    def __init__(self, pair: Path, manner: str = "answers") -> None:
        self.manner, self.status, self.got = manner, "200 OK", list[Got]()
        self.written, self.patience = 0, 20.0
        self.closing = threading.Event()
        self._names: dict[int, str | None] = {}
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair)
        self._context.sni_callback = lambda sock, name, _: self._names.__setitem__(id(sock), name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def url(self, path: str = "/hook", host: str = HOST) -> str:
        """Where it is called."""
        return f"https://{host}:{self.port}{path}"

    def close(self) -> None:
        """Let go of everybody."""
        self.closing.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _listen(self) -> None:
        while not self.closing.is_set():
            with suppress(TimeoutError):
                peer, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(peer,)))
                self._threads[-1].start()

    def _serve(self, peer: socket.socket) -> None:
        peer.settimeout(10)
        if self.manner in ("mute", "plain"):
            self._answer_unsecured(peer)
            return
        with suppress(OSError), peer, self._context.wrap_socket(peer, server_side=True) as secured:
            self.got.append(self._read(secured))
            self._answer(secured)

    def _answer_unsecured(self, peer: socket.socket) -> None:
        with peer:
            if self.manner == "plain":
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            self.closing.wait(self.patience)

    def _read(self, secured: ssl.SSLSocket) -> Got:
        with secured.makefile("rb") as stream:
            line = stream.readline().decode().strip()
            headers: dict[str, str] = {}
            while text := stream.readline().decode().strip():
                name, _, value = text.partition(": ")
                headers[name.lower()] = value
            body = stream.read(int(headers["content-length"]))
        return Got(self._names.get(id(secured)), line, headers, body)

    def _answer(self, secured: ssl.SSLSocket) -> None:
        if self.manner == "hangs":
            self.closing.wait(self.patience)
        elif self.manner == "drips":
            self._drip(secured)
        elif self.manner == "garbage":
            secured.sendall(b"\x00\x01 not HTTP\r\n\r\n")
        elif self.manner == "endless-head":
            self._pour(secured, b"HTTP/1.1 200 OK\r\nX-A: ")
        elif self.manner == "endless-body":
            self._pour(secured, b"HTTP/1.1 200 OK\r\n\r\n")
        elif self.manner == "answers":
            head = f"HTTP/1.1 {self.status}\r\nContent-Length: 2\r\nLocation: {self.url('/elsewhere')}\r\n\r\n"
            secured.sendall(head.encode() + b"{}")

    def _drip(self, secured: ssl.SSLSocket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500:
            secured.sendall(bytes([byte]))
            if self.closing.wait(0.05):
                return

    def _pour(self, secured: ssl.SSLSocket, head: bytes) -> None:
        secured.sendall(head)
        while not self.closing.is_set():
            secured.sendall(FOREVER)
            self.written += len(FOREVER)


@contextmanager
def hooked(pair: Path, manner: str = "answers") -> Iterator[HookServer]:
    """The server at work."""
    server = HookServer(pair, manner)
    try:
        yield server
    finally:
        server.close()


@cache
def _authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = named("TEST WEB ROOT")
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = _builder(name, name, key, timedelta(days=30)).add_extension(x509.BasicConstraints(True, None), True)
    return builder.add_extension(usage, True).sign(key, SHA256()), key


def write_roots(folder: Path) -> Path:
    """The file of the authority that certifies the servers here."""
    path = folder / "roots.pem"
    path.write_bytes(_authority()[0].public_bytes(Encoding.PEM))
    return path


def write_pair(folder: Path, host: str = HOST, *, life: timedelta = timedelta(days=30)) -> Path:
    """A file with key and certificate of a host."""
    root, root_key = _authority()
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host[0].isdigit():
        names = [x509.IPAddress(ipaddress.ip_address(host))]
    builder = _builder(named(host), root.subject, key, life)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    certificate = builder.add_extension(identifier, critical=False).sign(root_key, SHA256())
    path = folder / f"{host}.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    return path


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    begin = datetime.now(UTC) - timedelta(days=60)
    end = datetime.now(UTC) + life
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), begin, end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
