"""The shipped packs: what the decrees say stands in them, and their cases come out as written."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import yaml

from xinzheng.adapters.calendar import default_calendar
from xinzheng.adapters.policy_files import (
    case_files,
    guide_words,
    list_policies,
    load_cases,
    load_pack_bytes,
    load_policy,
    pack_bytes,
    pack_digest,
    policies_folder,
    run_case,
)
from xinzheng.core.errors import PolicyError
from xinzheng.core.policy import Basis, Citation, Effect, Policy
from xinzheng.core.records import RecordKind
from xinzheng.core.subjects import SubjectKind

DATA = Path(__file__).parents[1] / "data"
DECREES = {"苏府规字〔2024〕1号": "suzhou-2024.txt", "湖信用办〔2023〕7号": "huzhou-2023.txt"}
PACKS = list_policies()
CALENDAR = default_calendar()
CASES = [(pack, path, case) for pack in PACKS for path in case_files(pack) for case in load_cases(path)]
LOADED = {pack: load_policy(pack) for pack in PACKS}


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _citations(policy: Policy) -> list[tuple[Citation, Basis | None]]:
    found: list[tuple[Citation, Basis | None]] = [(c, None) for c in policy.exceptions]
    found += [(clause.citation, clause.basis) for clause in policy.clauses]
    found += [(served.citation, served.basis) for served in policy.subject_kinds]
    found += [(section.citation, section.basis) for section in policy.other]
    found += [(choice.citation, choice.basis) for choice in (policy.choose_domains, policy.choose_period)]
    found += [(policy.window.citation, policy.window.basis), (policy.in_effect_citation, policy.in_effect_basis)]
    found += [(policy.domains_citation, policy.domains_basis), (policy.freshness_citation, policy.freshness_basis)]
    return found


@pytest.mark.parametrize(("pack", "path", "case"), CASES, ids=[f"{p}:{c.name}" for p, _, c in CASES])
def test_a_case_of_a_pack_comes_out_as_written(pack, path, case):
    assert run_case(LOADED[pack], case, CALENDAR) == [], f"{path}:{case.line}"


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_ships_at_least_thirty_cases_with_different_names(pack):
    names = [case.name for name, _, case in CASES if name == pack]
    assert len(names) >= 30
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("pack", PACKS)
def test_every_clause_of_a_pack_decides_some_record_in_its_cases(pack):
    proven = {f.clause for name, _, case in CASES if name == pack for f in case.expect.findings.values()}
    assert {clause.id for clause in LOADED[pack].clauses} <= proven


@pytest.mark.parametrize("pack", PACKS)
def test_the_id_of_a_pack_is_the_name_of_its_folder(pack):
    assert LOADED[pack].id == pack


@pytest.mark.parametrize("pack", PACKS)
def test_every_quotation_of_a_decree_stands_in_its_text(pack):
    for citation, _ in _citations(LOADED[pack]):
        if citation.source in DECREES and citation.quote:
            text = (DATA / "decrees" / DECREES[citation.source]).read_text(encoding="utf-8")
            assert _squeezed(citation.quote) in _squeezed(text), citation.quote


@pytest.mark.parametrize("pack", PACKS)
def test_what_the_guide_quotes_stands_in_the_decree_and_changes_no_pack(pack):
    for citation in guide_words(pack).values():
        text = (DATA / "decrees" / DECREES[citation.source]).read_text(encoding="utf-8")
        assert _squeezed(citation.quote) in _squeezed(text), citation.quote
    assert "guide.yaml" not in pack_bytes(pack)


def test_the_guide_is_silent_where_the_decree_is(tmp_path):
    assert set(guide_words("suzhou-2024")) == {"show", "apply"}
    assert set(guide_words("huzhou-2023")) == {"apply"}
    for name in ("policy.yaml", "core.yaml"):
        (tmp_path / name).write_bytes(pack_bytes("suzhou-2024")[name])
    assert guide_words(tmp_path) == {}
    (tmp_path / "guide.yaml").write_text("format: xinzheng.guide/1\nshow: {source: 某令}\nrule: x\n", encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        guide_words(tmp_path)
    assert "quote" in str(error.value)
    assert "rule" in str(error.value)


@pytest.mark.parametrize("pack", PACKS)
def test_a_statute_is_quoted_and_a_judgement_gives_its_reason(pack):
    for citation, basis in _citations(LOADED[pack]):
        assert citation.source
        assert citation.quote if basis is Basis.STATUTE else True
        assert citation.note if basis is Basis.JUDGEMENT else True


@pytest.mark.parametrize("pack", PACKS)
def test_no_sentence_of_a_pack_praises_a_subject(pack):
    for key, text in LOADED[pack].wording.items():
        assert not re.search("守法|合规|(?<!有)无违法", text), key


@pytest.mark.parametrize("pack", ["suzhou-2024", "huzhou-2023"])
def test_domains_have_the_decrees_names_and_order(pack):
    expected = yaml.safe_load((DATA / "domains.yaml").read_text(encoding="utf-8"))[pack]
    assert [(d.code, d.name) for d in LOADED[pack].domains] == list(expected.items())


def test_the_units_of_suzhou_are_those_of_the_annex():
    annex = _squeezed((DATA / "decrees" / "suzhou-2024.txt").read_text(encoding="utf-8").split("核查信息范围", 1)[1])
    for domain in LOADED["suzhou-2024"].domains:
        assert domain.name + _squeezed(domain.units_text) + "行政处罚" in annex
    for section in LOADED["suzhou-2024"].other:
        assert _squeezed(section.units_text) + _squeezed(section.name) in annex


def test_huzhou_claims_more_domains_than_it_names_and_lacks_its_annex():
    policy = LOADED["huzhou-2023"]
    assert (policy.claimed_domains, len(policy.domains)) == (44, 40)
    assert any("称44个领域，列明40个；附件未提供" in warning for warning in policy.warnings)


def test_suzhou_claims_what_it_names():
    assert not any("个领域" in warning for warning in LOADED["suzhou-2024"].warnings)


def test_the_two_cities_serve_the_subjects_their_decrees_name():
    assert {s.kind for s in LOADED["suzhou-2024"].subject_kinds} == {
        SubjectKind.ENTERPRISE_LEGAL_PERSON,
        SubjectKind.UNINCORPORATED_ENTERPRISE,
    }
    assert {s.kind for s in LOADED["huzhou-2023"].subject_kinds} == {
        SubjectKind.ENTERPRISE_LEGAL_PERSON,
        SubjectKind.NATURAL_PERSON,
        SubjectKind.INDIVIDUAL_BUSINESS,
    }


def test_huzhou_groups_its_purposes_in_three():
    assert {p.group for p in LOADED["huzhou-2023"].purposes} == {"金融领域", "经营领域", "行政管理领域"}


def test_the_national_pack_weighs_the_four_kinds_the_notice_requires():
    kinds = {kind for domain in LOADED["national-2025"].domains for kind in domain.kinds}
    assert kinds == {
        RecordKind.ADMINISTRATIVE_PENALTY,
        RecordKind.ADMINISTRATIVE_COMPULSION,
        RecordKind.SERIOUS_DISHONESTY,
        RecordKind.CRIMINAL_JUDGMENT,
    }
    assert all(clause.id != "summary-procedure" for clause in LOADED["national-2025"].clauses)


def test_everything_of_the_national_notice_is_marked_as_second_hand():
    for citation, _ in _citations(LOADED["national-2025"]):
        assert citation.second_hand or citation.source == "通用规则"


@pytest.mark.parametrize("pack", PACKS)
def test_only_what_the_law_hides_is_hidden(pack):
    hiding = {clause.id for clause in LOADED[pack].clauses if clause.hides}
    assert hiding <= {"sealed", "public-security-natural-person"}
    assert all(c.effect is Effect.EXCLUDED for c in LOADED[pack].clauses if c.hides)


def test_every_shared_rule_is_used_by_some_pack():
    core = yaml.safe_load((policies_folder() / "core.yaml").read_text(encoding="utf-8"))
    used = {clause.id for policy in LOADED.values() for clause in policy.clauses}
    assert {rule["id"] for rule in core["rules"]} <= used


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_loaded_from_kept_bytes_is_the_same_policy(pack):
    assert load_pack_bytes(pack_bytes(pack)) == LOADED[pack]
    assert LOADED[pack].sha256 == pack_digest(pack_bytes(pack))


@pytest.mark.parametrize("name", ["policy.yaml", "core.yaml"])
def test_any_change_of_either_file_changes_the_digest(name):
    files = dict(pack_bytes("suzhou-2024"))
    assert pack_digest(files | {name: files[name] + b"\n"}) != pack_digest(files)


def test_the_digest_does_not_depend_on_the_order_of_the_files():
    files = pack_bytes("suzhou-2024")
    assert pack_digest(dict(reversed(files.items()))) == pack_digest(files)


@pytest.mark.parametrize("pack", PACKS)
def test_the_conclusion_can_be_said_in_every_case(pack):
    wording = LOADED[pack].wording
    values = {"记录": "违法记录", "起": "甲", "止": "乙", "n": 1, "m": 2, "j": 3}
    for key in ("clear", "not_clear", "not_clear_more", "not_verifiable"):
        text, part = (wording[f"conclusion_{key}{end}"].format(**values) for end in ("", "_key"))
        assert part in text


def test_the_exact_conclusions_of_both_cities():
    suzhou, huzhou = (LOADED[p].wording["conclusion_clear"] for p in ("suzhou-2024", "huzhou-2023"))
    assert suzhou.format(记录="违法记录", 起="2022年12月15日", 止="2025年12月15日", n=20) == (
        "经查询已归集数据，该企业自2022年12月15日至2025年12月15日在苏州市行政区域内所列20个领域未查询到违法记录。各领域以数据截止日为准。"
    )
    assert huzhou.format(记录="违法违规记录", 起="2020年5月1日", n=40) == (
        "经查询2020年5月1日以来已归集的数据，该主体在通知列明的40个领域未查询到违法违规记录。"
        "各领域以数据截止日为准；刑事领域及通知未列明的领域未核查。"
    )


def test_the_dates_in_force_are_the_decrees():
    suzhou, huzhou = LOADED["suzhou-2024"].in_effect, LOADED["huzhou-2023"].in_effect
    assert (suzhou.from_date, suzhou.until_date) == (date(2024, 3, 1), date(2026, 2, 28))
    assert (huzhou.from_date, huzhou.until_date) == (date(2023, 7, 10), None)
