"""Asking an authority at an address for time stamps: what it may answer, how long it may take, and what then."""

import http.server
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import cms, tsp
from cryptography.hazmat.primitives.serialization import Encoding

from xinzheng.adapters.offline import examine_file, keys_in_folders
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import (
    ReportSigner,
    StampUnavailableError,
    check_pdf,
    current_trust,
    ensure_demo_keys,
    open_keyring,
    published_keys,
    report_compromised,
    sign_pdf,
    stamp_imprint,
    stamper_of,
    with_token,
)
from xinzheng.adapters.signing.generations import STAMP_ROOTS_FILE
from xinzheng.adapters.signing.stamp_making import answer_request, make_token
from xinzheng.adapters.signing.stampers import PATIENCE, Breaker, RemoteStamper

NOW = datetime.now(UTC).replace(microsecond=0)
CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()
IMPRINT = bytes(range(32))
Answer = Callable[[bytes], bytes]
Authority = Callable[[Answer], str]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another authority's keys; we know its root, not its key."""
    folder = tmp_path_factory.mktemp("theirs") / "keys"
    ensure_demo_keys(folder, NOW)
    return folder


@pytest.fixture(scope="module")
def roots(theirs: Path) -> tuple[bytes, ...]:
    return current_trust(theirs).roots


def key_of(folder: Path) -> ReportSigner:
    key = open_keyring(folder).stamper_key
    assert key is not None
    return key


@pytest.fixture
def authority() -> Iterator[Authority]:
    """Serves whatever a function answers to a request, at an address."""
    sites: list[http.server.ThreadingHTTPServer] = []

    def serve(answer: Answer) -> str:
        class Site(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        sites.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site))
        threading.Thread(target=sites[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{sites[-1].server_port}/tsa?who=us"

    yield serve
    for site in sites:
        site.shutdown()
        site.server_close()


def honest(folder: Path) -> Answer:
    return lambda request: answer_request(key_of(folder), request, datetime.now(UTC))


def test_a_real_authority_by_setting_stamps_a_report(theirs: Path, authority: Authority, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    ensure_demo_keys(keys, NOW)
    root = open_keyring(theirs).authority
    assert root is not None
    (keys / STAMP_ROOTS_FILE).write_bytes(root.certificate.public_bytes(Encoding.PEM))
    keyring = open_keyring(keys)
    stamper = stamper_of(authority(honest(theirs)), keyring)
    assert stamper is not None
    assert stamper.authority == "127.0.0.1"
    unsigned = render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)
    pdf = sign_pdf(unsigned, keyring.signer, NOW, keyring.evidence(NOW))
    stamped = with_token(pdf, stamper.stamp(stamp_imprint(pdf)))
    facts = check_pdf(stamped, current_trust(keys))
    assert (facts.intact, facts.signature_valid, facts.signer_trusted, facts.reasons) == (True, True, True, ())
    assert facts.stamped_at is not None
    # Its root is published, so that whoever verifies off line finds the same.
    off_line = examine_file(BytesIO(stamped), keys_in_folders(keys, tmp_path / "log"))
    assert (off_line.is_genuine, off_line.stamped_at) == (True, facts.stamped_at)
    outside = next(key for key in published_keys(keys) if key.material == root.certificate.public_bytes(Encoding.DER))
    report_compromised(keys, outside.key_id, NOW, datetime.now(UTC))
    lost = check_pdf(stamped, current_trust(keys))
    assert (lost.signer_trusted, lost.stamped_at) == (True, None)


def test_an_authority_without_known_roots_and_a_setting_that_is_none_are_refused(tmp_path: Path) -> None:
    ensure_demo_keys(tmp_path / "keys", NOW)
    keyring = open_keyring(tmp_path / "keys")
    assert stamper_of("", keyring) is None
    for setting, said in (("https://tsa.example/", STAMP_ROOTS_FILE), ("ftp://tsa.example", "XINZHENG_TSA")):
        with pytest.raises(StampUnavailableError, match=said) as caught:
            stamper_of(setting, keyring)
        assert caught.value.code == "stamp-setting"


def changed(request: bytes, **fields: object) -> bytes:
    asked = tsp.TimeStampReq.load(request)
    for name, value in fields.items():
        asked[name] = value
    return bytes(asked.dump())


def resigned(request: bytes, folder: Path) -> bytes:
    """Right in everything, but the signature is over something else."""
    answer = tsp.TimeStampResp.load(answer_request(key_of(folder), request, datetime.now(UTC)))
    info = answer["time_stamp_token"]["content"]["signer_infos"][0]
    info["signature"] = key_of(folder).key.sign(b"something else")
    return bytes(answer.dump(force=True))


def bloated(request: bytes, folder: Path) -> bytes:
    """A token too long for the room in a report."""
    answer = tsp.TimeStampResp.load(answer_request(key_of(folder), request, datetime.now(UTC)))
    info = answer["time_stamp_token"]["content"]["signer_infos"][0]
    info["signed_attrs"].append({"type": "1.2.3.4", "values": [cms.OctetString(bytes(9000))]})
    info["signature"] = key_of(folder).key.sign(info["signed_attrs"].untag().dump(force=True))
    return bytes(answer.dump(force=True))


def other_imprint(request: bytes) -> bytes:
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
    return changed(request, message_imprint=imprint)


LIES: dict[str, Callable[[bytes, Path], bytes]] = {
    "another imprint": lambda asked, folder: answer_request(key_of(folder), other_imprint(asked), datetime.now(UTC)),
    "another nonce": lambda asked, folder: answer_request(key_of(folder), changed(asked, nonce=7), datetime.now(UTC)),
    "an old time": lambda asked, folder: answer_request(key_of(folder), asked, datetime.now(UTC) - timedelta(hours=1)),
    "a time to come": lambda asked, folder: answer_request(key_of(folder), asked, NOW + timedelta(hours=1)),
    "a broken signature": resigned,
    "too much": bloated,
    "a refusal": lambda asked, folder: answer_request(key_of(folder), asked[:-4], NOW),
    "nothing": lambda asked, folder: b"",
    "a web page": lambda asked, folder: b"<html>log in to the hotel</html>",
    "megabytes": lambda asked, folder: bytes(1_000_000),
    "a bare token": lambda asked, folder: make_token(key_of(folder), ("sha256", IMPRINT), NOW),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_not_believed_and_not_asked_for_again(
    lie: str, theirs: Path, roots: tuple[bytes, ...], authority: Authority
) -> None:
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes:
        asked.append(request)
        return LIES[lie](request, theirs)

    stamper = RemoteStamper(authority(answer), roots)
    for _ in range(3):
        with pytest.raises(StampUnavailableError):
            stamper.stamp(IMPRINT)
    assert len(asked) == 1


def test_the_stamp_of_a_stranger_with_the_same_names_is_not_believed(
    roots: tuple[bytes, ...], authority: Authority, tmp_path: Path
) -> None:
    ensure_demo_keys(tmp_path / "stranger", NOW)
    stamper = RemoteStamper(authority(honest(tmp_path / "stranger")), roots)
    with pytest.raises(StampUnavailableError, match=STAMP_ROOTS_FILE):
        stamper.stamp(IMPRINT)


def test_a_certificate_that_may_only_sign_documents_stamps_nothing(
    theirs: Path, roots: tuple[bytes, ...], authority: Authority
) -> None:
    signer = open_keyring(theirs).signer
    stamper = RemoteStamper(authority(lambda request: answer_request(signer, request, datetime.now(UTC))), roots)
    with pytest.raises(StampUnavailableError):
        stamper.stamp(IMPRINT)


def test_an_authority_that_is_gone_is_left_alone_and_tried_again_later(
    theirs: Path, roots: tuple[bytes, ...], authority: Authority
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = RemoteStamper(f"http://127.0.0.1:{nobody.getsockname()[1]}/", roots, Breaker(0.3))
        with pytest.raises(StampUnavailableError, match="连接不上"):
            gone.stamp(IMPRINT)
    with pytest.raises(StampUnavailableError, match="刚才没有应答"):
        gone.stamp(IMPRINT)
    time.sleep(0.35)
    with pytest.raises(StampUnavailableError, match="连接不上"):
        gone.stamp(IMPRINT)


@pytest.mark.parametrize("drips", [False, True])
def test_an_authority_that_hangs_or_drips_costs_two_seconds_once(drips: bool, roots: tuple[bytes, ...]) -> None:
    over = threading.Event()

    class Slow(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            if drips:
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not over.wait(0.2):
                if drips:
                    self.request.sendall(b"x")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Slow) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        stamper = RemoteStamper(f"http://127.0.0.1:{site.server_address[1]}/", roots)
        started = time.monotonic()
        for _ in range(5):
            with pytest.raises(StampUnavailableError):
                stamper.stamp(IMPRINT)
        assert PATIENCE <= time.monotonic() - started < PATIENCE + 1.5
        over.set()
        site.shutdown()


def test_openssl_asks_our_authority_and_accepts_the_answer(theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"what is to be stamped")
    root = open_keyring(theirs).authority
    assert root is not None
    (tmp_path / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))

    def openssl(*words: str) -> str:
        done = subprocess.run(["openssl", "ts", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    for digest in ("-sha256", "-sha384", "-sha512"):
        openssl("-query", "-data", "data", digest, "-cert", "-out", "asked.tsq")
        answer = answer_request(key_of(theirs), (tmp_path / "asked.tsq").read_bytes(), datetime.now(UTC))
        (tmp_path / "answer.tsr").write_bytes(answer)
        said = openssl("-verify", "-queryfile", "asked.tsq", "-in", "answer.tsr", "-CAfile", "root.pem")
        assert "Verification: OK" in said


def test_no_two_stamps_have_one_serial_number(theirs: Path) -> None:
    tokens = [make_token(key_of(theirs), ("sha256", IMPRINT), NOW) for _ in range(200)]
    numbers = [
        cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed["serial_number"].native
        for token in tokens
    ]
    assert len(set(numbers)) == 200
    assert max(number.bit_length() for number in numbers) <= 160


def test_a_stolen_stamping_key_stamps_nothing_more(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    ensure_demo_keys(keys, NOW)
    stolen = next(key for key in open_keyring(keys).keys if key.purpose == "stamp")
    report_compromised(keys, stolen.key_id, NOW, datetime.now(UTC))
    keyring = open_keyring(keys)
    stamper = stamper_of("demo", keyring)
    assert stamper is not None
    with pytest.raises(StampUnavailableError, match="泄露"):
        stamper.stamp(IMPRINT)
    keyring.ready(NOW)
