"""Addresses of share codes (亮码)."""

from django.urls import URLPattern, path

from xinzheng.web.codes import scanning, shares, viewing

urlpatterns: list[URLPattern] = [
    path("s", scanning.scan, name="scan"),
    path("s/views/<uuid:view_id>", viewing.view, name="view"),
    path("s/views/<uuid:view_id>/open", viewing.view_open, name="view-open"),
    path("s/<str:code>", scanning.scan_code, name="scan-code"),
    path("reports/<str:number>/share", shares.share_report, name="share-report"),
    path("shares", shares.shares, name="shares"),
    path("shares/<uuid:share_id>", shares.share, name="share"),
    path("shares/<uuid:share_id>/code", shares.share_code, name="share-code"),
    path("shares/<uuid:share_id>/views", shares.share_views, name="share-views"),
    path("shares/<uuid:share_id>/paper", shares.share_paper, name="share-paper"),
    path("shares/<uuid:share_id>/take-back", shares.share_take_back, name="share-take-back"),
]
