"""Lesson links: a set-up as the query of an address, in whitelisted and checked fields.

Nothing else can be set by a link: no path, no weights file, no command.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args

from tl_core.catalog import LARGEST_INPUT, SMALLEST_INPUT, catalog
from tl_core.config import BUDGETS, Augmentation, BudgetName, ClassBalance, Regularisation
from tl_core.ingest import SAMPLES
from tl_core.lessons import LESSONS
from tl_core.strategies import STRATEGIES
from tl_core.unusual import RATES_ASKED, Rates, is_range
from tl_core.wording import capitalised, listed

Control = Literal["data", "model", "layers", "plan", "guess", "recorded"]
CONTROLS: Final[tuple[Control, ...]] = get_args(Control)

MOST_SEEDS, MOST_STEPS = 5, 2000
# Query keys of the app itself, which are no part of a lesson.
_OWN: Final = {"job", "card", "see", "way", "room", "teacher", "embed", "embed_options"}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
MOST_NAME: Final = 40


@dataclass(frozen=True)
class LinkSettings:
    """What a link may set; None (or nothing) leaves a field at its default.

    `frozen`: names of the blocks of `model` that a strategy of one's own freezes. `forgetting`:
    whether it is measured. `hide`: controls that are not shown. `guess`: a strategy. `class_code`
    and `name` mark jobs, as in `store.Tags`.
    """

    lesson: str | None = None
    sample: str | None = None
    model: str | None = None
    strategies: tuple[str, ...] | None = None
    frozen: tuple[str, ...] | None = None
    seeds: int | None = None
    budget: BudgetName | None = None
    steps: int | None = None
    learning_rate: float | None = None
    class_balance: ClassBalance | None = None
    input_size: int | None = None
    augmentation: Augmentation | None = None
    regularisation: Regularisation | None = None
    rate_range: Rates | None = None
    forgetting: bool | None = None
    guess: str | None = None
    hide: tuple[Control, ...] = ()
    screen: Literal["normal", "big"] | None = None
    class_code: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Link:
    """A link that was read: what it sets, and a sentence on everything that was not taken."""

    settings: LinkSettings
    notices: tuple[str, ...] = ()


class _Refused(ValueError):
    """A value that is not possible; the text says which are, to follow `must be`."""


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise _Refused(f"one of {listed(names)}")
        return text

    return read


def _some_of(names: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(filter(None, text.split(","))))
        if not given or not set(given) <= set(names):
            raise _Refused(f"names out of {listed(names)}, separated by commas")
        return tuple(name for name in names if name in given)

    return read


def _blocks(text: str) -> tuple[str, ...]:
    """Return names that some model's blocks have; which model's is checked with the whole link."""
    known = {block.name for row in catalog().values() for block in row.blocks}
    given = tuple(dict.fromkeys(filter(None, text.split(","))))
    if not set(given) <= known:
        raise _Refused("names of the model's blocks, separated by commas")
    return given


def _whole(most: int, least: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
            raise _Refused(f"a whole number from {least} to {most:,}")
        return int(text)

    return read


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise _Refused("a number above 0, at most 1")
    return value


def _rates(text: str) -> Rates:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not is_range(low, high):
        raise _Refused(f"{RATES_ASKED}, separated by a comma")
    return low, high


def class_code(text: str) -> str:
    """Return a class code; raises ValueError with what it has to be."""
    if not _CODE.fullmatch(text):
        raise _Refused("up to 32 letters, digits, - or _, beginning with a letter or digit")
    return text


def nickname(text: str) -> str:
    """Return a nickname on one line; raises ValueError with what it has to be."""
    name = " ".join(text.split())
    hidden = any(unicodedata.category(char)[0] == "C" for char in name)
    if not name or len(name) > MOST_NAME or hidden:
        raise _Refused(f"1 to {MOST_NAME} visible characters")
    return name


def _yes_or_no(text: str) -> bool:
    return _one_of(("yes", "no"))(text) == "yes"


# query key: (field, how its text becomes a value)
_READERS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "lesson": ("lesson", _one_of(tuple(LESSONS))),
    "sample": ("sample", _one_of(tuple(SAMPLES))),
    "model": ("model", lambda text: _one_of(tuple(catalog()))(text)),
    "strategies": ("strategies", _some_of(tuple(STRATEGIES))),
    "frozen": ("frozen", _blocks),
    "seeds": ("seeds", _whole(MOST_SEEDS)),
    "budget": ("budget", _one_of(tuple(BUDGETS))),
    "steps": ("steps", _whole(MOST_STEPS)),
    "rate": ("learning_rate", _rate),
    "class_balance": ("class_balance", _one_of(get_args(ClassBalance))),
    "input_size": ("input_size", _whole(LARGEST_INPUT, SMALLEST_INPUT)),
    "augmentation": ("augmentation", _one_of(get_args(Augmentation))),
    "regularisation": ("regularisation", _one_of(get_args(Regularisation))),
    "rates": ("rate_range", _rates),
    "forgetting": ("forgetting", _yes_or_no),
    "guess": ("guess", _one_of(tuple(STRATEGIES))),
    "hide": ("hide", _some_of(CONTROLS)),
    "screen": ("screen", _one_of(("normal", "big"))),
    "class": ("class_code", class_code),
    "name": ("name", nickname),
}
KEYS: Final = frozenset(_READERS)


def parse(query: Mapping[str, str]) -> Link:
    """Return what the query of an address sets; what is wrong or unknown is said and left out.

    Unknown keys of an address that sets nothing here are nobody's business.
    """
    values: dict[str, Any] = {}
    notices: list[str] = []
    for key in sorted(KEYS & set(query)):
        field, read = _READERS[key]
        try:
            values[field] = read(query[key])
        except _Refused as wanted:
            notices.append(f"{capitalised(key)} in this link must be {wanted}: left out.")
    blocks = values.get("frozen")
    row = catalog().get(values.get("model", ""))
    if blocks is not None and (row is None or not set(blocks) <= {b.name for b in row.blocks}):
        del values["frozen"]
        notices.append("Frozen in this link names no blocks of a model in this link: left out.")
    unknown = sorted(set(query) - KEYS - _OWN) if KEYS & set(query) else []
    if unknown:
        plain = [re.sub(r"[^\w-]", "", name)[:20] or "?" for name in unknown[:3]]
        more = " and others" if len(unknown) > 3 else ""
        notices.append(f"Not known in a link: {', '.join(plain)}{more}. Left out.")
    return Link(LinkSettings(**values), tuple(notices))


def query(settings: LinkSettings) -> dict[str, str]:
    """Return the query that `parse` reads back as these settings."""
    found = {}
    for key, (field, _) in _READERS.items():
        value = getattr(settings, field)
        # No frozen block is a choice too; nothing hidden is none.
        if value is None or (value == () and field != "frozen"):
            continue
        if isinstance(value, bool):
            found[key] = "yes" if value else "no"
        elif isinstance(value, tuple):
            found[key] = ",".join(str(part) for part in value)
        else:
            found[key] = str(value)
    return found


_SET_UP: Final = frozenset(field.name for field in fields(LinkSettings)) - {
    "lesson",
    "guess",
    "hide",
    "screen",
    "class_code",
    "name",
}


def has_set_up(settings: LinkSettings) -> bool:
    """Return whether a link sets anything of the next comparison itself."""
    return any(getattr(settings, name) is not None for name in _SET_UP)
