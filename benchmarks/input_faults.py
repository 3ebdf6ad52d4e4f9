"""Does the app notice images handed over wrongly, and stay silent about right ones?

    python -m benchmarks.input_faults

Every sample set with the bundled model, and the photographs of TL_REFERENCE_DATA with SqueezeNet
1.1 too: as they are, with red and blue exchanged in the files, and with every mistake of
`variants.VARIANTS` in the preprocessing. Prints a table; exit code 1 if a right set was flagged.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.rows import markdown
from tl_core import datasets, ingest, weights
from tl_core.answers import Stress
from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig, DataConfig
from tl_core.datasets import Dataset
from tl_core.events import Answered
from tl_core.questions import ask
from tl_core.weights import WeightsFile

BUNDLED, PHOTOGRAPHS = "resnet10_procedural", "squeezenet1_1"


def main() -> int:
    """Measure and print; return 1 if a right set was flagged."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["TL_HOME"] = home
        lines, wrong = [], 0
        for data, file in _cases():
            right = _stress(data, file)
            swapped = _stress(_swapped(data, Path(home)), file)
            noticed = [variant.name for variant in right.variants if variant.noticed]
            lines.append(
                [
                    data.name,
                    catalog()[file.model].title,
                    right.mismatch or "nothing",
                    "flagged" if "BGR" in swapped.mismatch else "nothing",
                    _loss(right),
                    ", ".join(noticed),
                ]
            )
            wrong += bool(right.mismatch)
            print(lines[-1], file=sys.stderr)
        heads = ["set", "model", "as it is", "files in BGR", "BGR costs, points", "noticed"]
        print(markdown(heads, lines))
    return 1 if wrong else 0


def _cases() -> list[tuple[Dataset, WeightsFile]]:
    bundled = weights.available(BUNDLED)[0]
    cases = [(ingest.sample(name), bundled) for name in ingest.SAMPLES]
    reference = os.environ.get("TL_REFERENCE_DATA")
    if reference:
        data = Path(reference) / "data"
        row = catalog()[PHOTOGRAPHS]
        path = Path(reference) / "weights" / "squeezenet1_1-imagenet.safetensors"
        own = weights.add(row, path, name=path.name)
        photographs = [ingest.ingest_path(data / name) for name in ("hymenoptera", "cifar10")]
        cases += [(photos, file) for photos in photographs for file in (own, bundled)]
    return cases


def _swapped(data: Dataset, home: Path) -> Dataset:
    """Return the data set with red and blue exchanged in its files."""
    folder = home / "swapped" / data.fingerprint[:8]
    for index, image in enumerate(data.images):
        into = folder / (image.part or "all") / f"class {image.label}"
        into.mkdir(parents=True, exist_ok=True)
        pixels = np.ascontiguousarray(datasets.pixels(data, index)[..., ::-1])
        Image.fromarray(pixels).save(into / f"{index:05}.png")
    return ingest.ingest_path(folder, name=f"{data.name}, BGR")


def _stress(data: Dataset, file: WeightsFile) -> Stress:
    config = ComparisonConfig(
        data=DataConfig(fingerprint=data.fingerprint, name=data.name),
        backbone=file.model,
        weights_sha256=file.sha256,
        strategies=(),
        device="cpu",
    )
    found = [event for event in ask("stress", config, {}) if isinstance(event, Answered)]
    answer = found[0].answer
    assert isinstance(answer, Stress)
    return answer


def _loss(found: Stress) -> str:
    loss = next(variant for variant in found.variants if variant.name == "bgr").target_loss
    return f"{loss.value:+.1f} ({loss.low:+.1f} to {loss.high:+.1f})"


if __name__ == "__main__":
    sys.exit(main())
