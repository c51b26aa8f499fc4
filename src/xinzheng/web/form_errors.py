"""What is wrong with what was filled in: shown at the top and at the field."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing to mend; ``field`` is the id of the field on the page."""

    field: str
    message: str
