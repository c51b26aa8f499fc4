"""A register of a whole city is taken over in bounded memory and time."""

import resource
import time
from pathlib import Path

import pytest

from tests.small_city import uscc
from xinzheng.apps.registry.actions import import_subjects
from xinzheng.apps.registry.models import Succession

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ROWS = 60_000
MEGABYTES, SECONDS = 360, 72  # measured: 210, 12


def written(path: Path) -> Path:
    """Every tenth firm was renamed into the next one, every hundredth has a registration number."""
    with path.open("w", encoding="utf-8") as file:
        file.write("名称,统一社会信用代码,类型,法定代表人,登记状态,成立日期,住所,注册号,承继关系,关联主体代码\n")
        for n in range(ROWS):
            number = f"3205{n:011d}" if n % 100 == 0 else ""
            relation = f"吸收合并,{uscc(n + 1)}" if n % 10 == 0 else ","
            file.write(
                f"苏州示例{n}有限公司,{uscc(n)},企业法人,示例甲,存续,2020-01-01,"
                f"苏州工业园区示例路{n}号示例大厦,{number},{relation}\n"
            )
    return path


def test_sixty_thousand_subjects_are_taken_over_and_found_the_same_again(tmp_path: Path) -> None:
    path = written(tmp_path / "名录.csv")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    first = import_subjects(path, by="system")
    again = import_subjects(path, by="system")
    seconds = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert (first.new, first.rejected, again.identical) == (ROWS, 0, ROWS)
    assert Succession.objects.count() == ROWS // 10
    assert grown < MEGABYTES
    assert seconds < SECONDS
