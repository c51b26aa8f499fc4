"""Pictures of codes as people take them, and pictures that are made to do harm."""

import struct
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from random import Random

import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

TABLE = 112  # how grey the table under a photographed page is
Corner = tuple[float, float]


def code(text: str, scale: int = 8) -> Image.Image:
    """The code of ``text``, black on white, with its quiet zone."""
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(scale=scale)
    return Image.frombytes("L", drawn.shape[::-1], bytes(memoryview(drawn)))


def page(texts: Sequence[str], size: tuple[int, int] = (1654, 2339), width: int = 270) -> Image.Image:
    """An A4 page at 200 dpi with lines of writing and the codes at its foot, 34 mm wide each."""
    made = Image.new("L", size, 255)
    pen = ImageDraw.Draw(made)
    for line in range(60):
        pen.rectangle((180, 150 + 28 * line, 180 + (line * 397) % 1200, 162 + 28 * line), fill=40)
    for place, text in enumerate(texts):
        made.paste(code(text).resize((width, width), Image.Resampling.BOX), (180 + place * (width + 40), 1950))
    return made


def photograph(of: Image.Image, size: tuple[int, int] = (1512, 2016), blur: float = 0.7, seed: int = 1) -> Image.Image:
    """``of`` lying on a table, seen from aslant by a camera that is held askew, in poor light."""
    chance = Random(seed)
    scale = 0.82 * min(size[0] / of.width, size[1] / of.height)
    width, height = of.width * scale, of.height * scale
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    seen = [(x + chance.uniform(-0.05, 0.05) * width, y + chance.uniform(-0.05, 0.05) * width) for x, y in corners]
    flat = [(0.0, 0.0), (of.width, 0.0), (of.width, of.height), (0.0, of.height)]
    taken = of.transform(size, Image.Transform.PERSPECTIVE, _perspective(seen, flat), fillcolor=TABLE)
    taken = taken.rotate(chance.uniform(-12, 12), Image.Resampling.BICUBIC, fillcolor=TABLE)
    dark = taken.filter(ImageFilter.GaussianBlur(blur)).point(lambda value: 40 + value // 2)
    return Image.blend(dark, Image.effect_noise(size, 20), 0.1)


def as_file(picture: Image.Image, kind: str = "JPEG") -> bytes:
    """The picture as a phone saves it."""
    kept = BytesIO()
    picture.save(kept, kind, quality=85)
    return kept.getvalue()


def _perspective(seen: Sequence[Corner], flat: Sequence[Corner]) -> Sequence[float]:
    """The eight coefficients that take each corner ``seen`` to where it is on the flat page."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(seen, flat, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]]
    for place in range(8):
        best = max(range(place, 8), key=lambda row: abs(rows[row][place]))
        rows[place], rows[best] = rows[best], rows[place]
        for row in set(range(8)) - {place}:
            share = rows[row][place] / rows[place][place]
            rows[row] = [value - share * other for value, other in zip(rows[row], rows[place], strict=True)]
    return [rows[place][8] / rows[place][place] for place in range(8)]


def png(width: int, height: int, rows: bytes, more: Sequence[tuple[bytes, bytes]] = (), kind: int = 0) -> bytes:
    """A PNG that says it is so large, with these compressed rows and further chunks."""
    chunks = [
        (b"IHDR", struct.pack("!IIBBBBB", width, height, 8, kind, 0, 0, 0)),
        *more,
        (b"IDAT", rows),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data)) for name, data in chunks
    )


def empty_rows(count: int) -> bytes:
    """So many zero bytes, compressed a thousandfold."""
    packing = zlib.compressobj(9)
    packed = [packing.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join([*packed, packing.compress(bytes(count & ((1 << 20) - 1))), packing.flush()])


def _said_to_be_huge() -> bytes:
    return png(60_000, 60_000, zlib.compress(bytes(100)))


def _bomb_within_the_pixels() -> bytes:
    return png(7_000, 7_000, empty_rows(7_000 * (7_000 * 4 + 1)), kind=6)


def _bomb_in_a_text() -> bytes:
    text = b"Comment\0\0" + empty_rows(900 << 20)
    return png(8, 8, zlib.compress(bytes(72)), [(b"zTXt", text)])


def _bomb_in_a_profile() -> bytes:
    return png(8, 8, zlib.compress(bytes(72)), [(b"iCCP", b"x\0\0" + empty_rows(900 << 20))])


def _webp_as_large_as_can_be() -> bytes:
    """VP8L: a header of 16,384 × 16,384 pixels, and almost nothing after it."""
    head = b"\x2f" + struct.pack("<I", 16_383 | 16_383 << 14) + bytes(64)
    chunk = b"VP8L" + struct.pack("<I", len(head)) + head + bytes(len(head) & 1)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _jpeg_of_many_scans() -> bytes:
    """Progressive, its last scan repeated: each has the decoder go over all the pixels."""
    whole = BytesIO()
    Image.new("L", (6_000, 6_000), 128).save(whole, "JPEG", progressive=True, quality=50)
    data = whole.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 400 + b"\xff\xd9"


def _noise() -> bytes:
    return as_file(Image.effect_noise((2_400, 3_200), 200), "PNG")


def _a_wall_of_codes() -> bytes:
    wall = Image.new("L", (4_000, 4_000), 255)
    for number in range(400):
        wall.paste(code(str(number), 4).resize((150, 150)), (200 * (number % 20) + 25, 200 * (number // 20) + 25))
    return as_file(wall, "PNG")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "said to be huge": _said_to_be_huge,
    "bomb within the pixels": _bomb_within_the_pixels,
    "bomb in a text": _bomb_in_a_text,
    "bomb in a profile": _bomb_in_a_profile,
    "webp as large as can be": _webp_as_large_as_can_be,
    "jpeg of many scans": _jpeg_of_many_scans,
    "noise": _noise,
    "a wall of codes": _a_wall_of_codes,
    "cut short": lambda: as_file(photograph(page(["x"])))[:20_000],
    "a riff of something else": lambda: b"RIFF\x04\0\0\0WAVE",
    "an svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
}
