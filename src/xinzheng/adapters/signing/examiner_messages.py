"""What is told about a PDF: trust to the examiner's process, facts back, each of a bounded size and fixed shape."""

import base64
import json
import socket
from datetime import datetime

from xinzheng.adapters.examining.framing import AnswerError, receive_part, send_part
from xinzheng.adapters.pdf.attachments import MAX_ATTACHMENT_BYTES
from xinzheng.adapters.signing.check import PdfFacts
from xinzheng.adapters.signing.key_history import PublishedKey
from xinzheng.adapters.signing.trust import Trust

MAX_HEAD_BYTES = 64 * 1024
MAX_TRUST_BYTES = 64 * 1024**2
MAX_TEXT = 512
MAX_REASONS = 16
LEVELS = ("B-B", "B-T", "B-LT")
DATES = ("signed_at", "stamped_at", "revoked_at", "provable_before")
KINDS = ("roots", "crls", "stamp_roots")
ENDS = ("until_at", "compromised_at")
FACTS = ("intact", "signature_valid", "signer_trusted")


def pack_trust(trust: Trust) -> bytes:
    """Certificates, lists and the history of the keys as JSON."""
    kinds = {kind: [base64.b64encode(one).decode() for one in getattr(trust, kind)] for kind in KINDS}
    return json.dumps(kinds | {"keys": [_told(key) for key in trust.keys]}).encode()


def unpack_trust(message: bytes) -> Trust:
    """The inverse of pack_trust."""
    told = json.loads(message)
    kinds = {kind: tuple(map(base64.b64decode, told[kind])) for kind in KINDS}
    return Trust(**kinds, keys=tuple(map(_key, told["keys"])))


def _told(key: PublishedKey) -> dict[str, str | None]:
    ends = {end: at.isoformat() if (at := getattr(key, end)) else None for end in ENDS}
    known = {"key_id": key.key_id, "purpose": key.purpose, "from_at": key.from_at.isoformat()}
    return known | ends | {"material": base64.b64encode(key.material).decode()}


def _key(told: dict[str, str]) -> PublishedKey:
    moments = {moment: _date(told.pop(moment)) for moment in ("from_at", *ENDS)}
    return PublishedKey(**{**told, **moments, "material": base64.b64decode(told["material"])})  # type: ignore[arg-type]


def send_facts(talk: socket.socket, facts: PdfFacts) -> None:
    """The facts as JSON, then the content if there is one."""
    head = {fact: getattr(facts, fact) for fact in FACTS}
    head |= {date: value.isoformat() if (value := getattr(facts, date)) else None for date in DATES}
    head |= {
        "reasons": [reason[:MAX_TEXT] for reason in facts.reasons[:MAX_REASONS]],
        "signer_name": facts.signer_name[:MAX_TEXT] if facts.signer_name is not None else None,
        "level": facts.level,
        "has_content": facts.content is not None,
    }
    send_part(talk, json.dumps(head).encode())
    if facts.content is not None:
        send_part(talk, facts.content)


def receive_facts(talk: socket.socket) -> PdfFacts:
    """The facts that the process found. AnswerError if anything is not of its type, or too large."""
    try:
        head = json.loads(receive_part(talk, MAX_HEAD_BYTES))
        dates = {date: _date(head.pop(date)) for date in DATES}
        has_content = head.pop("has_content")
        facts = PdfFacts(**{**head, **dates, "reasons": tuple(head["reasons"])})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AnswerError("not the facts") from error
    if not _is_well_formed(facts) or type(has_content) is not bool:
        raise AnswerError("not the facts")
    if not has_content:
        return facts
    if facts.intact is not True:
        raise AnswerError("content of a file that is not intact")
    return PdfFacts(**{**vars(facts), "content": receive_part(talk, MAX_ATTACHMENT_BYTES)})


def _date(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text is not None else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment


def _is_well_formed(facts: PdfFacts) -> bool:
    return (
        all(getattr(facts, fact) in (True, False, None) and type(getattr(facts, fact)) is not int for fact in FACTS)
        and len(facts.reasons) <= MAX_REASONS
        and all(isinstance(reason, str) and len(reason) <= MAX_TEXT for reason in facts.reasons)
        and (facts.signer_name is None or (isinstance(facts.signer_name, str) and len(facts.signer_name) <= MAX_TEXT))
        and facts.level in (None, *LEVELS)
        and facts.content is None
    )
