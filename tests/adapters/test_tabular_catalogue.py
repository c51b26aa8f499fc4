"""The catalogue of checks: one definition each, the page written from it, and the checks of issue 3 that fire."""

import itertools
from pathlib import Path

import polars as pl
import pytest

from tests.tabular_rows import ORGAN, OTHER_USCC, ROW, csv_text, defaults, parse
from xinzheng.adapters.tabular import REGISTER_CHECKS, catalogue, read_batch, read_batches
from xinzheng.adapters.tabular.catalogue import REGISTER, catalogue_document
from xinzheng.adapters.tabular.decision_checks import publication_periods
from xinzheng.core.identifiers import organisation_check_character, uscc_check_character

ROOT = Path(__file__).parents[2]


def organ_in(division: str) -> str:
    body = f"11{division}12345678" + organisation_check_character("12345678")
    return body + uscc_check_character(body)


def codes(folder: Path, **changes: str) -> list[tuple[str, str]]:
    return parse(folder, {**ROW, **changes}).defects.select("code", "severity").rows()


def test_the_page_of_checks_is_what_the_checks_say() -> None:
    assert (ROOT / "docs/checks.md").read_text("utf-8") == catalogue_document()


def test_every_check_says_what_to_do_and_where_it_comes_from() -> None:
    entries = catalogue()
    assert len(entries) > 50
    for entry in entries:
        assert entry.text.endswith(("。", "{}")), entry
        assert entry.citations, entry
        assert all(entry.citations), entry
        assert entry.fields, entry
    assert {entry.code for entry in entries if entry.where == REGISTER} == set(REGISTER_CHECKS)


def test_one_code_has_one_severity_per_message() -> None:
    said = [(entry.code, entry.severity, entry.text) for entry in catalogue()]
    assert len(said) == len(set(said))


@pytest.mark.parametrize(("decided", "end", "procedure", "is_told"), [
    ("2019-06-30", "2030-01-01", "", False),
    ("2019-07-01", "2022-07-01", "", False),
    ("2019-07-01", "2022-07-02", "", True),
    ("2023-05-01", "2026-05-02", "", True),
    ("2026-04-01", "2026-07-01", "简易程序", False),
    ("2026-04-01", "2026-07-02", "简易程序", True),
    ("2026-04-01", "2026-07-02", "普通程序", False),
    ("2026-04-01", "2029-04-02", "普通程序", True),
])  # fmt: skip
def test_a_publication_beyond_the_rule_of_its_day_is_told_with_the_rule(
    tmp_path: Path, decided: str, end: str, procedure: str, is_told: bool
) -> None:
    parsed = parse(tmp_path, {**ROW, "处罚决定日期": decided, "公示截止期": end, "程序": procedure})
    told = parsed.defects.filter(pl.col("code") == "publication-too-long")
    assert told.height == is_told
    assert parsed.frame["status"].to_list() == ["ok"]
    if is_told:
        rule = next(p for p in publication_periods() if p.first.isoformat() <= decided <= p.last.isoformat())
        assert rule.citation in told["message"][0]


def test_periods_follow_each_other_without_a_gap() -> None:
    periods = publication_periods()
    assert all((later.first - earlier.last).days == 1 for earlier, later in itertools.pairwise(periods))


@pytest.mark.parametrize(("changes", "code", "severity"), [
    ({"处罚机关": "示例市人民法院"}, "organ-not-administrative", "warning"),
    ({"处罚机关": "— —"}, "required", "error"),
    ({"处罚机关统一社会信用代码": organ_in("320999")}, "organ-division-unknown", "warning"),
    ({"处罚机关统一社会信用代码": OTHER_USCC}, "organ-code-of-business", "warning"),
    ({"罚款金额(万元)": "", "处罚类别": "罚款"}, "fine-missing", "warning"),
    ({"处罚类别": "没收违法所得", "处罚内容": "没收"}, "confiscation-missing", "warning"),
    ({"处罚类别": "暂扣许可证件"}, "licence-missing", "warning"),
    ({"罚款金额(万元)": "300000", "处罚内容": "罚款"}, "amount-absurd", "warning"),
    ({"处罚有效期": "2022-05-15"}, "validity-before-decision", "error"),
    ({"公示截止期": "2022-05-15"}, "publication-before-decision", "warning"),
    ({"行政相对人类别": "个体工商户"}, "class-against-code", "warning"),
])  # fmt: skip
def test_a_check_fires_alone(tmp_path: Path, changes: dict[str, str], code: str, severity: str) -> None:
    assert codes(tmp_path, **changes) == [(code, severity)]


def test_a_decision_told_under_another_number_is_told_across_the_whole_file(tmp_path: Path) -> None:
    rows = [{**ROW, "行政处罚决定书文号": f"{n}号", "罚款金额(万元)": "0.04" if n in (3, 47) else f"1.{n:04}",
             "处罚内容": "处罚"} for n in range(50)]  # fmt: skip
    (tmp_path / "a.csv").write_text(
        csv_text([*rows, rows[9], {**rows[3], "处罚机关统一社会信用代码": organ_in("320500")}])
    )
    whole = read_batch(tmp_path / "a.csv", defaults()).defects
    near = whole.filter(pl.col("code") == "near-duplicate")
    assert [(line, message[:5]) for line, message in near.select("line", "message").rows()] == [
        (5, "与第49行"),
        (49, "与第5行的"),
    ]
    parts = pl.concat([part.defects for part in read_batches(tmp_path / "a.csv", defaults(), 7)])
    assert parts.equals(whole)


def test_without_an_amount_nothing_is_near(tmp_path: Path) -> None:
    blank = {**ROW, "罚款金额(万元)": "", "处罚类别": "警告", "处罚内容": "警告"}
    assert parse(tmp_path, blank, {**blank, "行政处罚决定书文号": "另号"}).defects.height == 0


def test_checks_of_the_register_speak_with_what_was_found() -> None:
    assert "“甲公司”" in REGISTER_CHECKS["name-against-register"].message("甲公司")
    assert ORGAN not in REGISTER_CHECKS["organ-abolished"].message("某局", "2024年3月1日")
