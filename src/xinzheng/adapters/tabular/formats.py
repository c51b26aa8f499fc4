"""The formats: one table per kind of record. The national penalty columns, and our own where no standard exists."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypedDict, Unpack

from xinzheng.adapters.tabular.fields import Field, FieldType, Format, Required

_NATIONAL = "双公示行政处罚数据格式 第{}项"
_OURS = "信证自定义列"
_YES, _ORGANISATION, _PERSON = Required.YES, Required.ORGANISATION, Required.PERSON

SUBJECT_CLASSES = MappingProxyType(
    {
        "法人及非法人组织": "organisation",
        "法人": "organisation",
        "非法人组织": "organisation",
        "自然人": "person",
        "个体工商户": "individual_business",
    }
)
PROCEDURES = MappingProxyType(
    {"简易程序": "summary", "普通程序": "ordinary", "一般程序": "ordinary", "听证程序": "hearing"}
)
OUTCOMES = MappingProxyType({"予以处罚": "penalised", "不予处罚": "not_penalised", "不予行政处罚": "not_penalised"})
STANDINGS = MappingProxyType(
    {
        "有效": "in_force",
        "复议诉讼中": "under_review",
        "撤销": "withdrawn",
        "确认违法或无效": "void",
        "变更": "changed",
    }
)
KINDS = MappingProxyType(
    {
        "行政处罚": "administrative_penalty",
        "其他生效法律文书认定": "other_determination",
        "行政强制": "administrative_compulsion",
        "刑事裁判": "criminal_judgment",
        "严重失信主体名单": "serious_dishonesty",
        "经营异常名录": "abnormal_operation",
        "参保欠缴": "social_insurance_arrears",
        "住房公积金欠缴": "housing_fund_arrears",
        "信用修复": "credit_repair",
    }
)
PENALTY_WORDS = (
    "警告", "通报批评", "罚款", "没收违法所得", "没收非法财物", "暂扣许可证件", "降低资质等级", "吊销许可证件",
    "限制开展生产经营活动", "责令停产停业", "责令关闭", "限制从业", "行政拘留",
    "暂扣或者吊销许可证", "暂扣或者吊销执照", "暂扣或者吊销许可证、暂扣或者吊销执照", "其他",
)  # fmt: skip
IDENTITY_DOCUMENTS = ("身份证", "居民身份证", "公民身份号码", "二代身份证")


class _More(TypedDict, total=False):
    type: FieldType
    required: Required
    max_length: int
    words: Mapping[str, str]
    personal: bool
    past: bool
    note: str


def _national(number: int, names: tuple[str, ...], **more: Unpack[_More]) -> Field:
    """A national column; names: identifier, Chinese name, code, older codes."""
    return Field(names[0], names[1], names[2:], citation=_NATIONAL.format(number), **more)


def _ours(field_id: str, name: str, *codes: str, **more: Unpack[_More]) -> Field:
    return Field(field_id, name, codes, citation=_OURS, **more)


_UNTOLD_STANDING = "空：按未撤销、未变更计入，报告写明状态未注明；没有撤销、变更、复议等情形的请填有效"
_STANDING_DATE = "撤销、确认违法或无效、变更的必填；自这一天起不再计入，变更的自这一天起注明已变更"


def _state(*names: str) -> tuple[Field, Field, Field]:
    """Whether a record stands, since when, and whether the law seals it; names of the first of these columns."""
    standing, *others = names
    return (
        _ours("standing", standing, "XZ_ZT", *others, type=FieldType.WORD, words=STANDINGS, note=_UNTOLD_STANDING),
        _ours("standing_date", "状态日期", "XZ_ZTRQ", type=FieldType.DATE, past=True, note=_STANDING_DATE),
        _ours("sealed", "依法封存", "XZ_FC", type=FieldType.FLAG, note="是：不列出，也不透露其存在"),
    )


_ADDED = (
    _ours("served_date", "送达日期", "XZ_SDRQ", type=FieldType.DATE, past=True),
    *_state("处罚状态", "决定状态", "状态"),
    _ours("repaired_date", "修复日期", "XZ_XFRQ", type=FieldType.DATE, past=True),
)
# Being listed, in arrears or repaired is no decision of its own, but can be taken back as well.
_STATE = _state("记录状态", "处罚状态", "状态")
_ROUTING = (
    _ours("domain", "领域", "XZ_LY", note="领域名称或者代码；空：按报送时选定的领域"),
    _ours("kind", "记录类型", "XZ_LX", type=FieldType.WORD, words=KINDS, note="空：按报送时选定的类型"),
)

PENALTY = Format(
    "administrative_penalty",
    "行政处罚",
    (
        _national(1, ("subject_name", "行政相对人名称", "CF_XDR_MC"), required=_YES, max_length=200),
        _national(
            2,
            ("subject_class", "行政相对人类别", "CF_XDR_LB"),
            required=_YES,
            max_length=100,
            type=FieldType.WORD,
            words=SUBJECT_CLASSES,
        ),
        _national(
            3,
            ("subject_uscc", "行政相对人代码_1(统一社会信用代码)", "CF_XDR_SHXYM", "统一社会信用代码"),
            required=_ORGANISATION,
            type=FieldType.USCC,
            max_length=18,
        ),
        _national(
            4, ("registration_number", "行政相对人代码_2(工商注册号)", "CF_XDR_GSZC", "CF_XDR_GSDJ"), max_length=50
        ),
        _national(
            5, ("organisation_code", "行政相对人代码_3(组织机构代码)", "CF_XDR_ZZJG", "CF_XDR_ZDM"), max_length=9
        ),
        _national(6, ("tax_number", "行政相对人代码_4(税务登记号)", "CF_XDR_SWDJ"), max_length=15),
        _national(7, ("institution_certificate", "行政相对人代码_5(事业单位证书号)", "CF_XDR_SYDW"), max_length=12),
        _national(8, ("social_certificate", "行政相对人代码_6(社会组织登记证号)", "CF_XDR_SHZZ"), max_length=50),
        _national(9, ("representative", "法定代表人", "CF_FRDB", "CF_FR"), max_length=50),
        _national(10, ("representative_document", "法定代表人证件类型", "CF_FR_ZJLX"), max_length=64),
        _national(
            11,
            ("representative_number", "法定代表人证件号码", "CF_FR_ZJHM", "CF_FR_SFZH"),
            max_length=64,
            personal=True,
        ),
        _national(12, ("identity_document", "证件类型", "CF_XDR_ZJLX"), max_length=64, note="空：按居民身份证"),
        _national(
            13,
            ("identity_number", "证件号码", "CF_XDR_ZJHM", "CF_XDR_SFZ"),
            required=_PERSON,
            type=FieldType.IDENTITY,
            max_length=64,
            personal=True,
        ),
        _national(
            14,
            ("document_number", "行政处罚决定书文号", "CF_WSH", "处罚决定书文号", "决定书文号"),
            required=_YES,
            max_length=128,
        ),
        _national(15, ("violation", "违法行为类型", "CF_WFXW"), required=_YES, max_length=2000),
        _national(16, ("facts", "违法事实", "CF_SY"), required=_YES, max_length=2000),
        _national(17, ("basis", "处罚依据", "CF_YJ"), required=_YES, max_length=2048),
        _national(18, ("category", "处罚类别", "CF_CFLB"), required=_YES, max_length=255, note="多个用;隔开"),
        _national(19, ("content", "处罚内容", "CF_NR"), required=_YES, max_length=4000),
        _national(
            20,
            ("fine", "罚款金额(万元)", "CF_NR_FK"),
            type=FieldType.AMOUNT,
            max_length=20,
            note="处罚类别有罚款时应填",
        ),
        _national(
            21,
            ("confiscation", "没收违法所得、没收非法财物的金额(万元)", "CF_NR_WFFF"),
            type=FieldType.AMOUNT,
            max_length=20,
            note="处罚类别有没收时应填",
        ),
        _national(22, ("licence", "暂扣或吊销证照名称及编号", "CF_NR_ZKDX"), note="处罚类别有暂扣、吊销时应填"),
        _national(23, ("decision_date", "处罚决定日期", "CF_JDRQ"), required=_YES, type=FieldType.DATE, past=True),
        _national(
            24, ("validity_date", "处罚有效期", "CF_YXQ"), required=_YES, type=FieldType.DATE, note="2099/12/31：长期"
        ),
        _national(25, ("publication_end", "公示截止期", "CF_GSJZQ"), type=FieldType.DATE),
        _national(26, ("organ_name", "处罚机关", "CF_CFJG", "CF_XZJG"), required=_YES),
        _national(
            27,
            ("organ_code", "处罚机关统一社会信用代码", "CF_CFJGDM"),
            required=_YES,
            type=FieldType.USCC,
            max_length=18,
        ),
        _national(28, ("source_name", "数据来源单位", "CF_SJLY"), required=_YES),
        _national(
            29,
            ("source_code", "数据来源单位统一社会信用代码", "CF_SJLYDM"),
            required=_YES,
            type=FieldType.USCC,
            max_length=18,
        ),
        _national(30, ("remark", "备注", "BZ"), max_length=512),
        _ours(
            "procedure",
            "程序",
            "XZ_CX",
            "适用程序",
            "处罚程序",
            type=FieldType.WORD,
            words=PROCEDURES,
            note="空：程序未注明；不从罚款数额推断",
        ),
        _ours("outcome", "处理结果", "XZ_JG", type=FieldType.WORD, words=OUTCOMES, note="空：见下文“处理结果”"),
        *_ADDED,
        *_ROUTING,
    ),
    ("organ", "document_number"),
    "双公示行政处罚数据格式",
)

_SUBJECT = (
    _ours("subject_name", "主体名称", "XZ_ZTMC", "行政相对人名称", "企业名称", "单位名称", "CF_XDR_MC", required=_YES),
    _ours(
        "subject_class",
        "主体类别",
        "XZ_ZTLB",
        "行政相对人类别",
        "CF_XDR_LB",
        type=FieldType.WORD,
        words=SUBJECT_CLASSES,
        note="空：有公民身份号码而无统一社会信用代码的按自然人，其余按法人及非法人组织",
    ),
    _ours(
        "subject_uscc",
        "统一社会信用代码",
        "XZ_ZTDM",
        "主体统一社会信用代码",
        "行政相对人代码_1(统一社会信用代码)",
        "CF_XDR_SHXYM",
        required=_ORGANISATION,
        type=FieldType.USCC,
        max_length=18,
    ),
    _ours("identity_document", "证件类型", "XZ_ZJLX", "CF_XDR_ZJLX", max_length=64, note="空：按居民身份证"),
    _ours(
        "identity_number",
        "证件号码",
        "XZ_ZJHM",
        "公民身份号码",
        "CF_XDR_ZJHM",
        required=_PERSON,
        type=FieldType.IDENTITY,
        max_length=64,
        personal=True,
    ),
)
_SOURCE = (
    _ours("source_name", "数据来源单位", "XZ_SJLY", "CF_SJLY"),
    _ours("source_code", "数据来源单位统一社会信用代码", "XZ_SJLYDM", "CF_SJLYDM", type=FieldType.USCC, max_length=18),
    _ours("remark", "备注", "XZ_BZ", "BZ", max_length=512),
)


def _organ(name: str, *codes: str, code_required: Required = Required.NO) -> tuple[Field, ...]:
    return (
        _ours("organ_name", name, "XZ_JGMC", *codes, required=_YES),
        _ours(
            "organ_code",
            f"{name}统一社会信用代码",
            "XZ_JGDM",
            *(f"{code}统一社会信用代码" for code in codes if not code.isascii()),
            required=code_required,
            type=FieldType.USCC,
            max_length=18,
        ),
    )


def _document_format(kind: str, name: str, words: tuple[str, str, str, str]) -> Format:
    """A record confirmed by a document: names of number, date, organ and content differ, the shape does not."""
    number, day, organ, content = words
    return Format(
        kind,
        name,
        (
            *_SUBJECT,
            _ours("document_number", number, "XZ_WSH", "文号", "决定书文号", required=_YES, max_length=128),
            _ours("document_name", "文书名称", "XZ_WSMC"),
            _ours("decision_date", day, "XZ_JDRQ", "决定日期", type=FieldType.DATE, required=_YES, past=True),
            *_organ(organ, "决定机关"),
            _ours("violation", "违法行为类型", "XZ_WFXW", "案由", max_length=2000),
            _ours("facts", "违法事实", "XZ_SY", max_length=2000),
            _ours("basis", "依据", "XZ_YJ", "法律依据", max_length=2048),
            _ours("content", content, "XZ_NR", "决定内容", required=_YES, max_length=4000),
            *_ADDED,
            *_SOURCE,
            *_ROUTING,
        ),
        ("organ", "document_number"),
        _OURS,
    )


def _list_format(kind: str, name: str) -> Format:
    """Being on a list: the list, who listed, from when, until when."""
    return Format(
        kind,
        name,
        (
            *_SUBJECT,
            _ours("list_name", "名单名称", "XZ_MDMC", "名录名称", required=_YES),
            *_organ("列入机关", "列入决定机关"),
            _ours("listed_from", "列入日期", "XZ_LRRQ", type=FieldType.DATE, required=_YES, past=True),
            _ours("listed_through", "移出日期", "XZ_YCRQ", type=FieldType.DATE, note="空：仍在名单内"),
            _ours("document_number", "列入决定书文号", "XZ_WSH", "文号", max_length=128),
            _ours("reason", "列入事由", "XZ_SY", "列入原因", max_length=2000),
            _ours("basis", "列入依据", "XZ_YJ", "依据", max_length=2048),
            *_STATE,
            *_SOURCE,
            *_ROUTING,
        ),
        ("list_name", "organ", "listed_from"),
        _OURS,
    )


def _arrears_format(kind: str, name: str, own: tuple[Field, ...], key: tuple[str, ...]) -> Format:
    """What was due, paid and is owing for a stretch of months, as at a day; amounts in yuan."""
    return Format(
        kind,
        name,
        (
            *_SUBJECT,
            *own,
            *_organ("征收经办机构", "经办机构"),
            _ours("period_from", "欠缴起始年月", "XZ_QJQ", type=FieldType.MONTH, required=_YES),
            _ours("period_through", "欠缴截止年月", "XZ_QJZ", type=FieldType.MONTH, required=_YES),
            _ours("due", "应缴金额(元)", "XZ_YJJE", type=FieldType.MONEY, max_length=20),
            _ours("paid", "已缴金额(元)", "XZ_SJJE", type=FieldType.MONEY, max_length=20),
            _ours(
                "owing", "欠缴金额(元)", "XZ_QJJE", type=FieldType.MONEY, required=_YES, max_length=20, note="0：已结清"
            ),
            _ours("as_of_date", "数据日期", "XZ_SJRQ", type=FieldType.DATE, required=_YES, past=True),
            *_STATE,
            *_SOURCE,
            *_ROUTING,
        ),
        key,
        _OURS,
    )


REPAIR = Format(
    "credit_repair",
    "信用修复",
    (
        *_SUBJECT,
        _ours(
            "repaired_document_number",
            "原处罚决定书文号",
            "XZ_YWSH",
            "行政处罚决定书文号",
            "CF_WSH",
            required=_YES,
            max_length=128,
        ),
        *_organ("原处罚机关", "处罚机关"),
        _ours("decision_date", "原处罚决定日期", "XZ_YJDRQ", "处罚决定日期", type=FieldType.DATE, past=True),
        _ours("repaired_date", "修复日期", "XZ_XFRQ", type=FieldType.DATE, required=_YES, past=True),
        _ours("repair_organ_name", "修复认定单位", "XZ_XFDW"),
        _ours("category", "处罚类别", "CF_CFLB", max_length=255),
        _ours("fine", "罚款金额(万元)", "CF_NR_FK", type=FieldType.AMOUNT, max_length=20),
        *_STATE,
        *_SOURCE,
        *_ROUTING,
    ),
    ("organ", "repaired_document_number", "repaired_date"),
    _OURS,
)

_INSURANCE = (_ours("insurance", "险种", "XZ_XZ", required=_YES, max_length=64),)
_ARREARS_KEY = ("organ", "period_from", "period_through")

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        found.kind: found
        for found in (
            PENALTY,
            _document_format(
                "other_determination", "其他生效法律文书认定", ("文书文号", "决定日期", "认定机关", "认定内容")
            ),
            _document_format(
                "administrative_compulsion", "行政强制", ("强制决定书文号", "决定日期", "强制机关", "强制内容")
            ),
            _document_format("criminal_judgment", "刑事裁判", ("裁判文书案号", "生效日期", "裁判法院", "裁判结果")),
            _list_format("serious_dishonesty", "严重失信主体名单"),
            _list_format("abnormal_operation", "经营异常名录"),
            _arrears_format("social_insurance_arrears", "参保欠缴", _INSURANCE, ("insurance", *_ARREARS_KEY)),
            _arrears_format("housing_fund_arrears", "住房公积金欠缴", (), _ARREARS_KEY),
            REPAIR,
        )
    }
)
KIND_NAMES: Mapping[str, str] = MappingProxyType({kind: name for name, kind in KINDS.items()})
