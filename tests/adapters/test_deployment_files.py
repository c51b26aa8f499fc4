"""Deployment files: the shipped ones say what the decrees say, and a wrong one is refused by file and line."""

from pathlib import Path

import pytest
import yaml

from xinzheng.adapters.deployment_files import (
    Deployment,
    DeploymentError,
    available_cities,
    deployment_of_policy,
    load_deployment,
    load_deployment_file,
)
from xinzheng.adapters.policy_files import deployments_folder, list_policies, load_policy
from xinzheng.core.identifiers import check_uscc

ALL_DISTRICTS = [
    "张家港市", "常熟市", "太仓市", "昆山市", "吴江区", "吴中区", "相城区", "姑苏区", "苏州工业园区", "苏州高新区",
]  # fmt: skip

# The annex of 苏府规字〔2024〕1号 in its own words: the shipped file is compared with them.
SIX_PLACES = "张家港市、常熟市、太仓市、昆山市、吴江区、苏州工业园区"

SMALL = """
format: xinzheng.deployment/1
city: small
policy: suzhou-2024
demonstration: true
note: 测试
jurisdiction: {code: "320500", name: 苏州市}
brand: 信用测试
channels: [测试网站, 测试窗口]
seal: 测试中心
districts: {甲区: "320506", 乙区: "320507"}
domains:
  water_affairs: {units: [市水务局], districts: all, district_unit: "{district}水务局"}
units:
  市水务局: {uscc: 11320500DEM0100955, full_name: 苏州市水务局}
  甲区水务局: {uscc: 11320506DEM0116375}
  乙区水务局: {uscc: 11320507DEM011645E}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def names_answering(deployment: Deployment, domain: str) -> list[str]:
    names = {unit.uscc: unit.short_name for unit in deployment.units}
    return [names[uscc] for uscc in deployment.answering[domain]]


def test_every_shipped_policy_has_a_deployment_with_units_for_each_domain_section_and_kind() -> None:
    for policy_id in list_policies():
        policy = load_policy(policy_id)
        deployment = deployment_of_policy(policy)
        wanted = {(d.code, kind.value) for d in policy.domains for kind in d.kinds}
        wanted |= {(s.code, s.kind.value) for s in policy.other}
        assert {(r.domain, r.kind) for r in deployment.responsibilities} == wanted


def test_every_shipped_unit_has_a_valid_code_marked_as_invented() -> None:
    for city in available_cities():
        deployment = load_deployment(city)
        assert deployment.is_demonstration
        for unit in deployment.units:
            assert check_uscc(unit.uscc).ok, unit
            assert unit.uscc.startswith(f"11{unit.division}DEM")


def test_a_unit_that_two_deployments_share_is_the_same_in_both() -> None:
    suzhou = {unit.uscc: unit for unit in load_deployment("suzhou").units}
    shared = [unit for unit in load_deployment("national-demo").units if unit.uscc in suzhou]
    assert len(shared) == 12
    assert all(suzhou[unit.uscc] == unit for unit in shared)


def test_suzhou_names_the_units_of_the_annex_in_its_order() -> None:
    policy = load_policy("suzhou-2024")
    deployment = load_deployment("suzhou", policy)
    for domain in policy.domains:
        city_units, districts = [], []
        for part in domain.units_text.replace("，", "、").split("、"):
            if part == "各县级市（区）":
                districts += ALL_DISTRICTS
            elif part in ALL_DISTRICTS:
                districts.append(part)
            else:
                city_units.append(part)
        found = names_answering(deployment, domain.code)
        assert found[: len(city_units)] == city_units
        assert [next(d for d in ALL_DISTRICTS if name.startswith(d)) for name in found[len(city_units) :]] == districts


def test_suzhou_answers_in_medical_security_through_the_six_places_the_annex_names() -> None:
    found = names_answering(load_deployment("suzhou"), "medical_security")
    assert found == ["市医保局", *(f"{place}医保局" for place in SIX_PLACES.split("、"))]


def test_kunshan_answers_for_water_under_the_name_a_reader_expects() -> None:
    assert "昆山市水务局" in names_answering(load_deployment("suzhou"), "water_affairs")


def test_suzhou_names_who_answers_for_arrears_and_repairs() -> None:
    deployment = load_deployment("suzhou")
    assert names_answering(deployment, "social_insurance_arrears") == ["市人社局", "市医保局", "市税务局"]
    assert names_answering(deployment, "housing_fund_arrears") == ["市公积金中心", "苏州工业园区公积金中心"]
    assert names_answering(deployment, "credit_repair") == ["市发改委"]


def test_the_demonstration_extension_prolongs_the_policy_and_says_what_it_is() -> None:
    policy = load_policy("suzhou-2024")
    extended = load_deployment("suzhou", policy).extended(policy)
    assert str(policy.last_date) == "2026-02-28"
    assert str(extended.last_date) == "2027-12-31"
    assert extended.extensions[0].document == "演示延期〔2026〕1号"
    assert extended.extensions[0].note == "演示文号，非正式文件"


def test_the_first_channel_is_where_to_object() -> None:
    assert load_deployment("suzhou").objection_channel == "“信用苏州”网站"
    assert load_deployment("huzhou").objection_channel == "“信用湖州”网站"


def test_a_small_file_expands_its_districts_after_the_city_unit(tmp_path: Path) -> None:
    deployment = load_deployment_file(written(tmp_path, SMALL))
    assert names_answering(deployment, "water_affairs") == ["市水务局", "甲区水务局", "乙区水务局"]
    assert [unit.name for unit in deployment.units] == ["苏州市水务局", "甲区水务局", "乙区水务局"]


RETURNS = """districts: {甲区: "320506", 乙区: "320507"}
returns:
  - {through: 省平台, domains: [water_affairs]}
"""
PLATFORM = "units:\n  省平台: {uscc: 11320000DEM090013T}\n"


def with_returns(entry: str = "{through: 省平台, domains: [water_affairs]}") -> str:
    found = SMALL.replace('districts: {甲区: "320506", 乙区: "320507"}\n', RETURNS).replace("units:\n", PLATFORM)
    return found.replace("{through: 省平台, domains: [water_affairs]}", entry)


def test_a_return_is_delivered_for_every_unit_that_answers_in_the_domain(tmp_path: Path) -> None:
    deployment = load_deployment_file(written(tmp_path, with_returns()))
    answering = deployment.answering["water_affairs"]
    assert deployment.returning == {"water_affairs": tuple(("11320000DEM090013T", uscc) for uscc in answering)}
    assert deployment.returns == ()


def test_a_return_may_be_for_the_units_named_only(tmp_path: Path) -> None:
    text = with_returns("{through: 省平台, domains: [water_affairs], units: [甲区水务局]}")
    deployment = load_deployment_file(written(tmp_path, text))
    assert deployment.returning == {"water_affairs": (("11320000DEM090013T", "11320506DEM0116375"),)}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{through: 国家平台, domains: [water_affairs]}", "units 中没有“国家平台”"),
        ("{through: 省平台, domains: [taxation]}", "没有“taxation”"),
        ("{through: 省平台, domains: [water_affairs], units: [省平台]}", "都不负责“water_affairs”"),
        ("{through: 市水务局, domains: [water_affairs]}", "“市水务局”本身负责该领域"),
        ("{through: 省平台}", "缺少必需的键“domains”"),
    ],
)
def test_a_wrong_return_is_told_by_its_line(tmp_path: Path, entry: str, words: str) -> None:
    with pytest.raises(DeploymentError) as refused:
        load_deployment_file(written(tmp_path, with_returns(entry)))
    assert any(text.startswith("small.yaml:13：") and words in text for text in refused.value.message.split("\n"))


def test_the_shipped_returns_are_for_every_kind_of_their_domains() -> None:
    policy = load_policy("huzhou-2023")
    deployment = load_deployment("huzhou", policy)
    taxation = {found.kind for found in deployment.returns if found.domain == "taxation"}
    assert taxation == {kind.value for kind in policy.domain("taxation").kinds}
    assert {found.source for found in deployment.returns} == {"11330000DEM090013Y"}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("city: small", "city: small\ncolour: red", 4, "不认识的键“colour”"),
        ("seal: 测试中心\n", "", 2, "缺少必需的键“seal”"),
        ("xinzheng.deployment/1", "xinzheng.deployment/9", 2, "xinzheng.deployment/1"),
        ("11320506DEM0116375", "11320506DEM0116376", 16, "校验不通过"),
        ("11320507DEM011645E", "11320506DEM0116375", 17, "统一社会信用代码相同"),
        ("[市水务局]", "[市水利局]", 13, "没有“市水利局”"),
        ("[市水务局]", "[市水务局, 市水务局]", 13, "写了两次"),
        ("districts: all,", "districts: [丙区],", 13, "没有“丙区”"),
        ("districts: all,", "districts: some,", 13, "此处应为 all"),
        ("districts: all, ", "", 13, "应同时填写"),
        ('"{district}水务局"', "区水务局", 13, "{district}"),
        ('甲区: "320506"', '甲区: "3205"', 11, "6位数字"),
        ("channels: [测试网站, 测试窗口]", "channels: []", 9, "至少写一个渠道"),
        ("  乙区水务局:", "  市园林局: {uscc: 11320500DEM010060J}\n  乙区水务局:", 17, "不负责任何领域"),
        ("brand: 信用测试", "brand: 信用测试\nbrand: 信用测试", 9, "写了两次"),
        ("seal: 测试中心", "seal: [", 12, "YAML 格式有误"),
    ],
)
def test_a_mistake_is_told_by_file_and_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert SMALL.count(old) == 1
    with pytest.raises(DeploymentError) as refused:
        load_deployment_file(written(tmp_path, SMALL.replace(old, new)))
    assert any(
        text.startswith(f"small.yaml:{line}：") and words in text for text in refused.value.message.split("\n")
    ), refused.value.message


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("brand:", "brandd:").replace("11320506DEM0116375", "11320506DEM0116376")
    with pytest.raises(DeploymentError) as refused:
        load_deployment_file(written(tmp_path, text))
    assert len(refused.value.message.split("\n")) >= 2


def test_a_policy_domain_without_units_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError) as refused:
        load_deployment_file(written(tmp_path, SMALL), load_policy("suzhou-2024"))
    assert "“税务”（taxation）没有责任单位" in refused.value.message
    assert "“参保欠缴信息”（social_insurance_arrears）没有责任单位" in refused.value.message


def test_a_domain_the_policy_does_not_have_is_refused_at_its_line(tmp_path: Path) -> None:
    text = (deployments_folder() / "suzhou.yaml").read_text("utf-8").replace("  taxation:", "  taxes:")
    with pytest.raises(DeploymentError, match="没有代码为“taxes”的领域"):
        load_deployment_file(written(tmp_path, text), load_policy("suzhou-2024"))


def test_another_city_s_policy_is_refused() -> None:
    with pytest.raises(DeploymentError, match="不是“huzhou-2023”"):
        load_deployment("suzhou", load_policy("huzhou-2023"))


def test_an_unknown_city_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DeploymentError, match="suzhou") as refused:
        load_deployment("../suzhou")
    assert refused.value.code == "deployment-unknown"


def test_a_missing_file_is_told_by_path(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match=r"nowhere\.yaml"):
        load_deployment_file(tmp_path / "nowhere.yaml")


def test_the_shipped_files_are_plain_yaml_without_anchors_or_tags() -> None:
    for path in deployments_folder().glob("*.yaml"):
        events = list(yaml.parse(path.read_text("utf-8")))
        assert not [event for event in events if isinstance(event, yaml.AliasEvent)]
