"""Addresses of batch verification by file (批量核验)."""

from django.urls import URLPattern, path

from xinzheng.web.receivers import batches

urlpatterns: list[URLPattern] = [
    path("receiver/checks", batches.checks, name="receiver-checks"),
    path("receiver/checks/template.csv", batches.template_file, name="receiver-check-template"),
    path("receiver/checks/<uuid:check_id>", batches.check, name="receiver-check"),
    path("receiver/checks/<uuid:check_id>.xlsx", batches.check_table, name="receiver-check-table"),
    path("receiver/checks/<uuid:check_id>/delete", batches.delete, name="receiver-check-delete"),
]
