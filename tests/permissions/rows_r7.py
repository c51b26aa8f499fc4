"""Who is let in where: guides, texts of decrees, rulings, suggestions, registers."""

from tests.permissions.addresses import row

ROWS = (
    row("guide/<slug:role>", "everybody", role="=subject"),
    row("policies/<slug:policy_id>/text", "everybody", policy_id="=suzhou-2024"),
    row("rulings/<int:ruling_id>", "everybody", ruling_id="=1", is_bare=True),
    row("suggestions", "everybody"),
    row("suggestions/answer", "everybody"),
    row("office/suggestions", "office"),
    row("office/rulings", "officer other_officer chief office justice"),
    row("office/register", "office"),
)
