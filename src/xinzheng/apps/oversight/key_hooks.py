"""Wrapping the data keys of suggestions anew when the key-encryption key is replaced (更换密钥)."""

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.oversight.models import SuggestionWords
from xinzheng.apps.registry.key_rotation import Hook, Rewrap


def suggestion_owner(suggestion_id: uuid.UUID) -> str:
    """What the data key of a suggestion's words is bound to."""
    return f"suggestion:{suggestion_id}"


def rewrap_suggestions(rewrap: Rewrap) -> int:
    """Wrap the key of every suggestion anew; how many."""
    rows = [(pk, bytes(key)) for pk, key in SuggestionWords.objects.values_list("pk", "wrapped_key")]
    for pk, wrapped in rows:
        SuggestionWords.objects.filter(pk=pk).update(wrapped_key=rewrap(wrapped, suggestion_owner(pk)))
    return len(rows)


# For every table of the oversight app whose keys are under the key-encryption key.
HOOKS: Mapping[str, Hook] = MappingProxyType({"oversight_suggestionwords": rewrap_suggestions})
