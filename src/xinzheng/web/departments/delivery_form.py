"""What an officer filled in for a delivery or a zero return, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from xinzheng.apps.ledger.delivery import MODES
from xinzheng.web.departments.duties import Duty
from xinzheng.web.form_errors import FieldError

MEBIBYTE = 1024 * 1024
SUFFIXES = (".csv", ".xlsx", ".xls", ".jsonl")


@dataclass(frozen=True)
class Filled:
    """What was filled in: the duty, the days, the mode, the column map; or what has to be mended."""

    duty: Duty | None
    covers: tuple[date, date] | None
    mode: str
    errors: tuple[FieldError, ...]
    map_name: str | None = None


def read_zero_return(duties: Sequence[Duty], posted: QueryDict) -> Filled:
    """A zero return names its days; both of them."""
    errors: list[FieldError] = []
    duty = _duty(duties, posted, "zero-scope", errors)
    covers = _covers(posted, "zero-", errors, is_required=True)
    return Filled(duty, covers, "", tuple(errors))


def read_withdrawal(duties: Sequence[Duty], posted: QueryDict) -> Filled:
    """The withdrawal of a statement names its days; both of them."""
    errors: list[FieldError] = []
    duty = _duty(duties, posted, "withdraw-scope", errors)
    covers = _covers(posted, "withdraw-", errors, is_required=True)
    return Filled(duty, covers, "", tuple(errors))


def read_delivery(duties: Sequence[Duty], posted: QueryDict, file: "UploadedFile[bytes] | None") -> Filled:
    """A delivery may name its days; one day alone is a mistake."""
    errors: list[FieldError] = []
    duty = _duty(duties, posted, "scope", errors)
    covers = _covers(posted, "", errors, is_required=False)
    check_file(file, errors)
    mode = posted.get("mode", MODES[0])
    map_name = posted.get("map", "").strip() or None
    return Filled(duty, covers, mode if mode in MODES else MODES[0], tuple(errors), map_name)


def _duty(duties: Sequence[Duty], posted: QueryDict, field: str, errors: list[FieldError]) -> Duty | None:
    wanted = posted.get(field, "")
    duty = next((duty for duty in duties if duty.scope == wanted), None)
    if duty is None:
        errors.append(FieldError(field, "请选择领域和数据种类。"))
    return duty


def _covers(posted: QueryDict, prefix: str, errors: list[FieldError], *, is_required: bool) -> tuple[date, date] | None:
    texts = {name: posted.get(prefix + name, "").strip() for name in ("from", "through")}
    if not any(texts.values()) and not is_required:
        return None
    days = {name: _day(text) for name, text in texts.items()}
    for name, said in (("from", "起始日期"), ("through", "截止日期")):
        if days[name] is None:
            errors.append(FieldError(prefix + name, f"{said}没有填对，请按2026-01-31这样填写。"))
    first, last = days["from"], days["through"]
    if first is None or last is None:
        return None
    if first > last:
        errors.append(FieldError(prefix + "from", "起始日期晚于截止日期，请对调或者改正。"))
    return first, last


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def check_file(file: "UploadedFile[bytes] | None", errors: list[FieldError], field: str = "file") -> None:
    """A file that can be read at all: there, not empty, not too large, of a form that is known."""
    limit = settings.XINZHENG_BATCH_MAX_BYTES
    if file is None:
        errors.append(FieldError(field, "请先选择文件。"))
    elif not file.size:
        errors.append(FieldError(field, "文件是空的，请换一个文件；没有记录的，请作零报告。"))
    elif file.size > limit:
        errors.append(FieldError(field, f"文件超过{limit // MEBIBYTE} MB，请拆成几个文件分别报送。"))
    elif not str(file.name).lower().endswith(SUFFIXES):
        errors.append(FieldError(field, "不认识这种文件，请用CSV、XLSX、XLS或者JSON行。"))
