"""Pages of the office's desk and a unit's inbox of objections, as a browser without scripts sees and sends them."""

import re
from datetime import date

from django.http import HttpResponse
from django.test import Client

from tests.redress_city import RedressCity, do, lodge_one
from xinzheng.apps.ledger.corrections import current_row
from xinzheng.apps.redress.models import Objection
from xinzheng.apps.redress.queries import objection_view
from xinzheng.core.objections import Act, Ground, State

MONDAY = date(2026, 11, 23)
CHECK, DO = {"stage": "check"}, {"stage": "do"}


def browser(city: RedressCity, who: str) -> Client:
    """A browser in which this account of the city is signed in."""
    client = Client()
    client.force_login(city.accounts[who])
    return client


def page(response: HttpResponse) -> str:
    """What stands in the page, its white space made one."""
    return " ".join(response.content.decode().split("<main")[1].split("</main>")[0].split())


def with_unit(city: RedressCity, ground: Ground = Ground.WRONG) -> Objection:
    """An objection that was taken in and lies with the unit."""
    made = lodge_one(city, ground)
    do(city, made.number, Act.ACCEPT, "office", unit_id=city.unit)
    return made


def hidden(response: HttpResponse) -> dict[str, str]:
    """What the last look sends on."""
    return dict(re.findall(r'<input type="hidden" name="((?!csrf)[\w-]+)" value="([^"]*)">', page(response)))


def typed(city: RedressCity, number: str, way: str, **changes: str) -> dict[str, str]:
    """The form of a way as a browser sends it when these columns were changed."""
    view, row = objection_view(number, MONDAY), current_row(city.record)
    columns = {f"f-{key}": value for key, value in (row.values | changes).items()}
    asked = {"act": way, "seen": str(view.seq), "version": str(row.version_id), "reason": "决定书写的是两万元"}
    return asked | CHECK | columns


def state_of(number: str) -> State:
    """Where an objection stands."""
    return objection_view(number, MONDAY).state
