"""Verifying by a picture of the QR code (拍码核验): the code in it counts as if its text had been handed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings

from xinzheng.apps.reports import ports
from xinzheng.apps.reports.looks import COMMAND_LINE
from xinzheng.apps.reports.verification import Verdict, verify_qr_text
from xinzheng.core.errors import XinzhengError
from xinzheng.core.hosts import shown_host

OTHERWISE = "也可以改用编号和核验码。"
NO_CODE = f"图片里没有找到二维码。请对准报告末页的二维码，拍满画面、对好焦、避开反光，再试一次；{OTHERWISE}"
NOT_A_REPORT = f"图片里的二维码不是报告的二维码，没有打开它。请拍报告末页的二维码；{OTHERWISE}"
SHARED = "这是对方亮出来给人看内容的码，不是报告上的二维码，没有打开它。请用手机相机直接扫，或者在本站输入它的12位码。"
SEVERAL = "图片里有{count}份不同报告的二维码，不能替你选。请一次只拍一个。"
UNREADABLE = {
    "no-picture": ("picture-unreadable", "图片打不开，或者没有传完整。请用PNG、JPEG或者WebP图片，或者重新拍一张。"),
    "too-many-pixels": ("picture-too-large", "图片超过5000万像素。请用普通分辨率重新拍一张，或者截取二维码那一块。"),
    "too-large": ("picture-too-large", "图片超过10 MB。请用普通分辨率重新拍一张，或者截取二维码那一块。"),
    "over-limit": ("picture-not-read", f"读这张图片超过了时间或者内存的上限，没有核验。请重新拍一张；{OTHERWISE}"),
    "busy": ("examiner-busy", "正在核对的文件较多，这张图片没有核验。请稍后再试。"),
    "unavailable": ("picture-not-read", "核对程序没有启动，这张图片没有核验。请联系系统管理员。"),
}


class PictureError(XinzhengError):
    """No report's code was read from the picture; the message says what to do."""

    code = "picture-without-code"


@dataclass(frozen=True, slots=True)
class Pictured:
    """The verdict on the code that was chosen, and how many others the picture has, which nobody followed."""

    verdict: Verdict
    others: int


def is_picture(head: bytes) -> bool:
    """Whether a file that begins so may be a picture that can be read."""
    answer: bool = ports.pictures().is_picture(head)
    return answer


def verify_picture(source: BinaryIO, by: str = COMMAND_LINE) -> Pictured:
    """By a stranger's picture, read in a bounded process; ``source`` is open for reading and seeking.

    Raises:
        PictureError: it cannot be read, has no code of a report, or has those of several.
    """
    reading = ports.pictures().examine_picture(source)
    if reading.problem:
        code, message = UNREADABLE[reading.problem]
        raise PictureError(message, code=code)
    return Pictured(verify_qr_text(_chosen(reading.texts), by), len(reading.texts) - 1)


def _chosen(texts: Sequence[str]) -> str:
    """The code that names this site; where there is none, one of another site, of which the verdict warns."""
    if not texts:
        raise PictureError(NO_CODE)
    reports = [text for text in texts if _is_of_a_report(text)]
    ours = [text for text in reports if _host(text) == settings.XINZHENG_HOST]
    if len(ours) > 1:
        raise PictureError(SEVERAL.format(count=len(ours)), code="picture-with-several-reports")
    elsewhere = [text for text in texts if _host(text) not in (None, settings.XINZHENG_HOST)]
    if not (ours or reports or elsewhere):
        is_shared = any(text.strip().startswith(f"{settings.XINZHENG_ORIGIN}/s/") for text in texts)
        raise PictureError(SHARED if is_shared else NOT_A_REPORT, code="picture-without-report")
    return next(iter([*ours, *reports, *elsewhere]))


def _is_of_a_report(text: str) -> bool:
    try:
        ports.signing().parse_qr_text(text)
    except XinzhengError:
        return False
    return True


def _host(text: str) -> str | None:
    return shown_host(text.strip())
