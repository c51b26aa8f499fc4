"""Wrapping the data keys of suggestions and screenings anew when the key-encryption key is replaced (更换密钥)."""

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.oversight.models import ScreeningWork, SuggestionWords
from xinzheng.apps.registry.key_rotation import Hook, hook_of


def suggestion_owner(suggestion_id: uuid.UUID) -> str:
    """What the data key of a suggestion's words is bound to."""
    return f"suggestion:{suggestion_id}"


def screening_owner(screening_id: uuid.UUID) -> str:
    """What the data key of a screening's list and answer is bound to."""
    return f"screening:{screening_id}"


# For every table of the oversight app whose keys are under the key-encryption key.
HOOKS: Mapping[str, Hook] = MappingProxyType(
    {
        "oversight_suggestionwords": hook_of(SuggestionWords, suggestion_owner),
        "oversight_screeningwork": hook_of(ScreeningWork, screening_owner),
    }
)
