"""Who stamps times (时间戳机构): the demonstration's own, or one at an address, asked within two seconds.

An authority that is gone or answers something else is left alone for a minute, so that no report waits for it twice.
"""

import http.client
import secrets
import threading
import time
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Protocol

from asn1crypto import cms, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from xinzheng.adapters.signing.der import SEQUENCE, with_tag
from xinzheng.adapters.signing.errors import SigningUnavailableError, StampUnavailableError
from xinzheng.adapters.signing.finishing import finish
from xinzheng.adapters.signing.form import TOKEN_ROOM, FormError, normal_token, stamp_info
from xinzheng.adapters.signing.generations import STAMP_ROOTS_FILE, read_certificates
from xinzheng.adapters.signing.keyring import Keyring
from xinzheng.adapters.signing.stamp_making import make_token

PATIENCE = 2.0  # seconds for one answer, name look-up included
REST = 60.0  # seconds an authority is left alone after it failed
MAX_ANSWER = 64 * 1024
MAX_SKEW = timedelta(minutes=5)


class Stamper(Protocol):
    """A time-stamping authority (时间戳机构)."""

    @property
    def authority(self) -> str:
        """Who stamps, as a reader sees it."""
        ...

    def stamp(self, imprint: bytes) -> bytes:
        """The token over a SHA-256, DER, within two seconds. Raises StampUnavailableError."""
        ...


def stamper_of(setting: str, keyring: Keyring) -> Stamper | None:
    """Who stamps by the setting: ``demo``, an address, or nobody for the empty text.

    ``demo`` is nobody too where the keys are an operator's own. Raises StampUnavailableError ``stamp-setting`` for a
    setting that is neither, and where no roots are kept that the authority at an address has to lead to.
    """
    if not setting:
        return None
    if setting == "demo":
        return DemoStamper(keyring) if keyring.has_stamper else None
    if urllib.parse.urlsplit(setting).scheme not in ("http", "https"):
        raise StampUnavailableError("XINZHENG_TSA 应当是 demo、网址，或者空着。", code="stamp-setting")
    roots = tuple(root.public_bytes(Encoding.DER) for root in read_certificates(keyring.folder / STAMP_ROOTS_FILE))
    if not roots:
        raise StampUnavailableError(
            f"密钥目录中没有 {STAMP_ROOTS_FILE}，不能核对时间戳机构。请放入它的根证书。", code="stamp-setting"
        )
    return _remote(setting, roots)


class DemoStamper:
    """The demonstration's own authority, in this process."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.authority = "信证演示时间戳"

    def stamp(self, imprint: bytes) -> bytes:
        try:
            key = self._keyring.stamper_key
        except SigningUnavailableError as error:
            raise StampUnavailableError(error.message) from None
        if key is None:
            raise StampUnavailableError("没有演示时间戳密钥。")
        return make_token(key, ("sha256", imprint), datetime.now(UTC))


class Breaker:
    """Whether somebody may be asked again (断路器). Shared by the threads of a process."""

    def __init__(self, rest: float = REST) -> None:
        self._rest, self._until = rest, 0.0

    @property
    def is_closed(self) -> bool:
        return time.monotonic() >= self._until

    def open(self) -> None:
        self._until = time.monotonic() + self._rest


class RemoteStamper:
    """An authority at an address (RFC 3161 over HTTP). What it answers is examined before it is believed."""

    def __init__(self, address: str, roots: tuple[bytes, ...], breaker: Breaker | None = None) -> None:
        self.authority = urllib.parse.urlsplit(address).hostname or address
        self._address, self._roots = address, roots
        self.breaker = breaker or Breaker()

    def stamp(self, imprint: bytes) -> bytes:
        if not self.breaker.is_closed:
            raise StampUnavailableError(f"时间戳机构 {self.authority} 刚才没有应答，稍后再试。")
        try:
            nonce = secrets.randbits(63) | 1 << 62
            answer = _within(lambda: _ask(self._address, _request(imprint, nonce)), PATIENCE)
            return self._examined(answer, imprint, nonce)
        except StampUnavailableError:
            self.breaker.open()
            raise

    def _examined(self, answer: bytes, imprint: bytes, nonce: int) -> bytes:
        try:
            token = _token_in(answer)
            told = stamp_info(token)
            if told["nonce"].native != nonce or imprint_of(told) != ("sha256", imprint):
                raise FormError("它不是对这次请求的应答")
            if abs(told["gen_time"].native - datetime.now(UTC)) > MAX_SKEW:
                raise FormError("它的时间与本机相差太多，请核对两边的时钟")
            self._refuse_stranger(token, imprint)
            written = with_tag(SEQUENCE, token)
        except FormError as error:
            raise self._unfit(error.message.rstrip("。")) from None
        except Exception:  # whatever a stranger's bytes do to the parsers
            raise self._unfit("它读不出") from None
        if len(written) > TOKEN_ROOM - 256:
            raise self._unfit("它太长，放不进报告")
        return written

    def _refuse_stranger(self, token: cms.ContentInfo, imprint: bytes) -> None:
        context = ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(root) for root in self._roots],
            allow_fetching=False,
            revocation_mode="soft-fail",
            moment=stamp_info(token)["gen_time"].native,
        )
        facts = finish(validate_tst_signed_data(token["content"], context, lambda _: imprint))
        if not facts.get("valid") or not facts.get("intact"):
            raise FormError("它的签名不成立")
        if facts.get("trust_problem_indic") is not None or facts.get("validation_path") is None:
            raise FormError(f"签名者不是由 {STAMP_ROOTS_FILE} 中的机构认可的")

    def _unfit(self, reason: str) -> StampUnavailableError:
        return StampUnavailableError(f"时间戳机构 {self.authority} 的应答不能用：{reason}。", code="stamp-unfit")


@lru_cache(maxsize=4)
def _remote(address: str, roots: tuple[bytes, ...]) -> RemoteStamper:
    """One for each address in a process: its breaker is only of use if it is shared."""
    return RemoteStamper(address, roots)


def _request(imprint: bytes, nonce: int) -> bytes:
    asked: bytes = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": imprint},
            "nonce": nonce,
            "cert_req": True,
        }
    ).dump()
    return asked


def imprint_of(told: tsp.TSTInfo) -> tuple[str, bytes]:
    """What a stamp covers: algorithm and digest."""
    imprint = told["message_imprint"]
    return imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native


def _token_in(answer: bytes) -> cms.ContentInfo:
    response = tsp.TimeStampResp.load(answer, strict=True)
    if response["status"]["status"].native not in ("granted", "granted_with_mods"):
        raise FormError("它拒绝了请求")
    return normal_token(response["time_stamp_token"])


def _ask(address: str, request: bytes) -> bytes:
    """One question over the network; what goes wrong is told without the address's details."""
    place = urllib.parse.urlsplit(address)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.netloc, timeout=PATIENCE)
    try:
        where = place.path or "/"
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        connection.request("POST", f"{where}?{place.query}" if place.query else where, request, headers)
        response = connection.getresponse()
        answer = response.read(MAX_ANSWER + 1)
    finally:
        connection.close()
    if response.status != 200 or len(answer) > MAX_ANSWER:
        raise OSError("not an answer")
    return answer


def _within(work: Callable[[], bytes], seconds: float) -> bytes:
    """The work's answer, or StampUnavailableError after so long: a name look-up or a dripping answer knows no limit."""
    answers: SimpleQueue[bytes | Exception] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(work())
        except Exception as error:
            answers.put(error)

    threading.Thread(target=run, name="time-stamp", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise StampUnavailableError("时间戳机构没有及时应答。") from None
    if isinstance(answer, Exception):
        raise StampUnavailableError("时间戳机构连接不上，或者应答不完整。") from None
    return answer
