"""Addresses of publicity."""

from django.urls import path

from xinzheng.web.publicity import decree, figures, guides, office_suggestions, register, rulings, suggestions

urlpatterns = [
    path("figures/objections", figures.objections_in_public, name="figures-objections"),
    path("office/figures/objections", figures.objection_figures, name="office-figures-objections"),
    path("office/figures/objections.xlsx", figures.objection_table, name="office-figures-objections-table"),
    path("guide/<slug:role>", guides.role_guide, name="guide-role"),
    path("policies/<slug:policy_id>/text", decree.policy_text, name="policy-text"),
    path("rulings/<int:ruling_id>", rulings.ruling, name="ruling"),
    path("suggestions", suggestions.suggestions, name="suggestions"),
    path("suggestions/answer", suggestions.read_answer, name="suggestion-answer"),
    path("office/suggestions", office_suggestions.office_suggestions, name="office-suggestions"),
    path("office/rulings", rulings.office_rulings, name="office-rulings"),
    path("office/register", register.office_register, name="office-register"),
]
