"""The time saved (节省时间), an estimate: certificates replaced times the hours assumed for one."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from xinzheng.apps.oversight.errors import OversightError

FIELDS = {"hours_per_certificate", "dated", "basis", "reason"}
FORMULA = "节省时间（小时）＝替代的证明份数×每份证明假定的小时数"
BASES = ("judgement", "measured")
# More than a working week for one certificate would be a slip of the pen.
MOST_HOURS = 40


@dataclass(frozen=True, slots=True)
class Saving:
    """The hours assumed for a certificate (每份证明的小时数), since when, why; ``is_measured``: by a survey."""

    hours: Decimal
    dated: date
    reason: str
    is_measured: bool

    @property
    def spoken(self) -> str:
        """The hours as people write them."""
        return f"{self.hours.normalize():f}"

    def of(self, certificates: int) -> int:
        """The hours saved by so many certificates that nobody had to fetch."""
        return int(self.hours * certificates)


def saving() -> Saving:
    """What the deployment's file says, else ours. OversightError ``saving-unfit`` where the file is none."""
    return read_saving(settings.XINZHENG_SAVING)


@lru_cache(maxsize=4)
def read_saving(path: str) -> Saving:
    """What a file says, the one shipped for an empty path. OversightError ``saving-unfit``."""
    try:
        text = Path(path).read_text("utf-8") if path else files(__package__).joinpath("saving.yaml").read_text("utf-8")
        return _saving(yaml.safe_load(text))
    except (OSError, ValueError, TypeError, ArithmeticError, yaml.YAMLError) as error:
        message = (
            f"XINZHENG_SAVING 所指的文件 {path} 读不出：应有 hours_per_certificate（不超过{MOST_HOURS}的正数）、"
            "dated（日期）、basis（judgement 或者 measured）和 reason 四项，格式同 saving.yaml。"
        )
        raise OversightError(message, code="saving-unfit") from error


def _saving(found: Any) -> Saving:
    if not isinstance(found, dict) or set(found) != FIELDS:
        raise ValueError("fields")
    hours, dated, reason = Decimal(str(found["hours_per_certificate"])), found["dated"], str(found["reason"]).strip()
    if not 0 < hours <= MOST_HOURS or type(dated) is not date or found["basis"] not in BASES or not reason:
        raise ValueError("values")
    return Saving(hours, dated, reason, is_measured=found["basis"] == "measured")
