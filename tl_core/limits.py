"""What may come in: one constant for each limit, and the error that says what to do instead."""

from typing import Final

from tl_core import room_on_disk

MB: Final = 1024**2

# One upload: a zip, a folder or loose files; all files of it together, packed and unpacked.
MAX_ZIP_BYTES: Final = 200 * MB
MAX_ENTRIES: Final = 20_000
MAX_UPLOAD_BYTES: Final = 1024 * MB
MAX_UNPACKED_BYTES: Final = 1024 * MB
MAX_RATIO: Final = 100

# One image: its file, and its pixels by its header; a WebP may have half as many, because its
# decoder holds two frames and more.
MAX_IMAGE_BYTES: Final = 25 * MB
MAX_PIXELS: Final = 40_000_000
MAX_WEBP_PIXELS: Final = MAX_PIXELS // 2
# Files that were read and wait for a processor, together.
MAX_AHEAD_BYTES: Final = 32 * MB

# A table of labels or of attributes; its rows are limited like files.
MAX_TABLE_BYTES: Final = 25 * MB

# A weights file, and the description at its beginning, which is read as a whole.
MAX_WEIGHTS_BYTES: Final = 400 * MB
MAX_WEIGHTS_HEADER_BYTES: Final = 8 * MB

# Names of files and classes: as they are kept, and as they are taken in with their folders.
MAX_NAME: Final = 255
MAX_PATH: Final = 4096

# One burst of a camera in the browser: frames, the longer side of one in pixels, its bytes.
MAX_BURST: Final = 40
FRAME_SIDE: Final = 640
MAX_FRAME_BYTES: Final = 1 * MB

# A process that reads one upload: memory it may write to, seconds by the clock, its largest file.
# With the files of the libraries mapped beside it stays under 500 MB; an image at the limit fits.
MAX_INTAKE_BYTES: Final = 480 * MB
MAX_INTAKE_SECONDS: Final = 20 * 60
MAX_INTAKE_FILE_BYTES: Final = MAX_WEIGHTS_BYTES
# Behind the web server and the training, if only a little.
INTAKE_NICENESS: Final = 5
# Such processes at a time; small uploads (a burst, a table) never wait for large ones.
MAX_INTAKES: Final = 2

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
