"""Predictions of unlabelled images as a table."""

import numpy as np
import pandas as pd

from tl_core.answers import Prediction
from tl_core.predictions import unpacked


def predicted_frame(found: Prediction, limit: float | None, run: int = 0) -> pd.DataFrame:
    """Return one line an image: `file`, `class`, `confidence`, `unsure`, then every class's share.

    Confidence and shares are fractions. Unsure is what lies under `limit`; None: nothing is known.
    """
    shares = unpacked(found.runs[run].probabilities).reshape(len(found.images), -1)
    best = shares.argmax(axis=1)
    confidence = shares.max(axis=1)
    table = pd.DataFrame(
        {
            "file": list(found.images),
            "class": [found.classes[i] for i in best],
            "confidence": np.round(confidence, 6),
            "unsure": [False] * len(best) if limit is None else list(confidence < limit),
        }
    )
    # Named apart: a class may be called "file".
    columns = {f"p({name})": np.round(shares[:, i], 6) for i, name in enumerate(found.classes)}
    return pd.concat([table, pd.DataFrame(columns)], axis=1)
