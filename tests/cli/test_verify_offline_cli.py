"""``xinzheng verify --offline``: what can be told without the site, the database and the network; the status is not."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import offline_samples as made
from tests.offline_samples import SIGNED_AT, Kind, certificate_entry, certify, city, published
from xinzheng.adapters.offline import examine_code, keys_in_text
from xinzheng.adapters.signing import ensure_demo_keys, load_seal_key, load_signer, sign_pdf
from xinzheng.adapters.transparency import LogKey
from xinzheng.cli import main
from xinzheng.core.lifecycle import ReportStatus

AFTER, BEFORE = (SIGNED_AT + timedelta(days=days) for days in (2, -2))
GOOD = (True, True, True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(made.signed(city().signer))
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return saved(tmp_path / "xinzheng.json", published())


def saved(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def verified(capsys: pytest.CaptureFixture[str], what: object, keys: Path, *more: object) -> dict[str, Any]:
    """The answer; the exit code is never 0, for nobody off line knows the status."""
    capsys.readouterr()
    assert main(["verify", str(what), "--offline", "--json", "--keys", str(keys), *map(str, more)]) == 1
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["status"] is None
    return answer


def facts(answer: dict[str, Any]) -> tuple[bool | None, ...]:
    return answer["intact"], answer["signature_valid"], answer["signer_trusted"]


def test_a_genuine_file_is_called_genuine_and_its_status_open(
    file: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(file), "--offline", "--keys", str(keys)]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[:4] == ["文件未改动", "签名有效", "签发者可信", "未联网，未查询状态"]
    assert f"报告编号：{made.NUMBER}" in told.out
    assert told.err.strip() == "文件为真，状态未查询：报告可能已经更正或者作废，请联网核验。"


def test_neither_database_nor_home_nor_settings_are_needed(file: Path, keys: Path, tmp_path: Path) -> None:
    home = tmp_path / "no-home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XINZHENG", "DJANGO"))}
    environment |= {"XINZHENG_HOME": str(home), "XINZHENG_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    command = [sys.executable, "-m", "xinzheng.cli", "verify", file, "--offline", "--json", "--keys", keys]
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, facts(json.loads(done.stdout))) == (1, GOOD), done.stderr
    assert not home.exists()


def test_a_stamp_and_a_proof_are_told(
    file: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = file.read_bytes()
    file.write_bytes(made.stamped(plain, city().stamper))
    proof = saved(tmp_path / "proof.json", made.proof(plain))
    answer = verified(capsys, file, keys, "--proof", proof)
    assert (facts(answer), answer["log"]) == (GOOD, {"included": True})
    assert answer["stamped_at"] == (SIGNED_AT + timedelta(seconds=5)).isoformat()
    saved(proof, made.proof(plain, ReportStatus.REVOKED))
    assert "透明日志记载：报告已作废。" in verified(capsys, file, keys, "--proof", proof)["reasons"]


def test_a_proof_of_another_report_or_another_log_is_no_proof(
    file: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = made.proof(made.signed(city().signer, at=AFTER))
    proof = saved(tmp_path / "proof.json", elsewhere)
    assert verified(capsys, file, keys, "--proof", proof)["log"] == {"included": False}
    saved(keys, published(log={"vkey": str(LogKey(f"{made.HOST}/log", bytes(range(32))))}))
    assert verified(capsys, file, keys, "--proof", proof)["log"] is None
    saved(keys, published(*published()["keys"][:4], made.log_entry(status="compromised")))
    assert verified(capsys, file, keys, "--proof", proof)["log"] is None
    saved(keys, published(log=None))
    assert verified(capsys, file, keys, "--proof", proof)["log"] is None


def test_changed_files_are_found_wanting(file: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = file.read_bytes()
    for at in (len(data) // 3, made.container(data).start + 900, len(data) - 30):
        changed = bytearray(data)
        changed[at] ^= 1
        file.write_bytes(bytes(changed))
        assert False in facts(verified(capsys, file, keys))
    file.write_bytes(b"no report at all")
    assert verified(capsys, file, keys)["intact"] is False


def test_whose_key_became_known_to_others_is_believed_only_with_a_stamp_from_before(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, plain = city(), file.read_bytes()
    rest = [*published()["keys"][:1], *published()["keys"][2:]]

    def lost(since: object) -> Path:
        entry = certificate_entry(own.signer, "document", status="compromised", since=str(since))
        return saved(tmp_path / "keys.json", published(*rest, entry))

    assert facts(verified(capsys, file, lost(AFTER.isoformat()))) == (True, True, False)
    file.write_bytes(made.stamped(plain, own.stamper))
    assert facts(verified(capsys, file, lost(AFTER.isoformat()))) == GOOD
    assert facts(verified(capsys, file, lost(BEFORE.isoformat()))) == (True, True, False)


def test_a_revoked_certificate_is_not_trusted_without_a_stamp(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = city()
    crl = made.revocations(own.root, {own.signer.certificate.serial_number: AFTER})
    keys = saved(tmp_path / "keys.json", published(crls=[made.in_base64(crl)]))
    assert facts(verified(capsys, file, keys)) == (True, True, False)


def test_another_root_is_not_trusted(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = certify("示例根 ROOT", made.new_p256(), kind=Kind(below=1))
    keys = saved(tmp_path / "keys.json", published(certificate_entry(other, "root")))
    assert facts(verified(capsys, file, keys)) == (True, True, False)


def test_a_code_alone_says_nothing_of_the_document(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = verified(capsys, made.qr(), keys)
    assert (facts(answer), answer["number"], answer["host"]) == ((None, True, True), made.NUMBER, made.HOST)


def test_a_code_of_a_clone_is_told_with_the_site_it_names(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clone = verified(capsys, made.qr(made.new_p256(), "credit-example.test"), keys)
    assert facts(clone) == (None, None, False)
    assert "这张码写明的核验网站是 credit-example.test，不是本站（credit.example）。" in clone["reasons"]
    looks_alike = verified(capsys, made.qr().replace("credit", "сredit"), keys)
    assert any("xn--" in reason for reason in looks_alike["reasons"])
    moved = verified(capsys, made.qr().replace(made.HOST, "evil.test"), keys)
    assert (moved["signature_valid"], moved["number"]) == (False, None)


def test_a_seal_by_a_lost_key_is_not_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = made.seal_entry(city().seal, status="compromised", since=AFTER.isoformat())
    keys = saved(tmp_path / "keys.json", published(*published()["keys"][:3], entry))
    assert facts(verified(capsys, made.qr(), keys)) == (None, True, False)


def test_the_keys_of_this_installation_are_used_where_no_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.XINZHENG_KEYS = tmp_path / "keys"
    assert main(["verify", made.qr(), "--offline", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "offline-keys-missing"
    ensure_demo_keys(tmp_path / "keys" / "signing", SIGNED_AT)
    file = tmp_path / "own.pdf"
    file.write_bytes(sign_pdf(made.unsigned(), load_signer(tmp_path / "keys" / "signing"), SIGNED_AT))
    assert main(["verify", str(file), "--offline", "--json"]) == 1
    assert facts(json.loads(capsys.readouterr().out)) == GOOD
    seal = load_seal_key(tmp_path / "keys" / "signing").private
    assert main(["verify", made.qr(seal), "--offline", "--json"]) == 1
    assert facts(json.loads(capsys.readouterr().out)) == (None, True, True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format":"xinzheng.keys/1","host":"x","keys":[{}]}', "[" * 100000])
def test_a_file_that_holds_no_published_keys_is_refused(
    text: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(text, encoding="utf-8")
    assert main(["verify", str(file), "--offline", "--json", "--keys", str(bad)]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "offline-keys-invalid"


def test_a_code_costs_no_more_than_two_milliseconds() -> None:
    from time import perf_counter

    keys, text = keys_in_text(json.dumps(published())), made.qr()
    examine_code(text, keys)
    taken = []
    for _ in range(50):
        begun = perf_counter()
        assert examine_code(text, keys).signature_valid
        taken.append(perf_counter() - begun)
    assert sorted(taken)[25] < 0.002
