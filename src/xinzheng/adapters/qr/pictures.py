"""Read the QR codes in a stranger's picture (图片读码): a photograph of a page, a screenshot, a saved code."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageFilter

from xinzheng.adapters.qr import decode

MAX_PICTURE_BYTES = 10 * 1024**2
MAX_PIXELS = 50_000_000
SHARPENED_UP_TO = 16_000_000
MAX_CODES = 32
MAX_TEXT = 4096
FORMATS = ("PNG", "JPEG", "WEBP")
MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
SHARPENING = ImageFilter.UnsharpMask(radius=3, percent=200, threshold=2)
# what keeps a picture from being read
NO_PICTURE, TOO_MANY_PIXELS = "no-picture", "too-many-pixels"


@dataclass(frozen=True)
class Reading:
    """What was read (读码结果): the texts of the codes, each once; or ``problem``, why the picture was not read.

    ``problem`` is empty, NO_PICTURE, TOO_MANY_PIXELS, or the reason why it was not examined.
    """

    texts: tuple[str, ...] = ()
    problem: str = ""


def is_picture(head: bytes) -> bool:
    """Whether a file that begins so may be a picture of a kind that is read: PNG, JPEG or WebP."""
    return head.startswith(MARKS)


def read_picture(data: bytes) -> Reading:
    """The codes in the picture, looked for as it is, then sharpened, then smaller. Bounded in pixels, not in time."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return Reading(problem=TOO_MANY_PIXELS)
            grey = _grey(image)
    except Image.DecompressionBombError:
        return Reading(problem=TOO_MANY_PIXELS)
    except (OSError, ValueError, SyntaxError):
        return Reading(problem=NO_PICTURE)
    for tried in _tries(grey):
        texts = tuple(dict.fromkeys(text for text in decode(tried) if text and len(text) <= MAX_TEXT))
        if texts:
            return Reading(texts[:MAX_CODES])
    return Reading()


def _grey(image: Image.Image) -> Image.Image:
    """Its brightness; what is transparent is white, as it is shown on a page."""
    image.draft("L", image.size)
    if not image.has_transparency_data:
        return image.convert("L")
    layers = image.convert("LA")
    white = Image.new("L", image.size, 255)
    white.paste(layers.getchannel("L"), mask=layers.getchannel("A"))
    return white


def _tries(grey: Image.Image) -> Iterator[Image.Image]:
    """A photograph out of focus is read when sharpened, one full of noise when made smaller."""
    yield grey
    smaller = grey
    while smaller.width * smaller.height > SHARPENED_UP_TO:
        smaller = smaller.reduce(2)
    yield smaller.filter(SHARPENING)
    if min(smaller.size) > 1:
        yield smaller.reduce(2)


def warm_up() -> None:
    """Open one small picture of each kind: the libraries are loaded before strangers come."""
    for kind in FORMATS:
        drawn = BytesIO()
        with suppress(OSError):  # a Pillow without WebP reads the others
            Image.new("L", (16, 16), 255).save(drawn, kind)
            read_picture(drawn.getvalue())
