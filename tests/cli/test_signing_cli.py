"""``xinzheng signing``: what an operator is told about the keys, and how they are changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.first_keys import make_first_keys
from xinzheng.apps.audit.models import AuditEvent
from xinzheng.cli import main

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Path:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    settings.XINZHENG_TSA = "demo"
    return tmp_path / "keys" / "signing"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["signing", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["signing", *words])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_before_the_first_key_the_status_says_how_one_comes_about(capsys: pytest.CaptureFixture[str]) -> None:
    code, words = said(capsys, "status")
    assert code == 1
    assert "还没有密钥" in words


def test_the_status_tells_what_signs_and_that_it_is_a_demonstration(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "rotate") == (0, {"generation": 1})
    code, words = said(capsys, "status")
    assert code == 0
    for part in (
        "第1代，演示证书",
        "可以签发。",
        "ECDSA P-256",
        "不得用于办事",
        "信证演示时间戳",
        "0张已吊销",
        "正在使用",
    ):
        assert part in words
    code, status = told(capsys, "status")
    assert (code, status["ready"], status["problem"], status["generation"]) == (0, True, None, 1)
    assert {key["purpose"] for key in status["keys"]} == {"document", "seal", "stamp", "root"}


def test_a_rotation_can_choose_rsa_and_is_audited(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "rotate")
    code, words = said(capsys, "rotate", "--rsa")
    assert code == 0
    assert "第2代" in words
    assert told(capsys, "status")[1]["signer"]["algorithm"] == "RSA-3072"
    assert list(AuditEvent.objects.values_list("action", flat=True)) == ["signing-keys-rotated"] * 2


def test_a_theft_stops_signing_and_the_next_rotation_starts_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "rotate")
    key = next(key for key in told(capsys, "status")[1]["keys"] if key["purpose"] == "document")
    code, words = said(capsys, "compromised", key["key_id"][:8], "--since", "2026-11-20T08:00", "--reason", "备份丢失")
    assert code == 0
    assert "2026年11月20日08:00" in words
    assert "signing rotate" in words
    code, words = said(capsys, "status")
    assert code == 1
    assert "不能签发" in words
    assert "1张已吊销" in words
    assert "2026-11-20起可能泄露" in words
    said(capsys, "rotate")
    assert told(capsys, "status")[0] == 0


def test_wrong_words_are_answered_with_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said(capsys, "rotate")
    for words, part in (
        (("compromised", "ffff", "--since", "2026-11-20"), "没有这把密钥"),
        (("compromised", "ffff", "--since", "2999-01-01"), "不能晚于现在"),
        (("rotate", "--p12", str(tmp_path / "x.p12")), "一起给出"),
        (("rotate", *own_options(tmp_path / "nowhere")), "读不到密钥文件"),
    ):
        code, answer = said(capsys, *words)
        assert code == 1
        assert part in answer
    with pytest.raises(SystemExit) as caught:
        main(["signing", "compromised", "ffff", "--since", "yesterday"])
    assert caught.value.code == 2
    assert "不是时间" in capsys.readouterr().err


def own_options(folder: Path) -> tuple[str, ...]:
    names = (("--p12", "signer.p12"), ("--passphrase-file", "signer.pass"), ("--roots", "root.pem"))
    return tuple(word for option, name in names for word in (option, str(folder / name)))


def test_an_own_certificate_is_installed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "某市公共信用信息中心")])
    make_first_keys(tmp_path / "own", timezone.now(), name)
    assert said(capsys, "rotate", *own_options(tmp_path / "own"))[0] == 0
    status = told(capsys, "status")[1]
    assert (status["kind"], status["ready"], status["stamps"]) == ("pkcs12", True, "没有")
    assert status["signer"]["is_demonstration"] is False
    assert "自有证书" in said(capsys, "rotate")[1]
    assert said(capsys, "rotate", "--demo")[0] == 0


def test_lists_are_brought_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "rotate")
    assert told(capsys, "crl") == (0, {"lists": 1, "silent": []})
    assert "均已更新" in said(capsys, "crl")[1]
