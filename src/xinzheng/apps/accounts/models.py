"""Accounts (账户): who signs in, in one role, for one unit or one subject; and keys (接口密钥) for a unit's systems."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from xinzheng.apps.accounts.mandate_models import Mandate, MandateAnswer, MandateEnd, MandateRequest
from xinzheng.apps.accounts.platform_models import KeptPlatformRequest, Platform
from xinzheng.apps.accounts.sign_in_models import FormerPassword, SignInFailure

__all__ = [
    "OF_A_UNIT",
    "Account",
    "Accounts",
    "ApiKey",
    "FormerPassword",
    "KeptPlatformRequest",
    "KeptRequest",
    "Mandate",
    "MandateAnswer",
    "MandateEnd",
    "MandateRequest",
    "Platform",
    "Role",
    "SignInFailure",
]


class Role(models.TextChoices):
    """Role (角色). An account has exactly one, so administration and audit are never one person."""

    SUBJECT_AGENT = "subject_agent", "经办人"
    RECEIVER = "receiver", "要求提交证明的单位"
    DEPARTMENT_OFFICER = "department_officer", "数源单位工作人员"
    RESPONSIBLE_OFFICER = "responsible_officer", "数源单位责任人"
    OFFICE_OPERATOR = "office_operator", "信用办工作人员"
    JUSTICE_LEAD = "justice_lead", "司法局联络员"
    DATA_LEAD = "data_lead", "大数据局联络员"
    SECURITY_ADMINISTRATOR = "security_administrator", "安全管理员"
    AUDITOR = "auditor", "审计员"
    SYSTEM_ADMINISTRATOR = "system_administrator", "系统管理员"


OF_A_UNIT = (Role.DEPARTMENT_OFFICER, Role.RESPONSIBLE_OFFICER)


class Accounts(BaseUserManager["Account"]):
    """All accounts; Django finds one by its user name here."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(username=username)


class Account(AbstractBaseUser):
    """Account (账户). ``unit_id`` and ``subject_id`` are keys of the registry, which stands above this app."""

    username = models.CharField(max_length=150, unique=True)
    display_name = models.CharField(max_length=150)
    role = models.CharField(max_length=32, choices=Role.choices)
    unit_id = models.BigIntegerField(null=True, blank=True)
    subject_id = models.BigIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    receiver_id = models.BigIntegerField(null=True, blank=True)
    person_id = models.BigIntegerField(null=True, blank=True, unique=True)
    session_epoch = models.IntegerField(default=0)
    password_changed_at = models.DateTimeField(null=True)
    must_change_password = models.BooleanField(default=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name", "role"]

    objects: ClassVar[Accounts] = Accounts()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="account_role_known", condition=models.Q(role__in=Role.values)),
            models.CheckConstraint(
                name="account_unit_only_for_officers",
                condition=models.Q(unit_id__isnull=False, role__in=OF_A_UNIT)
                | (models.Q(unit_id__isnull=True) & ~models.Q(role__in=OF_A_UNIT)),
            ),
            models.CheckConstraint(
                name="account_subject_only_for_agents",
                condition=models.Q(subject_id__isnull=True) | models.Q(role=Role.SUBJECT_AGENT),
            ),
            models.CheckConstraint(
                name="account_receiver_only_for_receivers",
                condition=models.Q(receiver_id__isnull=True) | models.Q(role=Role.RECEIVER),
            ),
            models.CheckConstraint(
                name="account_person_only_for_outsiders",
                condition=models.Q(person_id__isnull=True) | models.Q(role__in=(Role.SUBJECT_AGENT, Role.RECEIVER)),
            ),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def actor(self) -> str:
        """How entries and audit events name this account: without a name."""
        return f"account:{self.pk}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session has to carry; Django asks for it. A new epoch ends every session from before."""
        state = f"{self.password}\0{self.session_epoch}"
        return salted_hmac("xinzheng.session", state, secret=secret, algorithm="sha256").hexdigest()


class ApiKey(models.Model):
    """Key (接口密钥) with which a unit's system speaks for the unit. Of the key itself only its SHA-256 is kept.

    ``is_responsible``: the system acts for the unit's responsible officer (责任人), for what only that officer may do.
    256 random bits need no slow hash: nobody tries them through, with or without the database in hand.
    """

    unit_id = models.BigIntegerField(db_index=True)
    name = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, unique=True)
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    last_used_date = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)
    is_responsible = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="api_key_has_a_name", condition=~models.Q(name="")),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"

    @property
    def actor(self) -> str:
        """How entries and audit events name this key."""
        return f"api-key:{self.pk}"


class KeptRequest(models.Model):
    """A request kept (幂等请求), so that the same one, sent again, is answered by what it made the first time."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=200)
    body_sha256 = models.BinaryField(max_length=32)
    object_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_key", "idempotency_key"], name="one_request_per_idempotency_key"),
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}/{self.idempotency_key}"
