"""What is wrong in a batch, a page at a time. Defects are history: a page never shifts while one reads on."""

from django.db.models import Q

from xinzheng.api.v1.schemas import DefectAnswer, DefectsAnswer
from xinzheng.apps.ledger.models import Defect
from xinzheng.apps.ledger.queries import defects_total

DEFECTS_IN_RESULT = 100
DEFECTS_PER_PAGE = 1000


def first_defects(batch_id: int, count: int) -> list[DefectAnswer]:
    """The first defects of a batch, by line."""
    return [_defect(row) for row in Defect.objects.filter(entry_id=batch_id).order_by("line", "id")[:count]]


def defects_page(batch_id: int, address: str, after: str | None, count: int) -> DefectsAnswer:
    """So many defects after a place ``line-id``, and the address of the next page."""
    found = Defect.objects.filter(entry_id=batch_id).order_by("line", "id")
    if after is not None:
        line, last = (int(part) for part in after.split("-"))
        found = found.filter(Q(line__gt=line) | Q(line=line, id__gt=last))
    rows = list(found[: count + 1])
    page = rows[:count]
    is_more = len(rows) > count
    following = f"{address}?after={page[-1].line}-{page[-1].pk}&limit={count}" if is_more else None
    defects = [_defect(row) for row in page]
    return DefectsAnswer(batch=batch_id, total=defects_total(batch_id), defects=defects, next=following)


def _defect(row: Defect) -> DefectAnswer:
    return DefectAnswer(line=row.line, field=row.field, code=row.code, severity=row.severity, message=row.message)
