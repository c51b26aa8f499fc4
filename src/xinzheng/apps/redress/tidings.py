"""Who is told of which step (告知): one notice for each step and addressee, written with the step."""

from xinzheng.apps.redress.models import Step


def tell_of(step: Step) -> None:
    """Tell those whom a step concerns; in the step's own transaction."""
    assert step.pk is not None
