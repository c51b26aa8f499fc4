"""What the office remembers beside the data: suggestions and complaints, doubtful readings, trainings, problems."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from xinzheng.apps.accounts.models import Role
from xinzheng.apps.audit.history import append_only

RULING_ROLES = (Role.OFFICE_OPERATOR, Role.JUSTICE_LEAD)


class Suggestion(models.Model):
    """Suggestion or complaint (意见建议、申诉): by anybody; ``code_digest`` is of the code its answer is read with."""

    class Kind(models.TextChoices):
        """What it is (类型)."""

        SUGGESTION = "suggestion", "意见建议"
        COMPLAINT = "complaint", "申诉投诉"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    number = models.TextField(unique=True)
    kind = models.TextField(choices=Kind.choices)
    topic = models.TextField()
    unit_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    subject_id = models.BigIntegerField(null=True)
    code_digest = models.BinaryField(max_length=32, unique=True)
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["account_id", "-at"], name="suggestions_of_account")]

    def __str__(self) -> str:
        return self.number


class SuggestionWords(models.Model):
    """What was said (内容), sealed: anybody may write anybody's data into it; deleted after its time."""

    suggestion = models.OneToOneField(Suggestion, primary_key=True, on_delete=models.PROTECT, related_name="words")
    wrapped_key = models.BinaryField()
    words_ct = models.BinaryField()

    def __str__(self) -> str:
        return str(self.suggestion_id)


class SuggestionAnswer(models.Model):
    """The office's answer (答复); ``is_public``: shown to everybody, with the question in the office's words."""

    suggestion = models.OneToOneField(Suggestion, primary_key=True, on_delete=models.PROTECT, related_name="answer")
    question = models.TextField(default="")
    answer = models.TextField()
    is_public = models.BooleanField(default=False)
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(name="public_answer_has_a_question", condition=Q(is_public=False) | ~Q(question=""))
        ]

    def __str__(self) -> str:
        return str(self.suggestion_id)


class Doubt(models.Model):
    """A doubtful reading put to the office (待裁定的问题): of a clause of a policy as it stood in a pack."""

    policy_id = models.TextField()
    clause_id = models.TextField()
    pack_sha256 = models.BinaryField(max_length=32)
    question = models.TextField()
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        indexes: ClassVar = [models.Index(fields=["policy_id", "clause_id"], name="doubts_of_clause")]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.clause_id}"


class Ruling(models.Model):
    """Ruling (裁定) on a doubt: words, never a rule; published once credit office and justice bureau have signed.

    ``replaces`` is the ruling it takes the place of. What decisions do stays with the pack.
    """

    doubt = models.ForeignKey(Doubt, on_delete=models.PROTECT, related_name="rulings")
    text = models.TextField()
    basis = models.TextField()
    document = models.TextField(default="")
    needs_pack = models.BooleanField(default=False)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.CheckConstraint(name="ruling_says_something", condition=~Q(text="") & ~Q(basis=""))
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.doubt_id}"


class RulingSignature(models.Model):
    """One of the two signatures (会签) under a ruling."""

    ruling = models.ForeignKey(Ruling, on_delete=models.PROTECT, related_name="signatures")
    role = models.TextField(choices=[(role.value, role.label) for role in RULING_ROLES])
    account_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [
            models.UniqueConstraint(name="each_office_signs_once", fields=["ruling", "role"]),
            models.UniqueConstraint(name="nobody_signs_twice", fields=["ruling", "account_id"]),
            models.CheckConstraint(
                name="ruling_signed_by_these", condition=Q(role__in=[r.value for r in RULING_ROLES])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ruling_id} {self.role}"


class Training(models.Model):
    """A training that was held (培训登记); a wrong row is replaced by another."""

    day = models.DateField()
    title = models.TextField()
    audience = models.TextField()
    place = models.TextField(default="")
    attended = models.IntegerField()
    materials = models.TextField(default="")
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    actor = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.CheckConstraint(name="attended_not_negative", condition=Q(attended__gte=0))]

    def __str__(self) -> str:
        return f"{self.day} {self.title}"


class MajorProblem(models.Model):
    """A major problem of the whole city (重大问题), on the list until it is solved."""

    title = models.TextField()
    said = models.TextField()
    unit_id = models.BigIntegerField(null=True)
    raised_from = models.TextField(default="")
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.pk} {self.title}"


class MajorProblemStep(models.Model):
    """Progress on a major problem (进展); the last one says whether it is solved."""

    problem = models.ForeignKey(MajorProblem, on_delete=models.PROTECT, related_name="steps")
    seq = models.IntegerField()
    said = models.TextField()
    is_solved = models.BooleanField(default=False)
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only()
        constraints: ClassVar = [models.UniqueConstraint(name="one_problem_step_at_a_time", fields=["problem", "seq"])]

    def __str__(self) -> str:
        return f"{self.problem_id}.{self.seq}"
