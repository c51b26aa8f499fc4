"""Addresses of who acts for whom."""

from django.urls import path

from xinzheng.web.people import mandates, representatives

urlpatterns = [
    path("mandates", mandates.mandates, name="mandates"),
    path("mandates/choose", mandates.choose, name="mandate-choose"),
    path("mandates/<int:mandate_id>/revoke", mandates.revoke_mandate, name="mandate-revoke"),
    path("mandates/requests/<int:request_id>/answer", mandates.answer_request, name="mandate-answer"),
    path("mandates/requests/<int:request_id>/letter", mandates.letter, name="mandate-letter"),
    path("office/representatives", representatives.representatives, name="office-representatives"),
]
