"""What was asked for on the application page, read and checked."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.http import QueryDict

from xinzheng.apps.reports.forms import ApplicationForm
from xinzheng.core.decision import Request
from xinzheng.web.form_errors import FieldError


@dataclass(frozen=True)
class Asked:
    """The request, or what has to be mended; ``values`` is what was filled in, to show it again."""

    request: Request
    key: uuid.UUID
    errors: Sequence[FieldError]
    values: dict[str, object]


def preset(form: ApplicationForm) -> dict[str, object]:
    """The values before anything is changed: everything the policy allows."""
    return {
        "purpose": form.default_purpose,
        "from": form.from_date.isoformat(),
        "to": form.to_date.isoformat(),
        "domains": [code for code, _ in form.domains],
    }


def read_request(form: ApplicationForm, posted: QueryDict) -> Asked:
    """Read what was asked. A choice the policy does not offer is never read from the page."""
    errors: list[FieldError] = []
    purpose = _purpose(form, posted, errors)
    domains = _domains(form, posted, errors) if form.may_choose_domains else None
    from_date, to_date = _period(form, posted, errors) if form.may_choose_period else (None, None)
    values: dict[str, object] = {
        "purpose": purpose,
        "from": posted.get("from", form.from_date.isoformat()),
        "to": posted.get("to", form.to_date.isoformat()),
        "domains": list(domains) if domains is not None else [code for code, _ in form.domains],
    }
    return Asked(Request(domains, from_date, to_date, purpose), _key(posted), errors, values)


def _purpose(form: ApplicationForm, posted: QueryDict, errors: list[FieldError]) -> str:
    purpose = posted.get("purpose", form.default_purpose)
    if purpose not in {code for code, _, _ in form.purposes}:
        errors.append(FieldError("purpose", "请从列出的用途中选一项。"))
        return form.default_purpose
    return purpose


def _domains(form: ApplicationForm, posted: QueryDict, errors: list[FieldError]) -> tuple[str, ...] | None:
    chosen = set(posted.getlist("domains"))
    codes = tuple(code for code, _ in form.domains if code in chosen)
    if not codes:
        errors.append(FieldError("domains", "至少要选一个领域。"))
        return ()
    return None if len(codes) == len(form.domains) else codes


def _period(form: ApplicationForm, posted: QueryDict, errors: list[FieldError]) -> tuple[date | None, date | None]:
    from_date = _day(posted.get("from", ""), "from", errors)
    to_date = _day(posted.get("to", ""), "to", errors)
    if from_date and to_date and from_date > to_date:
        errors.append(FieldError("from", "开始日期晚于结束日期，请对调或者改正。"))
    is_widest = (from_date, to_date) == (form.from_date, form.to_date)
    return (None, None) if is_widest else (from_date, to_date)


def _day(text: str, field: str, errors: list[FieldError]) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        name = "开始" if field == "from" else "结束"
        errors.append(FieldError(field, f"{name}日期没有填对，请按2026-01-31这样填写。"))
        return None


def _key(posted: QueryDict) -> uuid.UUID:
    try:
        return uuid.UUID(posted.get("key", ""))
    except ValueError:
        return uuid.uuid4()
