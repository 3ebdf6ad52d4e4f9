"""Zip files from anyone: what is in them, without unpacking, and a bounded way to read each."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISLNK
from typing import BinaryIO, Final

from tl_core.ingest.sources import (
    Listing,
    Source,
    read_at_most,
    safe_name,
    too_many_entries,
)
from tl_core.limits import (
    MAX_ENTRIES,
    MAX_RATIO,
    MAX_UNPACKED_BYTES,
    MAX_ZIP_BYTES,
    MB,
    BadInput,
    Unreadable,
)

_ENCRYPTED: Final = 0x1
_UTF8_NAME: Final = 0x800

# The smallest directory entry, and the smallest header before an entry's data.
_ENTRY_BYTES: Final = 46
_HEADER_BYTES: Final = 30

# The directory's size per allowed entry, names included; Python reads all of it at once.
_MAX_DIRECTORY_BYTES: Final = MAX_ENTRIES * 512

_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64: Final = struct.Struct("<4sLQL")

_UNREADABLE: Final = "This zip file cannot be read: {}. Zip the images again, or bring the folder."


@contextmanager
def open_zip(file: Path | BinaryIO) -> Iterator[Listing]:
    """Give the files of a zip, readable until the end of the block.

    Raises BadInput for a file that is not a sound zip or is beyond the limits. Single entries that
    are unsafe or unreadable are refused, the others kept.
    """
    try:
        stream = file.open("rb") if isinstance(file, Path) else file
    except OSError as error:
        raise BadInput(_UNREADABLE.format(error.strerror)) from error
    try:
        size = stream.seek(0, 2)
        if size > MAX_ZIP_BYTES:
            raise BadInput(
                f"The zip file is larger than {MAX_ZIP_BYTES // MB} MB. Bring fewer images: a few "
                "hundred per class are enough to compare strategies."
            )
        _check_directory(stream, size)
        with _opened(stream) as archive:
            infos = archive.infolist()
            _check_totals(archive, infos, size)
            yield _list(archive, infos, size)
    finally:
        if isinstance(file, Path):
            stream.close()


def _opened(stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except UnicodeDecodeError as error:
        raise BadInput(_UNREADABLE.format("a file name in it is not valid UTF-8")) from error
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        raise BadInput(_UNREADABLE.format("it is damaged or cut off")) from error


def _check_directory(stream: BinaryIO, size: int) -> None:
    """Refuse too many entries by the end record alone: listing them takes memory and seconds."""
    start = max(0, size - _END.size - 0xFFFF)
    stream.seek(start)
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END.size:
        raise BadInput(_UNREADABLE.format("it is not a zip file, or it is cut off"))
    _, _, _, _, entries, directory, _, _ = _END.unpack_from(tail, at)
    locator = at - _LOCATOR64.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        stream.seek(_LOCATOR64.unpack_from(tail, locator)[2])
        record = stream.read(_END64.size)
        if len(record) == _END64.size and record[:4] == b"PK\x06\x06":
            *_, entries, directory, _ = _END64.unpack(record)
    if entries > MAX_ENTRIES or directory > _MAX_DIRECTORY_BYTES:
        raise too_many_entries()
    stream.seek(0)


def _check_totals(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], size: int) -> None:
    if len(infos) > MAX_ENTRIES:
        raise too_many_entries()
    _check_unpacked(sum(info.file_size for info in infos), size)
    # The directory follows the last entry's data.
    end = archive.start_dir
    for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
        if info.header_offset + _HEADER_BYTES + info.compress_size > end:
            raise BadInput(_UNREADABLE.format("entries in it overlap, as in a zip bomb"))
        end = info.header_offset


def _check_unpacked(unpacked: int, size: int) -> None:
    if unpacked > MAX_UNPACKED_BYTES:
        raise BadInput(
            f"Unpacked, the zip file is larger than {MAX_UNPACKED_BYTES // MB:,} MB. Bring fewer "
            "or smaller images."
        )
    if unpacked > MAX_RATIO * size:
        raise BadInput(
            f"The zip file unpacks to more than {MAX_RATIO} times its size, as a zip bomb does. "
            "Photographs hardly shrink in a zip: check what is in it."
        )


class _Budget:
    """Bytes unpacked so far: what entries declare is not to be trusted."""

    def __init__(self, size: int) -> None:
        self.size, self.unpacked = size, 0

    def spend(self, count: int) -> None:
        self.unpacked += count
        _check_unpacked(self.unpacked, self.size)


def _list(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], size: int) -> Listing:
    listing, budget, legacy = Listing(), _Budget(size), 0
    for info in infos:
        shown, guessed = _entry_name(info)
        if shown.endswith(("/", "\\")):
            continue
        legacy += guessed
        try:
            name = safe_name(shown)
            _check_entry(info)
        except Unreadable as error:
            listing.refuse(shown, str(error))
            continue
        listing.add(_entry_source(archive, info, name, budget))
    if legacy:
        listing.notes.append(
            f"{legacy} file names in the zip are in an old encoding and may look wrong; a zip made "
            "with a current program keeps them."
        )
    return listing


def _entry_name(info: zipfile.ZipInfo) -> tuple[str, bool]:
    """Return the name, and whether its encoding is a guess."""
    # ZipInfo cuts a name at a NUL, which could hide what follows.
    name = info.orig_filename
    if info.flag_bits & _UTF8_NAME or name.isascii():
        return name, False
    try:
        # macOS writes UTF-8 without saying so.
        return name.encode("cp437").decode("utf-8"), False
    except UnicodeError:
        return name, True


def _check_entry(info: zipfile.ZipInfo) -> None:
    if S_ISLNK(info.external_attr >> 16):
        raise Unreadable("a link to another file")
    if info.flag_bits & _ENCRYPTED:
        raise Unreadable("protected by a password; zip it again without one")
    # Python unpacks the other methods (bzip2, LZMA) without a bound on memory.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("unusual compression; zip it again with the ordinary one (deflate)")


def _entry_source(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, budget: _Budget
) -> Source:
    def read(limit: int) -> bytes:
        try:
            with archive.open(info) as stream:
                content = read_at_most(stream, limit)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise Unreadable("damaged inside the zip (its checksum is wrong)") from error
        except (RuntimeError, NotImplementedError, ValueError) as error:
            raise Unreadable("it cannot be unpacked") from error
        budget.spend(len(content))
        return content

    return Source(name, info.file_size, read, info.CRC)
