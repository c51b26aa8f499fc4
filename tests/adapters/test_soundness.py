"""What looks at every report the tests issue accepts a good one and would refuse a bad one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyhanko.sign.validation.errors import NoDSSFoundError

from tests.soundness import assert_sound
from xinzheng.adapters.pdf import render_report
from xinzheng.adapters.signing import ensure_demo_keys, open_keyring, sign_pdf, stamp_imprint, stamper_of, with_token

CONTENT = (Path(__file__).parents[1] / "data/reports/suzhou-clear.json").read_bytes()


def test_a_good_report_is_sound_stamped_or_not_and_a_bad_one_is_not(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    ensure_demo_keys(tmp_path / "keys", now)
    keyring = open_keyring(tmp_path / "keys")
    stamper = stamper_of("demo", keyring)
    assert stamper is not None
    unsigned = render_report(CONTENT, "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240)
    signed = sign_pdf(unsigned, keyring.signer, now, keyring.evidence(now))
    stamped = with_token(signed, stamper.stamp(stamp_imprint(signed)))
    assert_sound(signed)
    assert_sound(stamped)
    for bad in (stamped[:5000] + b"?" + stamped[5001:], stamped + b"\n"):
        with pytest.raises(AssertionError):
            assert_sound(bad)
    with pytest.raises(NoDSSFoundError):
        assert_sound(sign_pdf(unsigned, keyring.signer, now))
