"""Change the registry. Each action is one transaction and takes its position last."""

from xinzheng.apps.registry.channel_actions import ChannelError, end_channel, name_channel
from xinzheng.apps.registry.key_rotation import Rotation, rotate_key
from xinzheng.apps.registry.number_key_rotation import Rehashed, rotate_number_key
from xinzheng.apps.registry.persons import PersonError, forget_phone, keep_phone, register_person
from xinzheng.apps.registry.registering import Sighting, register_unknown_subjects
from xinzheng.apps.registry.review_actions import confirm_subject, link_subject, reject_subject
from xinzheng.apps.registry.subject_actions import erase_person
from xinzheng.apps.registry.subject_import import ImportResult, import_subjects
from xinzheng.apps.registry.successions import withdraw_succession
from xinzheng.apps.registry.unit_actions import DeploymentResult, apply_deployment

__all__ = [
    "ChannelError",
    "DeploymentResult",
    "ImportResult",
    "PersonError",
    "Rehashed",
    "Rotation",
    "Sighting",
    "apply_deployment",
    "confirm_subject",
    "end_channel",
    "erase_person",
    "forget_phone",
    "import_subjects",
    "keep_phone",
    "link_subject",
    "name_channel",
    "register_person",
    "register_unknown_subjects",
    "reject_subject",
    "rotate_key",
    "rotate_number_key",
    "withdraw_succession",
]
