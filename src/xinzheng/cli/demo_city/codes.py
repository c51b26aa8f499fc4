"""Invented identifiers (虚构代码) with valid check characters.

Places 9–11 of every invented unified social credit code read DEM, as in the deployment files, so that it is told from
a real one at sight. Identity numbers cannot be marked that way: all are of one division and their names say 示例.
"""

from datetime import date

from xinzheng.core.identifiers import (
    USCC_ALPHABET,
    identity_check_character,
    organisation_check_character,
    uscc_check_character,
)

MARK = "DEM"
SERIALS = len(USCC_ALPHABET) ** 5
PERSONS_DIVISION = "330502"


def invented_uscc(prefix: str, division: str, serial: int) -> str:
    """A unified social credit code: two places of class, six of division, DEM and five that spell the serial."""
    body = MARK + _spelled(serial)
    head = f"{prefix}{division}{body}{organisation_check_character(body)}"
    return head + uscc_check_character(head)


def _spelled(serial: int) -> str:
    places = []
    for _ in range(5):
        serial, digit = divmod(serial, len(USCC_ALPHABET))
        places.append(USCC_ALPHABET[digit])
    return "".join(reversed(places))


def invented_identity_number(born: date, sequence: int) -> str:
    """An identity number (公民身份号码) of division 330502."""
    head = f"{PERSONS_DIVISION}{born:%Y%m%d}{sequence:03d}"
    return head + identity_check_character(head)
