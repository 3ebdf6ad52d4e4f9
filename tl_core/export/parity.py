"""Does an exported file predict what the app predicts? Its own script is run and held to that.

A model that predicts differently once exported is what users of such tools report most.
"""

import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tl_core import datasets, preprocessing
from tl_core.answers import Parity
from tl_core.catalog import Preprocessing
from tl_core.datasets import Dataset
from tl_core.export.deployed import Deployed

# Test images on which a file is held against the app.
IMAGES: Final = 50

Floats = NDArray[np.float64]


def parity(
    file: str, script: Path, images: Sequence[NDArray[np.uint8]], exact: Floats, shown: Floats
) -> Parity:
    """Return how far the file's script is from the app on decoded images (height x width x 3).

    `exact`, `shown`: the app's probabilities N x C, in float32 and at its own precision.
    """
    predict: Callable[..., Floats] = runpy.run_path(str(script))["probabilities"]
    found = np.stack([predict(image) for image in images]).astype(np.float64)
    return Parity(
        file=file,
        images=len(images),
        largest=float(np.abs(found - exact).max()),
        largest_shown=float(np.abs(found - shown).max()),
        changed=int((found.argmax(axis=1) != shown.argmax(axis=1)).sum()),
    )


def exact_probabilities(
    deployed: Deployed, images: Sequence[NDArray[np.uint8]], wanted: Preprocessing
) -> Floats:
    """Return the model's probabilities N x C in float32, by the app's own preprocessing."""
    found = []
    with torch.no_grad():
        for image in images:
            pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
            found.append(deployed(preprocessing.evaluation_input(pixels, wanted))[0])
    probabilities: Floats = torch.stack(found).double().numpy()
    return probabilities


def decoded(dataset: Dataset, indices: Sequence[int]) -> list[NDArray[np.uint8]]:
    """Return images of a data set as the app decoded them."""
    return [np.ascontiguousarray(datasets.pixels(dataset, index)) for index in indices]
