"""The file that names the identity platforms: read whole, or refused with the entry and the key."""

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from xinzheng.adapters.identity_platforms import read_platforms
from xinzheng.config.environment import identity_platforms
from xinzheng.core.identity_platforms import ClaimNames, PlatformError

FILE = """
[[platform]]
id = "sst"
name = "苏商通"
server = "https://id.example/oidc/"
client_id = "xinzheng"
secret_file = "sst.secret"
scopes = ["profile", "openid"]
vouches_for_identity = true
origins = ["https://login.example"]

[platform.claims]
number = "id_number"
verified = "level"
verified_is = ["L3", "L4"]

[[platform]]
id = "plain"
name = "另一平台"
server = "http://localhost:9400"
client_id = "x"
secret = "inline"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "platforms.toml"
    path.write_text(FILE, encoding="utf-8")
    secret = tmp_path / "sst.secret"
    secret.write_text("from-a-file\n", encoding="utf-8")
    secret.chmod(stat.S_IRUSR)
    return path


def test_the_platforms_of_a_file_are_read_in_order_with_their_secrets_from_files(file: Path) -> None:
    first, second = read_platforms(file)
    assert (first.id, first.server, first.secret) == ("sst", "https://id.example/oidc", "from-a-file")
    assert first.scopes == ("openid", "profile")
    assert first.origins == ("https://id.example/oidc", "https://login.example")
    assert first.claims == ClaimNames(number="id_number", verified="level", verified_is=("L3", "L4"))
    assert (second.secret, second.vouches_for_identity, second.scopes) == ("inline", False, ("openid",))
    assert "from-a-file" not in repr(first)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "苏商通"\n', "", "缺少name"),
        ('name = "苏商通"', "name = 7", "缺少name"),
        ('id = "sst"', 'id = "S/T"', "只能用小写字母"),
        ('id = "plain"', 'id = "sst"', "id 相同"),
        ("https://id.example", "http://id.example", "https://"),
        ("https://login.example", "javascript:alert(1)", "https://"),
        ('client_id = "x"', 'client_id = "x"\nclientid = "y"', "clientid"),
        ('number = "id_number"', 'nummer = "id_number"', "nummer"),
        ('secret = "inline"', "", "secret_file"),
        ('secret = "inline"', 'secret = "a"\nsecret_file = "b"', "二者只能有一个"),
        ('"sst.secret"', '"missing.secret"', "无法读取"),
        ("[[platform]]", "[platform", "无法读取"),
    ],
)
def test_a_mistake_is_refused_with_the_entry_and_the_key(file: Path, old: str, new: str, told: str) -> None:
    file.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlatformError, match=told):
        read_platforms(file)


def test_a_site_with_a_broken_file_does_not_start_and_one_without_has_no_platforms(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="无法读取"):
        identity_platforms(str(tmp_path / "none.toml"))
    assert identity_platforms("") == ()
