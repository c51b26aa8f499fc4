"""What is filled in to put a draft forward, and what is shown when it is not fit: each mistake with file and line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from xinzheng.apps.oversight.draft_checks import CORE_FILE, POLICY_FILE
from xinzheng.apps.oversight.errors import OversightError
from xinzheng.apps.oversight.proposals import NewProposal
from xinzheng.core.errors import XinzhengError

# As much as the check itself takes, so that nothing larger is read into memory here.
MOST_BYTES = 512 * 1024
MOST_FILES = 40
LINE_SHOWN = 120
FIELDS = ("policy", "from_date", "until_date", "document", "note", "reason")


@dataclass(frozen=True)
class Fault:
    """One thing to mend in a file (错误): where, what the line says, what is wrong."""

    file: str
    line: int
    text: str
    messages: Sequence[str]


@dataclass(frozen=True)
class Refused:
    """Why something was not put forward: a sentence, and the faults in the files."""

    message: str = ""
    act: str = ""
    at_field: str = ""
    faults: Sequence[Fault] = ()
    are_cases: bool = False
    said: Mapping[str, str] = field(default_factory=dict)


def said_in(request: HttpRequest) -> dict[str, str]:
    """What was filled in."""
    return {name: request.POST.get(name, "") for name in FIELDS}


def new_draft(request: HttpRequest) -> NewProposal:
    """The draft as a proposal. Raises OversightError ``draft-too-large``, ``draft-misnamed``."""
    files = {POLICY_FILE: request.FILES.get("policy_file"), CORE_FILE: request.FILES.get("core_file")}
    cases = request.FILES.getlist("case_files")
    if len(cases) > MOST_FILES:
        raise OversightError(f"用例文件最多{MOST_FILES}个，请合并后重新上传。", code="draft-too-large")
    if len({file.name for file in cases}) < len(cases):  # the one would take the other's place, unseen
        raise OversightError("有两个用例文件同名，请改名后重新上传。", code="draft-misnamed")
    said = said_in(request)
    return NewProposal(
        "pack",
        said["policy"],
        {"from_date": said["from_date"], "document": said["document"]},
        said["reason"],
        {name: _bytes(file) for name, file in files.items() if file is not None},
        {str(file.name): _bytes(file) for file in cases},
    )


def new_extension(request: HttpRequest) -> NewProposal:
    """An extension as a proposal."""
    said = said_in(request)
    facts = {name: said[name] for name in ("document", "until_date", "note")}
    return NewProposal("extension", said["policy"], facts, said["reason"])


def refused(error: XinzhengError, new: NewProposal | None, act: str, said: Mapping[str, str]) -> Refused:
    """What to show of an error; the files are not kept, so that the lines are shown from what was uploaded."""
    files = {**new.files, **new.cases} if new is not None else {}
    mistakes: Any = error.context.get("mistakes", ())
    ran: Any = error.context.get("ran", ())
    faults = [Fault(m.file, m.line, _line(files, m.file, m.line), [m.message]) for m in mistakes]
    faults += [Fault(one.file, one.line, one.name, list(one.differences)) for one in ran]
    field_name = str(error.context.get("field", FIELD_OF.get(error.code, "")))
    return Refused(error.message, act, field_name, faults, are_cases=bool(ran), said=dict(said))


FIELD_OF = {
    "reason-missing": "reason",
    "draft-missing": "policy_file",
    "pack-from-the-past": "from_date",
    "extension-shorter": "until_date",
}


def _bytes(file: "UploadedFile[bytes]") -> bytes:
    if (file.size or 0) > MOST_BYTES:
        raise OversightError(
            f"{file.name}超过{MOST_BYTES // 1024} KiB，政策包和用例没有这么大；请核对文件。", code="draft-too-large"
        )
    return b"".join(file.chunks())


def _line(files: Mapping[str, bytes], name: str, number: int) -> str:
    lines = files.get(name, b"").decode(errors="replace").splitlines()
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return text if len(text) <= LINE_SHOWN else text[:LINE_SHOWN] + "…"
