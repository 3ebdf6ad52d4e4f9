"""Uploads on their way to disk: streamed, counted, never looked into."""

import os
import shutil
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from tl_core import owners
from tl_core.ingest.sources import too_many_entries
from tl_core.intake.messages import Spooled
from tl_core.limits import (
    MAX_ENTRIES,
    MAX_PATH,
    MAX_UPLOAD_BYTES,
    MB,
    BadInput,
    refuse_if_full,
)

_CHUNK: Final = MB


# What a closed browser tab or a killed server left behind is removed after a day.
_LEFTOVER_SECONDS: Final = 24 * 3600.0


def root() -> Path:
    """Return the current owner's folder of uploads, without what was forgotten in it."""
    found = owners.folder("uploads")
    for left in found.iterdir():
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - _LEFTOVER_SECONDS:
                shutil.rmtree(left)
    return found


class Spool:
    """A folder of its own for the files of one upload, named by numbers; `remove` ends it."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self.folder = root() / self.mark
        self.bytes = 0
        self._files = 0

    @property
    def kept(self) -> Path:
        """A folder in it for what is to outlive it."""
        return self.folder / "kept"

    def add(self, name: str, stream: IO[bytes]) -> Spooled:
        """Copy one file in as `add_all` does."""
        return self.add_all([(name, stream)])[0]

    def add_all(self, files: Sequence[tuple[str, IO[bytes]]]) -> tuple[Spooled, ...]:
        """Copy files in, each from its beginning.

        Raises BadInput, with nothing left, beyond a limit or where there is no room.
        """
        try:
            refuse_if_full(sum(stream.seek(0, os.SEEK_END) for _, stream in files))
            return tuple(self._copy(name, stream) for name, stream in files)
        except OSError as error:
            self.remove()
            raise BadInput(
                f"The upload cannot be kept on disk ({error.strerror}). Nothing was kept. Make "
                "room there, then try again."
            ) from error
        except BadInput:
            self.remove()
            raise

    def _copy(self, name: str, stream: IO[bytes]) -> Spooled:
        self._files += 1
        if self._files > MAX_ENTRIES:
            raise too_many_entries()
        self.kept.mkdir(parents=True, exist_ok=True)
        path = self.folder / str(self._files)
        stream.seek(0)
        with path.open("xb") as out:
            while chunk := stream.read(_CHUNK):
                self.bytes += len(chunk)
                if self.bytes > MAX_UPLOAD_BYTES:
                    raise BadInput(
                        f"All files together are larger than {MAX_UPLOAD_BYTES // MB:,} MB. Bring "
                        "fewer: a few hundred images per class are enough to compare strategies."
                    )
                out.write(chunk)
        # JSON holds no lone surrogates; what is longer is no name that anybody gave a file.
        readable = name.encode("utf-8", "replace").decode()[:MAX_PATH]
        return Spooled(readable, str(path))

    def remove(self) -> None:
        """Remove all that is left in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
