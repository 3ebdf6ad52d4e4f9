"""Files as they are brought: a name, a size and a way to read each."""

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Final

import msgspec

from tl_core.datasets.records import Refused
from tl_core.limits import MAX_ENTRIES, MAX_NAME, MB, BadInput, Unreadable

STRAY_NAMES: Final = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir"}

# Direction overrides and line separators: they could make a name read as another one.
_DECEPTIVE: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u2028\u2029]")


@dataclass(frozen=True)
class Source:
    """One file. `name`: relative, with "/"; `read(limit)` returns its bytes.

    `read` raises Unreadable if there are more than `limit` bytes or they cannot be had. `stamp`
    changes with the content; 0 where the origin has no such thing.
    """

    name: str
    size: int
    read: Callable[[int], bytes]
    stamp: int = 0


@dataclass
class Listing:
    """All files of one upload. `stray`: system files and hidden files, which nobody misses."""

    sources: list[Source] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stray: int = 0

    def refuse(self, name: str, reason: str) -> None:
        """List a file that is left out."""
        self.refused.append(Refused(name=clean_name(name), reason=reason))

    def add(self, source: Source) -> None:
        """Take a file in, or count it as stray; raises BadInput beyond `MAX_ENTRIES`."""
        if is_stray(source.name):
            self.stray += 1
        else:
            self.sources.append(source)
        if len(self.sources) + self.stray > MAX_ENTRIES:
            raise too_many_entries()


def too_many_entries() -> BadInput:
    """Return the error for more files than the limit."""
    return BadInput(
        f"There are more than {MAX_ENTRIES:,} files. Bring fewer images: a few hundred per class "
        "are enough to compare strategies."
    )


def counted(count: int, noun: str) -> str:
    """Return "1 file" or "3 files"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def clean_name(name: str) -> str:
    """Return a name as data: NFC, without control characters, at most `MAX_NAME` long."""
    # Undecodable bytes of a file name arrive as lone surrogates, which JSON cannot hold.
    readable = name.encode("utf-8", "replace").decode("utf-8")
    normal = unicodedata.normalize("NFC", _DECEPTIVE.sub("", readable))
    return "".join(c for c in normal if unicodedata.category(c) != "Cc")[:MAX_NAME]


def is_stray(name: str) -> bool:
    """Return whether a system or a program left this file behind without being asked."""
    return any(part[:1] == "." or part.lower() in STRAY_NAMES for part in name.split("/"))


def safe_name(name: str) -> str:
    """Return a relative name with "/" only; raises Unreadable if it points anywhere else."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or re.match("[A-Za-z]:", plain):
        raise Unreadable("its name is an absolute path")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Unreadable("its name leads out of the upload ('..')")
    if not parts:
        raise Unreadable("it has no name")
    return "/".join(parts)


def read_at_most(stream: IO[bytes], limit: int) -> bytes:
    """Return the rest of a stream, counted while reading; raises Unreadable beyond `limit`."""
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise Unreadable(f"larger than {limit // MB} MB")
    return content


def file_source(path: Path, name: str) -> Source:
    """Return a file of this machine; raises Unreadable if it is not an ordinary file."""
    try:
        status = path.stat()
    except OSError as error:
        raise Unreadable("it cannot be read") from error
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("not an ordinary file")

    def read(limit: int) -> bytes:
        try:
            with path.open("rb") as stream:
                return read_at_most(stream, limit)
        except OSError as error:
            raise Unreadable("it cannot be read") from error

    return Source(name, status.st_size, read, status.st_mtime_ns)


def list_folder(root: Path) -> Listing:
    """Return the files below a folder; hidden folders are not entered, linked ones refused."""
    listing = Listing()

    def unreadable(error: OSError) -> None:
        below = os.path.relpath(error.filename or root, root)
        listing.refuse(Path(below).as_posix(), "this folder cannot be read")

    for here, folders, files in os.walk(root, onerror=unreadable):
        below = Path(here).relative_to(root)
        for name in sorted(folders):
            relative = (below / name).as_posix()
            if is_stray(name):
                listing.stray += 1
            elif (Path(here) / name).is_symlink():
                listing.refuse(relative, "a link to a folder; bring the folder itself")
        folders[:] = sorted(name for name in folders if not is_stray(name))
        for name in sorted(files):
            relative = (below / name).as_posix()
            try:
                listing.add(file_source(Path(here) / name, relative))
            except Unreadable as error:
                listing.refuse(relative, str(error))
    return listing


def list_files(files: Iterable[tuple[str, BinaryIO | Path]]) -> Listing:
    """Return uploaded files by their relative names; each is read when it is its turn."""
    listing = Listing()
    for name, file in files:
        try:
            safe = safe_name(name)
            if isinstance(file, Path):
                listing.add(file_source(file, safe))
            else:
                listing.add(_stream_source(file, safe))
        except Unreadable as error:
            listing.refuse(name, str(error))
    return listing


def _stream_source(stream: BinaryIO, name: str) -> Source:
    size = stream.seek(0, os.SEEK_END)

    def read(limit: int) -> bytes:
        stream.seek(0)
        return read_at_most(stream, limit)

    return Source(name, size, read)


def signature(sources: Iterable[Source], *more: str) -> str:
    """Return a hash that changes when a file is added, removed, renamed or written."""
    digest = hashlib.sha256(msgspec.json.encode(more))
    for source in sorted(sources, key=lambda source: source.name):
        name = clean_name(source.name)
        digest.update(msgspec.json.encode((name, source.size, source.stamp)))
    return digest.hexdigest()
