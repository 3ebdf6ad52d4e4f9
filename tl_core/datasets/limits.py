"""What may come in: one constant for each limit, and the error that says what to do instead."""

from typing import Final

from tl_core import room_on_disk

MB: Final = 1024**2

MAX_ZIP_BYTES: Final = 200 * MB
MAX_ENTRIES: Final = 20_000
MAX_UNPACKED_BYTES: Final = 1024 * MB
MAX_RATIO: Final = 100
MAX_IMAGE_BYTES: Final = 25 * MB
MAX_PIXELS: Final = 40_000_000
MAX_TABLE_BYTES: Final = 25 * MB
MAX_NAME: Final = 255

# One burst of a camera in the browser: frames, the longer side of one in pixels, its bytes.
MAX_BURST: Final = 40
FRAME_SIDE: Final = 640
MAX_FRAME_BYTES: Final = 1 * MB

# A group is never divided, so training, choosing and testing take one each.
MIN_GROUPS: Final = 3

# Fewer cannot be divided into two training, one validation and one test image.
MIN_CLASS_IMAGES: Final = 4


class BadInput(ValueError):
    """Data that cannot be used: one sentence for the user, and every single fault."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        """`details` are lines to show below the message, such as one per missing file."""
        super().__init__(message)
        self.details = details


def refuse_if_full(needed: int = 0, *, written: bool = False) -> None:
    """Raise BadInput, with what to delete, if the current owner cannot keep so many more bytes.

    `room_on_disk` has the limits: what one person may keep, and what stays free of the disk.
    `written`: whether they lie on the disk already.
    """
    refused = room_on_disk.refusal(needed, written=written)
    if refused:
        raise BadInput(f"Nothing was kept. {refused}")


class Unreadable(Exception):
    """One file that cannot be used; the text is the reason to list beside its name."""
