"""Who is let in where: screenings of lists, their answers, their register."""

from tests.permissions.addresses import row

# Nobody's in particular: the world has no screening, so that the office finds nothing there.
ONE = {"screening_id": "=11111111-1111-4111-8111-111111111111"}

ROWS = (
    row("office/screenings", "office"),
    row("office/screenings/<uuid:screening_id>", "office", is_bare=True, **ONE),
    row("office/screenings/<uuid:screening_id>.<str:form>", "office", form="=xlsx", is_bare=True, **ONE),
    row("audit/screenings", "office auditor"),
)
