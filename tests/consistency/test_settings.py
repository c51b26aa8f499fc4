"""What every installation rests on: complete migrations, closed cookies and pages, a secret that stays secret."""

import os
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks.registry import registry
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client

from xinzheng.config import environment
from xinzheng.config.logging import mask_secrets, masked
from xinzheng.core.floors import Floors


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a home of its own and no database named."""
    monkeypatch.setenv("XINZHENG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XINZHENG_DATABASE_URL", raising=False)
    monkeypatch.delenv("XINZHENG_SECRET_KEY", raising=False)
    return tmp_path / "home"


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    told = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=told)
    assert "No changes detected" in told.getvalue()


def test_django_finds_nothing_to_complain_about() -> None:
    # The template settings are left out: pytest-django puts an object of its own there, to find undefined names.
    tags = [tag for tag in registry.tags_available() if tag != "templates"]
    call_command("check", fail_level="WARNING", tags=tags)


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(elsewhere: Path) -> None:
    first = environment.secret_key()
    assert environment.secret_key() == first
    assert len(first) >= 50
    assert stat.S_IMODE((elsewhere / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in elsewhere.iterdir()] == ["secret-key"]


def test_without_a_named_database_the_socket_of_the_home_is_used(elsewhere: Path) -> None:
    database = environment.database()
    assert environment.database_is_embedded()
    assert (database["NAME"], database["USER"], database["PASSWORD"]) == ("xinzheng", "xinzheng", "")
    assert database["HOST"].startswith("/")
    assert not elsewhere.exists()


def test_a_named_database_is_taken_with_its_options(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZHENG_DATABASE_URL", "postgresql://li:s%40fe@db.example:6543/credit?sslmode=require")
    database = environment.database()
    assert not environment.database_is_embedded()
    assert (database["NAME"], database["USER"], database["PASSWORD"]) == ("credit", "li", "s@fe")
    assert (database["HOST"], database["PORT"], database["OPTIONS"]) == ("db.example", "6543", {"sslmode": "require"})


@pytest.mark.parametrize("url", ["mysql://li@db/credit", "postgresql://li@db:5432", "credit"])
def test_an_address_that_is_no_postgresql_database_is_refused_with_an_example(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINZHENG_DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="应形如"):
        environment.database()


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("Yes", True), ("0", False), ("off", False), ("", True)])
def test_a_switch_reads_what_people_write(text: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZHENG_SWITCH", text)
    assert environment.flag("XINZHENG_SWITCH", default=True) is expected


def test_a_switch_or_limit_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZHENG_SWITCH", "maybe")
    with pytest.raises(ImproperlyConfigured, match="XINZHENG_SWITCH"):
        environment.flag("XINZHENG_SWITCH", default=True)
    with pytest.raises(ImproperlyConfigured, match="XINZHENG_SWITCH"):
        environment.mebibytes("XINZHENG_SWITCH", default=1)


def test_what_only_a_demonstration_may_turn_on_is_refused_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not environment.demonstration_flag("XINZHENG_WEBHOOKS_LOOPBACK", is_demonstration=True)
    monkeypatch.setenv("XINZHENG_WEBHOOKS_LOOPBACK", "1")
    assert environment.demonstration_flag("XINZHENG_WEBHOOKS_LOOPBACK", is_demonstration=True)
    with pytest.raises(ImproperlyConfigured, match="只能在演示时打开"):
        environment.demonstration_flag("XINZHENG_WEBHOOKS_LOOPBACK", is_demonstration=False)


def test_each_floor_can_be_set_and_none_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.floors() == Floors()
    monkeypatch.setenv("XINZHENG_FLOOR_FAR_LINES", "200")
    assert environment.floors() == Floors(far_lines=200)
    monkeypatch.setenv("XINZHENG_FLOOR_FAR_TIMES", "0")
    with pytest.raises(ImproperlyConfigured, match="XINZHENG_FLOOR_FAR_TIMES"):
        environment.floors()


def test_without_a_mail_server_no_mail_is_sent() -> None:
    assert environment.mail() == environment.MailServer("", 587)


def test_a_mail_server_is_taken_with_its_port_and_the_password_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("geheim\n", encoding="utf-8")
    monkeypatch.setenv("XINZHENG_SMTP_HOST", "smtp.example.gov.cn")
    monkeypatch.setenv("XINZHENG_SMTP_TLS", "tls")
    monkeypatch.setenv("XINZHENG_SMTP_USER", "xinzheng")
    monkeypatch.setenv("XINZHENG_SMTP_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("XINZHENG_MAIL_FROM", "xinzheng@example.gov.cn")
    found = environment.mail()
    assert (found.host, found.port, found.tls, found.user) == ("smtp.example.gov.cn", 465, "tls", "xinzheng")
    assert (found.password, found.sender) == ("geheim", "xinzheng@example.gov.cn")
    assert "geheim" not in repr(found)
    monkeypatch.setenv("XINZHENG_SMTP_PORT", "2465")
    assert environment.mail().port == 2465


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"XINZHENG_MAIL_FROM": "nobody"}, "XINZHENG_MAIL_FROM"),
        ({"XINZHENG_SMTP_TLS": "off"}, "XINZHENG_SMTP_TLS"),
        ({"XINZHENG_SMTP_TLS": "ssl"}, "XINZHENG_SMTP_TLS"),
        ({"XINZHENG_SMTP_PORT": "0"}, "XINZHENG_SMTP_PORT"),
        ({"XINZHENG_SMTP_PASSWORD_FILE": "/nowhere/password"}, "XINZHENG_SMTP_PASSWORD_FILE"),
    ],
)
def test_a_mail_server_set_wrongly_is_refused_by_name(
    changed: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {"XINZHENG_SMTP_HOST": "smtp.example.gov.cn", "XINZHENG_MAIL_FROM": "xinzheng@example.gov.cn"}
    for name, value in (right | changed).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=named):
        environment.mail()


def test_mail_goes_unprotected_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZHENG_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("XINZHENG_SMTP_TLS", "off")
    monkeypatch.setenv("XINZHENG_MAIL_FROM", "xinzheng@example.gov.cn")
    assert (environment.mail().port, environment.mail().tls) == (25, "off")


@pytest.mark.django_db
def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline() -> None:
    policy = Client().get("/no-such-page").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


def test_cookies_are_closed_to_scripts_and_to_other_sites() -> None:
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == settings.CSRF_COOKIE_SAMESITE == "Lax"
    assert settings.SESSION_COOKIE_SECURE == settings.CSRF_COOKIE_SECURE == settings.XINZHENG_HTTPS


def test_identity_numbers_do_not_get_into_the_log() -> None:
    event: dict[str, Any] = {"event": "row of 110101199003074477 refused", "line": 7, "code": "911101080001234567"}
    event["deep"] = {"rows": [("110101199003074477", None, 1.5)]}
    assert mask_secrets(None, "info", event) == {
        "event": "row of [身份号码] refused",
        "line": 7,
        "code": "911101080001234567",
        "deep": {"rows": [["[身份号码]", None, 1.5]]},
    }


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Not Found: /v/Ab-3_xYz", "Not Found: /v/[码]"),
        ("Not Found: /s/Ab-3_xYz?a=1", "Not Found: /s/[码]?a=1"),
        ("https://xz.example/v/Ab3#tail.", "https://xz.example/v/[码]#tail."),
        ("GET /sign-in?next=%2Fs%2FAb3%2Fd&x=1", "GET /sign-in?next=%2Fs%2F[码]&x=1"),
        ("/sign-in/with/a/callback/?code=Ab3&state=Zz9", "/sign-in/with/a/callback/?code=[略]&state=[略]"),
        ("'HTTP_AUTHORIZATION': 'Bearer abcdefgh.ijkl'", "'HTTP_AUTHORIZATION': 'Bearer [略]'"),
        ("Cookie: __Host-sessionid=abc; csrftoken=def", "Cookie: __Host-sessionid=[略]; csrftoken=[略]"),
        ("key xz_aB3-_dEfGhIjK refused", "key [接口密钥] refused"),
        ("platform's xp_aB3-_dEfGhIjK refused", "platform's [接口密钥] refused"),
        ("signed with whsec_aB3+/dEfGhIjKl==.", "signed with [接口密钥]."),
        ("call 13812345678 now", "call [手机号码] now"),
    ],
)
def test_codes_tokens_and_phones_do_not_get_into_the_log(said: str, kept: str) -> None:
    assert masked(said) == kept


@pytest.mark.parametrize(
    "said", ["took 0.13812345678 s, status_code=404", "20261122138123456781", "/verify /reports/3205002026112200001"]
)
def test_what_is_no_secret_stays_readable_in_the_log(said: str) -> None:
    assert masked(said) == said


def test_the_tests_work_in_a_home_of_their_own() -> None:
    assert os.environ["XINZHENG_HOME"] == str(settings.XINZHENG_HOME)
    assert settings.XINZHENG_HOME not in (Path("/var/lib/xinzheng"), Path.home() / ".local/share/xinzheng")
