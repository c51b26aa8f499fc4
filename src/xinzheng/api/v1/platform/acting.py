"""For whom a platform acts: which subject, whose report, application or share.

What is not the account's to act for at all is answered like what is not there; what its mandate does not reach to,
with the reasons the pages give.
"""

import uuid
from collections.abc import Callable, Sequence
from http import HTTPStatus

from django.http import Http404, HttpRequest
from django.utils import timezone

from xinzheng.api.platforms import PlatformCaller, acting_account, platform_caller, require
from xinzheng.api.problems import ProblemError
from xinzheng.apps.accounts.mandate_queries import scopes_of
from xinzheng.apps.accounts.models import Account
from xinzheng.apps.audit.queries import head_position
from xinzheng.apps.codes.view_queries import ShareRow, share_row
from xinzheng.apps.registry.queries import find_subject, subject_at
from xinzheng.apps.reports.models import Application, Report
from xinzheng.apps.reports.replaying import report_by_number
from xinzheng.core.errors import XinzhengError
from xinzheng.core.identifiers import check_uscc

SELF = "self"
NOBODYS = 0
Permission = Callable[[Account, int], list[str]]


def acting_for(request: HttpRequest, scope: str) -> tuple[PlatformCaller, Account]:
    """The platform and the account it acts for. Raises ProblemError: ``scope-missing``, ``on-behalf-required``."""
    caller = platform_caller(request)
    require(caller, scope)
    return caller, acting_account(caller)


def subject_named(account: Account, named: str, refusals_to: Permission, place: str = "query") -> int:
    """The subject that a request names: by its code, or ``self`` for the natural person behind the account.

    Raises ProblemError: ``request-invalid``, ``mandate-insufficient``; a code that is not in the register is refused
    in the same words as one the account may not act for.
    """
    found = account.person_id
    if named != SELF:
        code = check_uscc(named)
        if not code.ok:
            raise unfit([("subject", f"应为统一社会信用代码，或者 {SELF}（本人）；不要写身份号码。")], place)
        found = find_subject(code.value)
    refuse_if(refusals_to(account, found or 0))
    return found or 0


def subject_name(account: Account, subject_id: int) -> str:
    """How a subject is named in answers: as it is named in requests."""
    return SELF if account.person_id == subject_id else subject_at(subject_id, head_position()).identifier


def own_report(account: Account, number: str, refusals_to: Permission) -> Report:
    """A report of a subject the account acts for. Raises Http404, or ProblemError ``mandate-insufficient``."""
    try:
        found = report_by_number(number)
    except XinzhengError:
        raise _not_there(account) from None
    _check_own(account, found.subject_id, refusals_to)
    return found


def own_application(account: Account, application_id: uuid.UUID, refusals_to: Permission) -> Application:
    """An application of a subject the account acts for. Raises as ``own_report``."""
    found = Application.objects.filter(pk=application_id).first()
    if found is None:
        raise _not_there(account)
    _check_own(account, found.subject_id, refusals_to)
    return found


def own_share(account: Account, share_id: uuid.UUID, refusals_to: Permission) -> tuple[ShareRow, int]:
    """A share of a subject the account acts for, and the subject. Raises as ``own_report``."""
    found = share_row(share_id)
    if found is None:
        raise _not_there(account)
    _check_own(account, found[1], refusals_to)
    return found


def _check_own(account: Account, subject_id: int, refusals_to: Permission) -> None:
    if not scopes_of(account, subject_id, timezone.localdate()):
        raise Http404
    refuse_if(refusals_to(account, subject_id))


def _not_there(account: Account) -> Http404:
    """To be raised; after the same work as for somebody else's, so that the time taken tells nothing either."""
    scopes_of(account, NOBODYS, timezone.localdate())
    return Http404()


def refuse_if(refusals: list[str]) -> None:
    """Refuse with every reason when there is one. Raises ProblemError: ``mandate-insufficient``."""
    if refusals:
        raise ProblemError(HTTPStatus.FORBIDDEN, "mandate-insufficient", "；".join(refusals))


def unfit(found: Sequence[tuple[str, str]], place: str = "body") -> ProblemError:
    """Fields that are unfit and what is wrong with each, told as the frame tells it."""
    errors = [{"in": place, "field": field, "detail": detail} for field, detail in found]
    message = "；".join(f"{field}：{detail}" for field, detail in found)
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "request-invalid", message, errors=errors)
