"""Change the registry. Each action is one transaction and takes its position last."""

from xinzheng.apps.registry.registering import Sighting, register_unknown_subjects
from xinzheng.apps.registry.subject_actions import erase_person
from xinzheng.apps.registry.subject_import import ImportResult, import_subjects
from xinzheng.apps.registry.successions import withdraw_succession
from xinzheng.apps.registry.unit_actions import DeploymentResult, apply_deployment

__all__ = [
    "DeploymentResult",
    "ImportResult",
    "Sighting",
    "apply_deployment",
    "erase_person",
    "import_subjects",
    "register_unknown_subjects",
    "withdraw_succession",
]
