"""Scans of letters of authorisation (授权书): sealed like persons' data, handed out as files only."""

from dataclasses import dataclass

from django.db import transaction

from xinzheng.apps.accounts.mandate_models import MandateRequest
from xinzheng.apps.accounts.mandates import UNREGISTERED, MandateError, NewRequest, ask
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.registry.key_rotation import Rewrap
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key
from xinzheng.apps.registry.models import SubjectVersion
from xinzheng.apps.registry.subject_queries import find_subject
from xinzheng.core.subjects import SubjectKind

LARGEST_MEGABYTES = 5
LARGEST = LARGEST_MEGABYTES * 1024 * 1024
# By what a file begins with, never by its name.
BEGINNINGS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


@dataclass(frozen=True)
class Letter:
    """A letter's scan and its media type."""

    content: bytes
    media_type: str

    @property
    def ending(self) -> str:
        """The ending of its file name."""
        return ENDINGS[self.media_type]


def read_letter(content: bytes) -> Letter:
    """A scan as it was sent.

    Raises:
        MandateError: ``letter-unfit``: empty, larger than 5 MB, or neither PDF nor JPG nor PNG.
    """
    if not content or len(content) > LARGEST:
        said = f"请上传授权书扫描件，不超过{LARGEST_MEGABYTES}MB。"
        raise MandateError(said, code="letter-unfit")
    for beginning, media_type in BEGINNINGS.items():
        if content.startswith(beginning):
            return Letter(content, media_type)
    raise MandateError("授权书须是PDF、JPG或者PNG文件，请另存后再上传。", code="letter-unfit")


@transaction.atomic
def ask_with_letter(new: NewRequest, letter: Letter, *, account: Account) -> MandateRequest:
    """Put a letter of authorisation to the subject's representative; see :func:`ask`.

    Raises:
        MandateError: as :func:`ask`; ``mandate-refused`` for a natural person, who acts for himself only.
    """
    if new.subject_id != UNREGISTERED and not _is_organisation(new.subject_id):
        raise MandateError("只能代理登记在册的企业、个体工商户和其他组织；自然人只能本人办理。")
    made = ask(new, account=account)
    key, owner = new_data_key(), _owner(made.pk)
    made.wrapped_key = wrap_key(key, owner)
    made.letter_ct = encrypt(key, letter.content, owner)
    made.letter_type = letter.media_type
    made.save(update_fields=["wrapped_key", "letter_ct", "letter_type"])
    return made


def organisation_asked_for(code: str) -> int:
    """The organisation in the register with this code, UNREGISTERED where there is none that anybody may act for."""
    found = find_subject(code) or UNREGISTERED
    return found if _is_organisation(found) else UNREGISTERED


def _is_organisation(subject_id: int) -> bool:
    kinds = set(SubjectVersion.objects.filter(subject_id=subject_id).values_list("kind", flat=True))
    return bool(kinds) and SubjectKind.NATURAL_PERSON not in kinds


def letter_of(request: MandateRequest) -> Letter | None:
    """The scan of a request; None when it was deleted after its time or never sent."""
    if not request.letter_ct:
        return None
    key = unwrap_key(bytes(request.wrapped_key), _owner(request.pk))
    return Letter(decrypt(key, bytes(request.letter_ct), _owner(request.pk)), request.letter_type)


def rewrap_letters(rewrap: Rewrap) -> int:
    """Wrap the data keys of all letters anew; how many. For the rotation of the key-encryption key."""
    rows = [row for row in MandateRequest.objects.only("wrapped_key") if row.wrapped_key]
    for row in rows:
        row.wrapped_key = rewrap(bytes(row.wrapped_key), _owner(row.pk))
    MandateRequest.objects.bulk_update(rows, ["wrapped_key"], batch_size=1_000)
    return len(rows)


def _owner(request_id: int) -> str:
    return f"mandate-request:{request_id}"
