"""Pictures that wait on disk, class by class, until a data set is made of them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from tl_core.datasets import decoding
from tl_core.datasets.limits import (
    MAX_ENTRIES,
    MAX_IMAGE_BYTES,
    MIN_CLASS_IMAGES,
    MIN_GROUPS,
    BadInput,
    Unreadable,
)
from tl_core.datasets.records import Refused
from tl_core.ingest import bursts
from tl_core.ingest.layout import Layout, sort_out
from tl_core.ingest.sources import (
    clean_name,
    counted,
    file_source,
    list_files,
    too_many_entries,
)
from tl_core.ingest.tabular import Item

_THUMBNAIL: Final = ".webp"
_FULL: Final = "The pictures cannot be kept on disk ({}). Make room there, then try again."
_GONE: Final = "The pictures waited too long and are gone. Bring them again."


@dataclass(frozen=True)
class Waiting:
    """One picture. `burst`: number of the burst it was taken in, unique in its room; 0 for none."""

    name: str
    path: Path
    burst: int = 0

    @property
    def thumbnail(self) -> Path:
        """The small picture beside a frame; loose files have none."""
        return self.path.with_name(self.path.name + _THUMBNAIL)


@dataclass
class WaitingRoom:
    """The pictures of each class, in the order in which classes were named.

    `refused`: files that were not taken; `stray`: system files that nobody misses; `received`: ids
    of the bursts that arrived, so that none counts twice.
    """

    folder: Path
    classes: dict[str, list[Waiting]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    stray: int = 0
    received: set[str] = field(default_factory=set)
    last_burst: int = 0

    def add_class(self, name: str) -> str:
        """Add a class without pictures; return its name. Raises BadInput if it cannot be used."""
        label = _label(name)
        if label in self.classes:
            raise BadInput(f"There is a class '{label}' already.")
        self.classes[label] = []
        return label

    def rename(self, label: str, name: str) -> str:
        """Give a class another name and return it; raises BadInput as `add_class` does."""
        new = _label(name)
        if new != label and new in self.classes:
            raise BadInput(f"There is a class '{new}' already.")
        self.classes = {new if k == label else k: v for k, v in self.classes.items()}
        return new

    def remove(self, label: str, burst: int | None = None) -> list[Waiting]:
        """Take a class out, or one of its bursts; return its pictures for `put_back`."""
        if burst is None:
            return self.classes.pop(label, [])
        kept = self.classes.get(label, [])
        gone = [picture for picture in kept if picture.burst == burst]
        self.classes[label] = [picture for picture in kept if picture.burst != burst]
        return gone

    def put_back(self, label: str, pictures: Sequence[Waiting], place: int | None = None) -> None:
        """Undo `remove`: into the class if it is there, else as the class at that place."""
        names = list(self.classes)
        if label not in self.classes:
            names.insert(len(names) if place is None else place, label)
        self.classes = {name: self.classes.get(name, []) for name in names}
        self.classes[label] += pictures

    def bursts(self, label: str) -> dict[int, list[Waiting]]:
        """Return a class's pictures by burst, in order; 0 holds loose files if there are any."""
        found: dict[int, list[Waiting]] = {}
        for picture in sorted(self.classes[label], key=lambda picture: picture.burst):
            found.setdefault(picture.burst, []).append(picture)
        return found

    def take_burst(self, message: object) -> str:
        """Keep a burst that the browser sent; return what was done, in words.

        The same burst again changes nothing. Raises BadInput if none of it can be used.
        """
        sent = bursts.parse(message)
        if sent.id in self.received:
            return "This burst is here already."
        self.received.add(sent.id)
        if sent.label not in self.classes:
            raise BadInput(f"There is no class '{clean_name(sent.label)}' any more: nothing kept.")
        self._make_room_for(len(sent.frames))
        frames, refused = bursts.read(sent)
        if not frames:
            raise BadInput(f"No picture of this burst can be used: {refused[0].reason}.")
        self.last_burst += 1
        for number, frame in enumerate(frames, start=1):
            path = self._write(frame.content)
            kept = Waiting(f"{number:02}.jpg", path, self.last_burst)
            decoding.write_thumbnail(frame.image, kept.thumbnail)
            self.classes[sent.label].append(kept)
        place = sum(burst > 0 for burst in self.bursts(sent.label))
        lost = f" {counted(len(refused), 'picture')} refused." if refused else ""
        return f"{counted(len(frames), 'picture')} taken: burst {place} of {sent.label}.{lost}"

    def take_files(self, label: str, files: Iterable[tuple[str, BinaryIO]]) -> int:
        """Copy uploaded files to a class, which is added if it is new; return how many were taken.

        What by its name or header is no image is listed in `refused`; pixels are read later.
        """
        pictures = self.classes.setdefault(_label(label), [])
        listing = list_files(files)
        images, texts = sort_out(listing)
        self._make_room_for(len(images))
        for text in texts:
            listing.refuse(text.name, "a text file, not an image")
        taken = 0
        for source in images:
            try:
                content = source.read(MAX_IMAGE_BYTES)
                decoding.check_header(content)
            except Unreadable as error:
                listing.refuse(source.name, str(error))
            else:
                pictures.append(Waiting(source.name, self._write(content)))
                taken += 1
        self.refused += listing.refused
        self.stray += listing.stray
        return taken

    def shortfall(self) -> list[str]:
        """Return what is missing before a data set can be made, a sentence each; [] if nothing."""
        lacking = []
        if len(self.classes) < 2:
            lacking.append("At least two classes are needed.")
        taken = any(picture.burst for pictures in self.classes.values() for picture in pictures)
        for label, pictures in self.classes.items():
            found = self.bursts(label)
            loose = len(found.pop(0, []))
            if len(pictures) < MIN_CLASS_IMAGES:
                lacking.append(f"{label}: {len(pictures)} of at least {MIN_CLASS_IMAGES} pictures.")
            elif taken and len(found) + loose < MIN_GROUPS:
                lacking.append(f"{label}: {len(found) + loose} of at least {MIN_GROUPS} bursts.")
        return lacking

    def layout(self) -> Layout:
        """Return the pictures as `assembly` takes them; each burst is a group.

        Raises BadInput if they are no longer on disk.
        """
        items = []
        for label in self.classes:
            for place, (burst, pictures) in enumerate(self.bursts(label).items(), start=1):
                within = f"{label}/burst {place}" if burst else label
                group = f"burst {burst}" if burst else ""
                for one in pictures:
                    try:
                        source = file_source(one.path, f"{within}/{one.name}")
                    except Unreadable as error:
                        raise BadInput(_GONE) from error
                    items.append(Item(source, label, "", group))
        stray = f"Ignored: {counted(self.stray, 'hidden or system file')}."
        return Layout(items, list(self.refused), [stray] if self.stray else [])

    def _make_room_for(self, more: int) -> None:
        if sum(map(len, self.classes.values())) + more > MAX_ENTRIES:
            raise too_many_entries()

    def _write(self, content: bytes) -> Path:
        """Write a file under the hash of its content: copies share it, no name gets to the disk."""
        path = self.folder / hashlib.sha256(content).hexdigest()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise BadInput(_FULL.format(error.strerror)) from error
        return path


def _label(name: str) -> str:
    label = clean_name(name).strip()
    if not label:
        raise BadInput("Type the name of the class first.")
    return label
