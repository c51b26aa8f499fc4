"""Whether a JPG or PNG can be taken as evidence: it is whole, shows itself, and hides no other file behind its end."""

from io import BytesIO

from PIL import Image

from xinzheng.adapters.evidence.verdicts import JPEG, MOST_PIXELS, Problem

FORMATS = {JPEG: ("JPEG",)}
PNG_HEAD, PNG_CHUNK = 8, 12
MARKER, START_OF_SCAN, END_OF_IMAGE = 0xFF, 0xDA, 0xD9
# Within the scan: a byte 0xFF as such, and the places to start anew.
WITHIN_SCAN = frozenset((0x00, *range(0xD0, 0xD8)))
WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
BLANK = b"\r\n\t \x00"
# Cameras put a second picture, a short film or their own notes behind a photograph: it stays one.
NOTES_OF_A_CAMERA = b"SEFT"
ARCHIVES = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"%PDF-", b"<script", b"<?php", b"\x7fELF")


def problem_of_picture(data: bytes, media_type: str) -> Problem | None:
    """What is wrong with it, None if nothing."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS.get(media_type, ("PNG",))) as image:
            if image.width * image.height > MOST_PIXELS:
                return Problem.TOO_MANY_PIXELS
            end = end_of_jpeg(data) if media_type == JPEG else end_of_png(data)
            image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
            image.load()
    except Image.DecompressionBombError:
        return Problem.TOO_MANY_PIXELS
    except (OSError, ValueError, SyntaxError, IndexError):
        return Problem.BROKEN
    return Problem.SOMETHING_BESIDE if _is_another_file(data[end:], media_type) else None


def end_of_png(data: bytes) -> int:
    """Where the picture ends. ValueError where it does not."""
    place = PNG_HEAD
    while place + PNG_CHUNK <= len(data):
        kind = data[place + 4 : place + 8]
        place += PNG_CHUNK + int.from_bytes(data[place : place + 4])
        if kind == b"IEND" and place <= len(data):
            return place
    raise ValueError("ends early")


def end_of_jpeg(data: bytes) -> int:
    """Where the picture ends. ValueError where it does not."""
    place = 2
    while place + 2 <= len(data):
        if data[place] != MARKER:
            raise ValueError("no marker")
        marker = data[place + 1]
        if marker == END_OF_IMAGE:
            return place + 2
        place += 1 if marker == MARKER else 2
        if marker == MARKER or marker in WITHOUT_LENGTH:
            continue
        place += int.from_bytes(data[place : place + 2])
        if marker == START_OF_SCAN:
            place = _end_of_scan(data, place)
    raise ValueError("ends early")


def _end_of_scan(data: bytes, place: int) -> int:
    """The next marker behind the picture's own bytes."""
    while (place := data.find(b"\xff", place)) >= 0 and place + 1 < len(data):
        if data[place + 1] not in WITHIN_SCAN:
            return place
        place += 2
    raise ValueError("ends early")


def _is_another_file(tail: bytes, media_type: str) -> bool:
    """Whether what stands behind the end is neither blank nor what a camera leaves there."""
    if not tail.strip(BLANK):
        return False
    is_camera = tail.startswith(b"\xff\xd8\xff") or tail[4:8] == b"ftyp" or tail.endswith(NOTES_OF_A_CAMERA)
    return media_type != JPEG or not is_camera or any(mark in tail for mark in ARCHIVES)
