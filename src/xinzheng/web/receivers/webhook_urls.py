"""Addresses of a receiver's webhooks (回调)."""

from django.urls import URLPattern, path

from xinzheng.web.receivers import webhooks

urlpatterns: list[URLPattern] = [
    path("receiver/webhooks", webhooks.webhooks, name="receiver-webhooks"),
    path("receiver/webhooks/<int:webhook_id>/test", webhooks.attempt, name="receiver-webhook-test"),
    path("receiver/webhooks/<int:webhook_id>/secret", webhooks.rotate_secret, name="receiver-webhook-secret"),
    path("receiver/webhooks/<int:webhook_id>/end", webhooks.end, name="receiver-webhook-end"),
]
