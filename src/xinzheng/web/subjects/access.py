"""Which subject an account acts for."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import refusals_to_apply
from xinzheng.web.access import refuse_if

NO_SUBJECT = "本账户还没有可以代理的主体；请在“代理关系”（/mandates）中申请授权，或者选择要代理的主体。"


def own_subject(account: Account, refusals: Callable[[Account, int], list[str]] = refusals_to_apply) -> int:
    """The subject this account acts for now, if its mandate permits what is asked: by default, to apply.

    Raises:
        PermissionDenied: the account is not an agent, acts for nobody, or its mandate ended or does not reach so far.
    """
    if account.subject_id is None and account.role == Role.SUBJECT_AGENT:
        raise PermissionDenied(NO_SUBJECT)
    refuse_if(refusals(account, account.subject_id or 0))
    return account.subject_id or 0
