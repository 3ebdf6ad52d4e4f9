"""The terms of the field that stand on the screen, each in one or two plain sentences."""

from typing import Final

from tl_core.glossary.beyond import BEYOND
from tl_core.glossary.general import GENERAL
from tl_core.glossary.term import Term

__all__ = ["TERMS", "Term", "explain", "search"]

TERMS: Final[dict[str, Term]] = {term.name.casefold(): term for term in (*GENERAL, *BEYOND)}


def explain(*names: str) -> str:
    """Return the sentences of terms, for a tooltip; raises KeyError for a term there is none of."""
    return " ".join(TERMS[name.casefold()].text for name in names)


def search(words: str) -> list[Term]:
    """Return terms with every word, in name or text, those with it in the name first; by name."""
    wanted = words.casefold().split()
    found = [
        term
        for term in TERMS.values()
        if all(word in f"{term.name} {term.text}".casefold() for word in wanted)
    ]

    def place(term: Term) -> tuple[bool, str]:
        name = term.name.casefold()
        return not all(word in name for word in wanted), name

    return sorted(found, key=place)
