"""Addresses of receivers of reports."""

from django.urls import URLPattern, path

from xinzheng.web.office import receivers as office_receivers
from xinzheng.web.receivers import batch_urls, own, search, webhook_urls

urlpatterns: list[URLPattern] = [
    *batch_urls.urlpatterns,
    *webhook_urls.urlpatterns,
    path("receiver", own.receiver, name="receiver"),
    path("receiver/register", own.register_receiver, name="receiver-register"),
    path("receiver/notices", own.receiver_notices, name="receiver-notices"),
    path("receiver/views/<uuid:view_id>/subscribe", own.subscribe_view, name="receiver-subscribe"),
    path(
        "receiver/subscriptions/<int:subscription_id>/end", own.end_own_subscription, name="receiver-subscription-end"
    ),
    path("receivers/search", search.search_receivers, name="receivers-search"),
    path("office/receivers", office_receivers.office_receivers, name="office-receivers"),
    path("office/receivers/<int:receiver_id>/decide", office_receivers.decide_receiver, name="office-receiver-decide"),
    path("office/receivers/<int:receiver_id>/name", office_receivers.rename_receiver, name="office-receiver-name"),
    path(
        "office/receivers/<int:receiver_id>/accounts/<int:account_id>",
        office_receivers.answer_account,
        name="office-receiver-account",
    ),
]
