"""Recognise what must never be written where it cannot be erased."""

import re

# An identity number (公民身份号码): division, a date of birth, sequence, check character. The date tells it from a
# unified social credit code that happens to be all digits.
IDENTITY_NUMBER = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"
)
