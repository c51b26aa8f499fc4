"""Load a demonstration city through the real intake: register import, files handed in, statements declared."""

import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from django.db import transaction

from xinzheng.adapters.deployment_files import Deployment
from xinzheng.apps.accounts.queries import account_named
from xinzheng.apps.ledger import actions as ledger
from xinzheng.apps.registry.actions import apply_deployment, import_subjects
from xinzheng.cli.demo_city import marks
from xinzheng.cli.demo_city.accounts import WATER_HEAD, WATER_UNIT, open_demo_accounts
from xinzheng.cli.demo_city.city import City, CityPlan, make_city
from xinzheng.cli.demo_city.coverage import LATE, Coverage, statements
from xinzheng.cli.demo_city.files import FileForm, write_sheet
from xinzheng.cli.demo_city.organs import deployments, unit_named
from xinzheng.cli.demo_city.progress import Watcher
from xinzheng.cli.demo_city.quality import show_quality
from xinzheng.cli.demo_city.redress import show_redress
from xinzheng.core.errors import XinzhengError

ONE_DAY = timedelta(days=1)
# Units whose statements are made in one transaction.
AT_ONCE = 100


@dataclass
class Loaded:
    """What was loaded (装入结果).

    ``is_new`` is false when the city was there; ``is_refreshed`` tells that statements were carried on to its new day.
    """

    is_new: bool
    is_refreshed: bool = False
    subjects: int = 0
    batches: int = 0
    lines: int = 0
    new: int = 0
    changed: int = 0
    identical: int = 0
    rejected: int = 0
    duplicate: int = 0
    mended: int = 0
    statements: int = 0

    def count(self, result: ledger.BatchResult) -> None:
        """Add a batch."""
        self.batches += 1
        for name in ("lines", "new", "changed", "identical", "rejected", "duplicate", "mended"):
            setattr(self, name, getattr(self, name) + getattr(result, name))


def load_city(wanted: marks.CityMark, watcher: Watcher) -> Loaded:
    """Have the wanted city in the database, its data as fresh as its day asks for.

    The city that is there is left as it is; only statements are carried on when its day has passed. Loading that
    was interrupted is begun again: what is in the ledger already is recognised.

    Raises:
        XinzhengError: ``demo-city-other``, ``not-a-demonstration``, ``unknown-unit``.
    """
    cities = deployments()
    _refuse_unknown_units(cities, wanted.late)
    marks.refuse_other(wanted)
    found = marks.completed()
    loaded = Loaded(is_new=found is None)
    if found is None:
        begun = marks.begun()
        found = wanted if begun is None else begun
        if begun is None:
            marks.mark(marks.BEGUN, wanted)
        _load(found, cities, watcher, loaded)
        marks.mark(marks.COMPLETED, found)
    if found.today < wanted.today:
        _carry_on(found, wanted.today, cities, loaded)
        marks.mark(marks.COMPLETED, replace(found, today=wanted.today))
    open_demo_accounts(cities)
    water = unit_named(cities, WATER_UNIT)
    if water is not None:
        show_quality(account_named(WATER_HEAD), water.uscc)
    show_redress()
    return loaded


def _refuse_unknown_units(cities: dict[str, Deployment], names: tuple[str, ...]) -> None:
    for name in names:
        if unit_named(cities, name) is None:
            raise XinzhengError(
                f"部署文件里没有单位“{name}”，请写简称，例如 昆山市水务局。可以用 xinzheng units 查看。",
                code="unknown-unit",
            )


def _load(found: marks.CityMark, cities: dict[str, Deployment], watcher: Watcher, loaded: Loaded) -> None:
    watcher.begin("生成演示数据", 1)
    plan = CityPlan(cities, found.subjects, found.seed, found.today, _late(found))
    city = make_city(plan)
    watcher.advance()
    watcher.begin("登记单位和责任", len(cities))
    for deployment in cities.values():
        apply_deployment(deployment, by=marks.BY)
        watcher.advance(deployment.jurisdiction_name)
    with tempfile.TemporaryDirectory(prefix="xinzheng-demo-") as folder:
        _import_register(city, Path(folder), watcher, loaded)
        _hand_in(city, Path(folder), watcher, loaded)
    _declare(city.statements, watcher, loaded)


def _late(found: marks.CityMark) -> frozenset[str]:
    return frozenset((*LATE, *found.late))


def _import_register(city: City, folder: Path, watcher: Watcher, loaded: Loaded) -> None:
    watcher.begin("导入主体名录", 1)
    file = write_sheet(city.register, folder / "主体名录.csv", FileForm.CSV_WITH_BOM)
    result = import_subjects(file, by=marks.BY)
    if result.rejected:
        first = result.defects[0]
        raise XinzhengError(f"演示主体名录第{first.line}行没有导入：{first.message}", code="demo-register-rejected")
    loaded.subjects = result.lines
    watcher.advance()


def _hand_in(city: City, folder: Path, watcher: Watcher, loaded: Loaded) -> None:
    watcher.begin("各单位报送", len(city.files))
    for planned in city.files:
        file = write_sheet(planned.sheet, folder / planned.file_name, planned.form)
        scope = ledger.Scope(planned.scope.uscc, planned.scope.domain, planned.scope.kind)
        loaded.count(ledger.submit_batch(ledger.Delivery(file, scope, planned.covers), by=marks.BY))
        file.unlink()
        watcher.advance(planned.file_name)


def _declare(found: tuple[Coverage, ...], watcher: Watcher, loaded: Loaded) -> None:
    watcher.begin("零报告", len(found))
    for start in range(0, len(found), AT_ONCE):
        with transaction.atomic():
            for coverage in found[start : start + AT_ONCE]:
                _state(coverage, (coverage.from_date, coverage.through_date))
                watcher.advance()
    loaded.statements += len(found)


def _state(coverage: Coverage, period: tuple[date, date]) -> None:
    scope = ledger.Scope(coverage.uscc, coverage.domain, coverage.kind)
    ledger.declare_coverage(scope, from_date=period[0], through_date=period[1], by=marks.BY)


def _carry_on(found: marks.CityMark, today: date, cities: dict[str, Deployment], loaded: Loaded) -> None:
    """Units that are not late state the days since: nothing was decided."""
    loaded.is_refreshed = True
    late = _late(found)
    with transaction.atomic():
        for deployment in cities.values():
            names = {unit.uscc: unit.short_name for unit in deployment.units}
            before = statements(deployment, found.today, late)
            now = statements(deployment, today, late)
            for old, new in zip(before, now, strict=True):
                if names[new.uscc] not in late:
                    _state(new, (old.through_date + ONE_DAY, new.through_date))
                    loaded.statements += 1
