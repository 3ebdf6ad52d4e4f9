"""What every strategy said of every test image, as one table."""

from collections.abc import Sequence

import pandas as pd

from tl_core.record import Record


def prediction_frame(found: Record, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a line for each seed and test image, seeds and images ascending.

    Columns: `image`, `seed` (from 1), `true_class`, and for each strategy with a finished run
    `NAME_class` and `NAME_confidence` (the highest class probability, a fraction), empty for a
    seed that it has not finished. `names`: of the data set's images; without them an image is its
    number there.
    """
    if found.started is None:
        return pd.DataFrame()
    classes = found.started.dataset.classes
    lines: dict[tuple[int, int], dict[str, object]] = {}
    for strategy in found.strategies:
        for seed, ended in found.final(strategy.name).items():
            result = ended.result
            for image, label, predicted, confidence in zip(
                result.test_images,
                result.test_labels,
                result.test_predictions,
                result.test_confidences,
                strict=True,
            ):
                named = names[image] if names is not None else f"image {image}"
                known = {"image": named, "seed": seed + 1, "true_class": classes[label]}
                line = lines.setdefault((seed, image), known)
                line[f"{strategy.name}_class"] = classes[predicted]
                line[f"{strategy.name}_confidence"] = confidence
    return pd.DataFrame([lines[key] for key in sorted(lines)])
