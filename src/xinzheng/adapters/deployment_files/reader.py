"""Read a deployment file (format ``xinzheng.deployment/1``) strictly: every mistake is named with file and line."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from xinzheng.adapters.deployment_files.deployment import DeployedUnit, Deployment
from xinzheng.adapters.deployment_files.returns import read_returns
from xinzheng.adapters.policy_files.nodes import Value
from xinzheng.core.identifiers import check_uscc
from xinzheng.core.policy import Extension

FORMAT = "xinzheng.deployment/1"
REQUIRED = (
    "format", "city", "policy", "demonstration", "note", "jurisdiction", "brand", "channels", "seal", "districts",
    "domains", "units",
)  # fmt: skip
OPTIONAL = ("responsible_officer", "extensions", "sections", "returns")
ALL = "all"
DISTRICT = "{district}"


# Names of the units that answer for a domain, each with the place that names it.
_Named = list[tuple[str, Value]]


def read_deployment(root: Value) -> tuple[Deployment | None, Mapping[str, Value]]:
    """The deployment and the place of each domain and section; mistakes are noted at ``root.mistakes``."""
    fields = root.fields(REQUIRED, OPTIONAL)
    if any(key not in fields for key in REQUIRED):
        return None, {}
    if fields["format"].text() != FORMAT:
        fields["format"].wrong(f"本程序只认识格式 {FORMAT}")
    districts = {name: _division(value) for name, value in fields["districts"].entries().items()}
    units = _units(fields["units"], fields["responsible_officer"].text() if "responsible_officer" in fields else None)
    places = _places(fields)
    answers = {code: _answers(place, districts) for code, place in places.items()}
    answering = {code: _codes(found, units) for code, found in answers.items()}
    returning = read_returns(fields.get("returns"), units, answering)
    sources = {source for pairs in returning.values() for source, _ in pairs}
    _refuse_unused(fields["units"], units, answers.values(), sources)
    jurisdiction = fields["jurisdiction"].fields(("code", "name"))
    return Deployment(
        city=fields["city"].text(),
        policy_id=fields["policy"].text(),
        is_demonstration=fields["demonstration"].flag(),
        note=fields["note"].text(),
        jurisdiction=_division(jurisdiction["code"]) if "code" in jurisdiction else "",
        jurisdiction_name=jurisdiction["name"].text() if "name" in jurisdiction else "",
        brand=fields["brand"].text(),
        channels=_channels(fields["channels"]),
        seal_name=fields["seal"].text(),
        extensions=tuple(_extension(item) for item in fields["extensions"].items()) if "extensions" in fields else (),
        districts=districts,
        units=tuple(units.values()),
        answering=answering,
        returning=returning,
    ), places


def _places(fields: Mapping[str, Value]) -> dict[str, Value]:
    places = fields["domains"].entries()
    for code, place in fields["sections"].entries().items() if "sections" in fields else ():
        # A section may have a domain's name: both together would answer for each other.
        if code in places:
            place.wrong(f"“{code}”已经是领域代码，其他核查信息请用自己的代码")
        places[code] = place
    return places


def _division(value: Value) -> str:
    code = value.text()
    if code and not (len(code) == 6 and code.isascii() and code.isdigit()):
        value.wrong(f"区划代码应为6位数字，实际为“{code}”")
    return code


def _channels(value: Value) -> tuple[str, ...]:
    found = tuple(item.text() for item in value.items())
    if not found:
        value.wrong("至少写一个渠道，第一个用于提出异议")
    return found


def _extension(value: Value) -> Extension:
    fields = value.fields(("document", "until"), ("note",))
    return Extension(
        document=fields["document"].text() if "document" in fields else "",
        until_date=fields["until"].day() if "until" in fields else date.min,
        note=fields["note"].text() if "note" in fields else "",
    )


def _units(value: Value, officer: str | None) -> dict[str, DeployedUnit]:
    units: dict[str, DeployedUnit] = {}
    owners: dict[str, str] = {}
    for short_name, place in value.entries().items():
        unit = _unit(short_name, place, officer)
        if unit.uscc in owners:
            place.wrong(f"“{short_name}”与“{owners[unit.uscc]}”的统一社会信用代码相同：{unit.uscc}")
        owners[unit.uscc] = short_name
        units[short_name] = unit
    return units


def _unit(short_name: str, place: Value, officer: str | None) -> DeployedUnit:
    fields = place.fields(("uscc",), ("full_name", "responsible_officer", "credit_office", "abolished"))
    code = check_uscc(fields["uscc"].text()) if "uscc" in fields else None
    for issue in code.errors if code else ():
        fields["uscc"].wrong(issue.message)
    uscc = code.value if code else ""
    return DeployedUnit(
        uscc=uscc,
        name=fields["full_name"].text() if "full_name" in fields else short_name,
        short_name=short_name,
        division=uscc[2:8],
        responsible_officer=fields["responsible_officer"].text() if "responsible_officer" in fields else officer,
        is_office="credit_office" in fields and fields["credit_office"].flag(),
        abolished_date=fields["abolished"].day() if "abolished" in fields else None,
    )


def _answers(place: Value, districts: Mapping[str, str]) -> _Named:
    fields = place.fields(("units",), ("districts", "district_unit"))
    named = [(item.text(), item) for item in fields["units"].items()] if "units" in fields else []
    if "districts" in fields and "district_unit" in fields:
        pattern = fields["district_unit"].text()
        if DISTRICT not in pattern:
            fields["district_unit"].wrong(f"单位名称样式中应有 {DISTRICT}")
        of = _districts(fields["districts"], districts)
        named += [(pattern.replace(DISTRICT, name), fields["districts"]) for name in of]
    elif "districts" in fields or "district_unit" in fields:
        place.wrong("districts 与 district_unit 应同时填写：前者写哪些区县，后者写其单位名称样式")
    if not named:
        place.wrong("没有责任单位，请在 units 中写明")
    return named


def _districts(value: Value, districts: Mapping[str, str]) -> Iterable[str]:
    if value.tag != "seq":
        if value.text() != ALL:
            value.wrong(f"此处应为 {ALL}（全部区县）或者区县名称的列表")
        return districts
    found = []
    for item in value.items():
        name = item.text()
        if name not in districts:
            item.wrong(f"districts 中没有“{name}”，请核对区县名称")
        found.append(name)
    return found


def _codes(answers: _Named, units: Mapping[str, DeployedUnit]) -> tuple[str, ...]:
    codes: list[str] = []
    for name, place in answers:
        unit = units.get(name)
        if unit is None:
            place.wrong(f"units 中没有“{name}”，请补上该单位及其统一社会信用代码")
        elif unit.uscc in codes:
            place.wrong(f"“{name}”在同一领域写了两次")
        else:
            codes.append(unit.uscc)
    return tuple(codes)


def _refuse_unused(
    place: Value, units: Mapping[str, DeployedUnit], answers: Iterable[_Named], sources: Collection[str]
) -> None:
    used = {name for found in answers for name, _ in found}
    used |= {name for name, unit in units.items() if unit.uscc in sources}
    for name, value in place.entries().items():
        if name not in used and not units[name].is_office and units[name].abolished_date is None:
            value.wrong(f"“{name}”不负责任何领域，请写入相应领域，或者删去")
