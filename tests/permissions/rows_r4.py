"""Who is let in where: the office's desk of objections and the units' inbox."""

from tests.permissions.addresses import row

UNIT = "officer other_officer chief"
NUMBER = {"number": "objection"}

ROWS = (
    row("office/objections", "office"),
    row("office/objections.xlsx", "office"),
    row("office/objections/<str:number>", "office", **NUMBER),
    row("office/objections/<str:number>/act", "office", **NUMBER, posts_only=True),
    row("department/objections", UNIT),
    row("department/objections/<str:number>", "officer chief", **NUMBER),
    row("department/objections/<str:number>/act", "chief", **NUMBER, posts_only=True),
)
