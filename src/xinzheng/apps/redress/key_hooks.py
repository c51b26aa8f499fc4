"""Wrapping the data keys of evidence and words anew when the key-encryption key is replaced (更换密钥)."""

from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.redress.models import EvidenceContent, StepWords
from xinzheng.apps.registry.key_rotation import Hook, Rewrap


def evidence_owner(evidence_id: int) -> str:
    """What the data key of a file is bound to."""
    return f"evidence:{evidence_id}"


def words_owner(step_id: int) -> str:
    """What the data key of a step's words is bound to."""
    return f"step-words:{step_id}"


def rewrap_evidence(rewrap: Rewrap) -> int:
    """Wrap the key of every file anew; how many."""
    rows = [(pk, bytes(key)) for pk, key in EvidenceContent.objects.values_list("pk", "wrapped_key")]
    for pk, wrapped in rows:
        EvidenceContent.objects.filter(pk=pk).update(wrapped_key=rewrap(wrapped, evidence_owner(pk)))
    return len(rows)


def rewrap_words(rewrap: Rewrap) -> int:
    """Wrap the key of all words anew; how many."""
    rows = [(pk, bytes(key)) for pk, key in StepWords.objects.values_list("pk", "wrapped_key")]
    for pk, wrapped in rows:
        StepWords.objects.filter(pk=pk).update(wrapped_key=rewrap(wrapped, words_owner(pk)))
    return len(rows)


# For every table of the redress app whose keys are under the key-encryption key.
HOOKS: Mapping[str, Hook] = MappingProxyType(
    {"redress_evidencecontent": rewrap_evidence, "redress_stepwords": rewrap_words}
)
