"""Post to a webhook (发送回调): to the very address that was looked at, within one time for all, reading little."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from xinzheng.adapters.webhooks.addresses import Rules, Target, check_address, public_addresses
from xinzheng.adapters.webhooks.errors import CertificateRefusedError, NotReachedError

MOST_READ = 64 * 1024
PIECE = 16 * 1024
LATE = "对方没有在规定时间内应答。"


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent: to where, the bytes, and headers beside those of HTTP itself."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def post(call: Call, rules: Rules) -> int:
    """Send once and return the status of the answer, whatever it is; redirects are not followed.

    The host's name is resolved once; every address found must be public, and no other is connected to. Settings of
    proxies do not count. What the other side says beside the status is read (64 KiB at the most) and thrown away.

    Raises:
        AddressRefusedError: the address may not be called.
        CertificateRefusedError: the certificate is not the host's.
        NotReachedError: nobody answers, not in time, or not in HTTP.
    """
    clock = _Clock(rules.seconds)
    target = check_address(call.url, rules)
    addresses = public_addresses(target, rules, clock.left())
    connection = _Connection(target, addresses, clock, _context(rules.roots))
    try:
        connection.request("POST", target.path, call.body, {**call.headers, "Connection": "close"})
        return _status(connection)
    except ssl.SSLCertVerificationError:
        raise CertificateRefusedError("对方的证书不可信、已过期，或者不是这个域名的。请更换证书。") from None
    except TimeoutError:
        raise NotReachedError(LATE) from None
    except (OSError, http.client.HTTPException, ValueError):
        raise NotReachedError("连接不上，或者对方的应答无法解读。") from None
    finally:
        connection.hang_up()


def _status(connection: "_Connection") -> int:
    response = connection.getresponse()
    # The rest is read for the other side's sake, who would see its answer broken off; nothing depends on it.
    with suppress(OSError, http.client.HTTPException, ValueError):
        response.read(MOST_READ)
    return response.status


class _Clock:
    """One time for all of a call: a peer that lets every single step last cannot make it longer."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


class _Connection(http.client.HTTPConnection):
    """To one of these addresses and no other, over TLS under the target's name."""

    def __init__(self, target: Target, addresses: tuple[str, ...], clock: _Clock, context: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 443
        self._addresses, self._clock, self._tls = addresses, clock, context
        self._secured: ssl.SSLSocket | None = None

    def connect(self) -> None:
        """Connect to the first of the addresses that is there."""
        raw = self._reached()
        try:
            raw.settimeout(self._clock.left())
            self._secured = self._tls.wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise
        self.sock = _Bounded(self._secured, self._clock)

    def hang_up(self) -> None:
        """Close for good; ``close`` alone leaves the answer to be read."""
        self.close()
        if self._secured is not None:
            self._secured.close()

    def _reached(self) -> socket.socket:
        for address in self._addresses[:-1]:
            with suppress(OSError):
                return socket.create_connection((address, self.port), self._clock.left())
        return socket.create_connection((self._addresses[-1], self.port), self._clock.left())


class _Bounded:
    """A socket whose every step takes from one time, and from which so many bytes are read at the most."""

    def __init__(self, sock: ssl.SSLSocket, clock: _Clock) -> None:
        self._sock, self._clock = sock, clock

    def sendall(self, data: bytes) -> None:
        """Send, a piece at a time."""
        for start in range(0, len(data), PIECE):
            self._sock.settimeout(self._clock.left())
            self._sock.sendall(data[start : start + PIECE])

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What comes back."""
        return io.BufferedReader(_Answer(self._sock, self._clock), PIECE)

    def close(self) -> None:
        """Nothing: the answer may still be read."""


class _Answer(io.RawIOBase):
    """The bytes of an answer, up to 64 KiB; whoever asks for more is refused."""

    def __init__(self, sock: ssl.SSLSocket, clock: _Clock) -> None:
        self._sock, self._clock, self._left = sock, clock, MOST_READ

    def readable(self) -> bool:
        """It is read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # only ever called with this
        """Read what is there."""
        if not self._left:
            raise OSError("more than is read of an answer")
        self._sock.settimeout(self._clock.left())
        many = self._sock.recv_into(buffer, min(len(buffer), self._left))
        self._left -= many
        return many


@lru_cache(maxsize=4)
def _context(roots: Path | None) -> ssl.SSLContext:
    """Trust what the machine trusts, and the roots of the setting."""
    context = ssl.create_default_context()
    if roots is not None:
        context.load_verify_locations(roots)
    return context
