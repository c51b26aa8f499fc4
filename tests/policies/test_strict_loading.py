"""A pack is refused for every kind of mistake, and each mistake is named with its file and line."""

import re
from pathlib import Path

import pytest

from xinzheng.adapters.policy_files import Mistake, load_pack_bytes, load_policy, mistakes_of, pack_bytes, pack_folder
from xinzheng.core.errors import PolicyError

SUZHOU = (pack_folder("suzhou-2024") / "policy.yaml").read_text(encoding="utf-8")


def mistakes_in(tmp_path: Path, text: str) -> tuple[Mistake, ...]:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    return mistakes_of(lambda: load_policy(folder))


def line_of(text: str, excerpt: str) -> int:
    assert text.count(excerpt) >= 1, excerpt
    return text[: text.index(excerpt)].count("\n") + 1


# what is replaced, by what, the excerpt on the line the mistake must name, and what the message must hold
MISTAKES = {
    "unknown key": ("units_word: 责任单位", "units_word: 责任单位\ncolour: red", "colour: red", "不认识的键“colour”"),
    "missing key": ("record_word: 违法记录\n", "", "format: ", "缺少必需的键“record_word”"),
    "key written twice": ("id: suzhou-2024", "id: suzhou-2024\nid: other", "id: other", "“id”写了两次"),
    "wrong format": ("xinzheng.policy/1", "xinzheng.policy/9", "format: ", "format 应为"),
    "number instead of text": ("number_prefix: SZ", "number_prefix: 12", "number_prefix: 12", "应为文字"),
    "list instead of text": ("issuer: 苏州市人民政府", "issuer: [甲]", "issuer: [甲]", "应为文字"),
    "text instead of list": ("report_title: [专用信用报告]", "report_title: 报告", "report_title: 报告", "应为列表"),
    "empty text": ("number_prefix: SZ", 'number_prefix: ""', "number_prefix: ", "不能为空"),
    "text instead of number": ("  years: 3", "  years: three", "  years: three", "应为整数"),
    "number too small": ("  years: 3", "  years: 0", "  years: 0", "1至100的整数"),
    "number too great": ("  years: 3", "  years: 3000", "  years: 3000", "1至100的整数"),
    "two windows": ("  years: 3", "  years: 3\n  since: 2021-01-01", "  years: 3", "二者写一个"),
    "impossible date": ("from: 2024-03-01", "from: 2024-02-30", "from: 2024-02-30", "没有“2024-02-30”这一天"),
    "date in another form": ("from: 2024-03-01", "from: 2024/3/1", "from: 2024/3/1", "写作 YYYY-MM-DD"),
    "dates reversed": ("until: 2026-02-28", "until: 2023-02-28", "from: 2024-03-01", "起始日期晚于截止日期"),
    "unknown kind of subject": (
        "kind: unincorporated_enterprise",
        "kind: club",
        "kind: club",
        "“club”不在可用的值之中",
    ),
    "kind of subject twice": (
        "kind: unincorporated_enterprise",
        "kind: enterprise_legal_person",
        "{kind: enterprise_legal_person",
        "写了两次",
    ),
    "unknown record kind": ("kinds: [administrative_penalty]", "kinds: [fine]", "kinds: [fine]", "“fine”不在可用的值"),
    "domain twice": ("{code: taxation,", "{code: fire_safety,", "name: 消防安全", "“fire_safety”写了两次"),
    "unknown effect": (
        "effect: excluded\n    when: {field: procedure",
        "effect: ignored\n    when: {field: procedure",
        "effect: ignored",
        "“ignored”不在可用的值之中",
    ),
    "unknown field": ("{field: procedure, equals: summary}", "{field: colour, equals: red}", "colour", "不认识的字段"),
    "unknown value": ("equals: summary", "equals: quick", "equals: quick", "“quick”不在可用的值之中"),
    "unknown domain in a condition": (
        "{field: procedure, equals: summary}",
        "{field: domain, equals: public_security}",
        "equals: public_security",
        "没有代码为“public_security”的领域",
    ),
    "date test on a word": (
        "{field: procedure, equals: summary}",
        "{field: procedure, before: as_of}",
        "procedure, before",
        "“procedure”不是日期",
    ),
    "word test on a date": (
        "{field: procedure, equals: summary}",
        "{field: decision_date, equals: 2024-01-01}",
        "decision_date, equals",
        "“decision_date”是日期",
    ),
    "unknown reference day": (
        "{field: repaired_date, after: as_of}",
        "{field: repaired_date, after: tomorrow}",
        "after: tomorrow",
        "或者 as_of",
    ),
    "condition with two tests": (
        "{field: procedure, equals: summary}",
        "{field: procedure, equals: summary, in: [ordinary]}",
        "procedure, equals: summary, in",
        "条件应为",
    ),
    "and with one part": (
        "{field: procedure, equals: summary}",
        "{and: [{field: procedure, equals: summary}]}",
        "{and:",
        "至少要有两个条件",
    ),
    "more conditions than can be compiled": (
        "{field: procedure, equals: summary}",
        "{or: [" + ", ".join(["{field: procedure, equals: summary}"] * 51) + "]}",
        "{or: [",
        "最多50个条件",
    ),
    "missing citation": (
        "    citation: *not-listed\n",
        "",
        "- id: not-penalised",
        "缺少必需的键“citation”",
    ),
    "statute without quotation": (
        "      quote: 对企业近3年内20个领域的违反法律、法规、规章行为的行政处罚记录\n\nother:",
        "\nother:",
        None,
        "必须引用原文",
    ),
    "judgement without reason": (
        "      note: 记录来自行政处罚数据；不列入须以不予行政处罚的事实确定为前提。\n",
        "",
        None,
        "必须说明理由",
    ),
    "unknown basis": (
        "basis: judgement\n    citation:\n      source: 信用修复",
        "basis: guess\n    citation:\n      source: 信用修复",
        "guess",
        "“guess”不在可用的值",
    ),
    "unknown core rule": ("- use: renamed", "- use: renmed", "- use: renmed", "没有规则“renmed”"),
    "clause behind the catch-all": (
        "\nother:   #",
        "\n  - use: other-place\n\nother:   #",
        "\n  - use: other-place",
        "条款“other-place”",
    ),
    "clause behind a wider one": (
        "  - use: succession\n",
        "  - id: never\n    effect: counted\n"
        "    when: {and: [{field: procedure, in: [summary]}, {field: organ, equals: here}]}\n"
        "    reason: 理由\n    basis: statute\n    citation: {source: 甲, quote: 乙}\n  - use: succession\n",
        "- id: never",
        "都已先适用条款“summary-procedure”",
    ),
    "clause on a kind never weighed": (
        "{field: procedure, equals: summary}",
        "{field: kind, equals: criminal_judgment}",
        "- id: summary-procedure",
        "字段“kind”不可能",
    ),
    "clause that contradicts itself": (
        "{field: procedure, equals: summary}",
        "{and: [{field: procedure, equals: summary}, {field: procedure, equals: hearing}]}",
        "- id: summary-procedure",
        "字段“procedure”不可能",
    ),
    "clause that ended before the policy began": (
        "    effective: {from: 2026-04-01}",
        "    effective: {until: 2024-02-29}",
        "- id: repaired",
        "政策施行以前已经失效",
    ),
    "same clause with overlapping dates": (
        "  - use: date-unknown\n",
        "  - use: date-unknown\n  - id: repaired\n    effect: excluded\n    effective: {from: 2027-01-01}\n"
        "    when: {field: listed_through, known: true}\n    reason: 理由\n    basis: statute\n"
        "    citation: {source: 甲, quote: 乙}\n",
        "  - id: repaired\n    effect: excluded",
        "适用日期重叠",
    ),
    "no catch-all": (
        "    when: always\n",
        "    when: {field: outcome, known: true}\n",
        "- id: penalty",
        "最后一条必须",
    ),
    "marked without mark": (
        "    effect: counted\n    mark: 程序未注明\n",
        "    effect: marked\n",
        "- id: procedure-unknown",
        "必须写明注明的字样",
    ),
    "mark on an excluded record": (
        "effect: excluded\n    when: {field: procedure",
        "effect: excluded\n    mark: 字样\n    when: {field: procedure",
        "- id: summary-procedure",
        "可以有 mark",
    ),
    "hiding without excluding": (
        "    effect: listed_apart\n",
        "    effect: listed_apart\n    hides: true\n",
        "- id: repaired",
        "依法不得提供",
    ),
    "empty span": ("    effective: {from: 2026-04-01}", "    effective: {}", "effective: {}", "至少要写一个"),
    "unknown note": ("notes: [note_definition,", "notes: [note_nothing,", "note_nothing", "没有说明“note_nothing”"),
    "unknown sentence": ("  scope: 所列", "  scpe: 甲\n  scope: 所列", "  scpe: 甲", "不认识的用语“scpe”"),
    "missing sentence": ("  word_credit_repair: 信用修复记录\n", "", None, "缺少用语“word_credit_repair”"),
    "unknown placeholder": ("所列{n}个领域的行政处罚记录", "所列{n}个领域{渠道}", "  scope:", "不能用占位符 {渠道}"),
    "missing placeholder": ("所列{n}个领域的行政处罚记录", "所列领域的行政处罚记录", "  scope:", "缺少占位符 {n}"),
    "brace not closed": ("所列{n}个领域的行政处罚记录", "所列{n个领域", "  scope:", "花括号不成对"),
    "key part not in the conclusion": (
        "conclusion_clear_key: 未查询到{记录}",
        "conclusion_clear_key: 没有{记录}",
        "conclusion_clear_key",
        "中的一段原文",
    ),
    "flag as text": ("offered: true", "offered: maybe", "offered: maybe", "应为true 或 false"),
    "sign that cannot be shown": ("title: 苏州市", 'title: "苏州\\0市" #', "title: ", "不能显示的字符"),
    "sign that turns the writing": ("title: 苏州市", 'title: "苏州\\u202e市" #', "title: ", "不能显示的字符"),
    "name without end": ("name: 司法行政", f"name: {'司' * 61}", "{code: justice", "最多60个字"),
    "text without end": ("issuer: 苏州市人民政府", f"issuer: {'苏' * 101}", "issuer: ", "最多100个字"),
    "title of many lines": (
        "report_title: [专用信用报告]",
        "report_title: [甲, 乙, 丙, 丁]",
        "report_title: ",
        "最多列3项",
    ),
    "code with a space": ("{code: justice,", '{code: "justice x",', '{code: "justice x', "应为代码"),
    "id that no address holds": ("id: suzhou-2024", "id: suzhou.2024", "id: suzhou.2024", "应为代码"),
    "clause id with a quote": ("- id: not-penalised", '- id: "it\'s"', '- id: "it', "应为代码"),
    "prefix that no report is verified under": (
        "number_prefix: SZ",
        "number_prefix: SZX",
        "number_prefix: SZX",
        "两个大写",
    ),
    "section that takes a domain's records": (
        "kind: social_insurance_arrears",
        "kind: administrative_penalty",
        "- code: social_insurance_arrears",
        "不影响结论",
    ),
    "section with a domain's code": (
        "- code: social_insurance_arrears",
        "- code: taxation",
        "- code: taxation",
        "已是领域的代码",
    ),
    "window that begins after the policy": ("  years: 3", "  since: 2024-03-02", None, "晚于政策施行日期"),
    "data later than calendars reach": ("working_days: 7", "working_days: 900", "working_days: 900", "0至250的整数"),
    "placeholder with a form": ("所列{n}个领域", "所列{n:s}个领域", None, "不能带冒号"),
    "YAML indentation": ("  years: 3\n", "  years: 3\n years: 4\n", None, "YAML 格式有误"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_named_with_its_line(tmp_path, kind):
    old, new, excerpt, message = MISTAKES[kind]
    assert old in SUZHOU
    text = SUZHOU.replace(old, new, 1)
    found = mistakes_in(tmp_path, text)
    fitting = [m for m in found if message in m.message]
    assert fitting, [str(m) for m in found]
    assert fitting[0].file.endswith("policy.yaml")
    if excerpt is not None:
        expected = line_of(text, excerpt.lstrip("\n")) if excerpt[0] != "\n" else line_of(text, excerpt) + 1
        assert expected in {m.line for m in fitting}, [str(m) for m in fitting]


def test_the_shipped_pack_itself_has_no_mistake(tmp_path):
    assert mistakes_in(tmp_path, SUZHOU) == ()


def test_all_mistakes_of_a_file_are_listed_in_the_order_of_their_lines(tmp_path):
    text = SUZHOU.replace("number_prefix: SZ", "number_prefix: 1").replace("years: 3", "years: x")
    text = text.replace("equals: summary", "equals: quick").replace("- use: renamed", "- use: renmed")
    found = mistakes_in(tmp_path, text)
    assert len(found) == 4
    assert [m.line for m in found] == sorted(m.line for m in found)


def test_the_error_text_names_file_and_line_of_each_mistake(tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "policy.yaml").write_text(SUZHOU.replace("years: 3", "years: x"), encoding="utf-8")
    with pytest.raises(PolicyError) as refused:
        load_policy(folder)
    assert re.search(r"policy\.yaml:\d+：此处应为整数", refused.value.message)
    assert refused.value.code == "policy-invalid"


def test_a_mistake_in_a_shared_rule_names_core_yaml():
    files = dict(pack_bytes("suzhou-2024"))
    files["core.yaml"] = files["core.yaml"].replace(b"effect: excluded", b"effect: forgotten", 1)
    with pytest.raises(PolicyError, match=r"core\.yaml:\d+：“forgotten”"):
        load_pack_bytes(files)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line():
    files = dict(pack_bytes("suzhou-2024"))
    files["policy.yaml"] = SUZHOU.encode("gb18030")
    with pytest.raises(PolicyError, match=r"policy\.yaml:1：文件不是 UTF-8"):
        load_pack_bytes(files)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"- a list\n", b"just text\n", b"\x00"])
def test_a_file_that_is_no_pack_at_all_is_refused(content):
    files = dict(pack_bytes("suzhou-2024")) | {"policy.yaml": content}
    with pytest.raises(PolicyError, match=r"policy\.yaml:1"):
        load_pack_bytes(files)


def test_an_unknown_pack_is_refused_naming_those_there_are():
    with pytest.raises(PolicyError, match="suzhou-2024") as refused:
        load_policy("atlantis-1")
    assert refused.value.code == "policy-unknown"


def test_kept_bytes_without_the_policy_file_are_refused():
    with pytest.raises(PolicyError, match="缺少文件"):
        load_pack_bytes({})


@pytest.mark.parametrize("content", ["a: &x {not: *x}\n", "[" * 200_000])
def test_a_file_that_holds_itself_or_is_nested_without_end_is_refused(content):
    files = dict(pack_bytes("suzhou-2024")) | {"policy.yaml": content.encode()}
    with pytest.raises(PolicyError, match=r"policy\.yaml:\d+"):
        load_pack_bytes(files)
