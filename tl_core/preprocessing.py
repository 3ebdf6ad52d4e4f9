"""From stored pixels to network input: one tensor function for training, testing and export."""

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from tl_core.catalog import Preprocessing

# Beyond this many shorter sides the ends of a panorama are cut off: neither crop would use them
# much, and one image could otherwise outweigh a whole data set in memory.
LONGEST_ASPECT = 3

# Gentler than the usual 8%: a subject must still be in the picture when there are few steps.
CROP_SCALE = (0.25, 1.0)
CROP_RATIO = (3 / 4, 4 / 3)
# How far brightness, contrast and saturation may go from 1, and hue from 0 (of the full circle).
COLOUR, HUE = 0.4, 0.1


def _mode(preprocessing: Preprocessing) -> InterpolationMode:
    return InterpolationMode(preprocessing.interpolation)


def resize(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return a uint8 image (... x 3 x H x W) with its shorter side at `resize`, antialiased."""
    height, width = image.shape[-2:]
    short = min(height, width)
    if max(height, width) > LONGEST_ASPECT * short:
        image = functional.center_crop(
            image, [min(height, LONGEST_ASPECT * short), min(width, LONGEST_ASPECT * short)]
        )
    resized: Tensor = functional.resize(
        image, [preprocessing.resize], interpolation=_mode(preprocessing), antialias=True
    )
    return resized


def centre_crop(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return the centre of a resized image, ... x 3 x crop x crop."""
    crop: Tensor = functional.center_crop(image, [preprocessing.crop, preprocessing.crop])
    return crop


def normalise(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return uint8 images (N x 3 x S x S) as normalised float32, channels last."""
    scale = 255 * torch.tensor(preprocessing.std, device=images.device).view(1, 3, 1, 1)
    shift = 255 * torch.tensor(preprocessing.mean, device=images.device).view(1, 3, 1, 1)
    normalised = (images.to(torch.float32) - shift) / scale
    return normalised.contiguous(memory_format=torch.channels_last)


def evaluation_input(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return the network's input (1 x 3 x crop x crop) for one uint8 image (3 x H x W)."""
    return normalise(centre_crop(resize(image, preprocessing), preprocessing)[None], preprocessing)


def augmented_crop(
    image: Tensor, preprocessing: Preprocessing, generator: torch.Generator, mirror: bool
) -> Tensor:
    """Return a random resized crop (Szegedy et al. 2015) of a resized uint8 image, maybe mirrored.

    All randomness comes from `generator`. Result: ... x 3 x crop x crop, uint8.
    """
    height, width = image.shape[-2:]
    top, left, crop_height, crop_width = _random_box(height, width, generator)
    crop: Tensor = functional.resized_crop(
        image,
        top,
        left,
        crop_height,
        crop_width,
        [preprocessing.crop, preprocessing.crop],
        interpolation=_mode(preprocessing),
        antialias=True,
    )
    if mirror and torch.rand((), generator=generator) < 0.5:
        crop = functional.horizontal_flip(crop)
    return crop


def recoloured(image: Tensor, generator: torch.Generator) -> Tensor:
    """Return a uint8 image, ... x 3 x H x W, with other brightness, contrast, saturation and hue.

    Each factor is drawn evenly from 0.6 to 1.4, hue turns by up to a tenth of its circle, in this
    order. All randomness comes from `generator`.
    """
    draw = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    factors = [1 + COLOUR * (2 * value - 1) for value in draw[:3]]
    image = functional.adjust_brightness(image, factors[0])
    image = functional.adjust_contrast(image, factors[1])
    image = functional.adjust_saturation(image, factors[2])
    turned: Tensor = functional.adjust_hue(image, HUE * (2 * draw[3] - 1))
    return turned


def _random_box(height: int, width: int, generator: torch.Generator) -> tuple[int, int, int, int]:
    """Draw top, left, height, width of a crop; the whole image after ten misfits."""
    for _ in range(10):
        draw = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
        area = height * width * (CROP_SCALE[0] + draw[0] * (CROP_SCALE[1] - CROP_SCALE[0]))
        ratio = CROP_RATIO[0] * (CROP_RATIO[1] / CROP_RATIO[0]) ** draw[1]
        crop_width, crop_height = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if 0 < crop_width <= width and 0 < crop_height <= height:
            top = int(draw[2] * (height - crop_height + 1))
            return top, int(draw[3] * (width - crop_width + 1)), crop_height, crop_width
    return 0, 0, height, width
