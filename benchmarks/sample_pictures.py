"""The picture of docs/samples.md: a row of training images of every sample set.

python -m benchmarks.sample_pictures docs/samples.webp
"""

import io
import sys

from PIL import Image

from tl_core.ingest import SAMPLES, preview

COLUMNS = 10
SIDE = 96
GAP = 4


def sheet() -> Image.Image:
    """Return one row for each set, in the order of the sets."""
    step = SIDE + GAP
    page = Image.new("RGB", (COLUMNS * step - GAP, len(SAMPLES) * step - GAP), "white")
    for row, name in enumerate(SAMPLES):
        for column, (_, content) in enumerate(preview(name, COLUMNS)):
            picture = Image.open(io.BytesIO(content)).resize((SIDE, SIDE))
            page.paste(picture, (column * step, row * step))
    return page


if __name__ == "__main__":
    sheet().save(sys.argv[1], quality=85)
