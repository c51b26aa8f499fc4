"""Natural persons who come by themselves (自然人): registered by a verified number, reached by a sealed phone.

Whoever calls these has the identity verified by a platform that vouches for it; nothing here is asked of a page.
"""

import re
from dataclasses import dataclass

from django.db import transaction

from xinzheng.apps.audit.actions import About, open_entry, record_event, take_position
from xinzheng.apps.registry.identities import SealedIdentity, names_of, number_of
from xinzheng.apps.registry.keys import decrypt, encrypt, hold_keys, new_data_key, unwrap_key, wrap_key
from xinzheng.apps.registry.models import PersonContact, PersonIdentity
from xinzheng.apps.registry.number_keys import number_key_in_use, phone_hash, under_one_key
from xinzheng.apps.registry.registering import VersionRow, register_persons, subjects_of_persons, write_versions
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import check_identity_number, normalise_identifier
from xinzheng.core.subjects import SubjectKind

MOBILE = re.compile(r"1[3-9]\d{9}")
COUNTRY = re.compile(r"^(?:\+|00)?86(?=1)")


class PersonError(XinzhengError):
    """The identity number or the phone is none, or nobody here has it; messages never repeat it."""

    code = "identity-number-invalid"


@dataclass(frozen=True, slots=True)
class FullIdentity:
    """A person's name and number in clear (完整身份信息): for the person alone, after signing in again."""

    name: str
    number: str


def register_person(number: str, name: str, *, by: str) -> int:
    """The subject of this identity number; one that was unknown is registered with its entry and position.

    A known person keeps the name that is registered.

    Raises:
        PersonError: ``identity-number-invalid``.
    """
    checked = check_identity_number(number)
    if not checked.ok:
        raise PersonError("身份号码没有通过校验，请到身份认证平台核对后重新登录。")
    known = subjects_of_persons([checked.value])
    return known[checked.value] if known else _register(checked.value, name, by)


@transaction.atomic
def _register(number: str, name: str, by: str) -> int:
    with transaction.atomic():
        entry = open_entry(kind="person-registered", by=by)
        found = register_persons({number: name}, entry)
        subject_id = found.ids[number]
        if not found.created:
            # Somebody else registered the same person meanwhile: nothing of ours is left.
            transaction.set_rollback(True)
            return subject_id
        write_versions([VersionRow(subject_id, SubjectKind.NATURAL_PERSON, "")], entry)
    record_event(
        who=by, action="person-registered", object_kind="subject", object_id=subject_id, details=About(subject_id)
    )
    take_position(entry)
    return subject_id


def full_identity(subject_id: int) -> FullIdentity | None:
    """A person's present name and number in clear; None for an organisation or an erased person."""
    row = PersonIdentity.objects.filter(subject=subject_id).first()
    if row is None:
        return None
    sealed = SealedIdentity(bytes(row.number_hash), bytes(row.wrapped_key), bytes(row.name_ct), bytes(row.number_ct))
    return FullIdentity(names_of(subject_id, sealed)[-1].name, number_of(subject_id, sealed))


@transaction.atomic
def keep_phone(subject_id: int, phone: str, *, by: str) -> None:
    """Seal a person's phone (保存联系电话) in place of the one before; the same one again changes nothing.

    Raises:
        PersonError: ``phone-invalid``, or ``person-unknown`` when the subject has no identity here.
    """
    value = normalised_phone(phone)
    if value is None:
        raise PersonError("手机号码应为11位，请核对后重新填写。", code="phone-invalid")
    hold_keys()
    # Locked against an erasure at the same moment, which would leave the phone behind.
    if not PersonIdentity.objects.select_for_update().filter(subject=subject_id).exists():
        raise PersonError("没有该自然人的身份信息，不能保存联系电话。", code="person-unknown")
    if phone_of(subject_id) == value:
        return
    key, owner = new_data_key(), contact_owner(subject_id)
    PersonContact.objects.update_or_create(
        subject_id=subject_id,
        defaults={
            "phone_hash": phone_hash(number_key_in_use(), value),
            "wrapped_key": wrap_key(key, owner),
            "phone_ct": encrypt(key, value.encode(), owner),
        },
    )
    record_event(who=by, action="phone-kept", object_kind="subject", object_id=subject_id, details=About(subject_id))


@transaction.atomic
def forget_phone(subject_id: int, *, by: str) -> bool:
    """Delete a person's phone (删除联系电话); whether there was one."""
    deleted, _ = PersonContact.objects.filter(subject=subject_id).delete()
    if deleted:
        about = About(subject_id)
        record_event(who=by, action="phone-forgotten", object_kind="subject", object_id=subject_id, details=about)
    return bool(deleted)


def find_by_phone(phone: str) -> list[int]:
    """The persons who gave this phone, by its keyed hash; several may share one."""
    value = normalised_phone(phone)
    if value is None:
        return []

    def persons(key: bytes) -> list[int]:
        found = PersonContact.objects.filter(phone_hash=phone_hash(key, value)).order_by("pk")
        return list(found.values_list("pk", flat=True))

    return under_one_key(persons)


def phone_of(subject_id: int) -> str | None:
    """A person's phone in clear, or None."""
    row = PersonContact.objects.filter(subject=subject_id).first()
    if row is None:
        return None
    owner = contact_owner(subject_id)
    return decrypt(unwrap_key(bytes(row.wrapped_key), owner), bytes(row.phone_ct), owner).decode()


def normalised_phone(phone: str) -> str | None:
    """The 11 digits of a mobile phone of the mainland, without country code; None when it is none."""
    value = COUNTRY.sub("", normalise_identifier(phone))
    return value if MOBILE.fullmatch(value) else None


def contact_owner(subject_id: int) -> str:
    """What the data key of a contact is bound to."""
    return f"contact:{subject_id}"
