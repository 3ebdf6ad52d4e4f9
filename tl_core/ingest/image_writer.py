"""Decoding on all cores, and writing each different image once, with its thumbnail."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tl_core.cores import cores
from tl_core.datasets import decoding
from tl_core.datasets.records import IMAGES, THUMBNAILS, Refused
from tl_core.ingest.sources import clean_name
from tl_core.ingest.tabular import Item
from tl_core.limits import MAX_AHEAD_BYTES, MAX_IMAGE_BYTES, MB, Unreadable

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Stored:
    """An image that was written."""

    item: Item
    pixels: str
    facts: decoding.Facts


Pending = deque[tuple[Item, int, Future[Stored]]]


class ImageWriter:
    """Writes images into the folders of an unfinished data set."""

    def __init__(self, part: Path) -> None:
        """`part` holds the folders for images and thumbnails."""
        self.part = part
        self.written: set[str] = set()
        self.files: dict[str, str] = {}
        self.lock = threading.Lock()
        self.ahead = 0
        self.stored: list[Stored] = []
        self.refused: list[Refused] = []

    def write(
        self, items: Sequence[Item], progress: Progress | None
    ) -> tuple[list[Stored], list[Refused]]:
        """Return what was written, and what could not be read, in the order of the items."""
        threads = min(8, cores())
        pending: Pending = deque()
        with ThreadPoolExecutor(threads) as pool:
            try:
                for done, item in enumerate(items):
                    # Few files are read ahead: no upload may fill the memory.
                    while pending and (
                        len(pending) > 2 * threads
                        or self.ahead + min(item.source.size, MAX_IMAGE_BYTES) > MAX_AHEAD_BYTES
                    ):
                        self._collect(*pending.popleft())
                    self._submit(pool, pending, item)
                    if progress and done % max(1, len(items) // 100) == 0:
                        progress("Reading images", done / len(items))
                while pending:
                    self._collect(*pending.popleft())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        if progress:
            progress("Reading images", 1.0)
        return self.stored, self.refused

    def _submit(self, pool: ThreadPoolExecutor, pending: Pending, item: Item) -> None:
        try:
            if item.source.size > MAX_IMAGE_BYTES:
                raise Unreadable(f"larger than {MAX_IMAGE_BYTES // MB} MB")
            content = item.source.read(MAX_IMAGE_BYTES)
        except Unreadable as error:
            self._refuse(item, error)
        else:
            self.ahead += len(content)
            pending.append((item, len(content), pool.submit(self._store, item, content)))

    def _collect(self, item: Item, size: int, future: Future[Stored]) -> None:
        self.ahead -= size
        try:
            self.stored.append(future.result())
        except Unreadable as error:
            self._refuse(item, error)

    def _refuse(self, item: Item, error: Unreadable) -> None:
        self.refused.append(Refused(name=clean_name(item.source.name), reason=str(error)))

    def _store(self, item: Item, content: bytes) -> Stored:
        image, facts = decoding.decode(content)
        pixels = decoding.pixel_hash(image)
        with self.lock:
            is_new = pixels not in self.written
            self.written.add(pixels)
        if is_new:
            file = decoding.write_image(image, self.part / IMAGES / pixels)
            decoding.write_thumbnail(image, self.part / THUMBNAILS / f"{pixels}.webp")
            self.files[pixels] = f"{IMAGES}/{file.name}"
        return Stored(item, pixels, facts)
