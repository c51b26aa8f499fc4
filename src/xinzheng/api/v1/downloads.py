"""How the description tells of an answer that is a file."""

from typing import Any

ATTACHED = {
    "description": "文件名（RFC 6266）",
    "required": True,
    "schema": {"type": "string", "pattern": "^attachment"},
}
DIGEST = {
    "description": "文件的 SHA-256（RFC 9530）",
    "required": True,
    "schema": {"type": "string", "pattern": "^sha-256=:[0-9A-Za-z+/]{43}=:$"},
}


def downloads(said: str, *media_types: str, has_digest: bool = False) -> dict[str, Any]:
    """For ``openapi_extra``: a file of one of the media types, with its name and perhaps its ``Repr-Digest``."""
    headers = {"Content-Disposition": ATTACHED} | ({"Repr-Digest": DIGEST} if has_digest else {})
    content = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}
    return {"responses": {200: {"description": said, "headers": headers, "content": content}}}
