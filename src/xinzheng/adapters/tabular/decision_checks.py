"""Checks of a penalty as a decision: how long it is published; and of the organ it names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import polars as pl
import yaml

from xinzheng.adapters.tabular.check_definitions import Check, check, told
from xinzheng.adapters.tabular.fields import Format

_NO_ORGAN_OF_PENALTIES = "人民法院|人民检察院|仲裁委员会"
_PUNISHING_KINDS = frozenset({"administrative_penalty", "administrative_compulsion"})
# Nothing but a warning or a reprimand.
_MILD_ONLY = r"^(?:(?:其他[-—:：]*)?(?:警告|通报批评)[;；,，、\s]*)+$"
# GB 32100: registered as enterprise, individual business or cooperative; none of them punishes.
_BUSINESS_PREFIXES = ("91", "92", "93")


@dataclass(frozen=True)
class PublicationPeriod:
    """The longest publication (公示期) in months of decisions from a day through a day, and where it is written.

    ``minor``: the longest one of minor violations (轻微), where the rule has one of their own.
    """

    first: date
    last: date
    longest: int
    minor: int | None
    citation: str


@cache
def publication_periods() -> tuple[PublicationPeriod, ...]:
    """The rules in the order of their days, from the file beside this module."""
    given = yaml.safe_load(resources.files(__package__).joinpath("publication-periods.yaml").read_text("utf-8"))
    return tuple(
        PublicationPeriod(
            rule["from"], rule["through"] or date.max, rule["longest"], rule.get("minor"), rule["citation"]
        )
        for rule in given
    )


def decision_checks(form: Format, filled: frozenset[str]) -> Iterator[Check]:
    """Publication beyond the rule of its day."""
    if "publication_end" in filled:
        yield _publication_check(form)


def _publication_check(form: Format) -> Check:
    decided, end = pl.col("decision_date:value"), pl.col("publication_end:value")
    summary, mild = pl.col("procedure:value") == "summary", pl.col("category").str.contains(_MILD_ONLY)
    minor = summary.fill_null(value=False) | mild.fill_null(value=False)
    months, rule = pl.lit(None, pl.Int32()), pl.lit(None, pl.String())
    for period in publication_periods():
        inside = decided.is_between(period.first, period.last)
        longest = pl.when(minor).then(period.minor or period.longest).otherwise(period.longest)
        months = pl.when(inside).then(longest).otherwise(months)
        rule = pl.when(inside).then(pl.lit(period.citation)).otherwise(rule)
    latest = decided.dt.offset_by(pl.format("{}mo", months))
    text = told("写的是“{}”，超过决定日期起{}个月的最长公示期（{}），请核对。", pl.col("publication_end"), months, rule)
    return check(form.field("publication_end"), "publication-too-long", end > latest, text, warning=True)


def organ_checks(form: Format, filled: frozenset[str]) -> Iterator[Check]:
    """An organ that does not punish, a code of a business, a place that is in no list of divisions."""
    if form.kind in _PUNISHING_KINDS:
        court = pl.col("organ_name").str.contains(_NO_ORGAN_OF_PENALTIES)
        text = told(
            "写的是“{}”，不是作出行政处罚、行政强制决定的机关，请核对；刑事裁判请按刑事裁判报送。", pl.col("organ_name")
        )
        yield check(form.field("organ_name"), "organ-not-administrative", court, text, warning=True)
    for field_id in ("organ_code", "source_code"):
        if not form.has(field_id) or field_id not in filled:
            continue
        notice = pl.col(f"{field_id}:notice")
        text = told("第3至8位{}不在行政区划代码表内，请核对；开发区、园区代码可以忽略本提示。", notice)
        yield check(form.field(field_id), "organ-division-unknown", notice.is_not_null(), text, warning=True)
    if "organ_code" in filled:
        prefix = pl.col("organ_code:value").str.slice(0, 2)
        text = told("以{}开头，是企业、个体工商户或者合作社的代码，请改为机关的统一社会信用代码。", prefix)
        business = prefix.is_in(_BUSINESS_PREFIXES)
        yield check(form.field("organ_code"), "organ-code-of-business", business, text, warning=True)
