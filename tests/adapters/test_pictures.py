"""Codes are read from what people photograph; a hostile picture costs its own process some seconds, and nobody else."""

import resource
import time
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from tests import pictures
from xinzheng.adapters.examining import Limits, close_examiner
from xinzheng.adapters.qr.examiner import examine_picture
from xinzheng.adapters.qr.pictures import MAX_CODES, NO_PICTURE, TOO_MANY_PIXELS, Reading, is_picture, read_picture

# as long as the text of a report's code
TEXT = "https://credit.example/v/AAAAAAAAAAAAAAAAAAAAAA#" + "A" * 250
TOO_MUCH = {"bomb within the pixels", "jpeg of many scans"}
SHORT = Limits(wall_seconds=1.5, cpu_seconds=2, waiting_seconds=30)


@pytest.fixture(autouse=True, scope="module")
def closed_afterwards() -> Iterator[None]:
    yield
    close_examiner()


def read(picture: Image.Image, kind: str = "JPEG") -> Reading:
    return examine_picture(BytesIO(pictures.as_file(picture, kind)))


@pytest.mark.parametrize("seed", range(4))
def test_the_code_at_the_foot_of_a_photographed_page_is_read(seed: int) -> None:
    assert read(pictures.photograph(pictures.page([TEXT]), seed=seed)) == Reading((TEXT,))


def test_a_photograph_out_of_focus_is_read_once_it_is_sharpened() -> None:
    taken = pictures.photograph(pictures.page([TEXT]), (3024, 4032), blur=2.4)
    assert read(taken) == Reading((TEXT,))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("degrees", [0, 90, 180])
def test_a_screenshot_is_read_whatever_its_kind_and_whichever_way_up(kind: str, degrees: int) -> None:
    assert read(pictures.page([TEXT]).rotate(degrees, expand=True), kind) == Reading((TEXT,))


def test_a_code_on_a_transparent_ground_is_read_as_it_would_be_shown() -> None:
    black = Image.new("LA", (400, 400), (0, 0))
    drawn = pictures.code(TEXT, 4)
    black.paste(Image.new("LA", drawn.size, (0, 255)), (20, 20), drawn.point(lambda value: 255 - value))
    assert read(black, "PNG") == Reading((TEXT,))


def test_a_mirrored_and_an_inverted_code_are_read() -> None:
    page = pictures.page([TEXT])
    assert read(page.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == Reading((TEXT,))
    assert read(page.point(lambda value: 255 - value)) == Reading((TEXT,))


def test_all_codes_of_a_page_are_read_and_the_same_one_once() -> None:
    assert set(read(pictures.page([TEXT, "https://other.example/", TEXT])).texts) == {TEXT, "https://other.example/"}


def test_a_picture_without_a_code_has_none_and_no_problem() -> None:
    assert read(pictures.photograph(pictures.page([]))) == Reading()


def test_what_is_no_picture_or_has_too_many_pixels_is_said_so() -> None:
    assert read_picture(b"%PDF-1.7") == Reading(problem=NO_PICTURE)
    assert read_picture(pictures.as_file(Image.new("L", (8, 8)), "GIF")) == Reading(problem=NO_PICTURE)
    assert read_picture(pictures.HOSTILE["said to be huge"]()) == Reading(problem=TOO_MANY_PIXELS)
    assert read_picture(pictures.png(8_000, 7_000, b"")) == Reading(problem=TOO_MANY_PIXELS)
    assert not is_picture(b"GIF89a")


def test_a_picture_over_ten_megabytes_reaches_no_process() -> None:
    assert examine_picture(BytesIO(bytes(10 * 1024**2 + 1))) == Reading(problem="too-large")


def outcome(file: bytes) -> str:
    reading = examine_picture(BytesIO(file), SHORT)
    assert len(reading.texts) <= MAX_CODES
    return reading.problem


@pytest.mark.parametrize("kind", pictures.HOSTILE)
def test_a_hostile_picture_takes_no_longer_than_allowed_and_the_next_one_is_read(kind: str) -> None:
    file = pictures.HOSTILE[kind]()
    examine_picture(BytesIO(b""))  # the process runs
    began = time.monotonic()
    answers = {"over-limit"} if kind in TOO_MUCH else {"", NO_PICTURE, TOO_MANY_PIXELS}
    assert outcome(file) in answers
    assert time.monotonic() - began < SHORT.wall_seconds + 1
    assert read(pictures.code(TEXT)) == Reading((TEXT,))


def test_hostile_pictures_cost_this_process_no_memory() -> None:
    files = [pictures.HOSTILE[kind]() for kind in ("bomb within the pixels", "webp as large as can be")]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert [outcome(file) for file in files] == ["over-limit", TOO_MANY_PIXELS]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024
