"""Who may do what in redress. Each function returns the reasons against it; an empty list means yes."""

from xinzheng.apps.accounts.models import Account, Role
from xinzheng.apps.accounts.permissions import (
    refusals_to_object,
    refusals_to_run_the_office,
    refusals_to_submit,
    refusals_to_withdraw,
)


def refusals_to_take_in_objections(account: Account) -> list[str]:
    """Take objections in, decline them, ask for more, review appeals (受理、复核异议): the credit office."""
    return refusals_to_run_the_office(account)


def refusals_to_see_objections(account: Account, unit_id: int) -> list[str]:
    """See objections that lie or lay with a unit (查看异议): its own officers and the credit office."""
    if account.role == Role.OFFICE_OPERATOR:
        return refusals_to_run_the_office(account)
    return refusals_to_submit(account, unit_id)


def refusals_to_decide_objection(account: Account, unit_id: int) -> list[str]:
    """Decide what lies with a unit (办理异议): its responsible officer (责任人); reports may cease to hold by it."""
    return refusals_to_withdraw(account, unit_id)


def refusals_to_prepare_repair(account: Account, subject_id: int) -> list[str]:
    """Have the data of a repair put together and say what became of it (信用修复): the subject's agent (经办人)."""
    return refusals_to_object(account, subject_id)
