"""The lists an engine is given (核查底表), and what of them a decision would look at: the facts of each asker.

Every table comes as PostgreSQL's CSV without a header, in the order of its columns here; an empty field is NULL.
"""

from collections.abc import Mapping
from types import MappingProxyType

import ibis
from ibis.expr.types import Table

from xinzheng.adapters.screening.conditions import holds
from xinzheng.core.conditions import DATE_FIELDS, FIELDS
from xinzheng.core.records import LISTING_KINDS
from xinzheng.core.subjects import Tie
from xinzheng.core.weighing import Weighing

LISTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # Who is asked about, each once: the kind as registered at the position (NULL: not known).
        "subjects": {"subject": "int64", "kind": "string", "is_deregistered": "boolean"},
        # Whose records are tied to whom, self not among them; several ties of a pair are one, the closest.
        "ties": {"subject": "int64", "party": "int64", "tie": "string"},
        # Every version up to the position, of whatever unit; the latest of each record is what is looked at.
        "records": {
            "id": "int64",
            "party": "int64",
            "unit": "int64",
            "position": "int64",
            "is_present": "boolean",
            "kind": "string",
            "domain": "string",
            "organ_code": "string",
            "organ_name": "string",
            "document_key": "string",
            "decision_date": "date",
            "served_date": "date",
            "procedure": "string",
            "outcome": "string",
            "standing": "string",
            "standing_date": "date",
            "repaired_date": "date",
            "sealed": "boolean",
            "listed_from": "date",
            "listed_through": "date",
        },
        # Records under an open objection at the position.
        "disputes": {"party": "int64", "id": "int64"},
        # The units whose records the policy's place reads.
        "units": {"unit": "int64"},
        # Where an organ named so belongs, and what tells it apart; one row for each pair the records have.
        "organs": {"organ_code": "string", "organ_name": "string", "organ": "string", "organ_key": "string"},
        # Lines that wait and name a party, under each unit whose they may be (``unit``: its code).
        "pending": {"party": "int64", "domain": "string", "unit": "string", "kind": "string", "sealed": "boolean"},
        # Who answers for what under the policy.
        "answering": {"domain": "string", "kind": "string", "unit": "string"},
    }
)
TIES = [str(tie) for tie in Tie]


def given(name: str) -> Table:
    """One of the lists, as ibis knows it."""
    return ibis.table(dict(LISTS[name]), name=name)


def asking(weighing: Weighing) -> Table:
    """The subjects a decision would be made about: ``asker``, ``subject_kind``. The others are refused."""
    subjects, served = given("subjects"), [str(served.kind) for served in weighing.policy.subject_kinds]
    fitting = subjects.filter(subjects.kind.isin(served), ~subjects.is_deregistered)
    return fitting.select(asker="subject", subject_kind="kind")


def refusal(subjects: Table, weighing: Weighing) -> ibis.expr.types.StringValue:
    """Why a subject is refused (the codes of ``check_subject``), or NULL."""
    served = [str(served.kind) for served in weighing.policy.subject_kinds]
    return ibis.cases(
        (subjects.kind.isnull(), "subject-kind-unknown"),
        (~subjects.kind.isin(served), "subject-kind-not-served"),
        (subjects.is_deregistered, "subject-deregistered"),
        else_=ibis.null("string"),
    )


def whose(weighing: Weighing) -> Table:
    """Whose records are looked at for whom: ``asker``, ``subject_kind``, ``party``, ``tie``."""
    askers, ties = asking(weighing), given("ties")
    closeness = ibis.cases(*((ties.tie == tie, place) for place, tie in enumerate(TIES)), else_=len(TIES) - 1)
    others = ties.mutate(closeness=closeness).filter(ties.party != ties.subject)
    closest = others.group_by("subject", "party").agg(closeness=lambda t: t.closeness.min())
    tie = ibis.cases(*((closest.closeness == place, tie) for place, tie in enumerate(TIES)))
    tied = closest.select(asker="subject", party="party", tie=tie).join(askers, "asker")
    own = askers.select("asker", "subject_kind", party="asker", tie=ibis.literal(str(Tie.SELF)))
    return own.union(tied.select("asker", "subject_kind", "party", "tie"))


def facts(weighing: Weighing) -> Table:
    """The records of every asker with the columns of FIELDS, and ``asker``, ``id``, ``document_key``, ``organ_key``."""
    latest = _latest()
    organs = given("organs").mutate(code_asked=_text("organ_code"), name_asked=_text("organ_name"))
    placed = latest.mutate(code_asked=_text("organ_code"), name_asked=_text("organ_name"))
    organs = organs.select("code_asked", "name_asked", "organ", "organ_key")
    placed = placed.left_join(organs, ["code_asked", "name_asked"]).drop("code_asked_right", "name_asked_right")
    disputes = given("disputes").distinct().mutate(disputed=ibis.literal(True))
    disputed = placed.left_join(disputes, ["party", "id"]).drop("party_right", "id_right")
    found = disputed.join(whose(weighing), "party")
    own = {
        "disputed": found.disputed.fill_null(False),
        "window_date": ibis.ifelse(
            found.kind.isin([str(kind) for kind in LISTING_KINDS]), found.listed_from, found.decision_date
        ),
    }
    columns = {name: own.get(name, found[name] if name in found.columns else None) for name in FIELDS}
    return found.select("asker", "id", "document_key", "organ_key", **columns)


def _text(column: str) -> ibis.Deferred:
    """A text to join on: NULL joins nothing, and no organ is named by an empty text."""
    return ibis._[column].fill_null("")


def _latest() -> Table:
    """The records as they stood: their latest versions, where these are present and of a unit that is read."""
    records = given("records")
    newest = records.group_by("id").agg(newest=records.position.max(), versions=records.count())
    replaced = newest.filter(newest.versions > 1).select("id", "newest")
    old = [records.id == replaced.id, records.position < replaced.newest]
    latest = records.anti_join(replaced, old)
    return latest.filter(latest.is_present).semi_join(given("units"), "unit")


def waiting(weighing: Weighing) -> Table:
    """The askers with a waiting line that leaves a domain open: ``asker``, ``domain``, each pair once.

    Lines of records nobody may be told of hint at nothing and are left out (``hides_all``).
    """
    answering, policy = given("answering"), weighing.policy
    mine = given("pending").semi_join(answering, ["domain", "kind", "unit"]).join(whose(weighing), "party")
    pairs = [(mine.domain == d.code) & mine.kind.isin([str(k) for k in d.kinds]) for d in policy.domains]
    in_scope = mine.filter(ibis.or_(*pairs), mine.domain.isin(sorted(weighing.domains)))
    known = {
        "kind": in_scope.kind,
        "domain": in_scope.domain,
        "subject_kind": in_scope.subject_kind,
        "tie": ibis.literal(str(Tie.SELF)),
        "sealed": ibis.ifelse(in_scope.sealed.fill_null(False), True, ibis.null("boolean")),
        "disputed": ibis.literal(False),
    }
    unknown = {name: ibis.null("date" if name in DATE_FIELDS else "string") for name in FIELDS if name not in known}
    lines = in_scope.select("asker", **known, **unknown)
    hiding = [holds(clause.condition, lines, weighing.references) for clause in weighing.clauses if clause.hides]
    told = lines.filter(~ibis.or_(*hiding)) if hiding else lines
    return told.select("asker", "domain").distinct()
