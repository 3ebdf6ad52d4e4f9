"""Pictures put away until a data set is made of them: checked, and named by their content."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from tl_core.datasets import decoding
from tl_core.datasets.records import Refused
from tl_core.ingest import bursts
from tl_core.ingest.layout import sort_out
from tl_core.ingest.sources import list_files
from tl_core.limits import MAX_IMAGE_BYTES, BadInput, Unreadable

THUMBNAIL: Final = ".webp"

_FULL: Final = "The pictures cannot be kept on disk ({}). Make room there, then try again."


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One picture under the name that is shown; its file is called by the hash of its content."""

    name: str
    sha256: str


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was kept, what was not and why, and how many system files nobody misses."""

    pictures: tuple[Picture, ...]
    refused: tuple[Refused, ...] = ()
    stray: int = 0


def keep_burst(message: bursts.Message, folder: Path) -> Kept:
    """Write a burst's frames into a folder, completely decoded before, each with a thumbnail."""
    frames, refused = bursts.read(message)
    kept = []
    for number, frame in enumerate(frames, start=1):
        sha256 = _write(frame.content, folder)
        decoding.write_thumbnail(frame.image, folder / f"{sha256}{THUMBNAIL}")
        kept.append(Picture(f"{number:02}.jpg", sha256))
    return Kept(tuple(kept), tuple(refused))


def keep_files(files: Iterable[tuple[str, BinaryIO | Path]], folder: Path) -> Kept:
    """Write images into a folder; what by its name or header is none is refused.

    Pixels are read later: what is kept here may still turn out to be damaged.
    """
    listing = list_files(files)
    images, texts = sort_out(listing)
    for text in texts:
        listing.refuse(text.name, "a text file, not an image")
    kept = []
    for source in images:
        try:
            content = source.read(MAX_IMAGE_BYTES)
            decoding.check_header(content)
        except Unreadable as error:
            listing.refuse(source.name, str(error))
        else:
            kept.append(Picture(source.name, _write(content, folder)))
    return Kept(tuple(kept), tuple(listing.refused), listing.stray)


def _write(content: bytes, folder: Path) -> str:
    """Write a file under the hash of its content: copies share it, no name gets to the disk."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / sha256).write_bytes(content)
    except OSError as error:
        raise BadInput(_FULL.format(error.strerror)) from error
    return sha256
