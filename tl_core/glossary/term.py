"""What a glossary consists of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One term; `related` are names of other terms."""

    name: str
    text: str
    related: tuple[str, ...] = ()
