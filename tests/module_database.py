"""A database for all tests of a module together, instead of one for each: what is made once is used by all."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from xinzheng.core.errors import XinzhengError


@pytest.fixture(scope="module")
def module_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One transaction, undone at the module's end; put in the place of ``db``, tests undo what they do themselves."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def undone_after(db: None) -> Iterator[None]:
    """What a test does is undone, where the database is one for the module (``usefixtures``)."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def refusal_code(act: Callable[..., Any], *args: object, **kwargs: object) -> str:
    """The code by which something is refused."""
    with pytest.raises(XinzhengError) as refused, transaction.atomic():
        act(*args, **kwargs)
    return refused.value.code
