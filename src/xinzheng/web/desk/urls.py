"""Addresses of the credit office's desk."""

from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [
    path("office", RedirectView.as_view(pattern_name="office-coverage"), name="office"),
]
