"""What a person brings: data sets and weights under names that are found again in any text."""

from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from tl_core import ingest, owners
from tl_core.datasets import Dataset, Kind
from tl_core.weights import WeightsFile


def pictures(root: Path, name: str, shade: int = 0) -> Path:
    """Draw two classes of eight pictures; files and classes have `name` in theirs.

    Returns the folder, one of its own below `root`.
    """
    root = root / "brought" / name
    rng = np.random.default_rng(5)
    for label, base in ((f"{name} light", 180 + shade), (f"{name} dark", 60 + shade)):
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in range(8):
            pixels = (rng.integers(0, 60, (48, 64, 3)) + base).astype(np.uint8)
            Image.fromarray(pixels).save(root / label / f"{name}-{number}.png")
    return root


def dataset(root: Path, name: str, kind: Kind = "target", shade: int = 0) -> Dataset:
    """Bring such pictures for whoever is at work."""
    return ingest.ingest_path(pictures(root, name, shade), name=f"{name} set", kind=kind)


def weights_file(model: str, name: str) -> WeightsFile:
    """Put a weights file of a model with whoever is at work, without what it would hold."""
    sha256 = f"{abs(hash((owners.current(), name))):064x}"
    path = owners.folder("weights") / model / f"{sha256}.safetensors"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    file = WeightsFile(
        model=model,
        sha256=sha256,
        path=str(path),
        origin="own file",
        name=name,
        megabytes=1.0,
        added="2026-11-20T10:00:00+00:00",
    )
    path.with_suffix(".json").write_bytes(msgspec.json.encode(file))
    return file
