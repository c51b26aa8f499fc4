"""Which subject an account acts for."""

from django.core.exceptions import PermissionDenied

from xinzheng.apps.accounts.models import Account
from xinzheng.apps.accounts.permissions import refusals_to_apply
from xinzheng.web.access import refuse_if

NO_SUBJECT = "本账户还没有与主体绑定，不能申请报告；请先完成法定代表人授权。"


def own_subject(account: Account) -> int:
    """The subject this account applies for.

    Raises:
        PermissionDenied: the account is not an agent, or not of any subject.
    """
    refuse_if(refusals_to_apply(account, account.subject_id or 0))
    if account.subject_id is None:
        raise PermissionDenied(NO_SUBJECT)
    return account.subject_id
