"""Text files: what they are encoded in, and their records in blocks, with nothing lost and nothing merged."""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from xinzheng.adapters.tabular.batch import Limits
from xinzheng.adapters.tabular.errors import TabularError
from xinzheng.adapters.tabular.rows import digest_of, growing

_PIECE = 8 * 1024**2
# A block never holds less than one record; a record longer than this has lost its closing quote.
_LONGEST_RECORD = 32 * 1024**2
_LONGEST_LINE = 64 * 1024**2
_HEAD = 512
# The first piece tells how lines end: the longest header has to be in it.
_LEAST = 512 * 1024
_LONE_RETURN = re.compile(rb"\r(?![\r\n]|\Z)")
_ASCII = bytes(range(128))
# Besides the quotation mark and the ends of lines: what JSON writes in another way, and the quote before formulas.
UNUSUAL = bytes(set(range(32)) - set(b"\r\n")) + b"\\'"
# So many bytes beyond ASCII that are UTF-8 by chance: less than once in a million lines of GB 18030.
_SURELY_UTF8 = 16
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
    """What one pass over the file's bytes told, and the digest that is still being made of them."""

    digest: Future[str]
    encoding: str


def survey_text(path: Path, file_name: str, limits: Limits) -> Survey:
    """Digest and encoding; TabularError for an empty, oversize, binary or unreadable file."""
    _refuse_size(path, file_name, limits)
    return Survey(digest_of(path), _encoding(path, file_name))


def _encoding(path: Path, file_name: str) -> str:
    valid, cut = True, b""
    blank, at = True, 0
    with path.open("rb") as file:
        head = file.read(_HEAD)
        _refuse_foreign(head, file_name)
        file.seek(0)
        while piece := file.read(_PIECE):
            if (found := piece.find(b"\0")) >= 0:
                raise TabularError(
                    f"{file_name}第{at + found + 1}字节是空字符，不是文本表格。{_ADVICE}", code="nul-byte"
                )
            blank = blank and not piece.strip(b"\xef\xbb\xbf \t\r\n,;")
            if valid:
                text = cut + piece
                end = _end_of_characters(text)
                valid, cut = _is_utf8(text[:end]), text[end:]
            at += len(piece)
    if blank:
        raise TabularError(f"{file_name}没有内容。请填写后重新报送；没有数据的，请作零报告。", code="file-empty")
    if valid and not cut:
        return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    _refuse_not_gb18030(path, file_name)
    return "gb18030"


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
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith((b"<", b"MIME-Version:")):
        raise TabularError(f"{file_name}是网页或者XML文件，不是表格。{_ADVICE}", code="not-a-table")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise TabularError(f"{file_name}是{what}，不是表格。{_ADVICE}", code="not-a-table")


def _end_of_characters(piece: bytes) -> int:
    """Offset after the last character that is not cut at the end of the piece."""
    for back in range(1, min(len(piece), 3) + 1):
        byte = piece[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(piece) - back if length > back else len(piece)
    return len(piece)


def _is_utf8(piece: bytes) -> bool:
    """As decoding would tell, without making text of it: five times as fast, and other threads go on meanwhile."""
    try:
        pl.Series([piece], dtype=pl.Binary()).cast(pl.String())
    except pl.exceptions.PolarsError:
        return False
    return True


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_not_gb18030(path: Path, file_name: str) -> None:
    """A file that is not UTF-8 as a whole: GB 18030 throughout, or TabularError."""
    alien, utf8, other, cut = _first_lines(path, (_is_alien, _is_surely_utf8, _is_not_utf8, _is_cut))
    if cut is not None and (other == cut or (alien == cut and utf8 is None)):
        message = f"{file_name}末尾（第{cut}行）的字符不完整，文件可能被截断。请重新导出后报送。"
        raise TabularError(message, code="file-truncated", line=cut)
    if utf8 is not None and other is not None:
        message = f"{file_name}里混有两种编码：第{utf8}行是UTF-8，第{other}行不是。请用同一种编码重新导出后报送。"
        raise TabularError(message, code="encoding-mixed", line=max(utf8, other))
    if alien is not None:
        message = f"{file_name}第{alien}行有无法识别的字符，编码既不是UTF-8也不是GB 18030。{_ADVICE}"
        raise TabularError(message, code="encoding-unknown", line=alien)


def _first_lines(path: Path, tests: Sequence[Callable[[bytes], bool]]) -> list[int | None]:
    """For each test, the number of the first physical line for which it is true."""
    found: list[int | None] = [None] * len(tests)
    with path.open("rb") as file:
        # No line end can be inside a character of either encoding. A monstrous line is refused later, by its length.
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
            for place, test in enumerate(tests):
                if found[place] is None and test(line):
                    found[place] = number
    return found


def _is_alien(line: bytes) -> bool:
    return not _decodes(codecs.getincrementaldecoder("gb18030")("strict"), line, final=True)


def _is_cut(line: bytes) -> bool:
    """The last line, and its last character half there."""
    if line.endswith(b"\n"):
        return False
    decoders = [codecs.getincrementaldecoder(name)("strict") for name in ("gb18030", "utf-8")]
    return any(_decodes(d, line) and not _decodes(d, b"", final=True) for d in decoders)


def _is_not_utf8(line: bytes) -> bool:
    return not _decodes(codecs.getincrementaldecoder("utf-8")("strict"), line, final=True)


def _is_surely_utf8(line: bytes) -> bool:
    return len(line.translate(None, _ASCII)) >= _SURELY_UTF8 and not _is_not_utf8(line)


def utf8_pieces(path: Path, encoding: str, size: int, file_name: str) -> Iterator[bytes]:
    """The file as UTF-8 without byte order mark, in pieces of about ``size``; lone CR line ends become LF.

    Raises TabularError where both kinds of line end occur.
    """
    alone = None
    for piece in _as_utf8(path, encoding, size):
        text = piece if alone is not None else piece.removeprefix(codecs.BOM_UTF8)
        if alone is None:
            alone = b"\n" not in text and b"\r" in text[:-1]
        if alone and b"\n" in text:
            raise _mixed_line_ends(file_name, 1)
        yield text.replace(b"\r", b"\n") if alone else text


def _mixed_line_ends(file_name: str, line: int) -> TabularError:
    message = (
        f"{file_name}第{line}行有单独的回车符（CR），分不清是换行还是内容，可能丢行。"
        "请用表格软件打开核对后，另存为“CSV UTF-8”或者XLSX再报送。"
    )
    return TabularError(message, code="line-ends-mixed", line=line)


def _as_utf8(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    sizes = growing(size, _LEAST)
    if encoding == "gb18030":
        with path.open(encoding=encoding, newline="") as text_file:
            while text := text_file.read(max(next(sizes) // 2, 1)):
                yield text.encode()
        return
    with path.open("rb") as file:
        while piece := file.read(next(sizes)):
            yield piece


@dataclass(frozen=True)
class Block:
    """Whole records as bytes, and of each record its separators and unusual characters outside the quoted cells.

    ``marks``: the same records, one a line, with nothing else left. ``first``: number of its first record.
    """

    data: bytes
    marks: bytes
    first: int
    records: int


def blocks(pieces: Iterator[bytes], separator: str, file_name: str) -> Iterator[Block]:
    """Cut pieces at record ends. Raises TabularError where a quotation mark stands alone: it would merge lines."""
    pending, size, inside, first = list[memoryview](), 0, False, 1
    for piece in pieces:
        end, view = _last_record_end(piece, inside=inside), memoryview(piece)
        # Looking for a byte is many times faster than counting it.
        inside ^= b'"' in piece and bool(piece.count(b'"') % 2)
        if end:
            block = _block(b"".join([*pending, view[:end]]), separator, first, file_name)
            yield block
            first += block.records
            pending, size = [], 0
        pending.append(view[end:])
        size += len(piece) - end
        if size > _LONGEST_RECORD:
            raise _unclosed(file_name, first)
    rest = b"".join(pending)
    if rest:
        if inside:
            raise _unclosed(file_name, first + _records_before_open_quote(rest))
        yield _block(rest, separator, first, file_name)


def _last_record_end(piece: bytes, *, inside: bool) -> int:
    """Offset after the last line end that is not inside quotes; 0 if none. ``inside``: it begins inside quotes."""
    end = piece.rfind(b"\n") + 1
    if b'"' not in piece:
        return 0 if inside else end
    quotes = piece.count(b'"', 0, end) + inside
    while end and quotes % 2:
        previous = piece.rfind(b"\n", 0, end - 1) + 1
        quotes -= piece.count(b'"', previous, end)
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
    if b"\r" in skeleton and (lone := _LONE_RETURN.search(skeleton)):
        raise _mixed_line_ends(file_name, first + skeleton.count(b"\n", 0, lone.start()))
    # One pass that leaves few bytes: whatever else has to be counted or looked for is counted in those.
    marks = skeleton.translate(None, _unmarked(separator))
    records = marks.count(b"\n") + (not skeleton.endswith(b"\n"))
    return Block(data, marks, first, records)


def _unmarked(separator: str) -> bytes:
    return bytes(set(range(256)) - set(separator.encode() + b"\n" + UNUSUAL))


def _quoted_cell(separator: str) -> re.Pattern[bytes]:
    mark = re.escape(separator.encode())
    # Possessive (+): nothing that was taken is ever given back, else a file of quotes takes seventy times its size.
    return re.compile(rb"(?:(?<=[\n" + mark + rb'])|\A)"[^"]*+(?:""[^"]*+)*+"(?=[\r\n' + mark + rb"]|\Z)")


def _unclosed(file_name: str, line: int) -> TabularError:
    message = f"{file_name}第{line}行起无法分行：英文引号没有成对，或者文件被截断。请补全引号后重新报送。"
    return TabularError(message, code="quote-unclosed", line=line)


def _records_before_open_quote(data: bytes) -> int:
    records, inside = 0, False
    for line in data.split(b"\n"):
        inside ^= bool(line.count(b'"') % 2)
        if inside:
            return records
        records += 1
    return records


def in_short_pieces(pieces: Iterator[bytes], most_lines: int) -> Iterator[bytes]:
    """The same bytes, no piece with more than about ``most_lines`` line ends: many short lines are as heavy as long."""
    for piece in pieces:
        count = piece.count(b"\n")
        step = len(piece) if count <= most_lines else max(len(piece) * most_lines // (2 * count), 1024)
        for start in range(0, len(piece), step):
            yield piece[start : start + step]


def top_rows(start: bytes, separator: str, most: int) -> list[list[str]]:
    """The cells of the first records. Raises csv.Error where they cannot be told apart."""
    text = io.StringIO(start.decode(errors="ignore"), newline="")
    return list(itertools.islice(csv.reader(text, delimiter=separator), most))


def header_end(data: bytes) -> int:
    """Offset after the first record; 0 if it has no end."""
    end = data.find(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        following = data.find(b"\n", end) + 1
        quotes += data.count(b'"', end, following)
        end = following
    return end
