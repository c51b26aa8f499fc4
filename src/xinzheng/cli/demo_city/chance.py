"""Chance that repeats itself: every part of the demonstration city draws from a stream of its own."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, name: str) -> Random:
    """The stream of chance with this name; the same seed and name give the same draws on every machine.

    A part with its own stream does not change when another part draws more or less.
    """
    return Random(f"xinzheng-demo/{seed}/{name}")  # noqa: S311  nothing secret is drawn here


def weighted(rng: Random, choices: Sequence[tuple[T, float]]) -> T:
    """One of the choices, as often as its weight says."""
    return rng.choices([choice for choice, _ in choices], [weight for _, weight in choices])[0]
