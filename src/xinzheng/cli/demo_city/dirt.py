"""Dirt as it is seen in real files: writing that intake reads all the same, and cells for which it sends a row back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from xinzheng.cli.demo_city.penalties import Row
from xinzheng.core.identifiers import USCC_ALPHABET

Spoil = Callable[[Random, Row], None]
OPTIONAL = ("organisation_code", "tax_number", "institution_certificate", "social_certificate", "licence", "remark")
EMPTY_MARKS = ("无", "/", "— —", "-", "——")
# Full-width forms stand this far above their half-width characters.
FULL_WIDTH = {ord(character): ord(character) + 0xFEE0 for character in USCC_ALPHABET}


def _brackets_in_number(rng: Random, row: Row) -> None:
    left, right = rng.choice(("[]", "【】", "()", "（）"))
    row["document_number"] = row["document_number"].replace("〔", left).replace("〕", right)


def _brackets_in_name(_rng: Random, row: Row) -> None:
    row["subject_name"] = row["subject_name"].replace("（", "(").replace("）", ")")


def _marks_of_emptiness(rng: Random, row: Row) -> None:
    for field in OPTIONAL:
        if not row.get(field):
            row[field] = rng.choice(EMPTY_MARKS)


def _other_dates(rng: Random, row: Row) -> None:
    day = date.fromisoformat(row["decision_date"])
    written = (f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day}", f"{day.year}年{day.month}月{day.day}日")
    row["decision_date"] = rng.choice(written)


def _other_office_name(_rng: Random, row: Row) -> None:
    row["organ_name"] = row["organ_name"].replace("监督管理局", "监管局").replace("委员会", "委")


def _name_cut_short(_rng: Random, row: Row) -> None:
    name = row["subject_name"]
    row["subject_name"] = name[: max(len(name) - 4, 6)]


def _other_warning(_rng: Random, row: Row) -> None:
    row["category"] = row["category"].replace("警告", "其他-警告")


def _joined_bases(rng: Random, row: Row) -> None:
    row["basis"] += rng.choice("，；。") + "中华人民共和国行政处罚法/第四章行政处罚的管辖和适用/第三十二条/第一款"


def _full_width_code(_rng: Random, row: Row) -> None:
    if "subject_uscc" in row:
        row["subject_uscc"] = row["subject_uscc"].translate(FULL_WIDTH)


def _spaces(_rng: Random, row: Row) -> None:
    row["document_number"] = f" {row['document_number']}\u3000"


def _unregistered_source(_rng: Random, row: Row) -> None:
    row["source_name"] = row["source_name"] + "示例分局"


READ_ALL_THE_SAME: tuple[tuple[Spoil, float], ...] = (
    (_brackets_in_number, 0.08),
    (_brackets_in_name, 0.10),
    (_marks_of_emptiness, 0.15),
    (_other_dates, 0.20),
    (_other_office_name, 0.05),
    (_name_cut_short, 0.01),
    (_other_warning, 0.05),
    (_joined_bases, 0.10),
    (_full_width_code, 0.02),
    (_spaces, 0.03),
    (_unregistered_source, 0.02),
)


def soiled(rng: Random, row: Row) -> Row:
    """The row with some of the dirt that intake reads all the same."""
    found = dict(row)
    for spoil, share in READ_ALL_THE_SAME:
        if rng.random() < share:
            spoil(rng, found)
    return found


def _impossible_day(_rng: Random, row: Row) -> None:
    row["decision_date"] = f"{row['decision_date'][:4]}-09-31"


def _month_only(_rng: Random, row: Row) -> None:
    row["decision_date"] = row["decision_date"][:7]


def _month_in_letters(_rng: Random, row: Row) -> None:
    row["decision_date"] = f"Oct-{row['decision_date'][2:4]}"


def _no_organ(_rng: Random, row: Row) -> None:
    row["organ_name"] = ""


def _fine_in_words(_rng: Random, row: Row) -> None:
    row["fine"] = "约叁万元"


def _word_unknown(_rng: Random, row: Row) -> None:
    row["procedure"] = "快速办理"


def _code_with_a_slip(rng: Random, row: Row) -> None:
    code = row["subject_uscc"]
    place = rng.randrange(12, 16)
    row["subject_uscc"] = code[:place] + ("7" if code[place] != "7" else "8") + code[place + 1 :]


def _code_cut_short(_rng: Random, row: Row) -> None:
    row["subject_uscc"] = row["subject_uscc"][:17]


def _code_with_letter_o(_rng: Random, row: Row) -> None:
    row["subject_uscc"] = row["subject_uscc"][:11] + "O" + row["subject_uscc"][12:]


def _code_as_number(_rng: Random, row: Row) -> None:
    row["subject_uscc"] = "9.13205E+17"


NAMING_THE_SUBJECT: tuple[Spoil, ...] = (
    _impossible_day, _month_only, _month_in_letters, _no_organ, _fine_in_words, _word_unknown,
)  # fmt: skip
NAMING_NOBODY: tuple[Spoil, ...] = (_code_with_a_slip, _code_cut_short, _code_with_letter_o, _code_as_number)


@dataclass(frozen=True)
class SentBack:
    """Rows that intake sends back (退回), and the same rows as the department corrects them (更正)."""

    rows: list[Row]
    corrected: list[Row]


def sent_back(rng: Random, rows: Sequence[Row], left_open: int = 0) -> SentBack:
    """Spoil every row, each in its own way; the first ``left_open``, which name their subjects, stay uncorrected."""
    spoilt = []
    for number, row in enumerate(rows):
        found = dict(row)
        names_nobody = number >= left_open and number % 3 == 2 and "subject_uscc" in row
        spoil = rng.choice(NAMING_NOBODY if names_nobody else NAMING_THE_SUBJECT)
        spoil(rng, found)
        spoilt.append(found)
    return SentBack(spoilt, [dict(row) for row in rows[left_open:]])


def impossible_day(row: Row) -> Row:
    """The row with a decision date that does not exist, so that it is sent back though its subject can be read."""
    found = dict(row)
    found["decision_date"] = f"{row['decision_date'][:4]}-09-31"
    return found


def with_repeats(rng: Random, rows: list[Row], share: float = 0.01) -> list[Row]:
    """Some rows twice, as when two clerks export the same list: of the same key the last wins."""
    return [*rows, *(dict(row) for row in rows if rng.random() < share)]
