"""Signatures of webhook calls: as Standard Webhooks has them, and as our how-to says to check them."""

import re
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xinzheng.core.webhook_signatures import secret_text, signature, signed_headers

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "回调.md"
SECRET, FORMER = bytes(range(32)), bytes(32)
BODY = '{"type":"report-not-in-force","data":{"number":"示例"}}'.encode()
Check = Callable[[str, dict[str, str], bytes], bool]


@pytest.fixture(scope="module")
def is_genuine() -> Check:
    """The function of the how-to, as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Check = names["is_genuine"]
    return found


def headers(*secrets: bytes, at: float | None = None) -> dict[str, str]:
    return signed_headers(secrets, "n1", int(time.time() if at is None else at), BODY)


def test_a_signature_is_the_one_that_other_implementations_make() -> None:
    """The example that the libraries of Standard Webhooks test themselves with."""
    said = b'{"test": 2432232314}'
    made = signature(b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, said)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_how_to_takes_what_we_sign(is_genuine: Check) -> None:
    assert is_genuine(secret_text(SECRET), headers(SECRET), BODY)
    assert is_genuine(secret_text(SECRET), headers(FORMER, SECRET), BODY)
    assert is_genuine(secret_text(FORMER), headers(SECRET, FORMER), BODY)


def test_the_how_to_refuses_everything_else(is_genuine: Check) -> None:
    good = headers(SECRET)
    assert not is_genuine(secret_text(FORMER), good, BODY)
    assert not is_genuine(secret_text(SECRET), good, BODY + b" ")
    for name in good:
        assert not is_genuine(secret_text(SECRET), good | {name: "1"}, BODY)
        assert not is_genuine(secret_text(SECRET), {key: value for key, value in good.items() if key != name}, BODY)
    for at in (time.time() - 301, time.time() + 301):
        assert not is_genuine(secret_text(SECRET), headers(SECRET, at=at), BODY)
    assert not is_genuine(secret_text(SECRET), good | {"webhook-signature": "v1,签名"}, BODY)
