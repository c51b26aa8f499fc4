"""The world of the permission tests: made once for a module, in a transaction that is undone at its end."""

import pytest

from tests.module_database import module_database
from tests.permissions.world import World, build_world

db = module_database


@pytest.fixture(scope="module")
def world(db: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two companies, two units, all roles."""
    return build_world(tmp_path_factory.mktemp("world"))
