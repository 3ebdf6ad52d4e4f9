"""Target class names -> source classes of the same name: whole names only, never a guess."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tl_core.catalog import SourceClass

_SYNSET: Final = re.compile("n[0-9]{8}")

_IRREGULAR: Final = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "mice": "mouse",
    "oxen": "ox",
    "people": "person",
    "teeth": "tooth",
}

# Endings of a plural and what the singular may end in; several, because the spelling is ambiguous.
_PLURALS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("men", ("man",)),
    ("ies", ("y", "ie")),
    ("ves", ("f", "fe", "ve")),
    ("oes", ("o", "oe")),
    ("ches", ("ch", "che")),
    ("shes", ("sh",)),
    ("sses", ("ss",)),
    ("uses", ("us", "use")),
    ("nses", ("ns", "nse")),
    ("xes", ("x", "xe")),
    ("zes", ("z", "ze")),
    ("ss", ()),
    ("us", ()),
    ("is", ()),
    ("s", ("",)),
)

_SHORTEST_PLURAL: Final = 3


class Suggestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a target class may be among the source classes.

    `indices`: the suggested source class, or none. `candidates`: those between which the name does
    not decide; a user may choose. `reason`: a sentence for the user.
    """

    indices: tuple[int, ...]
    candidates: tuple[int, ...]
    reason: str


def suggest(
    target_classes: Sequence[str], source_classes: Sequence[SourceClass]
) -> dict[str, Suggestion]:
    """Return a suggestion for each target class, by whole name in any number, or by synset.

    A class named by a bare number is matched as a name only: "3" is the digit, not the source
    class at index 3.
    """
    names = _Names(source_classes)
    return {name: names.suggest(name) for name in target_classes}


def match_source(
    labels: Sequence[str], source_classes: Sequence[SourceClass]
) -> dict[str, int | None]:
    """Return the source class of each label of a probe: an index, a synset or a whole name.

    None where there is no such class or the name has several; `unmatched` says which.
    """
    names = _Names(source_classes)
    matched: dict[str, int | None] = {}
    for label in labels:
        index = names.by_number(label)
        found = names.suggest(label).indices if index is None else (index,)
        matched[label] = found[0] if found else None
    return matched


def unmatched(
    labels: Sequence[str], source_classes: Sequence[SourceClass]
) -> dict[str, Suggestion]:
    """Return why labels of a probe have no source class, for those that have none."""
    matched = match_source(labels, source_classes)
    names = _Names(source_classes)
    return {label: names.suggest(label) for label in labels if matched[label] is None}


class _Names:
    """Source classes by their names as written, by their singular names, and by synset."""

    def __init__(self, source_classes: Sequence[SourceClass]) -> None:
        self.indices = {source.index for source in source_classes}
        self.synsets = {source.synset: source.index for source in source_classes if source.synset}
        self.first = {source.index: source.names[0] for source in source_classes if source.names}
        self.written: dict[str, set[int]] = defaultdict(set)
        self.singular: dict[str, set[int]] = defaultdict(set)
        for source in source_classes:
            for name in source.names:
                self.written[_plain(name)].add(source.index)
                for form in singulars(_plain(name)):
                    self.singular[form].add(source.index)

    def by_number(self, label: str) -> int | None:
        """Return the class whose index this is."""
        text = label.strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            return None
        return int(text) if int(text) in self.indices else None

    def suggest(self, name: str) -> Suggestion:
        """Return the class of this name; a name as written goes before a singular form."""
        plain = _plain(name)
        if _SYNSET.fullmatch(plain):
            found = {self.synsets[plain]} if plain in self.synsets else set()
            return self._suggestion(name, found)
        forms = singulars(plain)
        found = self.written.get(plain, set()) or _union(self.written, forms)
        return self._suggestion(name, found or _union(self.singular, forms))

    def _suggestion(self, name: str, found: set[int]) -> Suggestion:
        if not found:
            reason = f"No source class is called '{name}'."
            return Suggestion(indices=(), candidates=(), reason=reason)
        if len(found) > 1:
            candidates = tuple(sorted(found))
            shown = ", ".join(f"{self.first[i]} ({i})" for i in candidates[:5])
            reason = f"'{name}' may be {len(candidates)} source classes: {shown}. Choose one."
            return Suggestion(indices=(), candidates=candidates, reason=reason)
        index = min(found)
        reason = f"'{name}' is the source class {self.first.get(index, index)} ({index})."
        return Suggestion(indices=(index,), candidates=(), reason=reason)


def _union(names: dict[str, set[int]], forms: Iterable[str]) -> set[int]:
    return {index for form in forms for index in names.get(form, ())}


def _plain(name: str) -> str:
    """Return a name in lower case, its words separated by single spaces, without apostrophes."""
    text = unicodedata.normalize("NFKC", name).casefold().replace("'", "").replace("’", "")
    return " ".join(re.split(r"[\s_\-]+", text)).strip()


def singulars(name: str) -> set[str]:
    """Return the name and what its last word may be in the singular: "bees" gives also "bee"."""
    head, _, word = name.rpartition(" ")
    lead = f"{head} " if head else ""
    if word in _IRREGULAR:
        return {name, lead + _IRREGULAR[word]}
    if len(word) < _SHORTEST_PLURAL:
        return {name}
    for ending, singular_endings in _PLURALS:
        stem = word.removesuffix(ending)
        if stem != word:
            return {name} | {lead + stem + singular for singular in singular_endings}
    return {name}
