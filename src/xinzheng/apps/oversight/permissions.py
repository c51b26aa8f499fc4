"""Who may see and do what in oversight. Each function returns the reasons against it; an empty list means yes."""

from collections.abc import Collection

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


def refusals_to_see_desk(account: Account) -> list[str]:
    """See the desk and the figures behind it (运行情况): the credit office, the leads, the auditor."""
    return _only(account, (Role.OFFICE_OPERATOR, *LEADS, Role.AUDITOR), "查看运行情况")


def refusals_to_draft_pack(account: Account) -> list[str]:
    """Upload, check, compare and simulate a draft pack (起草政策包): the credit office and the justice lead."""
    return _only(account, RULING_ROLES, "起草和模拟政策包")


def refusals_to_sign_proposal(account: Account) -> list[str]:
    """Sign what is put forward (会签): the credit office and the justice lead, one signature each."""
    return _only(account, RULING_ROLES, "会签")


def refusals_to_screen(account: Account) -> list[str]:
    """Screen a list of subjects on a legal basis (名单核查): the credit office."""
    return refusals_to_run_the_office(account)


def refusals_to_see_screenings(account: Account) -> list[str]:
    """See which lists were screened, for whom and on what basis (查看名单核查): the credit office, the auditor."""
    return _only(account, (Role.OFFICE_OPERATOR, Role.AUDITOR), "查看名单核查")


def refusals_to_see_connections(account: Account) -> list[str]:
    """See all sources, channels, platforms, receivers and keys (接入登记): the credit office, system administrators."""
    return _only(account, (Role.OFFICE_OPERATOR, Role.SYSTEM_ADMINISTRATOR), "查看接入登记")


def refusals_to_announce(account: Account) -> list[str]:
    """Announce news (发布公告): the credit office."""
    return refusals_to_run_the_office(account)


def refusals_to_announce_maintenance(account: Account) -> list[str]:
    """Announce a maintenance window (发布停机维护公告): the credit office, system administrators."""
    return _only(account, (Role.OFFICE_OPERATOR, Role.SYSTEM_ADMINISTRATOR), "发布停机维护公告")


def refusals_to_see_system(account: Account) -> list[str]:
    """See the health of the system (系统状态): the credit office, system administrators."""
    return _only(account, (Role.OFFICE_OPERATOR, Role.SYSTEM_ADMINISTRATOR), "查看系统状态")


def _only(account: Account, roles: Collection[Role], deed: str) -> list[str]:
    inactive = [] if account.is_active else [INACTIVE]
    if account.role in roles:
        return inactive
    allowed = "、".join(role.label for role in roles)
    return [*inactive, f"只有{allowed}可以{deed}，{_own_role(account)}"]


def _own_role(account: Account) -> str:
    return f"本账户的角色是{Role(account.role).label}。"
