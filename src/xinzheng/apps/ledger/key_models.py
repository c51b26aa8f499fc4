"""The data keys of batches after the key-encryption key was replaced: batches themselves are never edited."""

from django.db import models


class BatchKey(models.Model):
    """The key of a batch's raw file under the present key-encryption key (批次密钥); no history.

    It goes before ``Batch.wrapped_key``, which no key file opens any more once its own was removed.
    """

    batch_id = models.BigIntegerField(primary_key=True)
    wrapped_key = models.BinaryField()

    def __str__(self) -> str:
        return str(self.batch_id)
