"""What a decree itself says of showing a code and of applying (办事指南的原文): quotations beside a pack.

They decide nothing, so they are no part of the pack's digest: a better quotation is no other policy.
"""

from collections.abc import Mapping
from pathlib import Path

from xinzheng.adapters.policy_files.clause_reader import read_citation
from xinzheng.adapters.policy_files.mistakes import Mistakes
from xinzheng.adapters.policy_files.nodes import read_root
from xinzheng.adapters.policy_files.packs import beside_pack
from xinzheng.core.policy import Basis, Citation

GUIDE_FILE = "guide.yaml"
TOPICS = ("show", "apply")


def guide_words(id_or_folder: str | Path) -> Mapping[str, Citation]:
    """The quotations by topic: ``show`` (亮码), ``apply`` (网上申请); a topic the decree is silent of is not there.

    Raises:
        PolicyError: the file is not as it should be; every mistake is told with its line.
    """
    path = beside_pack(id_or_folder, GUIDE_FILE)
    if path is None:
        return {}
    mistakes = Mistakes()
    root = read_root(path.read_bytes(), str(path), mistakes)
    read = {} if root is None else root.fields(("format",), TOPICS)
    found = {topic: read_citation(read[topic], Basis.STATUTE) for topic in TOPICS if topic in read}
    mistakes.refuse()
    return found
