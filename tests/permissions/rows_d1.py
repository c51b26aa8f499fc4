"""Who is let in where: the desk, its figures as a workbook, the state of the system."""

from tests.permissions.addresses import row

WHO = "office justice data auditor"

ROWS = (
    row("office", WHO),
    row("office/desk.xlsx", WHO),
    row("office/system", "office administrator"),
)
