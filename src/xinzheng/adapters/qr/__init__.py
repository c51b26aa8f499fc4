"""QR codes (二维码): draw one as SVG, read all from a picture; zxing-cpp does both."""

from io import BytesIO

import zxingcpp
from PIL import Image

Picture = bytes | Image.Image | memoryview


def qr_svg(text: str) -> str:
    """The code of ``text`` as SVG: error correction level M, a quiet zone of four modules, one unit a module."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return str(code.to_svg(add_quiet_zones=True))


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
