"""Read uploads (上传): those that brought a file, and whether the batch that came of it waits for a second officer."""

from django.db.models import Exists, OuterRef, QuerySet

from xinzheng.apps.ledger.models import Batch, Upload


def delivered_uploads() -> QuerySet[Upload]:
    """The uploads that brought a file, latest first; ``is_held`` tells that the batch waits to be confirmed."""
    waiting = Batch.objects.filter(pk=OuterRef("batch_id"), held=True, withdrawals=None)
    return Upload.objects.filter(confirms_id=None).annotate(is_held=Exists(waiting)).order_by("-created_at")
