"""Wrapping the data keys of evidence and words anew when the key-encryption key is replaced (更换密钥)."""

from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.apps.redress.models import EvidenceContent, StepWords
from xinzheng.apps.registry.key_rotation import Hook, hook_of


def evidence_owner(evidence_id: int) -> str:
    """What the data key of a file is bound to."""
    return f"evidence:{evidence_id}"


def words_owner(step_id: int) -> str:
    """What the data key of a step's words is bound to."""
    return f"step-words:{step_id}"


# For every table of the redress app whose keys are under the key-encryption key.
HOOKS: Mapping[str, Hook] = MappingProxyType(
    {
        "redress_evidencecontent": hook_of(EvidenceContent, evidence_owner),
        "redress_stepwords": hook_of(StepWords, words_owner),
    }
)
