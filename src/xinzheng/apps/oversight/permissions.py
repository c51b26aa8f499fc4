"""Who may see and do what in oversight. Each function returns the reasons against it; an empty list means yes."""

from xinzheng.apps.accounts.models import OF_A_UNIT, Account, Role
from xinzheng.apps.accounts.permissions import (
    INACTIVE,
    LEADS,
    refusals_to_answer_for_lines,
    refusals_to_run_the_office,
    refusals_to_submit,
)
from xinzheng.apps.oversight.officers import named_officer
from xinzheng.apps.oversight.publicity_models import RULING_ROLES


def refusals_to_see_quality(account: Account, unit_id: int) -> list[str]:
    """See a unit's calendar, score and reminders: its own officers and the credit office."""
    if account.role == Role.OFFICE_OPERATOR:
        return refusals_to_run_the_office(account)
    if account.role not in OF_A_UNIT:
        label = Role(account.role).label
        return [f"只有数源单位和信用办可以查看数据质量，本账户的角色是{label}。"]
    if account.unit_id != unit_id:
        return ["本账户属于另一单位，只能查看本单位的数据质量。"]
    return refusals_to_submit(account, unit_id)


def refusals_to_see_all_quality(account: Account) -> list[str]:
    """See and compare all units, read bulletins: the credit office and the leads of justice and data (联络员)."""
    inactive = [] if account.is_active else [INACTIVE]
    if account.role in (Role.OFFICE_OPERATOR, *LEADS):
        return inactive
    label = Role(account.role).label
    return [*inactive, f"只有信用办和司法局、大数据局的联络员可以查看全部单位的数据质量，本账户的角色是{label}。"]


def refusals_to_publish(account: Account) -> list[str]:
    """Publish a bulletin (发布通报): the credit office."""
    return refusals_to_run_the_office(account)


def refusals_to_ask_for_ruling(account: Account) -> list[str]:
    """Put a doubtful reading of a clause to the office (提请裁定): officers, the credit office, the justice lead."""
    if account.role in (*OF_A_UNIT, Role.OFFICE_OPERATOR, Role.JUSTICE_LEAD):
        return [] if account.is_active else [INACTIVE]
    return [
        *([] if account.is_active else [INACTIVE]),
        f"只有数源单位、信用办和司法局联络员可以提请裁定，{_own_role(account)}",
    ]


def refusals_to_sign_ruling(account: Account) -> list[str]:
    """Draft a ruling and sign it (会签裁定): the credit office and the justice lead, one signature each."""
    if account.role in RULING_ROLES:
        return [] if account.is_active else [INACTIVE]
    return [*([] if account.is_active else [INACTIVE]), f"裁定由信用办和司法局联络员会签，{_own_role(account)}"]


def refusals_to_answer_suggestions(account: Account) -> list[str]:
    """Read and answer suggestions and complaints (答复意见建议): the credit office."""
    return refusals_to_run_the_office(account)


def refusals_to_keep_registers(account: Account) -> list[str]:
    """Keep the registers of trainings and of major problems (培训登记、重大问题): the credit office."""
    return refusals_to_run_the_office(account)


def refusals_to_reconcile(account: Account, unit_id: int) -> list[str]:
    """State a unit's own list (对账): its officers."""
    return refusals_to_submit(account, unit_id)


def refusals_to_sign(account: Account, unit_id: int, domain: str) -> list[str]:
    """Sign a reconciliation: the officer named for unit and domain; where none is named, the unit's responsible one."""
    refusals = refusals_to_submit(account, unit_id)
    if refusals:
        return refusals
    named = named_officer(unit_id, domain)
    if named is not None:
        return [] if named == account.pk else ["该领域已指定责任人，须由指定的责任人签字。"]
    if refusals_to_answer_for_lines(account, unit_id):
        return ["核对结果须由本单位责任人签字。"]
    return []


def _own_role(account: Account) -> str:
    return f"本账户的角色是{Role(account.role).label}。"
