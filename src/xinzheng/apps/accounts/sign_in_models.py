"""What sign-in remembers: failures until they are forgiven, passwords that may not come again."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class SignInFailure(models.Model):
    """Failed sign-ins in a row (连续失败) under a name, known or not; only the keyed hash of the name is kept."""

    name_hash = models.BinaryField(primary_key=True, max_length=32)
    count = models.IntegerField(default=0)
    last_at = models.DateTimeField(db_default=Now(), db_index=True)
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.count)


class FormerPassword(models.Model):
    """A former password's hash (曾用密码), so that the last five are not used again."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="former_passwords")
    password = models.CharField(max_length=128)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "-at"], name="former_passwords_of")]

    def __str__(self) -> str:
        return str(self.account_id)
