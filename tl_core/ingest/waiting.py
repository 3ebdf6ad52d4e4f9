"""Pictures that wait on disk, class by class, until a data set is made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from tl_core.datasets.records import Refused
from tl_core.ingest import bursts, keeping
from tl_core.ingest.keeping import Kept
from tl_core.ingest.layout import Layout
from tl_core.ingest.sources import (
    clean_name,
    counted,
    file_source,
    too_many_entries,
)
from tl_core.ingest.tabular import Item
from tl_core.limits import (
    MAX_ENTRIES,
    MIN_CLASS_IMAGES,
    MIN_GROUPS,
    BadInput,
    Unreadable,
)

File: TypeAlias = tuple[str, BinaryIO | Path]
KeepBurst: TypeAlias = Callable[[bursts.Message, Path], Kept]
KeepFiles: TypeAlias = Callable[[Sequence[File], Path], Kept]

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
        return self.path.with_name(self.path.name + keeping.THUMBNAIL)


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

    def take_burst(self, message: object, keep: KeepBurst = keeping.keep_burst) -> str:
        """Keep a burst that the browser sent; return what was done, in words.

        The same burst again changes nothing. `keep` decodes and writes it, in this process unless
        told otherwise. Raises BadInput if none of it can be used.
        """
        sent = bursts.parse(message)
        if sent.id in self.received:
            return "This burst is here already."
        self.received.add(sent.id)
        if sent.label not in self.classes:
            raise BadInput(f"There is no class '{clean_name(sent.label)}' any more: nothing kept.")
        self._make_room_for(len(sent.frames))
        kept = keep(sent, self.folder)
        if not kept.pictures:
            raise BadInput(f"No picture of this burst can be used: {kept.refused[0].reason}.")
        self.last_burst += 1
        self.classes[sent.label] += self._waiting(kept, self.last_burst)
        place = sum(burst > 0 for burst in self.bursts(sent.label))
        lost = f" {counted(len(kept.refused), 'picture')} refused." if kept.refused else ""
        return (
            f"{counted(len(kept.pictures), 'picture')} taken: burst {place} of {sent.label}.{lost}"
        )

    def take_files(
        self, label: str, files: Sequence[File], keep: KeepFiles = keeping.keep_files
    ) -> int:
        """Keep files as pictures of a class, added if it is new; return how many were taken.

        What by its name or header is no image is listed in `refused`; pixels are read later.
        """
        pictures = self.classes.setdefault(_label(label), [])
        self._make_room_for(len(files))
        kept = keep(files, self.folder)
        pictures += self._waiting(kept)
        self.refused += kept.refused
        self.stray += kept.stray
        return len(kept.pictures)

    def _waiting(self, kept: Kept, burst: int = 0) -> list[Waiting]:
        return [Waiting(one.name, self.folder / one.sha256, burst) for one in kept.pictures]

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


def _label(name: str) -> str:
    label = clean_name(name).strip()
    if not label:
        raise BadInput("Type the name of the class first.")
    return label
