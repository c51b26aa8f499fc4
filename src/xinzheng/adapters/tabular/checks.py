"""The checks: each one definition, an expression true where a row is wrong, with its message and its source."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from xinzheng.adapters.tabular.check_definitions import Check, check, told
from xinzheng.adapters.tabular.decision_checks import decision_checks, organ_checks
from xinzheng.adapters.tabular.fields import Field, FieldType, Format, Required
from xinzheng.adapters.tabular.formats import IDENTITY_DOCUMENTS

_ERROR_CELLS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")
# Filler dates such as 1900-01-01 would silently fall outside every window; no record of the field is this old.
_EARLIEST = date(1978, 1, 1)
_PRINTED_ONLY = frozenset({"publication_end"})
_FAULT_MESSAGES = {
    "date-impossible": "写的是“{}”，这一天不存在，请改为真实日期。",
    "date-month-only": "写的是“{}”，缺少年或者日，请写明年月日，如2022-05-16。",
    "date-unreadable": "写的是“{}”，不是可以识别的日期，请写成2022-05-16这样的年月日。",
    "date-serial": "写的是“{}”，已按表格软件的日期序号读取，请核对，以后请写成2022-05-16这样的年月日。",
    "month-unreadable": "写的是“{}”，不是可以识别的年月，请写成2022-05这样的年月。",
    "amount-unreadable": "写的是“{}”，不是可以识别的金额，请只填数字，不带单位。",
    "amount-negative": "写的是“{}”，金额不能小于0，请更正。",
    "amount-too-precise": "写的是“{}”，小数位数超过规定，请核对金额和单位。",
    "word-unknown": "写的是“{}”，不在可选范围内，请填：{}。",
}
_ORDER = (
    ("decision_date", "validity_date", "validity-before-decision"),
    ("decision_date", "publication_end", "publication-before-decision"),
    ("decision_date", "served_date", "served-before-decision"),
    ("decision_date", "standing_date", "standing-before-decision"),
    ("decision_date", "repaired_date", "repair-before-decision"),
    ("listed_from", "listed_through", "listing-ends-before-it-starts"),
    ("period_from", "period_through", "period-ends-before-it-starts"),
)
_ABSURD = {FieldType.AMOUNT: 100_000, FieldType.MONEY: 1_000_000_000}
# The name in the example row of a template: whoever forgets to delete it must not report a record.
EXAMPLE_MARK = "示例（报送前请删除本行）"
_FINE_IN_CONTENT = r"罚款(?:人民币)?(\d+(?:\.\d+)?)元"


def checks_of(form: Format, today: date, filled: frozenset[str]) -> tuple[Check, ...]:
    """Every check of a format that can apply when only the ``filled`` fields hold any text."""
    found = [c for field in form.fields for c in _field_checks(field, today, present=field.id in filled)]
    found.extend(_order_checks(form))
    found.extend(_subject_checks(form))
    if form.kind == "administrative_penalty":
        found.extend(_penalty_checks(form))
        found.extend(decision_checks(form, filled))
    found.extend(organ_checks(form, filled))
    if form.has("owing"):
        found.append(_owing_check(form))
    if form.has("standing"):
        found.append(_standing_check(form))
    return tuple(found)


def _field_checks(field: Field, today: date, *, present: bool) -> Iterator[Check]:
    text = pl.col(field.id)
    if field.required is not Required.NO:
        yield _required(field)
    if not present:
        return
    optional = field.required is Required.NO
    length = told("共{}字，超过{}字的上限，请精简后重新报送。", text.str.len_chars(), pl.lit(field.max_length))
    if field.type is FieldType.TEXT:
        yield check(field, "too-long", text.str.len_chars() > field.max_length, length, warning=optional)
    error_cell = text.str.starts_with("#") & text.is_in(_ERROR_CELLS)
    yield check(field, "cell-error", error_cell, "是表格软件的错误值，不是内容，请填写实际内容后重新报送。")
    if field.type in (FieldType.USCC, FieldType.IDENTITY):
        yield from _identifier_checks(field)
    elif field.type is not FieldType.TEXT:
        yield from _fault_checks(field)
    if field.type is FieldType.DATE and field.past:
        yield from _past_checks(field, today)
    if field.type in _ABSURD:
        most = _ABSURD[field.type]
        absurd = told("写的是“{}”，数额异常大，请核对金额和单位。", text)
        yield check(field, "amount-absurd", pl.col(f"{field.id}:value") >= most, absurd, warning=True)
    if field.id == "domain":
        unknown = told("写的是“{}”，不是已登记的领域，请填领域名称或者代码。", text)
        yield check(field, "domain-unknown", pl.col("domain:code").is_null(), unknown)


def _required(field: Field) -> Check:
    empty = pl.col(field.id).is_null()
    if field.required is Required.ORGANISATION:
        return check(field, "required", empty & ~pl.col("is_person"), "为空，除自然人外必填，请补充后重新报送该行。")
    if field.required is Required.PERSON:
        return check(field, "required", empty & pl.col("is_person"), "为空，自然人必填，请补充后重新报送该行。")
    return check(field, "required", empty, "为空，该项必填，请补充后重新报送该行。")


def _fault_checks(field: Field) -> Iterator[Check]:
    fault, text = pl.col(f"{field.id}:fault"), pl.col(field.id)
    for code, words in _FAULT_MESSAGES.items():
        if not _may_have(field, code):
            continue
        asks = "、".join(field.words) if field.type is FieldType.WORD else "是、否"
        message = told(words, text.str.slice(0, 40))
        if code == "word-unknown":
            message = told(words, text.str.slice(0, 40), pl.lit(asks))
        if field.id == "subject_class":
            readable = pl.col("subject_uscc:value").is_not_null()
            yield check(field, code, (fault == code) & readable, message, warning=True)
            yield check(field, code, (fault == code) & ~readable, message)
        else:
            mild = code == "date-serial" or field.id in _PRINTED_ONLY
            yield check(field, code, fault == code, message, warning=mild)


def _may_have(field: Field, code: str) -> bool:
    families = {
        FieldType.DATE: "date-",
        FieldType.MONTH: "month-",
        FieldType.AMOUNT: "amount-",
        FieldType.MONEY: "amount-",
        FieldType.WORD: "word-",
        FieldType.FLAG: "word-",
    }
    return code.startswith(families[field.type])


def _identifier_checks(field: Field) -> Iterator[Check]:
    fault, message = pl.col(f"{field.id}:fault"), told("{}", pl.col(f"{field.id}:message"))
    applies = pl.lit(value=True)
    if field.id == "subject_uscc":
        applies = ~pl.col("is_person")
    elif field.id == "identity_number":
        applies = pl.col("is_person") & _document_is_readable()
    codes = _IDENTITY_CODES if field.type is FieldType.IDENTITY else _USCC_CODES
    for code in codes:
        yield check(field, code, applies & (fault == code), message)
    if field.id == "subject_uscc":
        notice = pl.col("subject_uscc:notice")
        text = told("第3至8位{}不在行政区划代码表内，请核对；开发区、园区代码可以忽略本提示。", notice)
        yield check(field, "uscc-division-unknown", notice.is_not_null() & ~pl.col("is_person"), text, warning=True)


_USCC_CODES = ("uscc-length", "uscc-character", "uscc-organisation-check", "uscc-check", "number-rounded")
_IDENTITY_CODES = ("identity-length", "identity-character", "identity-birth-date", "identity-check", "number-rounded")


def _document_is_readable() -> pl.Expr:
    document = pl.col("identity_document")
    return document.is_null() | document.is_in(IDENTITY_DOCUMENTS)


def _past_checks(field: Field, today: date) -> Iterator[Check]:
    value, text = pl.col(f"{field.id}:value"), pl.col(field.id)
    future = told("写的是“{}”，晚于报送日{}，请更正。", text, pl.lit(str(today)))
    yield check(field, "date-in-future", value > today, future)
    early = told("写的是“{}”，早于1978年，像是占位日期，请改为真实日期。", text)
    yield check(field, "date-too-early", value < _EARLIEST, early)


def _order_checks(form: Format) -> Iterator[Check]:
    for earlier, later, code in _ORDER:
        if form.has(earlier) and form.has(later):
            name = form.field(earlier).name
            message = told("写的是“{}”，早于{}“{}”，请核对这两个日期。", pl.col(later), pl.lit(name), pl.col(earlier))
            wrong = pl.col(f"{later}:value") < pl.col(f"{earlier}:value")
            yield check(form.field(later), code, wrong, message, warning=later in _PRINTED_ONLY)


def _subject_checks(form: Format) -> Iterator[Check]:
    stated, prefix = pl.col("subject_class:value"), pl.col("subject_uscc:value").str.slice(0, 2)
    field = form.field("subject_class")
    mismatch = ((stated == "individual_business") & (prefix != "92")) | ((stated == "organisation") & (prefix == "92"))
    message = told("写的是“{}”，与统一社会信用代码前两位{}不一致（92为个体工商户），已以代码为准，请核对。",
                        pl.col("subject_class"), prefix)  # fmt: skip
    yield check(field, "class-against-code", mismatch, message, warning=True)
    by_code = (stated == "person") & ~pl.col("is_person") & prefix.is_not_null()
    text = "写的是自然人，但填了统一社会信用代码、没有证件号码，已按代码认定主体，请核对。"
    yield check(field, "person-with-code", by_code, text, warning=True)
    example = pl.col("subject_name").str.starts_with(EXAMPLE_MARK[:5])
    yield check(form.field("subject_name"), "example-row", example, "是模板里的示例行，请删除该行后重新报送。")
    document = form.field("identity_document")
    other = told("写的是“{}”，目前只能按公民身份号码认定自然人，请在说明后改用公民身份号码报送。",
                      pl.col("identity_document"))  # fmt: skip
    yield check(document, "identity-document-unsupported", pl.col("is_person") & ~_document_is_readable(), other)


def _penalty_checks(form: Format) -> Iterator[Check]:
    category, content = form.field("category"), form.field("content")
    unknown = told("其中“{}”不是行政处罚法列明的种类，请核对；其他种类请写成“其他-…”。", pl.col("category:unknown"))
    yield check(category, "category-unknown", pl.col("category:unknown").is_not_null(), unknown, warning=True)
    unstated = pl.col("outcome:value").is_null() & pl.col("outcome:fault").is_null()
    decided = pl.col("not_penalised") & (pl.col("outcome:decided") == "not_penalised") & unstated
    text = "写明不予行政处罚或者违法事实不能成立，已按不予处罚登记；请在“处理结果”列注明。"
    yield check(content, "not-penalised-in-feed", decided, text, warning=True)
    stated_penalised = pl.col("outcome:value") == "penalised"
    conflict = pl.col("not_penalised") & (
        (pl.col("category:real") & unstated) | stated_penalised.fill_null(value=False)
    )
    text = "既写明不予处罚，又列有处罚种类或者注明予以处罚，请核对后在“处理结果”列注明。"
    yield check(content, "outcome-conflict", conflict, text, warning=True)
    open_outcome = unstated & ~pl.col("not_penalised") & ~pl.col("category:real") & pl.col("category").is_not_null()
    text = "没有列明处罚种类，处理结果按未注明登记；请在“处理结果”列注明予以处罚或者不予处罚。"
    yield check(category, "outcome-unknown", open_outcome, text, warning=True)
    yield from _penalty_amount_checks(form)


def _penalty_amount_checks(form: Format) -> Iterator[Check]:
    for field_id, words, code in (
        ("fine", "罚款", "fine-missing"),
        ("confiscation", "没收", "confiscation-missing"),
        ("licence", "暂扣|吊销", "licence-missing"),
    ):
        absent = pl.col(field_id).is_null() & pl.col("category").str.contains(words)
        text = f"为空，但处罚类别有{words.replace('|', '、')}，请补充。"
        yield check(form.field(field_id), code, absent, text, warning=True)
    stated = pl.col("content").str.extract(_FINE_IN_CONTENT).cast(pl.Float64(), strict=False)
    fine = pl.col("fine:value").cast(pl.Float64()) * 10_000
    differs = ((stated - fine).abs() > 0.011) & (pl.col("content").str.count_matches("罚款") == 1)
    message = told("写的是“{}”万元，与处罚内容中的罚款{}元不一致，请核对单位。", pl.col("fine"), stated)
    yield check(form.field("fine"), "fine-differs", differs, message, warning=True)


def _owing_check(form: Format) -> Check:
    due, paid, owing = (pl.col(f"{name}:value") for name in ("due", "paid", "owing"))
    text = "不等于应缴金额减已缴金额，请核对。"
    return check(form.field("owing"), "owing-differs", (due - paid) != owing, text, warning=True)


def _standing_check(form: Format) -> Check:
    ended = pl.col("standing:value").is_in(["withdrawn", "void", "changed"])
    absent = ended & pl.col("standing_date").is_null()
    text = "为空，处罚状态为撤销、确认违法或无效、变更的必填，请补充后重新报送该行。"
    return check(form.field("standing_date"), "required", absent, text)
