"""Changing the keys of signatures (密钥轮换与泄露), with an audit event for each change; and renewing their lists."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from xinzheng.apps.audit.actions import record_event
from xinzheng.apps.audit.keys import note_keys
from xinzheng.apps.reports import ports
from xinzheng.apps.reports.models import DocumentStamp
from xinzheng.core.errors import RefusedError


@dataclass(frozen=True)
class Rotation:
    """What comes next (轮换方式): an operator's certificate, or keys of the demonstration if that is asked for.

    ``own`` is a PKCS#12 file, the file with its passphrase and its roots. A key store named by the settings goes first.
    """

    own: tuple[Path, Path, Path] | None = None
    is_demonstration: bool = False
    algorithm: str = "ecdsa-p256"


def keys_folder() -> Path:
    """Where the keys of signatures are kept."""
    folder: Path = settings.XINZHENG_KEYS / "signing"
    return folder


def rotate_keys(rotation: Rotation, by: str) -> int:
    """Sign with new keys from now on; the number of the new generation. Earlier reports stay as good as they were.

    Raises RefusedError ``demonstration-refused`` when an operator's own certificate would give way to one of the
    demonstration's without anybody having said so; SigningUnavailableError when the new keys cannot be used.
    """
    signing, folder, now = ports.signing(), keys_folder(), timezone.now()
    if settings.XINZHENG_PKCS11:
        number = signing.install_hardware(folder, Path(settings.XINZHENG_PKCS11), now, settings.XINZHENG_HOST)
    elif rotation.own is not None:
        number = signing.install_certificate(folder, signing.OwnCertificate(*rotation.own), now)
    else:
        _refuse_unasked_demonstration(rotation)
        number = signing.rotate_demo_keys(folder, now, settings.XINZHENG_HOST, rotation.algorithm)
    note_keys()
    record_event(who=by, action="signing-keys-rotated", object_kind="key-generation", object_id=str(number))
    ports.keyring().ready(now)
    return int(number)


def give_up_key(key_id: str, since: datetime, reason: str, by: str) -> Any:
    """Write down that others may have had a key ``since``: it is revoked and signs nothing more. The published key."""
    key = ports.signing().report_compromised(keys_folder(), key_id, since, timezone.now(), reason)
    note_keys()
    record_event(who=by, action="signing-key-compromised", object_kind="key", object_id=key.key_id)
    return key


def renew_lists() -> tuple[int, tuple[str, ...]]:
    """Bring the lists of revoked certificates up to date: how many there are now, and the places that did not answer.

    Our own are made anew when a day old; those of other authorities are fetched from where their certificates say.
    """
    signing, folder, now = ports.signing(), keys_folder(), timezone.now()
    signing.renew_due_lists(folder, now)
    newest = DocumentStamp.objects.order_by("-stored_at").first()
    silent = signing.fetch_lists(folder, (bytes(newest.token),) if newest else ())
    return len(signing.known_crls(folder)), silent


def served_list(name: str) -> bytes | None:
    """The list of revoked certificates of a demonstration root, DER; None if there is no such root."""
    crl: bytes | None = ports.signing().current_crl(keys_folder(), name, timezone.now())
    return crl


def served_root(name: str) -> bytes | None:
    """A demonstration root's certificate, DER; None if there is no such root."""
    root: bytes | None = ports.signing().root_certificate(keys_folder(), name)
    return root


def _refuse_unasked_demonstration(rotation: Rotation) -> None:
    if not rotation.is_demonstration and ports.signing().has_own_certificate(keys_folder()):
        raise RefusedError(
            "正在使用的是自有证书。换用新的自有证书，请给出 --p12、--passphrase-file 和 --roots；"
            "确要改用演示证书，请加 --demo。",
            code="demonstration-refused",
        )
