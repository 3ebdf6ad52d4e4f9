"""Numbers as people read them: one format for the screen, the command line and the verdict."""

from collections.abc import Sequence


def percent(share: float | None) -> str:
    """Return a fraction as a percentage with one decimal, `–` for None."""
    return "–" if share is None else f"{100 * share:.1f}%"


def points(value: float | None, signed: bool = False) -> str:
    """Return percentage points with one decimal; `signed` writes + and a real minus sign."""
    if value is None:
        return "–"
    rounded = round(value, 1) + 0.0
    text = f"{rounded:+.1f}" if signed and rounded else f"{rounded:.1f}"
    return text.replace("-", "\u2212")


def spread(low: float | None, high: float | None, signed: bool = False) -> str:
    """Return an interval of points as `low to high`."""
    return f"{points(low, signed)} to {points(high, signed)}"


def duration(seconds: float | None) -> str:
    """Return a duration at the precision that matters."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def count(value: float | None) -> str:
    """Return a count in thousands, millions or billions, three digits at most."""
    if value is None:
        return "–"
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.0f}"


def megabytes(size: float) -> str:
    """Return bytes in MB or GB, at the precision that matters; never 0 for something."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{max(size / 1e6, 0.1 * (size > 0)):.1f} MB"


def number_of(value: int, singular: str, plural: str | None = None) -> str:
    """Return `1 image`, `2 images`, `3 classes`."""
    return f"{value:,} {singular if value == 1 else plural or singular + 's'}"


def lowered(title: str) -> str:
    """Return a title as it stands inside a sentence; `LP-FT` and `LoRA` stay as they are."""
    first = title.split(" ")[0]
    if first[1:] != first[1:].lower() or any(letter.isdigit() for letter in first):
        return title
    return title[:1].lower() + title[1:]


def capitalised(text: str) -> str:
    """Return words as they begin a sentence."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
