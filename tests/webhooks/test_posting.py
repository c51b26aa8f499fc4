"""Calling addresses that strangers name: nothing of ours is reached by it, and nobody holds a call up."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.webhook_server import HOST, HookServer, hooked, write_pair, write_roots
from xinzheng.adapters.webhooks import (
    AddressRefusedError,
    Call,
    CertificateRefusedError,
    NotReachedError,
    Rules,
    check_address,
    post,
)
from xinzheng.adapters.webhooks.networks import is_public

HERE = "127.0.0.1"
STRICT = Rules()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("webhooks")


@pytest.fixture(scope="module")
def pair(folder: Path) -> Path:
    return write_pair(folder)


@pytest.fixture
def server(pair: Path) -> Iterator[HookServer]:
    with hooked(pair) as running:
        yield running


@pytest.fixture
def rules(folder: Path) -> Rules:
    """A demonstration's: this machine may be called, and every name leads to it."""
    return Rules(loopback=True, roots=write_roots(folder), resolve=lambda host, port: (HERE,))


def call(url: str, **headers: str) -> Call:
    return Call(url, b'{"type":"test"}', {"Content-Type": "application/json", **headers})


def test_a_call_arrives_as_it_was_sent_under_the_name_of_the_host(server: HookServer, rules: Rules) -> None:
    assert post(call(server.url("/hook?a=1"), **{"webhook-id": "n1"}), rules) == 200
    (got,) = server.got
    assert (got.server_name, got.line) == (HOST, "POST /hook?a=1 HTTP/1.1")
    assert got.headers["host"] == f"{HOST}:{server.port}"
    assert (got.headers["webhook-id"], got.body) == ("n1", b'{"type":"test"}')


@pytest.mark.parametrize("status", ["204 No Content", "410 Gone", "500 Oops"])
def test_whatever_is_answered_is_told_by_its_status(server: HookServer, rules: Rules, status: str) -> None:
    server.status = status
    assert post(call(server.url()), rules) == int(status[:3])


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(server: HookServer, rules: Rules, status: str) -> None:
    server.status = status
    assert post(call(server.url()), rules) == int(status[:3])
    assert [got.line for got in server.got] == ["POST /hook HTTP/1.1"]


@pytest.mark.parametrize("manner", ["hangs", "drips", "endless-head", "garbage", "drops", "mute", "plain"])
def test_a_server_that_gives_no_answer_ends_the_call_in_time(pair: Path, rules: Rules, manner: str) -> None:
    with hooked(pair, manner) as server:
        begun = time.monotonic()
        with pytest.raises(NotReachedError):
            post(call(server.url()), replace(rules, seconds=0.6))
        assert time.monotonic() - begun < 1.5


def test_of_an_endless_answer_little_is_read(pair: Path, rules: Rules) -> None:
    with hooked(pair, "endless-body") as server:
        assert post(call(server.url()), rules) == 200
    # What the buffers of the two sockets hold comes on top of what was read.
    assert server.written < 16 * 1024 * 1024


def test_a_body_that_never_ends_or_comes_does_not_take_the_answer_back(pair: Path, rules: Rules) -> None:
    with hooked(pair) as server:
        server.status = "200 OK\r\nTransfer-Encoding: chunked"
        assert post(call(server.url()), replace(rules, seconds=1)) == 200


@pytest.mark.parametrize("wrong", ["another host", "expired", "unknown authority"])
def test_who_cannot_prove_to_be_the_host_gets_nothing(tmp_path: Path, rules: Rules, wrong: str) -> None:
    pair = write_pair(
        tmp_path,
        "other.example.cn" if wrong == "another host" else HOST,
        life=timedelta(days=-1 if wrong == "expired" else 30),
    )
    with hooked(pair) as server, pytest.raises(CertificateRefusedError, match="证书"):
        post(call(server.url()), replace(rules, roots=None) if wrong == "unknown authority" else rules)
    assert server.got == []


def test_a_name_is_resolved_once_so_that_a_second_answer_leads_nowhere(server: HookServer, rules: Rules) -> None:
    """DNS rebinding: the first answer is fit, what the name server would say next is never asked for."""
    answers = [(HERE,), ("169.254.169.254",)]
    assert post(call(server.url()), replace(rules, resolve=lambda host, port: answers.pop(0))) == 200
    assert answers == [("169.254.169.254",)]
    assert len(server.got) == 1


@pytest.mark.parametrize("first", [True, False])
def test_one_address_that_is_not_public_refuses_all(server: HookServer, rules: Rules, first: bool) -> None:
    """A name with a public address and one of our own, in whatever order, is called at neither."""
    both = ("93.184.216.34", HERE) if first else (HERE, "93.184.216.34")
    for setting in (rules, replace(rules, loopback=False)):
        with pytest.raises(AddressRefusedError):
            post(call(f"https://{HOST}:8443/"), replace(setting, resolve=lambda host, port: both))
    assert server.got == []


def test_nothing_of_ours_is_connected_to(server: HookServer, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the setting of a demonstration the machine itself is out of reach, by whatever name."""
    connected: list[object] = []
    real = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda sock, to: connected.append(to) or real(sock, to))
    for inside in (HERE, "::1", "10.1.2.3", "169.254.169.254", "64:ff9b::a00:1", "2002:a9fe:a9fe::1"):
        with pytest.raises(AddressRefusedError, match="公网"):
            post(call(f"https://{HOST}/"), replace(STRICT, resolve=lambda host, port, inside=inside: (inside,)))
    assert connected == []


def test_a_name_that_leads_nowhere_and_one_that_leads_inside_are_told_alike(rules: Rules) -> None:
    def nothing(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(-2, "Name or service not known")

    said = set()
    for resolve in (nothing, lambda host, port: (), lambda host, port: ("10.0.0.1",)):
        with pytest.raises(AddressRefusedError) as refused:
            post(call(f"https://{HOST}/"), replace(rules, loopback=False, resolve=resolve))
        said.add(refused.value.message)
    assert len(said) == 1


def test_a_name_server_that_hangs_ends_the_call_in_time(rules: Rules) -> None:
    def slow(host: str, port: int) -> tuple[str, ...]:
        time.sleep(1)
        return (HERE,)

    with pytest.raises(NotReachedError):
        post(call(f"https://{HOST}/"), replace(rules, seconds=0.2, resolve=slow))


def test_proxies_of_the_environment_are_not_asked(
    server: HookServer, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(call(server.url()), rules) == 200


def test_an_address_by_number_is_held_to_its_certificate_too(tmp_path: Path, rules: Rules) -> None:
    with hooked(write_pair(tmp_path, HERE)) as server:
        assert post(call(server.url(host=HERE)), rules) == 200
    with hooked(write_pair(tmp_path, "127.0.0.2")) as server, pytest.raises(CertificateRefusedError):
        post(call(server.url(host=HERE)), rules)


def test_an_address_that_does_not_answer_is_followed_by_the_next(server: HookServer, rules: Rules) -> None:
    assert post(call(server.url()), replace(rules, resolve=lambda host, port: ("::1", HERE))) == 200


INSIDE = """0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.9.9
192.0.0.1 192.0.0.9 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250
240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::1
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:a00:1:0:0:f5ff:fffe 2001:db8::1 2001:10::1 2001:20::1
2002:7f00:1:: 2002:a00:1::1 2002:c0a8:101::5 2620:4f:8000::1 2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:127.0.0.1
3fff::1 4000::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 2606:4700::1%eth0
not-an-address 0x7f.1 2130706433"""
OUTSIDE = """1.1.1.1 8.8.8.8 93.184.216.34 223.5.5.5 2606:4700:4700::1111 2400:3200::1 64:ff9b::8.8.8.8 2002:808:808::1
::ffff:8.8.8.8"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_an_address_that_is_not_public_is_known_however_it_is_wrapped(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE.split())
def test_a_public_address_is_known_as_one(address: str) -> None:
    assert is_public(address)


REFUSED = """http://hooks.example.cn/ HTTP://hooks.example.cn/ ftp://hooks.example.cn/ file:///etc/passwd gopher://a.cn/
hooks.example.cn //hooks.example.cn/ https:hooks.example.cn https:/hooks.example.cn/ https:///x https:// https://:443/
https://li@hooks.example.cn/ https://li:mi@hooks.example.cn/ https://hooks.example.cn@10.0.0.1/
https://10.0.0.1#@hooks.example.cn/ https://hooks.example.cn\\@10.0.0.1/ https://hooks.example.cn#x
https://hooks.example.cn:80/ https://hooks.example.cn:22/ https://hooks.example.cn:0/ https://hooks.example.cn:99999/
https://hooks.example.cn:+443/ https://hooks.example.cn:/ https://127.0.0.1/ https://127.1/ https://2130706433/
https://0x7f000001/ https://0x7f.1/ https://0177.0.0.1/ https://0/ https://10.0.0.1/ https://192.168.1.1:8443/
https://169.254.169.254/latest/ https://[::1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/ https://[::]/
https://[64:ff9b::7f00:1]/ https://[2002:7f00:1::]/ https://[fe80::1%25eth0]/ https://[fd00::1]/ https://[::1
https://localhost/ https://localhost./ https://a.localhost/ https://printer/ https://db.internal/ https://nas.local/
https://-a.cn/ https://a..cn/ https://.a.cn/ https://例子.cn/ https://hooks.example.cn/回调 https://1.2.3.4.5/
https://①②⑦.⓪.⓪.①/ https://hooks.example.cn%2f@a.cn/ https://hooks.example.cn%00.a.cn/"""
BROKEN = ["", " https://hooks.example.cn/", "https://hooks.example.cn/ ", "https://hooks.example.cn/a b"]
BROKEN += [f"https://hooks.example.cn/{c}" for c in "\n\r\t\0\\"] + ["https://hooks\t.example.cn/", "https://h\n.cn/"]
BROKEN += ["https://hooks.example.cn/\r\nHost: a.cn", "https://hooks.example.cn/" + "a" * 500, "https://" + "a." * 300]


@pytest.mark.parametrize("url", REFUSED.split() + BROKEN)
def test_an_address_of_another_shape_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(AddressRefusedError) as refused:
        check_address(url, STRICT)
    assert refused.value.message.startswith("回调地址")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://hooks.example.cn", ("hooks.example.cn", 443, "/")),
        ("https://Hooks.Example.cn./a", ("hooks.example.cn", 443, "/a")),
        ("https://hooks.example.cn:8443/a/b?k=v&x=%20", ("hooks.example.cn", 8443, "/a/b?k=v&x=%20")),
        ("https://hooks.example.cn?k=v", ("hooks.example.cn", 443, "/?k=v")),
        ("https://xn--fiqs8s.cn/@me", ("xn--fiqs8s.cn", 443, "/@me")),
        ("https://223.5.5.5/", ("223.5.5.5", 443, "/")),
        ("https://[2400:3200::1]:8443/", ("2400:3200::1", 8443, "/")),
    ],
)
def test_an_address_is_taken_apart_as_it_is_called(url: str, parts: tuple[str, int, str]) -> None:
    found = check_address(url, STRICT)
    assert (found.host, found.port, found.path) == parts


def test_the_demonstration_names_this_machine_and_no_other_of_ours(rules: Rules) -> None:
    for url in ("https://localhost:9443/", "https://127.0.0.1:9443/", "https://[::1]/"):
        check_address(url, rules)
    for url in ("https://10.0.0.1/", "https://printer/", "https://169.254.169.254:8443/"):
        with pytest.raises(AddressRefusedError):
            check_address(url, rules)
    for inside in ("10.0.0.1", "93.184.216.34"):
        with pytest.raises(AddressRefusedError):
            post(call(f"https://{HOST}:9443/"), replace(rules, resolve=lambda host, port, inside=inside: (inside,)))
