"""The text of a decree (文件原文) by section, with what its policy quotes marked and linked to where it is used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from xinzheng.apps.reports import ports
from xinzheng.apps.reports.packs import current_policy
from xinzheng.core.errors import RefusedError
from xinzheng.core.passages import Block, BlockKind, Piece, marked_text
from xinzheng.core.policy import Citation, Policy
from xinzheng.web.public.policy_words import EFFECT_WORDS, guide_quotes


@dataclass(frozen=True)
class Use:
    """Where a passage is used: what it is called there, the address, the words quoted."""

    label: str
    url: str
    quote: str


@dataclass(frozen=True)
class Passage:
    """A block of the text as a reader meets it, with the uses of what is quoted from it."""

    block: Block
    uses: Sequence[tuple[str, Use]]

    @property
    def is_table(self) -> bool:
        """Whether it is a table."""
        return self.block.kind is BlockKind.TABLE

    @property
    def head(self) -> Sequence[Sequence[Piece]]:
        """A table's first row."""
        return self.block.cells[0]

    @property
    def body(self) -> Sequence[Sequence[tuple[str, Sequence[Piece]]]]:
        """A table's other rows, each cell with the words above its column."""
        labels = ["".join(piece.text for piece in cell) for cell in self.head]
        return [list(zip(labels, row, strict=False)) for row in self.block.cells[1:]]

    @property
    def is_heading(self) -> bool:
        """Whether it is the heading of a section."""
        return self.block.kind is BlockKind.HEADING


@require_safe
def policy_text(request: HttpRequest, policy_id: str) -> HttpResponse:
    """The text of a policy's decree; 404 where the text was not seen."""
    try:
        policy = current_policy(policy_id)
    except RefusedError as error:
        raise Http404(error.message) from error
    passages = passages_of(policy.id)
    if not passages:
        raise Http404("本站没有收录这份文件的原文。")
    return render(request, "publicity/decree.html", {"policy": policy, "passages": passages})


def passages_of(policy_id: str) -> Sequence[Passage]:
    """The text in blocks, marked by what the pack in force quotes; none where the text was not seen."""
    policy = current_policy(policy_id)
    return _passages(_Pack(policy.sha256, policy))


@dataclass(frozen=True)
class _Pack:
    """A pack by its digest: the same one is marked once a process, another one anew."""

    sha256: str
    policy: Policy = field(compare=False)


@lru_cache(maxsize=8)
def _passages(pack: _Pack) -> Sequence[Passage]:
    uses = _uses(pack.policy)
    text = ports.policy_files().decree_text(pack.policy.id)
    blocks = marked_text(text, {name: use.quote for name, use in uses.items()})
    return tuple(Passage(block, [(name, uses[name]) for name in block.begins]) for block in blocks)


def marked_in_text(policy_id: str) -> frozenset[str]:
    """The names of the uses whose words are marked in the text: ``clause-<id>``, ``window`` and so on."""
    return frozenset(name for passage in passages_of(policy_id) for name, _ in passage.uses)


def _uses(policy: Policy) -> Mapping[str, Use]:
    """Everything that quotes the decree itself, by name; one use for each passage but the clauses'."""
    page = f"/policies/{policy.id}"
    found: dict[str, Use] = {}

    def add(name: str, label: str, url: str, citation: Citation) -> None:
        if citation.source == policy.document and citation.quote:
            found[name] = Use(label, url, citation.quote)

    add("in-effect", "施行时间", f"{page}#about", policy.in_effect_citation)
    add("kinds", "适用主体", f"{page}#about", policy.subject_kinds[0].citation)
    add("window", "查询期", f"{page}#about", policy.window.citation)
    add("choices", "可以自己选的范围", f"{page}#about", policy.choose_domains.citation)
    add("domains", "领域", f"{page}#domains-h", policy.domains_citation)
    for number, exception in enumerate(policy.exceptions, 1):
        add(f"exception-{number}", "例外", f"{page}#exceptions-h", exception)
    for clause in policy.clauses:
        label = f"规则“{EFFECT_WORDS[clause.effect]}：{clause.reason}”"
        add(f"clause-{clause.id}", label, f"{page}#clause-{clause.id}", clause.citation)
    for section in policy.other:
        add(f"other-{section.code}", f"其他核查信息“{section.name}”", f"{page}#other-h", section.citation)
    for topic, label, url in (("show", "亮码", "/guide/subject#show"), ("apply", "网上申请", "/guide/subject#affairs")):
        if topic in guide_quotes(policy.id):
            add(f"guide-{topic}", f"办事指南“{label}”", url, guide_quotes(policy.id)[topic])
    return found
