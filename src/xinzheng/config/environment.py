"""What the process environment says: the home folder, the database, secrets and switches."""

import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError, conninfo

from xinzheng.adapters.calendar import read_years
from xinzheng.adapters.identity_platforms import read_platforms
from xinzheng.adapters.postgres_embedded import connection_info
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.saving import read_saving
from xinzheng.core.errors import CalendarError
from xinzheng.core.floors import Floors
from xinzheng.core.identity_platforms import IdentityPlatform, PlatformError
from xinzheng.core.networks import Network, read_network

LOOPBACK: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")


def home() -> Path:
    """The folder of everything this installation remembers outside an external database (``XINZHENG_HOME``)."""
    given = os.environ.get("XINZHENG_HOME")
    if given:
        return Path(given).expanduser().absolute()
    return Path("/var/lib/xinzheng") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "xinzheng"


def database_is_embedded() -> bool:
    """Whether no external database is named, so that the server under the home has to be started."""
    return not os.environ.get("XINZHENG_DATABASE_URL")


def database() -> dict[str, Any]:
    """Django's connection settings: ``XINZHENG_DATABASE_URL``, else the embedded server; starts nothing."""
    url = os.environ.get("XINZHENG_DATABASE_URL") or connection_info(home()).url
    try:
        parts = conninfo.conninfo_to_dict(url)
    except ProgrammingError as error:
        raise ImproperlyConfigured(
            "XINZHENG_DATABASE_URL 无法解读，应形如 postgresql://用户:密码@主机:5432/库名。"
        ) from error
    if not parts.get("dbname"):
        raise ImproperlyConfigured("XINZHENG_DATABASE_URL 没有写明库名，应形如 postgresql://用户:密码@主机:5432/库名。")
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    settings: dict[str, Any] = {key: str(parts.pop(part, None) or "") for part, key in named.items()}
    return settings | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {key: value for key, value in parts.items() if value is not None},
    }


def secret_key() -> str:
    """``XINZHENG_SECRET_KEY``, else the key kept in the home (0600), made at the first start."""
    given = os.environ.get("XINZHENG_SECRET_KEY")
    if given:
        return given
    path = home() / "secret-key"
    if not path.exists():
        _keep_secret(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def _keep_secret(path: Path, secret: str) -> None:
    """Write in whole and only once, whoever else starts at the same moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secret, encoding="ascii")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def flag(name: str, *, default: bool) -> bool:
    """A switch: 1, true, yes, on or 0, false, no, off."""
    text = os.environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} 应为 1 或 0，现为“{text}”。")


def demonstration_flag(name: str, *, is_demonstration: bool) -> bool:
    """A switch that only a demonstration may turn on."""
    is_on = flag(name, default=False)
    if is_on and not is_demonstration:
        raise ImproperlyConfigured(f"{name} 只能在演示时打开；正式运行请去掉这一项。")
    return is_on


def mebibytes(name: str, *, default: int) -> int:
    """A size limit given in MiB, in bytes."""
    text = os.environ.get(name, str(default))
    if not text.isdigit() or int(text) == 0:
        raise ImproperlyConfigured(f"{name} 应为正整数（单位 MiB），现为“{text}”。")
    return int(text) * 1024 * 1024


def whole_number(name: str, *, default: int, least: int = 1) -> int:
    """A number of things, at least ``least``."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise ImproperlyConfigured(f"{name} 应为不小于{least}的整数，现为“{text}”。")
    return int(text)


def numbers_by_name(name: str) -> dict[str, int]:
    """Numbers of at least 1 by name: "suzhou-2024=10,huzhou-2023=10"."""
    found: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in os.environ.get(name, "").split(","))):
        key, _, text = (piece.strip() for piece in part.partition("="))
        if not key or not (text.isascii() and text.isdigit()) or int(text) < 1 or key in found:
            raise ImproperlyConfigured(f"{name} 应形如 suzhou-2024=10,huzhou-2023=10，其中“{part}”无法解读。")
        found[key] = int(text)
    return found


def networks(name: str, *, default: str) -> tuple[Network, ...]:
    """Addresses and networks: "127.0.0.1,10.2.0.0/16"."""
    found = []
    for text in filter(None, (piece.strip() for piece in os.environ.get(name, default).split(","))):
        try:
            found.append(read_network(text))
        except ValueError as error:
            message = f"{name} 应为网络地址或者网段，用逗号隔开，其中“{text}”无法解读，例如 127.0.0.1,10.2.0.0/16。"
            raise ImproperlyConfigured(message) from error
    return tuple(found)


def choice(name: str, words: tuple[str, ...]) -> str:
    """One of some words; the first where nothing is said."""
    text = os.environ.get(name, "").strip() or words[0]
    if text not in words:
        raise ImproperlyConfigured(f"{name} 应为{'、'.join(words)}之一，现为“{text}”。")
    return text


def floors() -> Floors:
    """When a delivery waits for a second officer (``XINZHENG_FLOOR_*``, one for each threshold)."""
    given = asdict(Floors())
    return Floors(**{name: whole_number(f"XINZHENG_FLOOR_{name.upper()}", default=given[name]) for name in given})


def identity_platforms(path: str) -> tuple[IdentityPlatform, ...]:
    """The identity platforms that the file names; none without a file."""
    try:
        return read_platforms(Path(path)) if path else ()
    except PlatformError as error:
        raise ImproperlyConfigured(error.message) from error


def calendar_years(path: str) -> Path | None:
    """The operator's file of announced years, looked at before anything depends on it; None without one."""
    if not path:
        return None
    try:
        read_years(Path(path))
    except CalendarError as error:
        raise ImproperlyConfigured(f"XINZHENG_CALENDAR_YEARS：{error.message}") from error
    return Path(path).absolute()


def saving_file(path: str) -> str:
    """The operator's file of hours saved, looked at before a page shows them; empty without one."""
    try:
        read_saving(path)
    except OversightError as error:
        raise ImproperlyConfigured(error.message) from error
    return path


@dataclass(frozen=True)
class MailServer:
    """The server that mail is given to; no host: none is sent. ``tls``: starttls, tls or off."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: str = "starttls"
    sender: str = ""


def mail() -> MailServer:
    """The mail server (``XINZHENG_SMTP_*``, ``XINZHENG_MAIL_FROM``); the password stands in a file."""
    host, sender = os.environ.get("XINZHENG_SMTP_HOST", ""), os.environ.get("XINZHENG_MAIL_FROM", "")
    tls = choice("XINZHENG_SMTP_TLS", ("starttls", "tls", "off"))
    port = whole_number("XINZHENG_SMTP_PORT", default={"starttls": 587, "tls": 465, "off": 25}[tls])
    if host and "@" not in sender:
        raise ImproperlyConfigured(
            "有 XINZHENG_SMTP_HOST 时，XINZHENG_MAIL_FROM 须写明发件地址，如 xinzheng@example.gov.cn。"
        )
    if host and tls == "off" and host not in LOOPBACK:
        raise ImproperlyConfigured("XINZHENG_SMTP_TLS=off 只能用于本机的邮件服务器；其他服务器请用 starttls 或 tls。")
    user, path = os.environ.get("XINZHENG_SMTP_USER", ""), os.environ.get("XINZHENG_SMTP_PASSWORD_FILE", "")
    return MailServer(host, port, user, _password_in(path) if path else "", tls, sender)


def _password_in(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"XINZHENG_SMTP_PASSWORD_FILE 读不出来：{path}。") from error


def host_name(host: str) -> str:
    """The host without its port."""
    return host if host.endswith("]") else host.rsplit(":", 1)[0]
