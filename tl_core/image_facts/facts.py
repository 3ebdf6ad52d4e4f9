"""The facts of a data set's images as arrays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# A picture whose brightness varies less says nothing.
BLANK_STD: Final = 3.0
# A picture is empty when more than this share of it has the colour of its border.
EMPTY_SHARE: Final = 0.9

_LUMA: Final = np.array([0.299, 0.587, 0.114])

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Facts:
    """Of each image, in the data set's order. Brightness, contrast and colours are 0 to 255.

    `width`, `height`: as brought. `first`: index of the first image with the same pixels.
    `contrast`: standard deviation of the brightness. `channel_means`, `channel_stds`, `background`
    (the median of the border): N x 3. `colourfulness`: Hasler and Suesstrunk (2003). `sharpness`:
    variance of the Laplacian. `background_share`: how much has the colour of the border.
    `hashes`, `mirrored_hashes`: 64 bits of the picture and of its mirror image. `copies`: grey,
    N x 64 x 64.
    """

    width: NDArray[np.int64]
    height: NDArray[np.int64]
    first: NDArray[np.int64]
    brightness: Floats
    contrast: Floats
    channel_means: Floats
    channel_stds: Floats
    colourfulness: Floats
    greyscale: Flags
    constant_channel: Flags
    sharpness: Floats
    background: Floats
    background_share: Floats
    hashes: Hashes
    mirrored_hashes: Hashes
    copies: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.width)

    @property
    def aspect(self) -> Floats:
        """Width divided by height."""
        return self.width / self.height

    @property
    def shorter_side(self) -> NDArray[np.int64]:
        """The smaller of width and height."""
        return np.minimum(self.width, self.height)

    @property
    def background_brightness(self) -> Floats:
        """Brightness of the border."""
        found: Floats = self.background @ _LUMA
        return found

    @property
    def blank(self) -> Flags:
        """Whether there is almost nothing to see: no contrast, or hardly more than background."""
        return (self.contrast < BLANK_STD) | self.nearly_blank

    @property
    def nearly_blank(self) -> Flags:
        """Whether all but a little has the colour of the border, as on a placeholder."""
        return self.background_share > EMPTY_SHARE
