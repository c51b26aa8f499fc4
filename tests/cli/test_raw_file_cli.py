"""``xinzheng intake --fetch``: the file as it came, never over another one."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.small_city import BY, build_small_city, uscc
from xinzheng.apps.ledger.actions import submit_batch
from xinzheng.cli import main


@pytest.mark.django_db
def test_a_batchs_file_is_fetched_back_and_no_file_is_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = build_small_city(tmp_path, units_per_domain=1)
    delivery = city.delivery([city.penalty(uscc(1))])
    batch = submit_batch(delivery, by=BY).batch
    out = tmp_path / "back.csv"
    assert main(["intake", "--fetch", str(batch), str(out), "--json"]) == 0
    assert out.read_bytes() == delivery.file.read_bytes()
    assert json.loads(capsys.readouterr().out)["sha256"] == sha256(out.read_bytes()).hexdigest()
    assert main(["intake", "--fetch", str(batch), str(out)]) == 1
    assert "请换一个不存在的文件名" in capsys.readouterr().err
    assert main(["intake", "--fetch", "987654", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "none").exists()
