"""Packs to be published: the shipped ones written out and changed."""

from datetime import date, timedelta

from tests.small_city import BY, today
from xinzheng.adapters.policy_files import pack_bytes, pack_digest, written_out
from xinzheng.apps.reports.publishing import Publishing, publish_pack

POLICY = "suzhou-2024"
LENIENT = """  - id: taxation-apart
    effect: excluded
    when: {field: domain, equals: taxation}
    reason: 税务领域的记录不计入
    basis: judgement
    citation: {source: 演示文件, note: 测试用}
"""


def files(policy_id: str = POLICY, *changes: tuple[str, str]) -> dict[str, bytes]:
    """The shipped pack without aliases, each change made once."""
    found = {name: written_out(data) for name, data in pack_bytes(policy_id).items()}
    text = found["policy.yaml"].decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return found | {"policy.yaml": text.encode()}


CLAUSES = "clauses:   # 依次适用，先符合的先适用\n"
LENIENTLY = (CLAUSES, CLAUSES + LENIENT)


def tomorrow() -> date:
    """The first day a pack can hold from."""
    return today() + timedelta(days=1)


def publishing(pack: dict[str, bytes], from_date: date | None = None, policy_id: str = POLICY) -> Publishing:
    """What is handed in, from tomorrow on unless another day is given."""
    return Publishing(policy_id, pack, from_date or tomorrow(), "演示发布〔2026〕1号", "按新的文件调整")


def publish(*changes: tuple[str, str], from_date: date | None = None) -> str:
    """Publish the shipped pack, changed; its digest."""
    pack = files(POLICY, *(changes or (LENIENTLY,)))
    publish_pack(publishing(pack, from_date), by=BY)
    return pack_digest(pack)
