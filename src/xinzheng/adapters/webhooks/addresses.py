"""Addresses of webhooks (回调地址): which shapes are taken, and the network addresses that a name leads to."""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from xinzheng.adapters.webhooks.errors import AddressRefusedError, NotReachedError
from xinzheng.adapters.webhooks.networks import is_loopback, is_public

LONGEST = 500
PORTS = (443, 8443)
SHAPE = re.compile(
    r"https://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# Browsers and name servers read such a last part as a number, and the whole as an IPv4 address.
NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)")

Resolve = Callable[[str, int], tuple[str, ...]]


def resolved(host: str, port: int) -> tuple[str, ...]:
    """The network addresses of a host, best first. Raises OSError where there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for calls: who may be called, whom to trust, how long one takes.

    Attributes:
        loopback: this machine itself may be called, at any port; for demonstrations.
        roots: a file of certificates (PEM) that are trusted beside those of the machine.
        seconds: for the whole of a call.
        resolve: finds the network addresses of a host; asked once a call.
    """

    loopback: bool = False
    roots: Path | None = None
    seconds: float = 5.0
    resolve: Resolve = resolved


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart: host as the certificate has to name it, port, path with query."""

    host: str
    port: int
    path: str


def check_address(url: str, rules: Rules) -> Target:
    """The parts of an address that may be called, as far as can be told without asking a name server.

    Raises AddressRefusedError.
    """
    found = SHAPE.fullmatch(url)
    if len(url) > LONGEST or found is None:
        raise _refused(url)
    host, port = found["host"].strip("[]").lower().removesuffix("."), int(found["port"] or PORTS[0])
    literal = _literal(host)
    may_be_here = rules.loopback and (is_loopback(host) if literal else host == "localhost")
    if not may_be_here:
        _refuse_host(host, is_literal=literal)
    if port not in PORTS and not (rules.loopback and 0 < port < 65536):
        raise AddressRefusedError("回调地址的端口只能是443或者8443。")
    path = found["path"]
    return Target(host, port, path if path.startswith("/") else f"/{path}")


def public_addresses(target: Target, rules: Rules, seconds: float) -> tuple[str, ...]:
    """The network addresses of the target, asked once, within so many seconds.

    Raises AddressRefusedError unless every one of them is public, and where there is none: both are told alike.
    """
    found = _within(lambda: rules.resolve(target.host, target.port), seconds)
    is_here = rules.loopback and all(is_loopback(one) for one in found)
    if not found or not (is_here or (target.port in PORTS and all(is_public(one) for one in found))):
        raise AddressRefusedError("域名没有解析到公网地址，没有发送。请核对域名。")
    return found


def _within(look_up: Callable[[], tuple[str, ...]], seconds: float) -> tuple[str, ...]:
    """What a look-up finds: nothing if it fails. It knows no time limit itself, so that it is left behind."""
    answers: SimpleQueue[tuple[str, ...]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(look_up())
        except (OSError, ValueError):
            answers.put(())

    threading.Thread(target=run, name="webhook-host", daemon=True).start()
    try:
        return answers.get(timeout=max(seconds, 0))
    except Empty:
        raise NotReachedError("域名没有及时解析，没有发送。") from None


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse_host(host: str, *, is_literal: bool) -> None:
    """Refuse hosts that are no public address or no name of the public Internet."""
    if is_literal:
        if not is_public(host):
            raise AddressRefusedError("回调地址必须在公网上，不能是内网、本机或者保留的地址。")
        return
    labels = host.split(".")
    is_name = len(labels) > 1 and all(LABEL.fullmatch(label) for label in labels)
    if not is_name or NUMBER.fullmatch(labels[-1]) or labels[-1] in ("localhost", "local", "internal"):
        raise AddressRefusedError("回调地址的主机应是公网域名的全称。")


def _refused(url: str) -> AddressRefusedError:
    if not url.startswith("https://"):
        return AddressRefusedError("回调地址应以 https:// 开头。")
    if len(url) > LONGEST:
        return AddressRefusedError(f"回调地址最长{LONGEST}个字符。")
    if "@" in url.split("/")[2]:
        return AddressRefusedError("回调地址里不能写用户名和密码。")
    message = "回调地址无法解读，请核对：不能有 # 和空格，汉字须编码。"
    return AddressRefusedError(message)
