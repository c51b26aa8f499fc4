"""Checks that ask the register (登记库): worded here, computed where lines are taken into the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class RegisterCheck:
    """A check without an expression: code, field id, severity, Chinese message with {} for what is found, source."""

    code: str
    field: str
    severity: Literal["error", "warning"]
    text: str
    citation: str

    def message(self, *found: object) -> str:
        """The message with what was found in it."""
        return self.text.format(*found)


_WORDS = (
    RegisterCheck(
        "name-against-register",
        "subject_name",
        "warning",
        "写的是“{}”，与该代码在主体登记中的现用名称和曾用名称都不一致，请核对名称和代码；登记有变更的，请先更新主体登记。",
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
)
REGISTER_CHECKS: Mapping[str, RegisterCheck] = MappingProxyType({check.code: check for check in _WORDS})
