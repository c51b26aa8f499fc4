"""Ways to answer an objection (答复方式): how it is upheld, and what else a unit may do with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.queries import ObjectionView
from xinzheng.apps.redress.upholding import BY_GROUND
from xinzheng.core.objections import Act
from xinzheng.web.objections.acting import ActForm, units_for
from xinzheng.web.objections.cases import RecordNow

What = Correction.What
AFTER = "办结以后不能撤回，只能再次更正。"
TOLD = "受影响的报告改为“已更正”，申请人和看过报告的单位会收到通知。"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to uphold (更正方式): what it does, whether the row is typed here or was delivered in a batch."""

    name: str
    what: What
    title: str
    hint: str
    after: str
    has_columns: bool = False
    has_batch: bool = False


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        way.name: way
        for way in (
            Way("changed", What.CHANGED, "更正内容", "栏目写错、漏写的，在这里改正",
                f"这条记录改为更正后的内容，原内容留在历史里。{TOLD}{AFTER}", has_columns=True),
            Way("changed-delivered", What.CHANGED, "已另行报送", "更正后的内容已经在一个批次里报送",
                f"以所填批次里的内容为更正后的内容。{TOLD}{AFTER}", has_batch=True),
            Way("replaced", What.REPLACED, "换成另一条", "文号、机关写错的，原记录撤下，另记一条",
                f"原记录撤下，不再计入，也不再列入报告；更正后的另记一条。{TOLD}{AFTER}", has_columns=True),
            Way("replaced-delivered", What.REPLACED, "另一条已经报送", "正确的一条已经在一个批次里报送，撤下原来这条",
                f"原记录撤下，不再计入，也不再列入报告；以所填批次里的那一条代替。{TOLD}{AFTER}", has_batch=True),
            Way("removed", What.REMOVED, "撤下记录", "不是该主体的，或者不应当有的",
                f"这条记录撤下，不再计入，也不再列入报告。{TOLD}{AFTER}"),
            Way("taken-down", What.TAKEN_DOWN, "停止公示", "内容没有错，只是公示期已满",
                f"确认公示期已满并已停止公示；记录内容和报告的认定不变。{AFTER}"),
        )
    }
)  # fmt: skip


def ways_to_uphold(view: ObjectionView, record: RecordNow | None) -> list[Way]:
    """What fits the ground; of a record that was taken out meanwhile only that this is confirmed."""
    fitting = [way for way in WAYS.values() if way.what in BY_GROUND[view.ground]]
    is_gone = record is not None and record.row is None
    return [way for way in fitting if way.what is What.REMOVED] if is_gone else fitting


def other_forms(view: ObjectionView, acts: set[Act]) -> list[ActForm]:
    """Everything but upholding that may be done now."""
    known = (
        ActForm(
            "promise", "补报遗漏的记录", "确认有遗漏，按平常的渠道尽快报送；记录入账后这件异议自动办结，时限照算。",
            "承诺补报", reason="遗漏的原因，何时报送", is_main=True,
        ),
        ActForm(
            "dismiss", "异议不成立", "记录不改动，“异议处理中”的注明取消。申请人会看到理由和证据，可以申请一次复核。",
            "认定异议不成立", reason="核实的情况和理由", has_evidence=True,
        ),
        ActForm(
            "hand-over", "移交其他单位", "不属于本单位、应由别的单位答复的。最多移交两次，时限照算。",
            "移交", reason="为什么由该单位办理", units=units_for(view, [view.unit_id]),
        ),
        ActForm(
            "return", "退回信用办", "不知道应由谁办理的，由信用办重新安排，时限照算。",
            "退回信用办", reason="为什么不属于本单位",
        ),
    )  # fmt: skip
    return [form for form in known if Act(form.act) in acts and (form.units or form.act != Act.HAND_OVER)]
