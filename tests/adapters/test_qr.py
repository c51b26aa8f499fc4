"""QR codes as another program reads them."""

import subprocess
from pathlib import Path

import pytest
import zxingcpp

from xinzheng.adapters.qr import decode, qr_svg

TEXT = "https://host.example/v/7K3M9Q2XB4HT#" + "A" * 240


@pytest.mark.parametrize("text", ["信证", TEXT])
def test_the_svg_has_a_quiet_zone_of_four_modules_around_modules_of_three_dots_at_120_an_inch(text: str) -> None:
    svg = qr_svg(text)
    size = int(svg.split('viewBox="0 0 ')[1].split()[0])
    assert (size - 8 - 17) % 4 == 0
    assert '<path d="M4 4h7v1' in svg
    width, height = (float(svg.split(f'{name}="')[1].split('mm"')[0]) for name in ("width", "height"))
    assert width == height == pytest.approx(size * 3 * 25.4 / 120)


def test_a_picture_without_a_code_or_no_picture_at_all_gives_nothing() -> None:
    assert decode(b"not a picture") == []
    assert decode(memoryview(bytes(10_000)).cast("B", (100, 100))) == []


@pytest.mark.parametrize("text", [TEXT, "统一社会信用代码"])
def test_a_code_is_read_back_by_ourselves_and_by_zbar(text: str, tmp_path: Path) -> None:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = code.to_image(scale=5)
    assert decode(picture) == [text]
    height, width = picture.shape
    (tmp_path / "code.pgm").write_bytes(f"P5 {width} {height} 255\n".encode() + bytes(picture))
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "--oneshot", tmp_path / "code.pgm"], capture_output=True, check=True
    )
    assert read.stdout.decode().strip() == text
