"""Whether a demonstration city is in the database, and which: entries that say when one was begun and completed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from django.db import transaction

from xinzheng.apps.audit.actions import open_entry, take_position
from xinzheng.apps.audit.models import Entry
from xinzheng.apps.ledger.models import Batch
from xinzheng.apps.registry.models import Subject
from xinzheng.core.errors import XinzhengError

BEGUN, COMPLETED = "demo-city-begun", "demo-city-completed"
BY = "command-line"


@dataclass(frozen=True, slots=True)
class CityMark:
    """Which city it is (演示城市): the same seed, size and late units make the same; ``today`` is the day it is for."""

    seed: int
    subjects: int
    late: tuple[str, ...]
    today: date

    def is_same_city(self, other: Self) -> bool:
        """Whether only the day differs."""
        return (self.seed, self.subjects, self.late) == (other.seed, other.subjects, other.late)


def begun() -> CityMark | None:
    """The city whose loading was begun, complete or not."""
    return _latest(BEGUN)


def completed() -> CityMark | None:
    """The city that is there, with the day its data was last brought up to."""
    return _latest(COMPLETED)


def mark(kind: str, city: CityMark) -> None:
    """Write down that a city was begun or completed."""
    with transaction.atomic():
        take_position(open_entry(kind=kind, by=BY, note=_note(city)))


def refuse_other(wanted: CityMark) -> None:
    """Refuse to load a city into a database that holds anything else.

    Raises:
        XinzhengError: ``demo-city-other`` or ``not-a-demonstration``.
    """
    found = begun()
    if found is None:
        if Batch.objects.exists() or Subject.objects.exists():
            raise XinzhengError(
                "数据库里已有不是演示的数据，演示城市不会装入其中。"
                "请用 XINZHENG_HOME 或 XINZHENG_DATABASE_URL 另指一个空库。",
                code="not-a-demonstration",
            )
    elif not found.is_same_city(wanted):
        late = f" --late {' --late '.join(found.late)}" if found.late else ""
        raise XinzhengError(
            f"数据库里已有另一座演示城市（--subjects {found.subjects} --seed {found.seed}{late}）。"
            "请用相同的参数，或者用 XINZHENG_HOME 另指一个文件夹。",
            code="demo-city-other",
        )


def _note(city: CityMark) -> dict[str, Any]:
    return {
        "seed": city.seed,
        "subjects": city.subjects,
        "late": list(city.late),
        "today": city.today.isoformat(),
    }


def _latest(kind: str) -> CityMark | None:
    entry = Entry.objects.filter(kind=kind, place__isnull=False).order_by("-place__position").first()
    return None if entry is None else _read(entry.note)


def _read(note: Mapping[str, Any]) -> CityMark:
    return CityMark(note["seed"], note["subjects"], tuple(note["late"]), date.fromisoformat(note["today"]))
