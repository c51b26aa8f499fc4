"""XLS workbooks written record by record, for what no well-behaved program writes."""

import struct

_BOF_GLOBALS = struct.pack("<HHHHHHII", 0x0809, 16, 0x0600, 5, 0, 0, 0, 0)
_BOF_SHEET = struct.pack("<HHHHHHII", 0x0809, 16, 0x0600, 0x10, 0, 0, 0, 0)
_EOF = struct.pack("<HH", 0x000A, 0)


def record(kind: int, data: bytes) -> bytes:
    """A record of that kind."""
    return struct.pack("<HH", kind, len(data)) + data


def strings(*texts: str) -> bytes:
    """The table of strings that cells refer to."""
    body = b"".join(struct.pack("<HB", len(text), 1) + text.encode("utf-16-le") for text in texts)
    return record(0x00FC, struct.pack("<II", len(texts), len(texts)) + body)


def book(sheet: bytes, shared: bytes = b"", sheets: int = 1, kind: int = 0) -> bytes:
    """A workbook's stream: globals pointing ``sheets`` times to the same sheet."""
    entry = record(0x0085, struct.pack("<IBBBB", 0, 0, kind, 1, 0) + b"a")
    place = len(_BOF_GLOBALS) + len(entry) * sheets + len(shared) + len(_EOF)
    entry = record(0x0085, struct.pack("<IBBBB", place, 0, kind, 1, 0) + b"a")
    return _BOF_GLOBALS + entry * sheets + shared + _EOF + _BOF_SHEET + sheet + _EOF


def compound(stream: bytes, name: str = "Workbook") -> bytes:
    """A container with one stream, in sectors of 512 bytes."""
    stream = stream.ljust(max(-(-len(stream) // 512) * 512, 4096), b"\0")
    count = len(stream) // 512
    fat_count = -(-(count + 2) // 128) + 1
    fat = [0xFFFFFFFD] * fat_count + [0xFFFFFFFE] + [fat_count + 2 + i for i in range(count - 1)] + [0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (fat_count * 128 - len(fat))

    def entry(title: str, what: int, start: int, size: int, child: int) -> bytes:
        text = (title + "\0").encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), what, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        return (head + b"\0" * 36 + struct.pack("<III", start, size, 0)).ljust(128, b"\0")

    directory = entry("Root Entry", 5, 0xFFFFFFFE, 0, 1) + entry(name, 2, fat_count + 1, len(stream), 0xFFFFFFFF)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<IIIIIIIII", 0, fat_count, fat_count, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *range(fat_count), *[0xFFFFFFFF] * (109 - fat_count))
    return head + struct.pack(f"<{len(fat)}I", *fat) + directory.ljust(512, b"\0") + stream


def cell(row: int, column: int, text: str) -> bytes:
    """A cell that holds its own text."""
    return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le"))
