"""QR codes (二维码): draw one as SVG, read all from a picture; zxing-cpp does both."""

import re
from io import BytesIO
from math import isqrt

import zxingcpp
from PIL import Image

Picture = bytes | Image.Image | memoryview
QUIET = 4  # modules left white on each side
MODULE = 0.635  # mm: three dots of a poor scan, which has 120 an inch; with less zbar fails at the least turn or shift
DARK = re.compile(rb"\x00+")


def qr_svg(text: str) -> str:
    """The code of ``text`` as SVG: error correction level M, a quiet zone of four modules, each module 0.635 mm."""
    # zxing-cpp's own drawing takes three times as long as making the code
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    rows = memoryview(code.to_image(add_quiet_zones=False)).tobytes()  # type: ignore[arg-type]  # it has a buffer
    modules = isqrt(len(rows))
    spans = [(row, *run.span()) for row in range(modules) for run in DARK.finditer(rows[row * modules :][:modules])]
    runs = [f"M{QUIET + start} {QUIET + row}h{end - start}v1h{start - end}Z" for row, start, end in spans]
    size = modules + 2 * QUIET
    side = f"{size * MODULE:.3f}mm"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 {size} {size}">'
        f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}Z"/><path d="{"".join(runs)}"/></svg>'
    )


def decode(picture: Picture) -> list[str]:
    """Every QR text in ``picture``: PNG or JPEG bytes, a PIL image, or a greyscale buffer of shape (height, width).

    Empty when there is none, or when the bytes are no picture that can be opened.
    """
    if isinstance(picture, bytes):
        opened = _open(picture)
        if opened is None:
            return []
        picture = opened
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [str(code.text) for code in zxingcpp.read_barcodes(picture, formats=formats)]


def _open(picture: bytes) -> Image.Image | None:
    try:
        with Image.open(BytesIO(picture), formats=("PNG", "JPEG")) as image:
            return image.convert("L")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
