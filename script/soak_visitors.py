"""Who puts the load on (locust): subjects that apply, on the pages, and receivers that verify, by interface and page.

Run by ``script/soak load`` in an environment of its own; what was accepted is written down, to be counted afterwards.
"""

import json
import os
import random
import re
import time
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from locust import FastHttpUser, between, task
from locust.env import Environment

FACTS: dict[str, Any] = json.loads(Path(os.environ["SOAK_FACTS"]).read_text(encoding="utf-8"))
TOLD = Path(os.environ["SOAK_TOLD"])
APPLICATION = re.compile(r"/applications/([0-9a-f-]{36})")
LOOK_AGAIN = 3
SENT = {"Content-Type": "application/x-www-form-urlencoded"}
waiting_agents = list(FACTS["agents"])
visitors = count(1)


class Form(HTMLParser):
    """What a browser sends of the first form with this action when nothing was changed in it."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self.action, self.is_inside, self.is_over = action, False, False
        self.fields: dict[str, list[str]] = {}
        self.feed(page)

    def sent(self, **more: str) -> dict[str, Any]:
        """Body and headers of the request, with what was typed."""
        return {
            "data": urlencode(self.fields | {name: [said] for name, said in more.items()}, doseq=True),
            "headers": SENT,
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.is_inside = given.get("action") == self.action and not self.is_over
        is_chosen = given.get("type") not in ("checkbox", "radio") or "checked" in given
        if tag == "input" and self.is_inside and is_chosen and given.get("name"):
            self.fields.setdefault(str(given["name"]), []).append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.is_inside:
            self.is_inside, self.is_over = False, True


class Visitor(FastHttpUser):
    """Everybody comes from an address of his own, as through a proxy: limits hold for each address."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        number = next(visitors)
        self.default_headers = {"X-Forwarded-For": f"10.9.{number // 250}.{number % 250 + 1}"}
        super().__init__(environment)


class Applicant(Visitor):
    """An agent of a firm: signs in once, applies, waits for the report, opens it, thinks, applies again."""

    fixed_count = int(os.environ["SOAK_APPLICANTS"])
    wait_time = between(30, 60)

    def on_start(self) -> None:
        """Sign in as somebody whom nobody else is."""
        form = Form(self.client.get("/sign-in", name="sign-in: form").text, "/sign-in")
        typed = form.sent(username=waiting_agents.pop(), password=FACTS["password"])
        self.client.post("/sign-in", name="sign-in", allow_redirects=False, **typed)

    @task
    def apply(self) -> None:
        """From the form to the report."""
        sent = Form(self.client.get("/apply", name="apply: form").text, "/apply").sent()
        with self.client.post("/apply", name="apply", allow_redirects=False, catch_response=True, **sent) as answer:
            found = APPLICATION.search(answer.headers.get("location", "") if answer.headers else "")
            if answer.status_code != 302 or found is None:
                answer.failure(f"{answer.status_code}, no application")
                return
        with TOLD.open("a", encoding="ascii") as told:
            told.write(f"{found[1]}\n")
        where = ""
        while "/reports/" not in where:
            # locust has made it one that lets the others go on.
            time.sleep(LOOK_AGAIN)
            page = self.client.get(f"/applications/{found[1]}", name="apply: progress", allow_redirects=False)
            where = page.headers.get("location", "") if page.headers else ""
        self.client.get(where, name="report page")


class Receiver(Visitor):
    """Somebody at a counter, or a unit's system, that asks whether a report holds."""

    fixed_count = int(os.environ["SOAK_RECEIVERS"])
    wait_time = between(1, 3)

    @task(3)
    def by_interface(self) -> None:
        """Number and code, as JSON."""
        number, code = random.choice(FACTS["known"])
        asked = {"number": number, "code": code}
        with self.client.post("/api/v1/verify/code", json=asked, name="verify", catch_response=True) as answer:
            if answer.status_code != 200 or number not in answer.text:
                answer.failure(f"{answer.status_code}, not verified")

    @task(1)
    def by_page(self) -> None:
        """Number and code, on the page."""
        number, code = random.choice(FACTS["known"])
        sent = Form(self.client.get("/verify", name="verify: form").text, "/verify").sent(number=number, code=code)
        with self.client.post("/verify", name="verify", catch_response=True, **sent) as answer:
            if answer.status_code != 200 or number not in answer.text:
                answer.failure(f"{answer.status_code}, not verified")
