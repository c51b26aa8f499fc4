"""Addresses of subjects of reports."""

from django.urls import path

from xinzheng.web.subjects import again, history

urlpatterns = [
    path("applications", history.applications, name="applications"),
    path("reports/<str:number>/again", again.again, name="report-again"),
]
