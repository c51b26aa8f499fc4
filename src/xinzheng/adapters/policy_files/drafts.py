"""Drafts (政策草稿): packs that somebody hands in, examined in the bounded process before anything reads them here."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from xinzheng.adapters.examining import Kind, Limits, NotExaminedError, Unexamined, Work, examine_apart
from xinzheng.adapters.policy_files.draft_messages import Examined, Files, RanCase, pack_files, receive_examined
from xinzheng.adapters.policy_files.locations import policies_folder
from xinzheng.adapters.policy_files.mistakes import Mistake
from xinzheng.adapters.policy_files.packs import CORE_FILE, POLICY_FILE, load_pack_bytes
from xinzheng.core.errors import PolicyError
from xinzheng.core.policy import Policy

MOST_BYTES = 512 * 1024
MOST_CASE_FILES = 40
CASE_NAME = re.compile(r"[\w.-]{1,80}\.ya?ml")
LIMITS = Limits(wall_seconds=10.0, cpu_seconds=10, memory_bytes=256 * 1024**2, waiting_seconds=10.0)
WHY = {
    Unexamined.OVER_LIMIT: "超出了10秒或者256 MiB的上限，请简化条款的条件或者减少用例后重新上传",
    Unexamined.BUSY: "正在核对别的文件，请稍后再试",
    Unexamined.UNAVAILABLE: "核对进程没有响应，请稍后再试",
    Unexamined.TOO_LARGE: "文件太大，请减少用例后重新上传",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft that was checked (草稿核对结果).

    ``policy`` is None where there are mistakes. ``files`` are the pack's files in full, with the shipped core.yaml
    where the draft brought none: what would be published.
    """

    policy: Policy | None
    mistakes: tuple[Mistake, ...]
    warnings: tuple[str, ...]
    ran: tuple[RanCase, ...]
    files: Files

    @property
    def failed(self) -> tuple[RanCase, ...]:
        """The cases that came out otherwise than they expect."""
        return tuple(case for case in self.ran if case.differences)

    @property
    def is_fit(self) -> bool:
        """Whether it could be published: no mistake, and every case as expected."""
        return self.policy is not None and not self.failed


def check_draft(files: Mapping[str, bytes], cases: Mapping[str, bytes], limits: Limits = LIMITS) -> Checked:
    """Check a draft strictly and run its cases; every mistake has its file and line.

    Args:
        files: policy.yaml, and core.yaml where the draft has its own.
        cases: case files by name.
        limits: what the examination may take.

    Raises:
        PolicyError: ``draft-too-large``: a file has over 512 KiB, or there are over 40 case files;
            ``draft-misnamed``: a file that no pack has, or none named policy.yaml;
            ``draft-not-examined``: it takes over ten seconds or 256 MiB, or the process is busy or gone.
    """
    _refuse_misnamed(files, cases)
    _refuse_large(files, cases)
    whole = {CORE_FILE: (policies_folder() / CORE_FILE).read_bytes(), **files}
    found = _examined(pack_files(whole, cases), limits)
    policy = None if found.mistakes else load_pack_bytes(whole)
    return Checked(policy, found.mistakes, found.warnings, found.ran, whole)


def _examined(packed: bytes, limits: Limits) -> Examined:
    work = Work(Kind.PACK, b"", receive_examined, MOST_BYTES * (MOST_CASE_FILES + 3))
    try:
        return examine_apart(io.BytesIO(packed), work, limits)
    except NotExaminedError as error:
        raise PolicyError(f"这份草稿没有核对：{WHY[error.why]}。", code="draft-not-examined") from error


def _refuse_misnamed(files: Files, cases: Files) -> None:
    if POLICY_FILE not in files or not {*files} <= {POLICY_FILE, CORE_FILE}:
        raise PolicyError(
            f"草稿应有 {POLICY_FILE}，可以另有 {CORE_FILE}，不能有别的文件；请核对文件名。", code="draft-misnamed"
        )
    for name in cases:
        if not CASE_NAME.fullmatch(name) or name in (POLICY_FILE, CORE_FILE):
            raise PolicyError(
                "用例文件名应由文字、数字、点和横线组成，以 .yaml 结尾，最多80个字；请改名后重新上传。",
                code="draft-misnamed",
            )


def _refuse_large(files: Files, cases: Files) -> None:
    for name, data in (*files.items(), *cases.items()):
        if len(data) > MOST_BYTES:
            raise PolicyError(
                f"{name} 有{len(data) // 1024 + 1} KiB，每个文件最多{MOST_BYTES // 1024} KiB；请拆分或者简化。",
                code="draft-too-large",
            )
    if len(cases) > MOST_CASE_FILES:
        raise PolicyError(
            f"最多{MOST_CASE_FILES}个用例文件，现在有{len(cases)}个；请合并后重新上传。", code="draft-too-large"
        )
