"""The verifier that needs no server (离线核验页): one HTML file with its style, its scripts and the published keys."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.template.loader import render_to_string

from xinzheng import __version__
from xinzheng.core.lifecycle import verification_origin

HERE = Path(__file__).resolve().parent
STYLE = HERE.parent / "static" / "xinzheng.css"
CORE = ("der.js", "x509.js", "cms.js", "pdf.js", "seal.js", "facts.js", "log.js")
OWN_STYLE = """
.offline-ways { grid-template-columns: var(--g2); }
.drop-low { min-height: 7rem; }
.reasons { padding-left: 1.25em; list-style: disc; }
#verify { padding-top: var(--s5); }
"""


@dataclass(frozen=True)
class Inlined:
    """What stands in the page itself (内嵌内容): its style, the verifier, the page's own script."""

    style: str
    core: str
    page: str

    @property
    def policy(self) -> str:
        """What a browser may load for the page: nothing but what these digests name, and nothing from elsewhere."""
        scripts = f"{_source(self.core)} {_source(self.page)}"
        return (
            f"default-src 'none'; script-src {scripts}; style-src {_source(self.style)}; worker-src blob:; "
            "base-uri 'none'; form-action 'none'"
        )


@cache
def inlined() -> Inlined:
    """The page's parts, read once."""
    core = "\n".join(_read(HERE / name) for name in CORE)
    return Inlined(_read(STYLE) + OWN_STYLE, f"'use strict'\n{core}", _read(HERE / "page.js"))


def offline_page(published: Mapping[str, object], made_at: datetime, *, is_demonstration: bool) -> str:
    """The whole page, with the published keys as the well-known address serves them at ``made_at``."""
    parts = inlined()
    context = {
        "policy": parts.policy,
        "style": parts.style,
        "core": parts.core,
        "page": parts.page,
        "published": _as_data(published),
        "host": published["host"],
        "online": f"{verification_origin(str(published['host']))}/verify",
        "made_at": made_at,
        "is_demonstration": is_demonstration,
        "version": __version__,
    }
    return render_to_string("public/offline.html", context)


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def _as_data(published: Mapping[str, object]) -> str:
    """JSON that no parser of HTML can take for a tag."""
    text = json.dumps(published, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
