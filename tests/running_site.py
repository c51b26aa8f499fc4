"""The site as an operator starts it, ``xinzheng serve``, over the test's database; and its visitors."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection

PATIENCE_SECONDS = 60


def database_url() -> str:
    """The test's own database, for another process."""
    given = connection.settings_dict
    parts = {"dbname": given["NAME"], "user": given["USER"], "host": given["HOST"], "port": given["PORT"]}
    parts["password"] = given["PASSWORD"]
    return " ".join(f"{key}={value}" for key, value in parts.items() if value)


@dataclass(frozen=True)
class RunningSite:
    """Where it listens, and the process that was started (运行中的网站)."""

    port: int
    process: "subprocess.Popen[bytes]"

    def task_worker(self) -> int | None:
        """The number of the process that works off everybody's queues; None if there is none now."""
        keepers = _children(self.process.pid, "xinzheng.cli.task_worker")
        return next((worker for keeper in keepers for worker in _children(keeper, "builtin")), None)


def _children(parent: int, word: str) -> list[int]:
    """The numbers of a process's children with this word on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            above = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
            if above == parent and word in (folder / "cmdline").read_text():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


@contextmanager
def running_site(folder: Path, **environment: str) -> Iterator[RunningSite]:
    """Two web processes and a task worker; what they say is kept in ``folder``."""
    port, said = _free_port(), folder / "serve.log"
    with said.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "xinzheng.cli", "serve", "--no-screening", "--port", str(port)],
            env=os.environ | {"XINZHENG_DATABASE_URL": database_url(), "PYTHONPATH": "src"} | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(lambda: _answers(port), said.read_text)
            yield RunningSite(port, process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_until(holds: Callable[[], bool], otherwise: Callable[[], str] = str) -> None:
    """Look again until it holds; what ``otherwise`` says if it never does."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, otherwise()
        time.sleep(0.1)


@dataclass
class Visitor:
    """Somebody's browser without scripts (访客): its cookies, and a new connection for each request."""

    port: int
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def get(self, path: str) -> str:
        """The page at ``path``."""
        status, _, page = self.ask("GET", path)
        assert status == 200, (path, status, page[-500:])
        return page

    def post(self, path: str, values: list[tuple[str, str]]) -> tuple[int, str, str]:
        """Status, where to go on, and page."""
        return self.ask("POST", path, urlencode(values))

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str, str]:
        """One request over a connection of its own."""
        connected = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connected.request(method, path, body, self._headers())
            answer = connected.getresponse()
            page = answer.read().decode()
            self._keep(answer)
            return answer.status, answer.getheader("Location", ""), page
        finally:
            connected.close()

    def sign_in(self, username: str, password: str) -> None:
        """By name and password, on the page."""
        form = dict(filled(self.get("/sign-in"), "/sign-in")) | {"username": username, "password": password}
        status, _, page = self.post("/sign-in", list(form.items()))
        assert status == 302, page[-2000:]

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={one.value}" for name, one in self.cookies.items())
        return {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}

    def _keep(self, answer: HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie") or []:
            self.cookies.load(line)


def filled(page: str, action: str) -> list[tuple[str, str]]:
    """What a browser sends of the form with this action when nothing was changed in it."""
    form = _Form(action)
    form.feed(page)
    assert form.fields, f"no form for {action}"
    return form.fields


class _Form(HTMLParser):
    """Reads the fields of one form."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.is_inside = action, False
        self.fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.is_inside = given.get("action") == self.action
        is_chosen = given.get("type") not in ("checkbox", "radio") or "checked" in given
        if tag == "input" and self.is_inside and is_chosen and given.get("name"):
            self.fields.append((str(given["name"]), given.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        Visitor(port).get("/sign-in")
    except OSError:
        return False
    return True
