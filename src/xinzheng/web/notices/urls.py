"""Addresses of notices."""

from django.urls import URLPattern, path

from xinzheng.web.notices import inbox, mail

urlpatterns: list[URLPattern] = [
    path("notices", inbox.notices, name="notices"),
    path("account/mail", mail.mail, name="account-mail"),
]
