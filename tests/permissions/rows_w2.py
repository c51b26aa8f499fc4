"""Who is let in where: the policy workshop and what grows."""

from tests.permissions.addresses import row

ROWS = (
    row("office/policies", "office justice"),
    row(
        "office/policies/drafts/<uuid:proposal_id>",
        "office justice",
        proposal_id="=" + "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        is_bare=True,
    ),
    row("office/policies/<slug:policy_id>/compare", "office justice", policy_id="=suzhou-2024"),
    row("office/growth", "office justice"),
)
