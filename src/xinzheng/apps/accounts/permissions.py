"""What an account may do. Each function returns the reasons against it, in Chinese; an empty list means yes."""

from xinzheng.apps.accounts.models import OF_A_UNIT, Account, ApiKey, Role

INACTIVE = "账户已停用，请联系系统管理员。"


def refusals_to_submit(account: Account, unit_id: int) -> list[str]:
    """Submit records of a unit (报送): its officers."""
    return _inactive(account) + _not_of_unit(account, unit_id, "报送数据")


def refusals_to_declare_coverage(account: Account, unit_id: int) -> list[str]:
    """Declare or withdraw what a unit's data cover, also as a zero return (零报告): its officers."""
    return _inactive(account) + _not_of_unit(account, unit_id, "填报归集覆盖")


def refusals_to_answer_for_lines(account: Account, unit_id: int) -> list[str]:
    """Explain rejected lines so that a batch can carry its statement: the unit's responsible officer (责任人)."""
    refusals = _inactive(account) + _not_of_unit(account, unit_id, "说明被退回的行")
    if account.role == Role.DEPARTMENT_OFFICER:
        refusals.append("说明被退回的行须由本单位责任人办理。")
    return refusals


def refusals_to_confirm(account: Account, unit_id: int, submitted_by: str) -> list[str]:
    """Confirm a held batch (确认暂存批次): another officer of the unit than who submitted it, or the credit office."""
    refusals = refusals_to_decline(account, unit_id)
    if account.actor == submitted_by:
        refusals.append("本批是您报送的，须由本单位另一名工作人员或者信用办确认。")
    return refusals


def refusals_to_decline(account: Account, unit_id: int) -> list[str]:
    """Decline a held batch (撤回暂存批次): the unit's officers, also who submitted it, and the credit office."""
    if account.role == Role.OFFICE_OPERATOR:
        return _inactive(account)
    return _inactive(account) + _not_of_unit(account, unit_id, "处理暂存的批次")


def refusals_to_apply(account: Account, subject_id: int) -> list[str]:
    """Apply for a subject's report (申请报告): the subject's agent (经办人)."""
    return _inactive(account) + _not_of_subject(account, subject_id, "申请专用信用报告")


def refusals_to_read_report(account: Account, subject_id: int) -> list[str]:
    """Read the content of a subject's report: its agent, the credit office and the auditor."""
    if account.role in (Role.OFFICE_OPERATOR, Role.AUDITOR):
        return _inactive(account)
    return _inactive(account) + _not_of_subject(account, subject_id, "查看报告内容")


def refusals_to_run_the_office(account: Account) -> list[str]:
    """See the quality of all units' data and release held batches: the credit office (信用办)."""
    return _inactive(account) + _not_in_role(account, Role.OFFICE_OPERATOR, "办理信用办事项")


def refusals_to_read_audit(account: Account) -> list[str]:
    """Read the audit trail: the auditor (审计员)."""
    return _inactive(account) + _not_in_role(account, Role.AUDITOR, "查看审计记录")


def refusals_to_administer(account: Account) -> list[str]:
    """Open and close accounts: the system administrator (系统管理员)."""
    return _inactive(account) + _not_in_role(account, Role.SYSTEM_ADMINISTRATOR, "管理账户")


def refusals_to_manage_keys(account: Account) -> list[str]:
    """Make and revoke keys (接口密钥) of units: the system administrator (系统管理员)."""
    return _inactive(account) + _not_in_role(account, Role.SYSTEM_ADMINISTRATOR, "管理接口密钥")


def refusals_to_answer_by_key(key: ApiKey) -> list[str]:
    """Do by key what only the unit's responsible officer may: a key that was made for that officer (责任人密钥)."""
    return [] if key.is_responsible else ["这件事只由本单位责任人办理；请用责任人的密钥，或者由责任人在网页上办理。"]


def refusals_to_withdraw(account: Account, unit_id: int) -> list[str]:
    """Withdraw a batch (撤回批次): the unit's responsible officer (责任人); reports may cease to hold by it."""
    refusals = _inactive(account) + _not_of_unit(account, unit_id, "撤回批次")
    if account.role == Role.DEPARTMENT_OFFICER:
        refusals.append("撤回批次须由本单位责任人办理。")
    return refusals


def _inactive(account: Account) -> list[str]:
    return [] if account.is_active else [INACTIVE]


def _not_in_role(account: Account, role: Role, deed: str) -> list[str]:
    if account.role == role:
        return []
    return [f"只有{role.label}可以{deed}，本账户的角色是{Role(account.role).label}。"]


def _not_of_unit(account: Account, unit_id: int, deed: str) -> list[str]:
    if account.role not in OF_A_UNIT:
        return [f"只有数源单位的工作人员或责任人可以{deed}，本账户的角色是{Role(account.role).label}。"]
    if account.unit_id != unit_id:
        return [f"本账户属于另一单位，只能为本单位{deed}。"]
    return []


def _not_of_subject(account: Account, subject_id: int, deed: str) -> list[str]:
    if account.role != Role.SUBJECT_AGENT:
        return [f"只有该主体的经办人可以{deed}，本账户的角色是{Role(account.role).label}。"]
    if account.subject_id is None:
        return [f"本账户尚未与主体绑定，不能{deed}；请先完成法定代表人授权。"]
    if account.subject_id != subject_id:
        return [f"本账户绑定的是另一主体，不能{deed}。"]
    return []
