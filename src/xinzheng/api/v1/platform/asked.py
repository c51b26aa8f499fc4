"""What a platform asks for, held against what the policy offers: no choice is taken that a page would not offer."""

from http import HTTPStatus

from xinzheng.api.problems import ProblemError
from xinzheng.api.v1.platform.acting import unfit
from xinzheng.api.v1.platform.applying_schemas import ApplicationFields
from xinzheng.apps.audit.privacy import UnkeepableTextError, text_to_keep
from xinzheng.apps.reports.forms import ApplicationForm, told_of
from xinzheng.core.decision import Request


def request_of(form: ApplicationForm, fields: ApplicationFields) -> Request:
    """The request. Raises ProblemError: ``request-invalid`` with every unfit field, ``exceptions-not-seen``."""
    wrong = [*_purpose(form, fields), *_domains(form, fields), *_period(form, fields), *_receiver(fields)]
    if wrong:
        raise unfit(wrong)
    _check_exceptions(form, fields)
    codes = tuple(code for code, _ in form.domains if code in (fields.domains or ()))
    is_widest = (fields.from_date, fields.to_date) == (form.from_date, form.to_date)
    return Request(
        None if fields.domains is None or len(codes) == len(form.domains) else codes,
        None if is_widest else fields.from_date,
        None if is_widest else fields.to_date,
        fields.purpose,
    )


def _purpose(form: ApplicationForm, fields: ApplicationFields) -> list[tuple[str, str]]:
    codes = [code for code, _, _ in form.purposes]
    return [] if fields.purpose in codes else [("purpose", f"不在政策列出的用途中，可用的有：{'、'.join(codes)}。")]


def _domains(form: ApplicationForm, fields: ApplicationFields) -> list[tuple[str, str]]:
    if fields.domains is None:
        return []
    if not form.may_choose_domains:
        return [("domains", "这项政策不能自选领域，请不写这一项。")]
    unknown = sorted(set(fields.domains) - {code for code, _ in form.domains})
    return [("domains", f"政策没有这些领域：{'、'.join(unknown)}。")] if unknown else []


def _period(form: ApplicationForm, fields: ApplicationFields) -> list[tuple[str, str]]:
    if fields.from_date is None or fields.to_date is None:
        return []
    if not form.may_choose_period:
        return [("from_date", "这项政策不能自选查询期，请不写 from_date 和 to_date。")]
    if fields.from_date < form.from_date or fields.to_date > form.to_date:
        return [("from_date", f"查询期应在{form.from_date}至{form.to_date}之内。")]
    return []


def _receiver(fields: ApplicationFields) -> list[tuple[str, str]]:
    try:
        text_to_keep(fields.receiver_name, field="要求提交证明的单位")
    except UnkeepableTextError as error:
        return [("receiver_name", error.message)]
    return []


def _check_exceptions(form: ApplicationForm, fields: ApplicationFields) -> None:
    """Whoever applies has seen what the report cannot stand for, as it is worded today."""
    if fields.exceptions_seen == told_of(form):
        return
    message = "请先让主体看过本报告不能代替的情形，再把 application-forms 给的 exceptions_seen 原样送回。"
    errors = [{"in": "body", "field": "exceptions_seen", "detail": said} for said in form.exceptions]
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "exceptions-not-seen", message, errors=errors)
