"""What guidance on repair says in words (修复指引用语); never more than the rules and the record say."""

from collections.abc import Mapping
from types import MappingProxyType

from xinzheng.core.repair import Candidate, Guidance, Note, Publication, PublicationState, ToDo
from xinzheng.core.repair_rules import Condition
from xinzheng.core.sentences import spoken_date

STATE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        PublicationState.PUBLISHED_UNTIL: "公示期内",
        PublicationState.ENDED_BY_PERIOD: "公示期届满",
        PublicationState.ENDED_BY_REPAIR: "已信用修复",
        PublicationState.NOT_PUBLISHED: "不公示",
        PublicationState.BY_SECTOR_RULES: "另有规定",
    }
)
NOTE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Note.TRANSITION: "这条记录作出时施行的是以前的规则，前后怎样衔接没有见到规定，这里按今天施行的规则计算。",
        Note.NOT_COVERED: "这类记录的公示和修复，修复规则没有规定或者另有规定，这里不计算，请向作出决定的单位了解。",
        Note.DATE_UNKNOWN: "记录没有写明日期，公示期无从计算；可以对这条记录提出异议，请单位补正。",
        Note.CLASS_UNKNOWN: "属于哪一类，记录本身断定不了，由认定单位确定；下面列出可能的各类，日期按最长的写。",
        Note.DUTIES_UNKNOWN: "期满但没有纠正失信行为或者没有履行完义务的，按行业主管部门的规定执行，可能继续公示。",
        Note.NOT_PENALISED: "这是不予处罚的决定，没有需要修复的处罚信息。",
        Note.TAKEN_BACK: "这项决定已被撤销或者确认违法、无效，公开的处罚信息应当撤回；仍在公示的，可以提出异议。",
        Note.DELISTED: "已经移出名单，不再公示；仍在公示的，可以提出异议。",
    }
)
TO_DO_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Condition.SHORTEST_OVER: "最短公示期届满",
        Condition.DUTIES_DONE: "纠正失信行为，履行完处罚决定规定的义务（例如缴清罚款），备好凭证",
        Condition.COMMITMENT: "公开作出信用承诺（在“信用中国”网站填写）",
    }
)
# Why nothing of it is published, where that is told by the record itself.
UNPUBLISHED_WORDS: Mapping[Note, str] = MappingProxyType(
    {
        Note.NOT_PENALISED: "不予处罚的决定，没有处罚信息",
        Note.TAKEN_BACK: "决定已被撤销或者确认违法、无效",
        Note.DELISTED: "已经移出名单",
    }
)
SECOND_HAND = "转述，未核对原文"


def publication_sentence(found: Guidance) -> str:
    """Whether it is published, in one sentence."""
    publication = found.publication
    day = spoken_date(publication.until) if publication.until else ""
    said = {
        PublicationState.PUBLISHED_UNTIL: _published(publication, day),
        PublicationState.ENDED_BY_PERIOD: _over(publication, day),
        PublicationState.ENDED_BY_REPAIR: f"自{day}信用修复起停止公示",
        PublicationState.NOT_PUBLISHED: _unpublished(found, day),
        PublicationState.BY_SECTOR_RULES: "公示和修复另有规定，这里不计算",
    }
    return said[publication.state]


def _unpublished(found: Guidance, day: str) -> str:
    if day:
        return f"一般不公示；公示的，最长至{day}"
    return next((words for note, words in UNPUBLISHED_WORDS.items() if note in found.notes), "不公示")


def _over(publication: Publication, day: str) -> str:
    if publication.needs_duties:
        return f"最长公示期已于{day}届满：义务已经履行完的，自动停止公示"
    return f"最长公示期已于{day}届满，自动停止公示"


def _published(publication: Publication, day: str) -> str:
    if not day:
        return "公示到哪一天无从计算：记录没有写明日期"
    return f"最长公示至{day}" if publication.is_certain else f"最晚公示至{day}，按类别可能更早停止或者不公示"


def class_words(found: Guidance) -> str:
    """The class, or those it may be."""
    if found.cls is not None:
        return found.cls.name
    if not found.candidates:
        return "不分类"
    return f"由认定单位确定（{'、'.join(one.repair_class.name for one in found.candidates)}）"


def earliest_sentence(found: Guidance) -> str:
    """From when on a repair can be asked for; empty where there is nothing to repair."""
    if not found.is_open:
        return ""
    if found.earliest is None:
        return "无从计算：记录没有写明日期"
    sure = f"{spoken_date(found.earliest)}起"
    if found.possible_from is None or found.possible_from == found.earliest:
        return sure
    return f"{sure}；认定为较轻一类的，{spoken_date(found.possible_from)}起"


def span_words(one: Candidate) -> str:
    """Shortest and longest publication of a class, in words."""
    months = one.repair_class
    shortest = f"最短{_months(months.shortest_months)}" if months.shortest_months else "没有最短公示期"
    usual = "" if months.is_normally_published else "一般不公示，"
    return f"{usual}{shortest}，最长{_months(months.longest_months)}"


def _months(count: int) -> str:
    return f"{count // 12}年" if count % 12 == 0 else f"{count}个月"


def doubt_words(one: Candidate) -> tuple[str, ...]:
    """Why it is not certain that the record belongs to a class."""
    if one.is_certain:
        return ()
    if one.repair_class.test.is_always:
        return ("不属于以上各类的，属于这一类。",)
    return one.doubts or ("记录没有写明处罚类别或者程序，是否属于这一类断定不了。",)


def to_do_words(one: ToDo, found: Guidance) -> str:
    """A condition of repair, with its day where it has one."""
    words = TO_DO_WORDS[one.condition]
    if one.condition is not Condition.SHORTEST_OVER or found.shortest_end is None:
        return words
    return f"{words}（{spoken_date(found.shortest_end)}）"


def note_words(found: Guidance) -> tuple[str, ...]:
    """All that is pointed out."""
    return tuple(NOTE_WORDS[note] for note in found.notes)


def summary(found: Guidance) -> str:
    """Class, publication and earliest day in one line."""
    earliest = earliest_sentence(found)
    said = (class_words(found), publication_sentence(found), earliest and f"可以申请：{earliest}")
    return "；".join(part for part in said if part)
