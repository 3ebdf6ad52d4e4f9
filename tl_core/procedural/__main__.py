"""`python -m tl_core.procedural OUT.npz --count N --seed S`: images and labels into a file.

For whoever must not import torch; `images` are N x SIDE x SIDE x 3 (uint8), `labels` indices into
CLASSES.
"""

import argparse
from pathlib import Path

import numpy as np

from tl_core.procedural.drawing import draw


def main() -> None:
    """Read the command line, draw, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m tl_core.procedural", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    drawn = draw(options.count, options.seed)
    images = drawn.images.permute(0, 2, 3, 1).numpy()
    np.savez(options.out, images=np.ascontiguousarray(images), labels=drawn.labels.numpy())


if __name__ == "__main__":
    main()
