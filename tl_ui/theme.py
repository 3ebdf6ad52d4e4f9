"""Words, icons and colours that mean the same on every page."""

from typing import Final, Literal

from tl_core.store import Status

BadgeColour = Literal["red", "orange", "blue", "green", "gray"]

# Status is a word first; the colour only repeats it.
STATUS: Final[dict[Status, tuple[str, str, BadgeColour]]] = {
    "queued": ("waiting", ":material/schedule:", "orange"),
    "running": ("running", ":material/play_arrow:", "blue"),
    "done": ("finished", ":material/check:", "green"),
    "failed": ("failed", ":material/error:", "red"),
    "cancelled": ("cancelled", ":material/cancel:", "gray"),
}

# Whether a model may be used commercially, as its terms say.
COMMERCIAL: Final[dict[str, tuple[str, str, BadgeColour]]] = {
    "yes": ("commercial use: yes", ":material/gavel:", "green"),
    "no": ("commercial use: no", ":material/gavel:", "red"),
    "unclear": ("commercial use: unclear", ":material/gavel:", "orange"),
}

LAB: Final = "pages/lab.py"
DATA: Final = "pages/data.py"
MODEL: Final = "pages/model.py"
TRUST: Final = "pages/trust.py"
HISTORY: Final = "pages/history.py"
PITFALLS: Final = "pages/pitfalls.py"
LESSONS: Final = "pages/lessons.py"
WHAT_IF: Final = "pages/what_if.py"
ROOM: Final = "pages/room.py"

STALE: Final = "data changed since"
STALE_HELP: Final = (
    "Images were dropped, relabelled or grouped after this comparison. It shows what was true of "
    "the data as they were; choose the changed data in the Lab and compare again."
)

# What a job of each kind is, for somebody who did not ask for it.
KINDS: Final = {
    "compare": "Comparison",
    "sweep": "What if",
    "predict": "Prediction",
    "inspect": "Look inside",
    "export": "Export",
    "interpolate": "Interpolation",
    "check": "Data check",
    "shift": "Class balance",
    "stress": "Preprocessing check",
    "rank": "Model ranking",
    "download": "Download",
}

# Where a job of each kind was started; the rest belongs to the model page.
PAGE_OF_KIND: Final = {
    **dict.fromkeys(("compare", "predict", "inspect", "export", "interpolate"), LAB),
    **dict.fromkeys(("check", "shift"), DATA),
    **dict.fromkeys(("stress", "rank"), MODEL),
    "sweep": WHAT_IF,
}

THUMBNAILS_PER_CLASS: Final = 12
THUMBNAIL_WIDTH: Final = 72
