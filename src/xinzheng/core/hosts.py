"""Names of sites (网站名) as they may be shown: in plain ASCII, so that a look-alike letter cannot hide."""

from urllib.parse import urlsplit

LONGEST = 255


def shown_host(address: str) -> str | None:
    """The host, with its port, that a scanned address leads to; None when it leads to none.

    A name with other than ASCII letters is shown as browsers resolve it (IDNA, ``xn--…``); what cannot be is shown
    escaped.
    """
    if not address.lower().startswith(("http://", "https://")) or len(address) > 4096:
        return None
    try:
        parts = urlsplit(address)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or len(name) > LONGEST:
        return None
    return _plain(name) + (f":{port}" if port is not None else "")


def _plain(name: str) -> str:
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name.encode("unicode_escape").decode("ascii")
