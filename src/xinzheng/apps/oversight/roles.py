"""All deeds of all apps (权限矩阵): oversight stands above the others, so that the whole table is here."""

from xinzheng.apps.accounts.models import Role
from xinzheng.apps.accounts.permissions import LEADS
from xinzheng.apps.accounts.roles import ACCOUNT_DEEDS, OF_NO_ROLE, Deed, matrix, of_roles, of_subject, of_unit
from xinzheng.apps.oversight import permissions
from xinzheng.apps.oversight.publicity_models import RULING_ROLES
from xinzheng.apps.redress import permissions as of_redress

DEEDS: tuple[Deed, ...] = (
    *ACCOUNT_DEEDS,
    of_unit("查看单位的数据质量", permissions.refusals_to_see_quality, office=Role.OFFICE_OPERATOR),
    of_roles(
        "查看全部单位的归集覆盖、评分和通报",
        permissions.refusals_to_see_all_quality,
        Role.OFFICE_OPERATOR,
        *LEADS,
    ),
    of_roles("发布通报", permissions.refusals_to_publish, Role.OFFICE_OPERATOR),
    of_unit("提交核对清单", permissions.refusals_to_reconcile),
    Deed(
        "核对签字（未另行指定责任人的）",
        "refusals_to_sign",
        lambda account, place: permissions.refusals_to_sign(account, place.unit_id, place.domain),
        own=frozenset({Role.RESPONSIBLE_OFFICER}),
    ),
    of_roles("受理和复核异议", of_redress.refusals_to_take_in_objections, Role.OFFICE_OPERATOR),
    of_unit("查看转办的异议", of_redress.refusals_to_see_objections, office=Role.OFFICE_OPERATOR),
    of_unit("办理转来的异议", of_redress.refusals_to_decide_objection, Role.RESPONSIBLE_OFFICER),
    of_subject("准备信用修复材料", of_redress.refusals_to_prepare_repair),
    of_roles(
        "提请裁定条款的适用疑问",
        permissions.refusals_to_ask_for_ruling,
        Role.DEPARTMENT_OFFICER,
        Role.RESPONSIBLE_OFFICER,
        Role.OFFICE_OPERATOR,
        Role.JUSTICE_LEAD,
    ),
    of_roles("起草和会签裁定", permissions.refusals_to_sign_ruling, Role.OFFICE_OPERATOR, Role.JUSTICE_LEAD),
    of_roles("答复意见建议", permissions.refusals_to_answer_suggestions, Role.OFFICE_OPERATOR),
    of_roles("登记培训和重大问题", permissions.refusals_to_keep_registers, Role.OFFICE_OPERATOR),
    of_roles("查看运行情况", permissions.refusals_to_see_desk, Role.OFFICE_OPERATOR, *LEADS, Role.AUDITOR),
    of_roles("起草和模拟政策包", permissions.refusals_to_draft_pack, *RULING_ROLES),
    of_roles("会签政策包、延期和报送责任", permissions.refusals_to_sign_proposal, *RULING_ROLES),
    of_roles("核查名单", permissions.refusals_to_screen, Role.OFFICE_OPERATOR),
    of_roles("查看名单核查", permissions.refusals_to_see_screenings, Role.OFFICE_OPERATOR, Role.AUDITOR),
    of_roles("查看接入登记", permissions.refusals_to_see_connections, Role.OFFICE_OPERATOR, Role.SYSTEM_ADMINISTRATOR),
    of_roles("发布公告", permissions.refusals_to_announce, Role.OFFICE_OPERATOR),
    of_roles(
        "发布停机维护公告",
        permissions.refusals_to_announce_maintenance,
        Role.OFFICE_OPERATOR,
        Role.SYSTEM_ADMINISTRATOR,
    ),
    of_roles(
        "查看系统状态",
        permissions.refusals_to_see_system,
        Role.OFFICE_OPERATOR,
        Role.SYSTEM_ADMINISTRATOR,
    ),
)

HEAD = """# 权限矩阵

本表由 `xinzheng accounts matrix` 生成，不手工修改；`tests/permissions/test_matrix.py` 逐格核对表与程序是否一致。

- 可以：不限单位和主体。限本方：只限本单位、本主体或者本核验单位。—：不可以。
- 经办人还须有有效的授权，且授权包括该事项（申请、查看、亮码、提出异议、授权他人）；自然人只能本人办理。
- 一个账户只有一个角色；系统管理、安全管理、审计由不同的人担任，任何人不能办理自己的账户。
- 停用的账户什么都不可以。

"""
FOOT = "\n不按角色判断的：\n\n"


def matrix_page() -> str:
    """The whole page, docs/operations/权限矩阵.md."""
    others = "".join(f"- `{name}`：{why}。\n" for name, why in OF_NO_ROLE.items())
    return HEAD + matrix(DEEDS) + FOOT + others
