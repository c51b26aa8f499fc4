"""Addresses of the credit office's desk."""

from django.urls import path

from xinzheng.web.desk import desk

urlpatterns = [
    path("office", desk.desk, name="office"),
    path("office/desk.xlsx", desk.desk_table, name="office-desk-table"),
    path("office/system", desk.system, name="office-system"),
]
