"""What the data checks find of faults that were planted, and what they find where none are.

    TL_REFERENCE_DATA=FOLDER python -m benchmarks.planted_faults [--write docs/data-checks.md]

Prints the tables of docs/data-checks.md; `--write` puts them there, between the two marks.
`FOLDER/data` holds `hymenoptera` (the PyTorch transfer-learning tutorial's ants and bees) and
`cifar10` (100 training and 100 test images a class of CIFAR-10), each with a folder a part and a
folder a class; `FOLDER/weights` the ImageNet weights of SqueezeNet 1.1. Photographs are judged by
SqueezeNet's features, drawn sets by the bundled model's.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.planting import CHANGES, facts_of, features_of, with_copies, wrong_labels
from benchmarks.rows import inserted
from benchmarks.sample_lessons import END
from tl_core import catalog, weights
from tl_core.checks import CONFIDENT, blank_images, label_errors, outliers
from tl_core.datasets import Dataset
from tl_core.home import empty_home
from tl_core.image_facts import Facts
from tl_core.ingest import SAMPLES, ingest_path, sample
from tl_core.ingest.samples import leak
from tl_core.near_duplicates import find_pairs, groups

BEGIN: Final = "<!-- measured: python -m benchmarks.planted_faults -->"

MODEL: Final = "squeezenet1_1"
WEIGHTS: Final = "squeezenet1_1-imagenet.safetensors"
PHOTOGRAPHS: Final = ("hymenoptera", "cifar10")

COPIES: Final = 20
WRONG: Final = 15
FIRST: Final = 25
SEEDS: Final = 10


@dataclass(frozen=True)
class Opened:
    """A data set with what the checks work on."""

    name: str
    dataset: Dataset
    facts: Facts
    features: NDArray[np.float32]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The label of each image."""
        return np.array([image.label for image in self.dataset.images], dtype=np.int64)


def opened(name: str, dataset: Dataset, reference: Path) -> Opened:
    """Return a data set with its facts, and the features of the model that judges it."""
    if name in PHOTOGRAPHS:
        row = catalog.find(MODEL)
        known = weights.available(MODEL)
        file = known[0] if known else weights.add(row, reference / "weights" / WEIGHTS, name="own")
    else:
        file = weights.available(weights.FIRST_MODEL)[0]
    return Opened(name, dataset, facts_of(dataset), features_of(dataset, file))


def every_set(reference: Path) -> Iterator[Opened]:
    """Yield each data set, as it is."""
    for name in PHOTOGRAPHS:
        yield opened(name, ingest_path(reference / "data" / name), reference)
    for name in SAMPLES:
        yield opened(name, sample(name), reference)


def copies_row(data: Opened, seeds: int, reference: Path) -> str:
    """Return how many planted copies are found, by change, and what else is listed as a copy."""
    unaltered = [len(find_pairs(data.facts, f)) for f in (data.features, None)]
    found: list[Counter[str]] = [Counter(), Counter()]
    total = Counter(CHANGES[number % len(CHANGES)] for number in range(COPIES))
    for seed in range(seeds):
        copies = with_copies(data.dataset, COPIES, seed)
        planted = opened(data.name, copies.dataset, reference)
        for which, features in enumerate((planted.features, None)):
            joined = _group_of(planted.facts, features)
            found[which].update(
                change for first, copy, change in copies.truth if joined[first] == joined[copy]
            )
    cells = [f"{found[0][change] / seeds:.1f} of {total[change]}" for change in CHANGES]
    both = [f"{counts.total() / seeds:.1f}" for counts in found]
    cells += [f"**{both[0]}** of {COPIES}", both[1], f"{unaltered[0]} ({unaltered[1]})"]
    return f"| `{data.name}` | {' | '.join(cells)} |"


def _group_of(facts: Facts, features: NDArray[np.float32] | None) -> list[int]:
    numbers = list(range(len(facts)))
    for group in groups(find_pairs(facts, features), len(facts)):
        for index in group:
            numbers[index] = group[0]
    return numbers


def labels_row(data: Opened, seeds: int) -> str:
    """Return how many planted wrong labels are among the first listed, and of the clear ones."""
    true, rows = data.labels, []
    classes = int(true.max()) + 1
    for seed in range(seeds):
        given, wrong = wrong_labels(true, WRONG, seed)
        listed = label_errors(data.features, given, classes)
        clear = [suspect for suspect in listed if suspect.quality <= CONFIDENT]
        hits = [suspect for suspect in clear if suspect.image in wrong]
        right = sum(suspect.suggested == true[suspect.image] for suspect in hits)
        first = sum(suspect.image in wrong for suspect in listed[:FIRST])
        rows.append((first, len(listed), len(clear), len(hits), right))
    means = np.mean(rows, axis=0)
    cells = [f"**{means[0]:.1f}** of {WRONG}", *(f"{mean:.1f}" for mean in means[1:])]
    return f"| `{data.name}` | {' | '.join(cells)} |"


def unaltered_row(data: Opened) -> str:
    """Return what is listed on a data set as it is."""
    listed = label_errors(data.features, data.labels, len(data.dataset.classes))
    clear = sum(suspect.quality <= CONFIDENT for suspect in listed)
    apart = outliers(data.features, data.labels)
    counts = (len(data.labels), clear, len(apart), len(blank_images(data.facts)))
    return f"| `{data.name}` | {' | '.join(f'{count:,}' for count in counts)} |"


def leak_rows(data: Opened) -> list[str]:
    """Return what is found of the faults that the sample set `leak` has."""
    planted, place = leak.planted(), {i.name: n for n, i in enumerate(data.dataset.images)}
    twice = [(place[first], place[second]) for first, second in planted.twice]
    rows = []
    for how, features in (("with features", data.features), ("by hashes alone", None)):
        pairs = {(p.first, p.second) for p in find_pairs(data.facts, features)}
        hits = sum((min(pair), max(pair)) in pairs for pair in twice)
        text = f"second photographs found, {how}: {hits} of {len(twice)}"
        rows.append(f"- {text}; other pairs: {len(pairs) - hits}")
    wrong = {place[name] for name in planted.wrong}
    listed = label_errors(data.features, data.labels, len(data.dataset.classes))
    for count in (len(wrong), FIRST, len(listed)):
        hits = sum(suspect.image in wrong for suspect in listed[:count])
        rows.append(f"- wrong labels among the first {count} listed: {hits} of {len(wrong)}")
    return rows


def report(reference: Path, seeds: int) -> str:
    """Return the tables as Markdown."""
    sets = list(every_set(reference))
    few = max(1, seeds // 5)
    head = "| set | " + " | ".join(CHANGES)
    lines = [f"Copies: {COPIES} planted, mean over {few} seeds ({seeds} on `{sets[0].name}`).", ""]
    lines.append(f"{head} | all | by hashes alone | pairs in the unaltered set (by hashes alone) |")
    lines.append("|---" * (len(CHANGES) + 4) + "|")
    for data in sets:
        lines.append(copies_row(data, seeds if data is sets[0] else few, reference))
        print(lines[-1], file=sys.stderr, flush=True)
    lines += ["", f"Labels: {WRONG} made wrong, mean over {few} seeds ({seeds} on the first).", ""]
    lines.append(
        f"| set | among the first {FIRST} | listed | clear | of these wrong | right class named |"
    )
    lines.append("|---" * 6 + "|")
    lines += [labels_row(data, seeds if data is sets[0] else few) for data in sets]
    lines += ["", "Sets as they are:", ""]
    lines += ["| set | images | clear doubts on labels | outliers | empty pictures |"]
    lines += ["|---" * 5 + "|", *map(unaltered_row, sets)]
    lines += ["", "What `leak` was made with:", ""]
    return "\n".join([*lines, *leak_rows(sets[-1])])


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant, check and print, or write, the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N")
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    reference = os.environ.get("TL_REFERENCE_DATA")
    if not reference:
        parser.error("TL_REFERENCE_DATA is not set: see the top of this file")
    with empty_home():
        text = report(Path(reference), options.seeds)
    print(text)
    if options.write is not None:
        options.write.write_text(inserted(options.write.read_text(), text, BEGIN, END))
    return 0


if __name__ == "__main__":
    sys.exit(main())
