"""The sentences (用语) a pack must hold: their keys, and which placeholders each may and must have."""

import re
from collections.abc import Iterable, Mapping
from string import Formatter

from xinzheng.adapters.policy_files.nodes import Value
from xinzheng.core.subjects import SubjectKind

NOTE_KEY = re.compile(r"note_[a-z_]+")
NOTE_PLACEHOLDERS = frozenset({"起", "止", "时间", "渠道", "文号", "附注", "记录"})
KIND_KEYS = frozenset(f"kind_{kind}" for kind in SubjectKind)
RECORD = frozenset({"记录"})
SPAN = frozenset({"起", "止"})

# key: (placeholders that must occur, further ones that may)
SENTENCES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "none_found": (frozenset({"记录", "日期"}), frozenset()),
    "records_found": (frozenset({"记录", "n"}), frozenset()),
    "records_found_gap": (frozenset({"记录", "n", "缺口"}), frozenset()),
    "not_verifiable": (frozenset({"缺口"}), RECORD),
    "not_verifiable_ends_early": (frozenset({"缺口", "记录"}), frozenset()),
    "gap_never_delivered": (frozenset({"单位"}), frozenset()),
    "gap_statement_lapsed": (frozenset({"单位"}), frozenset()),
    "gap_ends_early": (frozenset({"单位", "日期"}), frozenset()),
    "gap_starts_late": (frozenset({"单位", "日期"}), frozenset()),
    "gap_line_pending": (frozenset({"单位", "n"}), frozenset()),
    "gap_line_unreadable": (frozenset({"单位", "n"}), frozenset()),
    "gap_nobody_responsible": (frozenset({"单位"}), frozenset()),
    "gap_unresolved": (frozenset({"n"}), frozenset()),
    "conclusion_clear": (RECORD | {"起"}, SPAN | {"n", "主体"}),
    "conclusion_clear_key": (RECORD, SPAN | {"n"}),
    "conclusion_not_clear": (RECORD | SPAN | {"n", "m"}, frozenset({"主体"})),
    "conclusion_not_clear_key": (frozenset({"n", "m"}), RECORD),
    "conclusion_not_clear_more": (RECORD | SPAN | {"n", "m", "j"}, frozenset({"主体"})),
    "conclusion_not_clear_more_key": (frozenset({"n", "j"}), RECORD | {"m"}),
    "conclusion_not_verifiable": (RECORD | SPAN | {"m", "j"}, frozenset({"主体"})),
    "conclusion_not_verifiable_key": (frozenset({"j"}), RECORD),
    "scope": (frozenset({"n"}), RECORD | SPAN),
    "finding_counted": (RECORD, frozenset()),
    "finding_marked": (RECORD, frozenset()),
    "finding_excluded": (RECORD, frozenset()),
    "finding_listed_apart": (RECORD, frozenset()),
    "finding_unresolved": (frozenset(), RECORD),
    "finding_mark": (frozenset({"注明"}), frozenset()),
    "repair_apart": (frozenset(), RECORD | {"依据"}),
    "repair_counted": (frozenset(), RECORD | {"依据"}),
    "repair_without_penalty": (frozenset(), RECORD),
    "standing_since": (frozenset({"日期"}), frozenset()),
    **dict.fromkeys(
        (
            *(f"procedure_{word}" for word in ("summary", "ordinary", "hearing", "unknown")),
            *(f"standing_{word}" for word in ("in_force", "under_review", "withdrawn", "void", "changed", "unknown")),
            "identity_document",
            "unknown",
        ),
        (frozenset(), frozenset()),
    ),
}


def required_keys(subject_kinds: Iterable[str], sections: Iterable[str]) -> tuple[str, ...]:
    """Every key a pack must hold, given the kinds of subject it serves and its sections of other information."""
    return (*SENTENCES, *(f"kind_{kind}" for kind in subject_kinds), *(f"word_{code}" for code in sections))


def _rule(key: str) -> tuple[frozenset[str], frozenset[str]]:
    return (frozenset(), NOTE_PLACEHOLDERS) if NOTE_KEY.fullmatch(key) else SENTENCES.get(key, (frozenset(),) * 2)


def check_sentence(key: str, text: str) -> str | None:
    """What is wrong with the placeholders of a sentence, in Chinese; None if nothing."""
    try:
        fields = [(name, how, turned) for _, name, how, turned in Formatter().parse(text) if name is not None]
    except ValueError:
        return f"“{key}”的花括号不成对，占位符应写作 {{记录}} 这样"
    if any(how or turned for _, how, turned in fields):
        return f"“{key}”的占位符只能写作 {{记录}} 这样，不能带冒号或者感叹号"
    used = {name for name, _, _ in fields}
    must, may = _rule(key)
    if missing := must - used:
        return f"“{key}”缺少占位符 {_listed(missing)}"
    if unknown := used - must - may:
        return f"“{key}”不能用占位符 {_listed(unknown)}，可用：{_listed(must | may) or '无'}"
    return None


def _listed(names: Iterable[str]) -> str:
    return "、".join(f"{{{name}}}" for name in sorted(names))


def read_wording(own: Value, shared: Value | None, required: Iterable[str]) -> dict[str, str]:
    """The sentences of a pack over those all packs share, each checked: key, placeholders, key part of a conclusion."""
    required = tuple(required)
    entries = {**(shared.entries() if shared else {}), **own.entries()}
    for key in required:
        if key not in entries:
            own.wrong(f"缺少用语“{key}”")
    texts = {}
    for key, entry in entries.items():
        if not (key in required or key in KIND_KEYS or NOTE_KEY.fullmatch(key)):
            entry.wrong(f"不认识的用语“{key}”")
            continue
        texts[key] = entry.text()
        problem = check_sentence(key, texts[key])
        if problem:
            entry.wrong(problem)
    for key in (k for k in texts if k.endswith("_key") and k.removesuffix("_key") in texts):
        if texts[key] not in texts[key.removesuffix("_key")]:
            entries[key].wrong(f"“{key}”应是“{key.removesuffix('_key')}”中的一段原文")
    return texts
