"""Addresses of repair."""

from django.urls import path

from xinzheng.web.repairs import cases, records

urlpatterns = [
    path("records", records.records, name="records"),
    path("records/<int:record_id>", records.record, name="record"),
    path("repairs/<str:number>", cases.repair, name="repair"),
    path("repairs/<str:number>/file", cases.repair_file, name="repair-file"),
    path("repairs/<str:number>/act", cases.act, name="repair-act"),
]
