"""Names of sites (网站名) as they may be shown: in plain ASCII, so that a look-alike letter cannot hide."""

import re

LONGEST = 255
MOST_CHARACTERS = 4096
# As browsers part it: a backslash ends the host, and what stands before @ is no part of it.
ADDRESS = re.compile(
    r"https?://(?:[^/?#\\]*@)?([^/?#\\:@\s\[\]]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?:[/?#\\].*)?", re.DOTALL
)


def shown_host(address: str) -> str | None:
    """The host, with its port, that a scanned address leads to; None when it leads to none.

    A name with other than ASCII letters is shown as browsers resolve it (IDNA, ``xn--…``); what cannot be is shown
    escaped.
    """
    match = ADDRESS.fullmatch(address.lower()) if len(address) <= MOST_CHARACTERS else None
    if match is None or len(match[1]) > LONGEST:
        return None
    return _plain(match[1]) + (f":{int(match[2])}" if match[2] else "")


def _plain(name: str) -> str:
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name.encode("unicode_escape").decode("ascii")
