"""The files that units hand in (报送文件): which rows, in which order, written how."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from xinzheng.adapters.tabular.formats import FORMATS, KIND_NAMES
from xinzheng.cli.demo_city.files import FileForm, Sheet
from xinzheng.cli.demo_city.penalties import Penalty, Row, subject_cells

PENALTY, DETERMINATION, REPAIR = "administrative_penalty", "other_determination", "credit_repair"
SOCIAL, FUND = "social_insurance_arrears", "housing_fund_arrears"
ROUTING = ("domain", "kind")
FORMS = (FileForm.CSV_WITH_BOM, FileForm.CSV_GB18030, FileForm.XLSX, FileForm.CSV)
MAIN, SUPPLEMENT, CORRECTION = "报送", "补报", "更正"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose file it is and what it is about."""

    uscc: str
    domain: str
    kind: str


@dataclass(frozen=True)
class PlannedFile:
    """A file to hand in. ``covers``: what the unit states to be complete with it, None for additions."""

    scope: Scope
    file_name: str
    sheet: Sheet
    form: FileForm
    covers: tuple[date, date] | None


@dataclass(frozen=True)
class Turn:
    """What a file of a unit is: the unit's name, main delivery or addition, and its number, which sets its form."""

    unit_name: str
    purpose: str
    number: int
    today: date
    covers: tuple[date, date] | None = None


def planned_file(scope: Scope, turn: Turn, rows: Sequence[Row]) -> PlannedFile:
    """The rows as a file; every fifth names its columns by code."""
    form = FORMS[turn.number % len(FORMS)]
    about = f"{turn.unit_name}-{scope.domain}-{KIND_NAMES[scope.kind]}"
    name = f"{turn.number:03d}-{about}-{turn.purpose}{turn.today:%Y%m%d}.{form}"
    return PlannedFile(scope, name, sheet_of(scope.kind, rows, by_code=turn.number % 5 == 3), form, turn.covers)


def sheet_of(kind: str, rows: Sequence[Row], *, by_code: bool = False) -> Sheet:
    """The rows under the columns of a format, in the format's order; routing columns are left out."""
    fields = [field for field in FORMATS[kind].fields if field.id not in ROUTING]
    header = [field.codes[0] if by_code and field.codes else field.name for field in fields]
    return Sheet(header, [[row.get(field.id, "") for field in fields] for row in rows])


def determination_row(penalty: Penalty) -> Row:
    """A decision that confirms a violation and imposes no penalty, under the identifiers of its own format."""
    return {
        **subject_cells(penalty.party),
        "document_number": penalty.number,
        "document_name": "税务处理决定书",
        "decision_date": penalty.decided.isoformat(),
        "organ_name": penalty.organ.name,
        "organ_code": penalty.organ.code,
        "violation": penalty.violation,
        "facts": penalty.facts,
        "basis": penalty.basis,
        "content": penalty.content,
        "source_name": penalty.organ.name,
        "source_code": penalty.organ.code,
    }
