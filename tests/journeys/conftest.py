"""A real browser against a live server, with a worker that takes jobs from the queue."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from django.conf import LazySettings
from django.db import connection, connections
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.live_server_helper import LiveServer

from tests.small_city import SmallCity, build_small_city
from tests.web.conftest import PASSWORD, QUICK_HASHERS, People, no_counts_from_before, people

__all__ = ["no_counts_from_before", "people"]

T = TypeVar("T")
CHROMIUM = os.environ.get("XINZHENG_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; the tests' own look at the database is synchronous all the same.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            yield browser
            browser.close()


@pytest.fixture(autouse=True)
def passwords_are_checked_quickly(settings: LazySettings) -> None:
    """Everybody signs in here, dozens of times; how slowly passwords are checked is what tests/web proves."""
    settings.PASSWORD_HASHERS = [*QUICK_HASHERS, *settings.PASSWORD_HASHERS]


@pytest.fixture
def city(transactional_db: None, tmp_path: Path) -> SmallCity:
    """Every unit's data is complete, except for the second water unit, which never delivered."""
    small = build_small_city(tmp_path)
    small.declare_everything(without=[("water_affairs", small.unit("water_affairs", 1))])
    return small


@dataclass(frozen=True)
class Site:
    """The live server as visitors see it."""

    url: str
    browser: Browser

    def visit(self, **options: object) -> Page:
        """A new visitor, with nothing remembered; a mistake in a script fails the test."""
        context: BrowserContext = self.browser.new_context(
            base_url=self.url, locale="zh-CN", **({"viewport": {"width": 1280, "height": 900}} | options)
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", _fail)
        return page

    def sign_in(self, page: Page, username: str) -> None:
        """Sign in with name and password."""
        page.goto("/sign-in")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.get_by_role("main").get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)


def _fail(error: object) -> None:
    raise AssertionError(f"a script failed: {error}")


@pytest.fixture
def site(live_server: LiveServer, browser: Browser, people: People) -> Iterator[Site]:
    yield Site(live_server.url, browser)
    # A visitor's open connection keeps a thread of the server, and with it a session of the database.
    for context in list(browser.contexts):
        context.close()


def apart(work: Callable[[], T]) -> T:
    """Work in a thread of its own: this thread runs the browser's event loop, and signing starts one itself."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.fixture
def work_off(transactional_db: None) -> Callable[[], None]:
    """Do every job that waits in the queue, once, as the worker process does."""
    done = set(ProcrastinateJob.objects.values_list("id", flat=True))  # of earlier tests: the queue is not emptied

    def run() -> None:
        for job in ProcrastinateJob.objects.exclude(id__in=done).order_by("id"):
            apart(partial(app.tasks[job.task_name].func, **job.args))
            done.add(job.id)
            with connection.cursor() as cursor:
                # As the worker does; otherwise the same work could not be queued again.
                cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job.id])

    return run
