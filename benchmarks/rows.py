"""Rows of a benchmark: kept as soon as they are measured, printed as Markdown, written as JSON."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tl_core.config import content_hash
from tl_core.home import folder

ROOT = Path(__file__).parents[1]

T = TypeVar("T")


class Row(msgspec.Struct, frozen=True):
    """One line of a table; None where there is nothing to measure.

    Seconds are wall-clock, accuracies fractions. `ratio` is the other side's seconds over ours;
    where the other side is a floor or a first point, ours over it.
    """

    name: str
    ratio: float | None = None
    ours_seconds: float | None = None
    other_seconds: float | None = None
    ours_accuracy: float | None = None
    other_accuracy: float | None = None


def kept(what: Sequence[Any], make: Callable[[], T], kind: type[T]) -> T:
    """Return what `make` gives, from the data directory if it was made before for the same `what`.

    `what` holds everything that decides the result and can be encoded as JSON.
    """
    path = folder("benchmarks") / f"{content_hash(*what)}.json"
    if path.is_file():
        return msgspec.json.decode(path.read_bytes(), type=kind)
    made = make()
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(made))
    part.replace(path)
    return made


def files_hash(paths: Iterable[Path], root: Path) -> str:
    """Return a hash of files' content and of their places under `root`."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sources_hash() -> str:
    """Return a hash of the code that is measured: the core with its data files, and the peers."""
    core, benchmarks = ROOT / "tl_core", ROOT / "benchmarks"
    ours = [*core.rglob("*.py"), *(core / "data").glob("*.json"), benchmarks / "ours.py"]
    return files_hash([*ours, *(benchmarks / "peers").glob("*.py")], ROOT)


def table(rows: Sequence[Row], other: str, wanted: Mapping[str, str] | None = None) -> str:
    """Return the rows as Markdown; `other` names the other side, `wanted` each row's target."""
    heads = ["row", "ratio", "ours s", f"{other} s", "ours accuracy", f"{other} accuracy"]
    lines = [[row.name, *_numbers(row)] for row in rows]
    if wanted is not None:
        heads.append("wanted")
        lines = [[*line, wanted.get(line[0], "")] for line in lines]
    return markdown(heads, lines)


def markdown(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table of cells as Markdown."""
    drawn = ["|".join(["", *heads, ""]), "|".join(["", *["---"] * len(heads), ""])]
    return "\n".join([*drawn, *("| " + " | ".join(line) + " |" for line in lines)])


def inserted(page: str, text: str, begin: str, end: str) -> str:
    """Return a page with the text between its marks; raises ValueError if it lacks them."""
    before, opened, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"The page lacks the marks {begin} and {end}.")
    return f"{before}{begin}\n{text}\n{end}{after}"


def _numbers(row: Row) -> list[str]:
    formats = ("{:.2f}", "{:.1f}", "{:.1f}", "{:.3f}", "{:.3f}")
    values = msgspec.structs.astuple(row)[1:]
    return [
        "–" if value is None else form.format(value)
        for form, value in zip(formats, values, strict=True)
    ]


def write_json(rows: Sequence[Row], path: Path | None) -> None:
    """Write the rows to a file, if one is given."""
    if path is not None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
