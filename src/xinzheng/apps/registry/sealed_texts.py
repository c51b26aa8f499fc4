"""Short texts sealed at rest (密封文本): each under a data key of its own, which is wrapped like those of persons."""

import base64
from collections.abc import Callable

from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key


def seal_text(text: str, owner: str) -> str:
    """The text as it may be stored; ``owner`` names what it belongs to, and is needed to open it."""
    key = new_data_key()
    parts = (wrap_key(key, owner), encrypt(key, text.encode(), owner))
    return ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)


def open_text(sealed: str, owner: str) -> str:
    """The text that was sealed for this owner. Raises KeyFileError where no key fits."""
    wrapped, hidden = (base64.urlsafe_b64decode(part) for part in sealed.split("."))
    return decrypt(unwrap_key(wrapped, owner), hidden, owner).decode()


def rewrap_text(sealed: str, owner: str, rewrap: Callable[[bytes, str], bytes]) -> str:
    """The same sealed text with its data key wrapped anew, for the rotation of the key-encryption key."""
    wrapped, hidden = sealed.split(".")
    anew = rewrap(base64.urlsafe_b64decode(wrapped), owner)
    return f"{base64.urlsafe_b64encode(anew).decode()}.{hidden}"
