"""How much a person has brought, and whether there is room for more.

Two limits: what one person of a room may keep, and what every upload leaves of the disk to
everything else. Alone on a machine only the disk is the limit.
"""

import shutil
from pathlib import Path
from typing import Final

from tl_core import owners
from tl_core.home import home

GB: Final = 1024**3

# Data sets, weights and waiting uploads of one person of a room.
MAX_OWNER_BYTES: Final = 2 * GB
# Left of the disk by uploads, and by whatever may as well be computed again.
MIN_FREE_BYTES: Final = 2 * GB

FOLDERS: Final = ("datasets", "weights", "uploads")


def used() -> int:
    """Return the bytes that the current owner has brought."""
    return sum(size(owners.folder(name)) for name in FOLDERS)


def quota() -> int | None:
    """Return what the current owner may keep, None without a limit."""
    return None if owners.owns_all() else MAX_OWNER_BYTES


def refusal(needed: int = 0, *, written: bool = False) -> str:
    """Return why the current owner cannot keep so many more bytes, empty if they can.

    What is made for everybody comes with the app and is not refused. `written`: whether they lie
    on the disk already, among what the owner has.
    """
    if owners.current() == owners.EVERYBODY:
        return ""
    here = needed if written else 0
    free = shutil.disk_usage(home()).free + here
    if free - needed < MIN_FREE_BYTES:
        return (
            f"The disk is almost full: {_told(free)} are free, and {_told(MIN_FREE_BYTES)} have to "
            "stay so. Delete data sets under 'Kept earlier' or comparisons in the history, or run "
            "`python -m tl_core clean --cache`, then try again."
        )
    most = quota()
    if most is None:
        return ""
    taken = used() - here
    if taken + needed > most or taken >= most:
        more = f"; this needs {_told(needed)} more" if needed else ""
        return (
            f"You have {_told(taken)} here and may keep {_told(most)}{more}. Delete data sets "
            "under 'Kept earlier', or weights that you brought, then try again."
        )
    return ""


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 for what is gone.

    What several places have by links, as an edited data set shares its images, counts as a part.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            return sum(size(one) for one in path.iterdir())
        about = path.lstat()
        return about.st_size // max(about.st_nlink, 1)
    except OSError:
        return 0


def _told(number: int) -> str:
    return f"{number / GB:.1f} GB" if number >= GB / 10 else f"{number / 1024**2:.0f} MB"
