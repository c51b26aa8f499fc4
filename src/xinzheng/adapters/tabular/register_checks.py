"""Checks that ask the register (登记库): worded here, computed where lines are taken into the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from xinzheng.adapters.tabular.formats import FORMATS
from xinzheng.adapters.tabular.privacy import without_numbers

_EXCERPT = 40


@dataclass(frozen=True)
class RegisterCheck:
    """A check without an expression: code, field id, severity, Chinese message with {} for what is found, source.

    ``field`` is empty where the whole line is meant.
    """

    code: str
    field: str
    severity: Literal["error", "warning"]
    text: str
    citation: str

    def heading(self, kind: str) -> str:
        """The name of the column that is meant, in the format of a kind of record (记录类型)."""
        return FORMATS[kind].field(self.field).name if self.field else ""

    def message(self, *found: object) -> str:
        """The message with what was found in it, without identity numbers."""
        return self.text.format(*(without_numbers(str(text)) for text in found))

    def defect(self, kind: str, value: str | None, *found: object) -> tuple[str, str, str, str, str | None]:
        """Field, code, severity, message and value of a defect: all that DEFECT_SCHEMA holds besides the line."""
        heading = self.heading(kind)
        message = f"“{heading}”：{self.message(*found)}" if heading else self.message(*found)
        excerpt = None if value is None else without_numbers(value)[:_EXCERPT]
        return heading, self.code, self.severity, message, excerpt


_WORDS = (
    RegisterCheck(
        "name-against-register",
        "subject_name",
        "warning",
        "写的是“{}”，与该代码在主体登记中的现用名称和曾用名称都不一致，请核对名称和代码；登记有变更的，请先更新主体登记。",
        "双公示行政处罚数据格式 第1项：名称、代码与主体登记一致",
    ),
    RegisterCheck(
        "name-cut-short",
        "subject_name",
        "warning",
        "写的是“{}”，只是该代码在主体登记中的名称的前一部分，像是被截短，请补成全称。",
        "双公示行政处罚数据格式 第1项：名称、代码与主体登记一致",
    ),
    RegisterCheck(
        "organ-abolished",
        "organ_code",
        "warning",
        "“{}”已于{}撤销，决定日期在此之后，请改为承接其职责的机关。",
        "双公示行政处罚数据格式 第26、27项",
    ),
    RegisterCheck(
        "organ-elsewhere",
        "organ_code",
        "warning",
        "“{}”不是本市的机关，按外地机关的决定登记，请核对。",
        "双公示行政处罚数据格式 第26、27项",
    ),
    RegisterCheck(
        "source-not-answering",
        "source_code",
        "warning",
        "“{}”不是该领域的数据责任单位，请核对数据来源单位；作出决定的机关可以是别的单位。",
        "双公示行政处罚数据格式 第28、29项",
    ),
    RegisterCheck(
        "unit-not-responsible",
        "",
        "error",
        "本行的领域或者记录类型不由报送单位负责，未入账。请改为本单位负责的领域，或者由负责该领域的单位报送。",
        "信证报送规则",
    ),
    RegisterCheck(
        "key-missing",
        "",
        "error",
        "本行认不出主体或者缺少确定记录的关键栏目，未入账。请补正后重新报送。",
        "信证报送规则",
    ),
    RegisterCheck(
        "conflict",
        "",
        "error",
        "库内已有其他单位报送的同一记录，内容不同，本行未入账。请与该单位核对；本行无误的，由责任人说明。",
        "信证报送规则",
    ),
    RegisterCheck(
        "return-unit-unknown",
        "source_code",
        "error",
        "认不出责任单位：数据来源单位统一社会信用代码为空、有误，或者该单位没有登记经本渠道回流，本行未入账。"
        "请填写责任单位的代码后重新报送；应当增加回流渠道的，请联系信用办登记。",
        "信证报送规则",
    ),
    RegisterCheck(
        "own-record-stands",
        "",
        "error",
        "责任单位自己报送过同一记录，内容与回流的不同，或者已经撤回，以责任单位的为准，本行未入账。"
        "请责任单位核对：回流无误的，由责任单位重新报送该记录；原记录无误的，由责任人说明。",
        "信证报送规则",
    ),
    RegisterCheck(
        "returned-record-differed",
        "",
        "warning",
        "本行与此前经回流渠道归集的同一记录内容不同，已按本单位报送的更新。请核对，并告知回流渠道更正。",
        "信证报送规则",
    ),
    RegisterCheck(
        "delivered-again-since",
        "",
        "warning",
        "本批暂存期间，本单位又报送了同一条记录，以后报的为准，本行只保存不入账。",
        "信证报送规则",
    ),
    RegisterCheck(
        "withdrawn-since",
        "",
        "warning",
        "本批暂存期间，这条记录经异议核实已经撤下，本行只保存不入账。确有这条记录的，请单独报送。",
        "信证报送规则",
    ),
)
REGISTER_CHECKS: Mapping[str, RegisterCheck] = MappingProxyType({check.code: check for check in _WORDS})
