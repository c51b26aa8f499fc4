"""What objections are called on pages (异议用语): grounds, states, and in one sentence where one stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xinzheng.apps.redress.queries import ObjectionView, StepView
from xinzheng.core.objection_clock import Clock
from xinzheng.core.objection_words import GROUND_WORDS as GROUND_WORDS  # noqa: PLC0414  # the pages read it here
from xinzheng.core.objection_words import STATE_WORDS as STATE_WORDS  # noqa: PLC0414  # the pages read it here
from xinzheng.core.objections import Act, Party, State
from xinzheng.core.sentences import spoken_date

# The mark of a state: what waits for the subject stands out.
STATE_MARKS: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.MORE_ASKED: ("unver", "unver"),
        State.DECLINED: ("minus", "apart"),
        State.DISMISSED: ("minus", "apart"),
        State.CONFIRMED: ("minus", "apart"),
        State.WITHDRAWN: ("minus", "apart"),
        State.LAPSED: ("minus", "apart"),
        State.CORRECTED: ("info", "info"),
    }
)
CORRECTED_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "changed": "异议成立，记录已经更正。",
        "removed": "异议成立，记录已经撤下。",
        "replaced": "异议成立，原记录已经撤下，更正后的另行报送。",
        "delivered": "异议成立，遗漏的记录已经补报。",
        "taken-down": "异议成立，已经停止公示。",
    }
)
PARTY_WORDS: Mapping[str, str] = MappingProxyType(
    {Party.SUBJECT: "申请人", Party.OFFICE: "信用办", Party.SYSTEM: "系统"}
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where it stands (办理现状): its mark, one sentence, and what comes next and from whom."""

    mark: str
    sentence: str
    next_words: str


def state_mark(state: State) -> tuple[str, str]:
    """The icon and the colour of a state."""
    return STATE_MARKS.get(state, ("now", "info"))


def standing_of(view: ObjectionView) -> Standing:
    """Where an objection stands, for its subject."""
    sentence, next_words = _SENTENCES[view.state](view)
    return Standing("unver" if view.state is State.MORE_ASKED else "info", sentence, next_words)


def clock_words(clock: Clock | None) -> str:
    """How much of the term is used; empty once it is closed."""
    if clock is None:
        return ""
    if clock.is_paused:
        return f"已用{clock.used}个工作日，等补充材料的日子不计"
    if clock.is_over:
        return f"已超过办理时限{-clock.left}个工作日"
    due = f"，{spoken_date(clock.due)}到期" if clock.due else ""
    unknown = f"；{clock.unknown_year}年的工作日安排公布以后才能算出到期日" if clock.unknown_year else ""
    return f"时限{clock.limit}个工作日，已用{clock.used}个，还剩{clock.left}个{due}{unknown}"


def clock_in_a_list(clock: Clock | None) -> str:
    """The same in few words."""
    if clock is None:
        return "已办结"
    if clock.is_paused:
        return "等您补充，不计时"
    if clock.is_over:
        return f"超过时限{-clock.left}个工作日"
    due = f"，{spoken_date(clock.due)}到期" if clock.due else ""
    return f"还剩{clock.left}个工作日{due}"


def who_acted(step: StepView, lay_with: str) -> str:
    """Who took a step: the unit it lay with then by its name, all others by what they are."""
    return PARTY_WORDS.get(step.by) or lay_with or "数源单位"


def _by(view: ObjectionView) -> str:
    """Until when somebody has to act, as the beginning of a sentence."""
    clock = view.clock
    if clock is not None and clock.is_over:
        return f"已经超过时限{-clock.left}个工作日，仍须"
    return f"{spoken_date(clock.due)}以前" if clock is not None and clock.due else "按时限"


def _last(view: ObjectionView) -> StepView:
    return view.steps[-1]


def _reason(view: ObjectionView) -> str:
    """The reason given last, as a sentence of its own."""
    reason = _last(view).reason.rstrip("。.；; ")
    return f"理由：{reason}。" if reason else ""


def _unit(view: ObjectionView) -> str:
    """The unit it lies with, or lay with last."""
    return next((step.unit_name for step in reversed(view.steps) if step.unit_name), "责任单位")


def _intake(view: ObjectionView) -> tuple[str, str]:
    act = _last(view).act
    if act is Act.RETURN:
        return "原办理单位认为不属于本单位，已退回信用办重新安排。", f"{_by(view)}由信用办安排单位办理。"
    begin = "补充的材料已经收到" if act is Act.SUPPLY else "已经提出"
    return f"{begin}，等信用办决定是否受理。", f"{_by(view)}由信用办决定；结果会在这里和“通知”里告知。"


def _more_asked(view: ObjectionView) -> tuple[str, str]:
    until = f"请在{spoken_date(view.supply_until)}以前补充" if view.supply_until else "请尽快补充"
    return "信用办要求补充材料。", f"{until}；等补充的日子不计入办理时限。到期没有补充的，办理终止，可以重新提出。"


def _with_unit(view: ObjectionView) -> tuple[str, str]:
    is_again = any(step.act is Act.REMAND for step in view.steps)
    begin = "复核后已退回重新办理" if is_again else "已经受理"
    marked = "办理期间，报告里这条记录注明“异议处理中”。" if view.is_disputed else ""
    return f"{begin}，{_unit(view)}正在核实。", f"{_by(view)}由{_unit(view)}答复。{marked}"


def _awaited(view: ObjectionView) -> tuple[str, str]:
    return f"{_unit(view)}确认有遗漏，正在补报。", "补报的记录进入系统后，这件异议自动办结，会另行通知。"


def _appealed(view: ObjectionView) -> tuple[str, str]:
    return "已经申请复核，信用办正在复核。", f"{_by(view)}由信用办决定退回重新办理或者维持。"


def _appeal(view: ObjectionView) -> str:
    if view.appeal_until:
        return f"不同意的，可以在{spoken_date(view.appeal_until)}以前申请一次复核。"
    return "有新的情况或者材料的，可以重新提出。"


def _declined(view: ObjectionView) -> tuple[str, str]:
    return "信用办没有受理这件异议。", f"{_reason(view)}{_appeal(view)}"


def _dismissed(view: ObjectionView) -> tuple[str, str]:
    return f"{_unit(view)}核实后认定异议不成立，记录没有改动。", f"{_reason(view)}证据见下面的办理过程。{_appeal(view)}"


def _corrected(view: ObjectionView) -> tuple[str, str]:
    done = view.correction
    said = CORRECTED_WORDS.get(done.what, "异议成立，已经更正。") if done else "异议成立，已经更正。"
    return said, "此前出具、因此不再准确的报告会改为“已更正”；请重新出具一份。"


def _confirmed(view: ObjectionView) -> tuple[str, str]:
    return "信用办复核后维持原来的结果。", f"{_reason(view)}有新的情况或者材料的，可以重新提出。"


def _withdrawn(_view: ObjectionView) -> tuple[str, str]:
    return "您已撤回这件异议，办理结束。", "记录没有改动。需要时可以重新提出。"


def _lapsed(_view: ObjectionView) -> tuple[str, str]:
    return "到期没有补充材料，办理已经终止。", "记录没有改动。可以备齐材料后重新提出。"


_SENTENCES = {
    State.INTAKE: _intake,
    State.MORE_ASKED: _more_asked,
    State.WITH_UNIT: _with_unit,
    State.AWAITED: _awaited,
    State.APPEALED: _appealed,
    State.DECLINED: _declined,
    State.DISMISSED: _dismissed,
    State.CORRECTED: _corrected,
    State.CONFIRMED: _confirmed,
    State.WITHDRAWN: _withdrawn,
    State.LAPSED: _lapsed,
}
