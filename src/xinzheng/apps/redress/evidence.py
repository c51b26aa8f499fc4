"""Evidence (证据): looked into before anything is kept, sealed under a key of its own, handed out as a file only."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from types import MappingProxyType

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.key_hooks import evidence_owner
from xinzheng.apps.redress.models import Evidence, EvidenceContent, RepairCase, Step
from xinzheng.apps.redress.ports import evidence_files
from xinzheng.apps.registry.keys import encrypt, new_data_key, wrap_key

MOST_FILES = 10
LONGEST_NAME = 80
MEBIBYTE = 1024 * 1024
WHY_UNFIT: Mapping[str, str] = MappingProxyType(
    {
        "other-kind": "不是PDF、JPG或者PNG文件（按内容判断，不看文件名）。请另存或者拍照后再上传。",
        "broken": "打不开，可能已损坏或者没有传完整。请在本机打开核对后重新上传。",
        "encrypted": "需要密码才能打开。请去掉密码后再上传。",
        "too-many-pages": "超过{pages}页。请只上传有关的页，或者分成几个文件。",
        "too-many-pixels": "像素过多（超过{pixels}万）。请缩小后再上传。",
        "carries-files": "里面附有其他文件或者影音。请打印成新的PDF后再上传。",
        "carries-scripts": "里面有脚本。请打印成新的PDF后再上传。",
        "something-beside": "里面还藏有别的文件。请另存或者截图后再上传。",
    }
)
WHY_NOT_EXAMINED: Mapping[str, str] = MappingProxyType(
    {
        "over-limit": "过于复杂，没有能在限定的时间内核对完。请另存为简单的PDF或者图片后再上传。",
        "busy": "没有核对：现在同时上传的人较多。请稍候再提交一次。",
        "unavailable": "没有核对：系统暂时不能核对文件。请稍候再提交一次，或者联系信用办。",
    }
)


class EvidenceError(RedressError):
    """A file cannot be taken; ``context`` holds nothing of it."""

    code = "evidence-unfit"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was looked into (已核对的文件); only such are kept. ``name`` has the ending its content asks for."""

    media_type: str
    content: bytes
    name: str


def read_file(content: bytes, name: str) -> Found:
    """Look into a file as it was sent; what it is tells its content, never its name. Best before any transaction.

    Raises:
        EvidenceError: ``evidence-too-large``; ``evidence-unfit``: empty, no PDF, JPG or PNG, does not open, asks for a
            password, carries other files; ``evidence-not-examined``: that could not be told, nothing was kept.
    """
    most = settings.XINZHENG_EVIDENCE_MAX_BYTES
    if len(content) > most:
        raise EvidenceError(f"{_quoted(name)}超过{most // MEBIBYTE}MB，请缩小后再上传。", code="evidence-too-large")
    if not content:
        raise EvidenceError(f"{_quoted(name)}是空文件，请重新选择。")
    adapter = evidence_files()
    verdict = adapter.examine_file(BytesIO(content), most)
    if verdict.problem in WHY_UNFIT:
        words = WHY_UNFIT[verdict.problem].format(pages=adapter.MOST_PAGES, pixels=adapter.MOST_PIXELS // 10_000)
        raise EvidenceError(_quoted(name) + words)
    if verdict.problem:
        words = WHY_NOT_EXAMINED.get(verdict.problem, WHY_NOT_EXAMINED["unavailable"])
        raise EvidenceError(_quoted(name) + words, code="evidence-not-examined")
    return Found(verdict.media_type, content, name_to_keep(name, adapter.ENDINGS[verdict.media_type]))


def name_to_keep(name: str, ending: str) -> str:
    """The name without folders and what cannot be seen, of a bounded length, with this ending."""
    shown = "".join(sign for sign in name.replace("\\", "/") if unicodedata.category(sign)[0] != "C")
    stem = PurePosixPath(" ".join(shown.split())).stem.strip(" .")
    return f"{stem[:LONGEST_NAME] or '证据'}.{ending}"


def _quoted(name: str) -> str:
    return f"“{name_to_keep(name, '')[:-1]}”"


@transaction.atomic
def keep(
    files: Sequence[Found], *, step: Step | None = None, repair: RepairCase | None = None, by: str
) -> list[Evidence]:
    """Seal the files given with a step of an objection or with a repair, in order; the caller's is the transaction.

    Who calls it for a step holds the objection's head locked, so that two cannot exceed the bounds together.

    Raises:
        EvidenceError: ``evidence-too-many``; ``evidence-too-large``: all that one party gave with an objection, or all
            of a repair's, together. No party can use up what another may give.
    """
    if not files:
        return []
    if len(files) > MOST_FILES:
        words = f"一次最多上传{MOST_FILES}个文件，现在有{len(files)}个。请去掉几个，或者合成一个PDF。"
        raise EvidenceError(words, code="evidence-too-many")
    if (
        _size_so_far(step, repair) + sum(len(file.content) for file in files)
        > settings.XINZHENG_EVIDENCE_TOGETHER_BYTES
    ):
        most = settings.XINZHENG_EVIDENCE_TOGETHER_BYTES // MEBIBYTE
        words = f"这一件里先后上传的证据合起来超过{most}MB，请缩小后再上传。"
        raise EvidenceError(words, code="evidence-too-large")
    first = 1 + Evidence.objects.filter(step=step, repair=repair).count()
    return [
        _keep_one(file, Evidence(step=step, repair=repair, place=first + n, actor=by)) for n, file in enumerate(files)
    ]


def _size_so_far(step: Step | None, repair: RepairCase | None) -> int:
    of_party = {"step__objection": step.objection_id, "step__by": step.by} if step else {"repair": repair}
    found = Evidence.objects.filter(**of_party)
    return found.aggregate(all=Sum("size"))["all"] or 0


def _keep_one(file: Found, row: Evidence) -> Evidence:
    row.media_type, row.size = file.media_type, len(file.content)
    row.sha256 = hashlib.sha256(file.content).digest()
    row.save()
    key, owner = new_data_key(), evidence_owner(row.pk)
    EvidenceContent.objects.create(
        evidence=row,
        wrapped_key=wrap_key(key, owner),
        content_ct=encrypt(key, file.content, owner),
        name_ct=encrypt(key, file.name.encode(), owner),
    )
    return row
