"""Invented violations (案由), read from ``cases.yaml``: what a penalty of a domain is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation: its texts with places to fill in, and the bounds of fine and confiscation in yuan."""

    violation: str
    facts: str
    basis: str
    category: str
    content: str
    fine: tuple[float, float] | None = None
    confiscation: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Theme:
    """What a domain is about: the mark in document numbers, the bureau's name, the violations."""

    mark: str
    bureau: str
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class DomainCases:
    """A domain of a city with its theme and how often it occurs."""

    domain: str
    theme: Theme
    weight: float


@cache
def domain_cases(city: str) -> Mapping[str, DomainCases]:
    """What is penalised in each domain of a city, in the file's order."""
    content = yaml.safe_load(files(__package__).joinpath("cases.yaml").read_text("utf-8"))
    themes = {name: _theme(found) for name, found in content["themes"].items()}
    return MappingProxyType(
        {
            domain: DomainCases(domain, themes[theme], float(weight))
            for domain, (theme, weight) in content["domains"][city].items()
        }
    )


def _theme(found: Mapping[str, object]) -> Theme:
    cases = found["cases"]
    if not isinstance(cases, list):
        raise TypeError("cases.yaml: cases is a list")
    return Theme(str(found["mark"]), str(found["bureau"]), tuple(_violation(case) for case in cases))


def _violation(case: Mapping[str, object]) -> Violation:
    return Violation(
        violation=str(case["violation"]),
        facts=str(case["facts"]),
        basis=str(case["basis"]),
        category=str(case["category"]),
        content=str(case["content"]),
        fine=_bounds(case.get("fine")),
        confiscation=_bounds(case.get("confiscation")),
    )


def _bounds(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list):
        return None
    low, high = value
    return float(low), float(high)
