"""Addresses of the auditor's page."""

from django.urls import URLPattern, path

from xinzheng.web.audit import trail

urlpatterns: list[URLPattern] = [
    path("audit", trail.trail, name="audit"),
    path("audit/events.csv", trail.trail_csv, name="audit-csv"),
    path("audit/events.xlsx", trail.trail_workbook, name="audit-workbook"),
]
