"""Which receiver (核验单位) a platform belongs to."""

from xinzheng.apps.codes.models import Receiver
from xinzheng.apps.codes.receivers import State, state_of

LONGEST = 18


def verified_receiver(uscc: str) -> Receiver | None:
    """The receiver with this code, if the credit office has verified it."""
    if len(uscc) > LONGEST or not uscc.isalnum():
        return None
    found = Receiver.objects.filter(uscc=uscc).first()
    return found if found is not None and state_of(found) == State.VERIFIED else None
