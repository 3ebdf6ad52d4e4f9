"""User text as people may see it: on one line, without characters that are invisible or deceive."""

import json
import unicodedata
from typing import Final

# Characters of a name that are shown.
CUT: Final = 120


def plain_label(text: object, limit: int = CUT) -> str:
    """Return user text on one line, at most `limit` characters, without invisible controls.

    For places that show text literally: table cells, options of a select box, text fields.
    """
    words = "".join(" " if char.isspace() else char for char in str(text))
    shown = "".join(char for char in words if char == " " or _is_visible(char))
    shown = " ".join(shown.split())
    return (shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…") or "(no name)"


def revealed(command: str) -> str:
    """Return a command whose invisible characters are written as JSON writes them.

    They can only be in its class map, which is JSON: it means the same, and what is seen is all
    that is run.
    """
    return "".join(
        char if char == " " or _is_visible(char) else json.dumps(char)[1:-1] for char in command
    )


def _is_visible(char: str) -> bool:
    # Cc control, Cf format (direction overrides, zero width), Co/Cs/Cn nothing a font can show.
    # The joiner of emoji and of several scripts belongs to the text.
    return char == "\u200d" or unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cs", "Cn"}
