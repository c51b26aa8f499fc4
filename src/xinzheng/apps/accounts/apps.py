"""The accounts app: who may come in, and in which role."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts and what each role may do."""

    name = "xinzheng.apps.accounts"
    label = "accounts"
