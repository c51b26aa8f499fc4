"""A platform, and a server of its own on this machine that the demonstration may call."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notified import a_platform
from tests.webhook_server import HookServer, hooked, write_pair, write_roots
from xinzheng.apps.codes.webhooks import Owner


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pair(tmp_path_factory.mktemp("pair"), "localhost")


@pytest.fixture(autouse=True)
def demonstration(settings: Any, tmp_path: Path) -> None:
    """This machine may be called."""
    settings.XINZHENG_WEBHOOKS_LOOPBACK = True
    settings.XINZHENG_WEBHOOKS_ROOTS = str(write_roots(tmp_path))


@pytest.fixture
def server(pair: Path) -> Iterator[HookServer]:
    with hooked(pair) as running:
        yield running


@pytest.fixture
def owner(db: None) -> Owner:
    """A platform."""
    return a_platform("苏商通")
