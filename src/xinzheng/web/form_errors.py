"""What is wrong with what was filled in: shown at the top and at the field."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing to mend; ``field`` is the id of the field on the page."""

    field: str
    message: str


def by_field(errors: Iterable[FieldError]) -> defaultdict[str, str]:
    """The message at each field; empty where there is nothing to mend."""
    return defaultdict(str, ((error.field, error.message) for error in errors))
