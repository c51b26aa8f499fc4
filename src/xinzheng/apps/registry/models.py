"""What the registry remembers. A row of history names the entry that wrote it; the entry's position dates it.

Only ``PersonIdentity`` can be changed or deleted; everything else refuses UPDATE, DELETE and TRUNCATE.
"""

from typing import ClassVar

from django.db import models

from xinzheng.apps.audit.history import append_only
from xinzheng.apps.audit.models import Entry
from xinzheng.core.records import RecordKind
from xinzheng.core.subjects import SubjectKind, Tie

SUBJECT_KINDS = [kind.value for kind in SubjectKind]
RECORD_KINDS = [kind.value for kind in RecordKind]
# A wrongly typed code is nobody else's: whatever is recorded under it is the successor's own.
MISTYPED = "mistyped"
SUCCESSION_KINDS = [*(tie.value for tie in Tie if tie is not Tie.SELF), MISTYPED]


def _entry(*, is_indexed: bool = False) -> "models.ForeignKey[Entry, Entry]":
    return models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+", db_index=is_indexed)


class Unit(models.Model):
    """Unit (单位): an organ or agency, known by its unified social credit code for ever."""

    uscc = models.TextField(unique=True)

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return self.uscc


class UnitVersion(models.Model):
    """What a unit was called and who answered for it from this entry on.

    ``short_name`` is the decree's word for it and what is printed; ``name`` the full one. ``is_office`` marks the
    credit office (信用办). ``division`` is its own division code, ``jurisdiction`` that of the city it delivers to.
    """

    entry = _entry(is_indexed=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="versions", db_index=False)
    name = models.TextField()
    short_name = models.TextField()
    jurisdiction = models.TextField()
    division = models.TextField()
    responsible_officer = models.TextField(null=True)
    is_office = models.BooleanField(default=False)
    abolished_date = models.DateField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(fields=["unit", "entry"], name="one_unit_version_per_entry")]

    def __str__(self) -> str:
        return self.short_name


class Responsibility(models.Model):
    """Responsibility (责任): from this entry on the unit answers for a kind in a domain, or no longer does.

    ``domain`` is a policy's domain code or the code of one of its other-information sections; ``rank`` the unit's
    place in the domain's list.
    """

    entry = _entry(is_indexed=True)
    policy_id = models.TextField()
    domain = models.TextField()
    kind = models.TextField()
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="responsibilities")
    rank = models.IntegerField()
    is_ended = models.BooleanField(default=False)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["policy_id", "domain", "kind", "unit", "entry"], name="one_responsibility_per_entry"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=RECORD_KINDS), name="responsibility_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.domain} {self.kind} {self.unit_id}"


class ReturnChannel(models.Model):
    """Return channel (回流渠道): from this entry on a unit's data of a kind in a domain also come through another one.

    ``source`` delivers, ``unit`` stays answerable. ``policy_id`` is the policy whose deployment names the channel, so
    that another deployment of the same unit leaves it alone; what may be delivered does not depend on it.
    """

    entry = _entry(is_indexed=True)
    policy_id = models.TextField()
    domain = models.TextField()
    kind = models.TextField()
    source = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="returns_for")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="returned_by")
    is_ended = models.BooleanField(default=False)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["policy_id", "domain", "kind", "source", "unit", "entry"], name="one_return_channel_per_entry"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=RECORD_KINDS), name="return_channel_kind_known"),
            models.CheckConstraint(condition=~models.Q(source=models.F("unit")), name="no_return_to_oneself"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.domain} {self.kind} {self.source_id} {self.unit_id}"


class Subject(models.Model):
    """Subject (市场主体): a surrogate key only, so that the ledger never holds a person's number."""

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.pk)


class SubjectCode(models.Model):
    """Code of a subject (主体代码), normalised. A person's identity number is never here."""

    class Scheme(models.TextChoices):
        """What kind of code it is (代码类型)."""

        USCC = "uscc", "统一社会信用代码"
        REGISTRATION = "registration", "工商注册号"
        ORGANISATION = "organisation", "组织机构代码"
        TAX = "tax", "税务登记号"
        FORMER = "former", "曾用代码"

    code = models.TextField(unique=True)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="codes")
    scheme = models.TextField(choices=Scheme.choices)
    entry = _entry()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scheme__in=["uscc", "registration", "organisation", "tax", "former"]),
                name="subject_code_scheme_known",
            )
        ]

    def __str__(self) -> str:
        return self.code


class SubjectVersion(models.Model):
    """What the register said of a subject from this entry on.

    A natural person's row has an empty name, no representative and no address: see ``PersonIdentity``.
    ``kind`` is null while a subject is known only by a code that does not tell its kind.
    """

    entry = _entry()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="versions", db_index=False)
    kind = models.TextField(null=True)
    name = models.TextField()
    representative = models.TextField(null=True)
    status = models.TextField(null=True)
    established_date = models.DateField(null=True)
    address = models.TextField(null=True)
    is_deregistered = models.BooleanField(default=False)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "entry"], name="one_subject_version_per_entry"),
            models.CheckConstraint(condition=models.Q(kind__in=SUBJECT_KINDS), name="subject_kind_known"),
            models.CheckConstraint(
                condition=~models.Q(kind="natural_person")
                | models.Q(name="", representative__isnull=True, address__isnull=True),
                name="person_named_in_identity_only",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.name}"


class FormerName(models.Model):
    """Former name (曾用名) of an organisation."""

    entry = _entry()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="former_names", db_index=False)
    name = models.TextField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(fields=["subject", "name"], name="one_former_name")]

    def __str__(self) -> str:
        return self.name


class Succession(models.Model):
    """Succession (承继): ``subject`` was renamed or converted into, absorbed by, split into, or is a branch of
    ``successor``; or ``subject`` is only a wrongly typed code of ``successor`` (``mistyped``)."""

    entry = _entry()
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="successors", db_index=False)
    successor = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="predecessors")
    kind = models.TextField()
    date = models.DateField(null=True)

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "successor", "kind"], name="one_succession"),
            models.CheckConstraint(condition=models.Q(kind__in=SUCCESSION_KINDS), name="succession_kind_known"),
            models.CheckConstraint(condition=~models.Q(subject=models.F("successor")), name="no_own_successor"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.kind} {self.successor_id}"


class SuccessionRevision(models.Model):
    """Revision of a succession (承继关系的更正): from this entry on it is withdrawn, or holds with this date."""

    entry = _entry()
    succession = models.ForeignKey(Succession, on_delete=models.PROTECT, related_name="revisions", db_index=False)
    is_ended = models.BooleanField()
    date = models.DateField(null=True)
    reason = models.TextField(default="")

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["succession", "entry"], name="one_succession_revision_per_entry")
        ]

    def __str__(self) -> str:
        return f"{self.succession_id} {'ended' if self.is_ended else 'holds'}"


class PersonIdentity(models.Model):
    """A natural person's name and number (自然人身份信息), encrypted; the only erasable table.

    ``number_hash`` is HMAC-SHA256 of the normalised number under a key outside the database. ``wrapped_key`` is the
    subject's data key under the key-encryption key; ``name_ct`` (all names over time) and ``number_ct`` are under the
    data key. Deleting the row erases the person.
    """

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, primary_key=True, related_name="identity")
    number_hash = models.BinaryField(unique=True)
    wrapped_key = models.BinaryField()
    name_ct = models.BinaryField()
    number_ct = models.BinaryField()

    def __str__(self) -> str:
        return str(self.subject_id)


class ReviewItem(models.Model):
    """To be reviewed (待核): a valid identifier first seen in a batch or as the other side of a succession."""

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, primary_key=True, related_name="review")
    entry = _entry()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.subject_id)


class ReviewDecision(models.Model):
    """Decision on an item of the review queue (待核处理): who and when are its entry's.

    ``linked``: the code was wrongly typed, its records are the ``linked`` subject's. ``imported``: the subject came
    with a file of the register.
    """

    class Outcome(models.TextChoices):
        """What was decided (处理结果)."""

        CONFIRMED = "confirmed", "确认为新主体"
        LINKED = "linked", "并入已有主体"
        REJECTED = "rejected", "不予登记"
        IMPORTED = "imported", "名录已补全"

    entry = _entry()
    item = models.OneToOneField(ReviewItem, on_delete=models.PROTECT, related_name="decision")
    outcome = models.TextField(choices=Outcome.choices)
    linked = models.ForeignKey(Subject, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.TextField(default="")

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=["confirmed", "linked", "rejected", "imported"]),
                name="review_outcome_known",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="linked", linked__isnull=False)
                | (~models.Q(outcome="linked") & models.Q(linked__isnull=True)),
                name="linked_names_its_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.outcome}"


class PersonContact(models.Model):
    """A natural person's phone (联系电话), sealed and erasable; ``phone_hash`` is HMAC-SHA256 as of numbers."""

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, primary_key=True, related_name="contact")
    phone_hash = models.BinaryField(db_index=True)
    wrapped_key = models.BinaryField()
    phone_ct = models.BinaryField()

    def __str__(self) -> str:
        return str(self.subject_id)
