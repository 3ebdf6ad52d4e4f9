"""How close are we to what the arithmetic alone takes, and what does more of everything cost?

    TL_REFERENCE_DATA=FOLDER python -m benchmarks.limit [--epochs 10] [--json OUT]

First every strategy's time over its floor (`benchmarks.floor`), one seed, without a source probe,
from the taken-in data set on in an empty data directory; taking in is a row of its own. Then how
seconds grow with images, epochs and seeds, each over the first point: images are this set's, and
beyond its size mirrored and cropped copies, in five folds; nothing of an earlier point is cached.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from PIL import Image, ImageOps

from benchmarks.duels import RATE
from benchmarks.floor import floor
from benchmarks.ours import drained, request, steps_for
from benchmarks.rows import Row, table, write_json
from benchmarks.sides import SUFFIXES, Data, read_data
from tl_core import datasets, device
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.home import empty_home, folder
from tl_core.request import resolve
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES

EPOCHS = 10
TARGETS = {"feature_extraction": "≤ 2.0", "full_fine_tuning": "≤ 1.3"}
# Points of each growth; full fine-tuning has fewer, since nothing of it can be kept.
GROWTH = {
    "feature_extraction": ((200, 400, 800, 1600), (5, 10, 20, 40), (1, 2, 3)),
    "partial_fine_tuning": ((200, 400, 800, 1600), (5, 10, 20, 40), (1, 2, 3)),
    "full_fine_tuning": ((200, 400), (5, 10), (1, 2)),
}
# Every further copy of an image loses this share of its width and height.
CROP = 1 / 16


def taken_in(
    data: Data, strategy: str, epochs: int, seeds: int = 1
) -> tuple[ComparisonConfig, Dataset, float]:
    """Return a comparison of one strategy, its data set, and the seconds of taking that in."""
    wanted = request(data.folder, data.weights, [strategy], seeds=seeds, learning_rate=RATE)
    started = time.perf_counter()
    config, found = resolve(wanted, lambda message, share: None)
    seconds = time.perf_counter() - started
    steps = steps_for(epochs, len(datasets.split(found[0], 0).train))
    return msgspec.structs.replace(config, steps=steps), found[0], seconds


def seconds_of(config: ComparisonConfig) -> float:
    """Return what a comparison takes of a data set that is taken in."""
    started = time.perf_counter()
    drained(config)
    return time.perf_counter() - started


def over_floor(data: Data, strategy: str, epochs: int) -> tuple[Row, Row]:
    """Return a strategy's row against its floor, and the row of taking the folder in."""
    with empty_home():
        config, dataset, seconds = taken_in(data, strategy, epochs)
        # Decides the precision, for both sides and once for all on a machine.
        compute = device.resolve(config.device, config.precision, config.threads)
        compute.activate()
        assert config.steps is not None
        least = floor(config, STRATEGIES[strategy], config.steps, dataset, compute)
        ours = seconds_of(config)
    print(
        f"  {strategy}: decoding {least.decoding:.2f} s, frozen {least.frozen:.2f} s, "
        f"training {least.training:.2f} s ({config.steps} steps); ours {ours:.2f} s",
        flush=True,
    )
    taking_in = Row(f"taking in {len(dataset.images)} images", ours_seconds=seconds)
    return Row(strategy, ours / least.seconds, ours, least.seconds), taking_in


def growth(data: Data, strategy: str, epochs: int, points: int) -> list[Row]:
    """Return the rows of a strategy's growth, at most so many `points` of each."""
    images, more_epochs, seeds = (values[:points] for values in GROWTH[strategy])
    rows = []
    for name, cases in (
        ("images", [(count, epochs, 1) for count in images]),
        ("epochs", [(0, count, 1) for count in more_epochs]),
        ("seeds", [(0, epochs, count) for count in seeds]),
    ):
        taken: list[float] = []
        for count, trained, many in cases:
            with empty_home(), enlarged(data, count) as enough:
                config, _, _ = taken_in(enough, strategy, trained, many)
                device.resolve(config.device, config.precision, config.threads)
                taken.append(seconds_of(config))
            point = {"images": count, "epochs": trained, "seeds": many}[name]
            rows.append(
                Row(f"{strategy}, {point} {name}", taken[-1] / taken[0], taken[-1], taken[0])
            )
            print(f"  {rows[-1].name}: {taken[-1]:.2f} s", flush=True)
    return rows


@contextmanager
def enlarged(data: Data, images: int) -> Iterator[Data]:
    """Give a data set of so many distinct images, as it is for 0, else class folders of copies.

    Raises ZeroDivisionError if there is no image to copy.
    """
    if not images:
        yield data
        return
    found = [path for path in data.folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    # By name, not by folder: every size has its share of each class.
    found.sort(key=lambda path: (path.name, path.parent.name))
    with tempfile.TemporaryDirectory(dir=folder("benchmarks")) as made:
        for number in range(images):
            source = found[number % len(found)]
            target = Path(made) / source.parent.name
            target.mkdir(exist_ok=True)
            _write_copy(source, target / f"{number}.jpg", number // len(found))
        yield Data(Path(made), data.weights)


def _write_copy(source: Path, target: Path, number: int) -> None:
    """Write the image itself for 0, then cropped copies, every other one mirrored."""
    if number == 0 and source.suffix.lower() in (".jpg", ".jpeg"):
        shutil.copyfile(source, target)
        return
    with Image.open(source) as opened:
        image = opened.convert("RGB")
    side = CROP * (number // 2)
    width, height = image.size
    image = image.crop((0, 0, round(width * (1 - side)), round(height * (1 - side))))
    (ImageOps.mirror(image) if number % 2 else image).save(target, quality=92)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="DIR", help="with folders train and val")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="SqueezeNet 1.1, safetensors")
    parser.add_argument("--epochs", type=int, default=EPOCHS, metavar="N")
    parser.add_argument(
        "--points", type=int, default=4, metavar="N", help="of each growth, 0: none"
    )
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    data = read_data(parser, options)
    found = [over_floor(data, strategy, options.epochs) for strategy in TEXTBOOK_STRATEGIES]
    rows = [found[0][1], *(row for row, _ in found)]
    grown = [row for name in GROWTH for row in growth(data, name, options.epochs, options.points)]
    compute = device.resolve("auto", "auto", 0)
    print(table(rows, "floor", TARGETS), "", sep="\n")
    print(table(grown, "first"), "", sep="\n")
    print(
        f"{device.device_name(compute.device)}, torch {device.versions()['torch']}, "
        f"{compute.threads} threads, {compute.precision}."
    )
    write_json([*rows, *grown], options.json)


if __name__ == "__main__":
    main()
