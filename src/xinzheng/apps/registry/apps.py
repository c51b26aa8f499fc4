"""The registry app: units, who answers for what, and subjects."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Units, responsibilities and the register of subjects."""

    name = "xinzheng.apps.registry"
    label = "registry"

    def ready(self) -> None:
        """Tell the accounts what the register knows of representatives: asked whenever a mandate is used."""
        from xinzheng.apps.accounts.mandate_queries import rests_on
        from xinzheng.apps.accounts.models import Mandate
        from xinzheng.apps.registry.representatives import is_still_named

        rests_on(Mandate.Basis.REPRESENTATIVE, is_still_named)
