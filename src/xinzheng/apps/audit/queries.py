"""Read the order of the ledger."""

from django.db.models import Max

from xinzheng.apps.audit.models import Position


def head_position() -> int:
    """The highest visible position; 0 when nothing has happened yet."""
    highest: int | None = Position.objects.aggregate(highest=Max("position"))["highest"]
    return highest or 0
