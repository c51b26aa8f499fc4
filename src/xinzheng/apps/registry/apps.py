"""The registry app: units, who answers for what, and subjects."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Units, responsibilities and the register of subjects."""

    name = "xinzheng.apps.registry"
    label = "registry"
