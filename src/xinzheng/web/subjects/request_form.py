"""What was asked for on the application page, read and checked."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.http import QueryDict

from xinzheng.apps.audit.privacy import UnkeepableTextError, text_to_keep
from xinzheng.apps.codes.receiver_queries import verified_named
from xinzheng.apps.reports.forms import ApplicationForm, told_of
from xinzheng.core.decision import Request
from xinzheng.core.identifiers import check_uscc
from xinzheng.web.form_errors import FieldError


@dataclass(frozen=True)
class Asked:
    """The request, or what has to be mended; ``values`` is what was filled in, to show it again.

    ``told`` stands for the exceptions that were on the page; ``again_of`` is the report whose scope it repeats.
    """

    request: Request
    key: uuid.UUID
    errors: Sequence[FieldError]
    values: dict[str, object]
    receiver_name: str = ""
    told: str = ""
    again_of: str = ""


def preset(form: ApplicationForm) -> dict[str, object]:
    """The values before anything is changed: everything the policy allows."""
    return {
        "purpose": form.default_purpose,
        "from": form.from_date.isoformat(),
        "to": form.to_date.isoformat(),
        "domains": [code for code, _ in form.domains],
        "receiver": "",
    }


def values_of(form: ApplicationForm, request: Request) -> dict[str, object]:
    """The values that ask for this request; days outside what the policy allows today come inside."""
    inside = within(form, request)
    return {
        "purpose": inside.purpose or form.default_purpose,
        "from": (inside.from_date or form.from_date).isoformat(),
        "to": (inside.to_date or form.to_date).isoformat(),
        "domains": list(inside.domains) if inside.domains is not None else [code for code, _ in form.domains],
        "receiver": "",
    }


def within(form: ApplicationForm, request: Request) -> Request:
    """The same request as it can be made under this form: only what it offers, the days within its period."""
    offered = [code for code, _ in form.domains]
    chosen = set(request.domains) if request.domains is not None and form.may_choose_domains else set(offered)
    domains = tuple(code for code in offered if code in chosen)
    purposes = {code for code, _, _ in form.purposes}
    from_date, to_date = (request.from_date, request.to_date) if form.may_choose_period else (None, None)
    days = (max(from_date or form.from_date, form.from_date), min(to_date or form.to_date, form.to_date))
    is_widest = days == (form.from_date, form.to_date)
    return Request(
        None if len(domains) == len(offered) else domains,
        None if is_widest else days[0],
        None if is_widest else days[1],
        request.purpose if request.purpose in purposes else form.default_purpose,
    )


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
        "receiver": posted.get("receiver", ""),
    }
    receiver_name = _receiver(posted, errors)
    if posted.get("told", "") != told_of(form):
        errors.append(FieldError("told", "请看过本报告不能代替的情形，再点“出具报告”。"))
    request = Request(domains, from_date, to_date, purpose)
    return Asked(request, _key(posted), errors, values, receiver_name, told_of(form))


def _receiver(posted: QueryDict, errors: list[FieldError]) -> str:
    try:
        said = text_to_keep(posted.get("receiver", ""), field="要求提交证明的单位")
    except UnkeepableTextError as error:
        errors.append(FieldError("receiver", error.message))
        return ""
    # A verified receiver may be meant by its code; the name is what the subject reads later.
    found = verified_named(said) if check_uscc(said).ok else None
    return found.name if found is not None else said


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
