"""The guide (办事指南): which one is for whom, where to object, where to suggest, how accessible the site is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from xinzheng.web.publicity.guides import GUIDES


def guide(request: HttpRequest) -> HttpResponse:
    """Lead everybody to the own guide."""
    return render(request, "public/guide.html", {"guides": GUIDES})
