"""Text files: what they are encoded in, and their records in blocks, with nothing lost and nothing merged."""

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError

_PIECE = 8 * 1024**2
# A block never holds less than one record; a record longer than this has lost its closing quote.
_LONGEST_RECORD = 64 * 1024**2
_FOREIGN = {
    b"%PDF": "PDF文件",
    b"\x89PNG": "图片",
    b"\xff\xd8\xff": "图片",
    b"GIF8": "图片",
    b"Rar!": "压缩包",
    b"7z\xbc\xaf": "压缩包",
    b"\x1f\x8b": "压缩包",
    b"PK": "压缩包",
    b"{\\rtf": "RTF文档",
}
_ADVICE = "请用表格软件另存为“CSV UTF-8”或者XLSX后重新报送。"


@dataclass(frozen=True)
class Survey:
    """What one pass over the file's bytes told."""

    sha256: str
    encoding: str


def survey_text(path: Path, file_name: str, limits: Limits) -> Survey:
    """Digest and encoding; TabularError for an empty, oversize, binary or unreadable file."""
    _refuse_size(path, file_name, limits)
    digest, utf8, valid = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")("strict"), True
    blank, at = True, 0
    with path.open("rb") as file:
        head = file.read(4)
        _refuse_foreign(head, file_name)
        file.seek(0)
        while piece := file.read(_PIECE):
            digest.update(piece)
            if (found := piece.find(b"\0")) >= 0:
                raise TabularError(
                    f"{file_name}第{at + found + 1}字节是空字符，不是文本表格。{_ADVICE}", code="nul-byte"
                )
            blank = blank and not piece.strip(b"\xef\xbb\xbf \t\r\n,;")
            valid = valid and _decodes(utf8, piece)
            at += len(piece)
    if blank:
        raise TabularError(f"{file_name}没有内容。请填写后重新报送；没有数据的，请作零报告。", code="file-empty")
    if valid and _decodes(utf8, b"", final=True):
        return Survey(digest.hexdigest(), "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8")
    _refuse_not_gb18030(path, file_name)
    return Survey(digest.hexdigest(), "gb18030")


def _refuse_size(path: Path, file_name: str, limits: Limits) -> None:
    size = path.stat().st_size
    if size == 0:
        raise TabularError(f"{file_name}没有内容。请填写后重新报送；没有数据的，请作零报告。", code="file-empty")
    if size > limits.file_bytes:
        most = limits.file_bytes // 1024**2
        raise TabularError(f"{file_name}超过{most}MB，请拆分成几个文件后报送。", code="file-too-large", size=size)


def _refuse_foreign(head: bytes, file_name: str) -> None:
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise TabularError(f"{file_name}是UTF-16编码，不能读取。{_ADVICE}", code="encoding-unsupported")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise TabularError(f"{file_name}是{what}，不是表格。{_ADVICE}", code="not-a-table")


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_not_gb18030(path: Path, file_name: str) -> None:
    decoder, line = codecs.getincrementaldecoder("gb18030")("strict"), 1
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if not _decodes(decoder, piece):
                message = f"{file_name}第{line}行之后有无法识别的字符，编码既不是UTF-8也不是GB 18030。{_ADVICE}"
                raise TabularError(message, code="encoding-unknown", line=line)
            line += piece.count(b"\n")
    if not _decodes(decoder, b"", final=True):
        message = f"{file_name}末尾的字符不完整，文件可能被截断。请重新导出后报送。"
        raise TabularError(message, code="file-truncated", line=line)


def utf8_pieces(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    """The file as UTF-8 without byte order mark, in pieces of about ``size``; lone CR line ends become LF."""
    alone = None
    for piece in _as_utf8(path, encoding, size):
        text = piece if alone is not None else piece.removeprefix(codecs.BOM_UTF8)
        if alone is None:
            alone = b"\n" not in text and b"\r" in text
        yield text.replace(b"\r", b"\n") if alone else text


def _as_utf8(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    if encoding == "gb18030":
        with path.open(encoding=encoding, newline="") as text_file:
            while text := text_file.read(size // 2):
                yield text.encode()
        return
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


@dataclass(frozen=True)
class Block:
    """Whole records as bytes, and each record's number of separators counted without the quoted cells.

    ``skeleton``: the same records, one a line, quoted cells emptied. ``first``: number of its first record.
    """

    data: bytes
    skeleton: bytes
    first: int
    records: int


def blocks(pieces: Iterator[bytes], separator: str, file_name: str) -> Iterator[Block]:
    """Cut pieces at record ends. Raises TabularError where a quotation mark stands alone: it would merge lines."""
    pending, first = b"", 1
    for piece in pieces:
        pending += piece
        end = _last_record_end(pending)
        if end:
            block = _block(pending[:end], separator, first, file_name)
            yield block
            first += block.records
            pending = pending[end:]
        elif len(pending) > _LONGEST_RECORD:
            raise _unclosed(file_name, first)
    if pending:
        if pending.count(b'"') % 2:
            raise _unclosed(file_name, first + _records_before_open_quote(pending))
        yield _block(pending, separator, first, file_name)


def _last_record_end(data: bytes) -> int:
    """Offset after the last line end that is not inside quotes; 0 if none."""
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        previous = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', previous, end)
        end = previous
    return end


def _block(data: bytes, separator: str, first: int, file_name: str) -> Block:
    skeleton = data
    if b'"' in data:
        skeleton = _quoted_cell(separator).sub(b"", data)
        stray = skeleton.find(b'"')
        if stray >= 0:
            line = first + skeleton.count(b"\n", 0, stray)
            message = (
                f"{file_name}第{line}行有单独的英文引号，无法分清各列。"
                "请改为中文引号，或者把该单元格整体用英文引号括起、内部引号写两遍。"
            )
            raise TabularError(message, code="quote-stray", line=line)
    records = skeleton.count(b"\n") + (not skeleton.endswith(b"\n"))
    return Block(data, skeleton, first, records)


def _quoted_cell(separator: str) -> re.Pattern[bytes]:
    mark = re.escape(separator.encode())
    return re.compile(rb"(?:(?<=[\n" + mark + rb'])|\A)"[^"]*(?:""[^"]*)*"(?=[\r\n' + mark + rb"]|\Z)")


def _unclosed(file_name: str, line: int) -> TabularError:
    message = f"{file_name}第{line}行的英文引号没有成对，后面的内容无法分行；文件也可能被截断。请补全引号后重新报送。"
    return TabularError(message, code="quote-unclosed", line=line)


def _records_before_open_quote(data: bytes) -> int:
    records, inside = 0, False
    for line in data.split(b"\n"):
        inside ^= bool(line.count(b'"') % 2)
        if inside:
            return records
        records += 1
    return records


def header_cells(block: bytes, separator: str) -> tuple[list[str], int]:
    """The cells of the first record and the offset after it."""
    end = block.find(b"\n") + 1 or len(block)
    while end < len(block) and block.count(b'"', 0, end) % 2:
        end = block.find(b"\n", end) + 1 or len(block)
    rows = list(csv.reader(io.StringIO(block[:end].decode(), newline=""), delimiter=separator))
    return (rows[0] if rows else []), end
