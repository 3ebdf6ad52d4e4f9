"""Ways to hand images over wrongly, each on purpose: what is done, and who does it by accident."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["preprocessing", "modality"]


@dataclass(frozen=True)
class VariantRow:
    """One way. `meaning`: what happens to the images; `cause`: how people come to do that."""

    name: str
    title: str
    kind: Kind
    meaning: str
    cause: str


VARIANTS: dict[str, VariantRow] = {
    row.name: row
    for row in (
        VariantRow(
            "not_normalised",
            "Not normalised",
            "preprocessing",
            "Values stay between 0 and 1: mean and standard deviation are not applied.",
            "Leaving out the last line of the transform.",
        ),
        VariantRow(
            "other_normalisation",
            "Another model's normalisation",
            "preprocessing",
            "Values are scaled to -1 to 1, or by ImageNet's numbers where -1 to 1 is right.",
            "Copying the transform of another model.",
        ),
        VariantRow(
            "range_255",
            "Values 0 to 255",
            "preprocessing",
            "The model's mean and deviation are applied to values up to 255 instead of up to 1.",
            "Forgetting to divide by 255.",
        ),
        VariantRow(
            "bgr",
            "Channels swapped (BGR)",
            "preprocessing",
            "Red and blue change places.",
            "Reading images with OpenCV, which puts blue first.",
        ),
        VariantRow(
            "squashed",
            "Squashed to a square",
            "preprocessing",
            "The whole image is resized to a square, whatever its shape, and nothing is cropped.",
            "Resizing to (224, 224) instead of the shorter side.",
        ),
        VariantRow(
            "nearest",
            "Resized without smoothing",
            "preprocessing",
            "Pixels are picked, not averaged: half the resolution and back by nearest neighbour.",
            "A resize without antialiasing, such as OpenCV's default on small outputs.",
        ),
        VariantRow(
            "greyscale",
            "Greyscale",
            "modality",
            "All three channels hold the brightness.",
            "Scans, X-rays, infrared cameras.",
        ),
        VariantRow(
            "constant_channel",
            "A dead channel",
            "modality",
            "The blue channel is 0 everywhere.",
            "Two-channel microscopes, a broken sensor.",
        ),
        VariantRow(
            "stretched",
            "Extreme shape",
            "modality",
            "The image is stretched to three times its width before it is cropped.",
            "Panoramas, line-scan cameras, spectrograms.",
        ),
        VariantRow(
            "upscaled",
            "Enlarged from a quarter of the size",
            "modality",
            "The image has a quarter of the resolution and is enlarged to the model's input.",
            "Thumbnails, crops of small objects, 32-pixel data sets.",
        ),
    )
}
