"""The outside things this app uses, each found by its dotted path in the settings."""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings


def renderer() -> Any:
    """Renders and rehearses documents: ``render_report``, ``rehearse``."""
    return import_module(settings.XINZHENG_RENDERER)


def fonts() -> Path | None:
    """The folder of further faces for rare characters."""
    return Path(settings.XINZHENG_FONTS) if settings.XINZHENG_FONTS else None


def faces() -> str:
    """The digest of every face that documents are set in."""
    pdf = renderer()
    digest: str = pdf.faces_digest(pdf.faces_in(fonts()))
    return digest


def signing() -> Any:
    """Keys, seals and signatures."""
    return import_module(settings.XINZHENG_SIGNING)


def keyring() -> Any:
    """The keys in use (密钥环): ``signer``, ``seal_key``, ``evidence``."""
    described = Path(settings.XINZHENG_PKCS11) if settings.XINZHENG_PKCS11 else None
    return signing().open_keyring(settings.XINZHENG_KEYS / "signing", described)


def stamper() -> Any:
    """Who stamps signatures with the time (时间戳机构), or None."""
    return signing().stamper_of(settings.XINZHENG_TSA, keyring())


def pictures() -> Any:
    """Codes in strangers' pictures: ``examine_picture``, ``is_picture``."""
    return import_module(settings.XINZHENG_PICTURES)


def workbooks() -> Any:
    """Writes tables as XLSX: ``write_workbook``, ``Sheet``, ``Column``."""
    return import_module(settings.XINZHENG_WORKBOOK_OUT)


def screening() -> Any:
    """Answers about whole lists: ``plan``, and ``open_engine`` with ``Limits``. Importing it costs a second."""
    return import_module(settings.XINZHENG_SCREENING_ENGINES)


def policy_files() -> Any:
    """Policy packs on disk, and packs given as bytes."""
    return import_module(settings.XINZHENG_POLICY_FILES)


def deployment_files() -> Any:
    """A city's deployment file."""
    return import_module(settings.XINZHENG_DEPLOYMENT_FILES)


def calendars() -> Any:
    """Working-day calendars."""
    return import_module(settings.XINZHENG_CALENDAR)
