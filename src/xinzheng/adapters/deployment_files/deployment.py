"""A deployment (部署): a city's units, who answers for what, and the words that are its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from xinzheng.core.policy import Extension, Policy


@dataclass(frozen=True, slots=True)
class DeployedUnit:
    """A unit (单位) as the file names it.

    ``short_name`` is the decree's word, which is printed; ``name`` the full one. ``division`` is read from the code's
    places 3–8. ``is_office`` marks the credit office (信用办).
    """

    uscc: str
    name: str
    short_name: str
    division: str
    responsible_officer: str | None = None
    is_office: bool = False
    abolished_date: date | None = None


@dataclass(frozen=True, slots=True)
class DeployedResponsibility:
    """Who answers (责任单位): the unit with ``rank``, from 1, for a kind in a domain or other-information section."""

    domain: str
    kind: str
    uscc: str
    rank: int


@dataclass(frozen=True, slots=True)
class DeployedReturn:
    """A return channel (回流渠道): the data of ``unit`` for a kind in a domain also come through ``source``."""

    domain: str
    kind: str
    source: str
    unit: str


@dataclass(frozen=True)
class Deployment:
    """A city's deployment file, checked.

    ``channels`` are the places where people reach the city's credit service, objections first. ``answering`` maps a
    domain's or section's code to its units' codes (统一社会信用代码) in the file's order, districts last.
    ``returning`` maps a code to pairs of units' codes: who delivers, and for whom. ``responsibilities`` and ``returns``
    need the policy's record kinds, and are empty while the file was read without the policy.
    """

    city: str
    policy_id: str
    is_demonstration: bool
    note: str
    jurisdiction: str
    jurisdiction_name: str
    brand: str
    channels: tuple[str, ...]
    seal_name: str
    extensions: tuple[Extension, ...]
    districts: Mapping[str, str]
    units: tuple[DeployedUnit, ...]
    answering: Mapping[str, tuple[str, ...]]
    returning: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    responsibilities: tuple[DeployedResponsibility, ...] = ()
    returns: tuple[DeployedReturn, ...] = ()

    @property
    def objection_channel(self) -> str:
        """Where an objection can be made: the word that stands for {渠道} in a report's notes."""
        return self.channels[0]

    def extended(self, policy: Policy) -> Policy:
        """The policy with the documents that this deployment says prolong it."""
        return replace(policy, extensions=self.extensions)
