"""Bytes of one image file -> upright 8-bit RGB; the only place that meets foreign image data."""

import hashlib
import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tl_core.datasets.pixel_depth import STRIP_PIXELS, Scaling, is_deep, strips, to_eight_bits
from tl_core.datasets.shared_room import SharedRoom
from tl_core.limits import (
    MAX_IMAGE_BYTES,
    MAX_PIXELS,
    MAX_WEBP_PIXELS,
    MB,
    Unreadable,
)

# An allow-list: among Pillow's other formats, EPS would start a foreign program.
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")

# Twice what the largest usual network input needs; more would only cost disk and time.
STORED_SHORT_SIDE: Final = 512
THUMBNAIL_SIDE: Final = 160
THUMBNAIL_QUALITY: Final = 80
WEBP_LONGEST: Final = 16383

# Decoded at a time by all threads together: one image at the limit, or three of a usual camera.
_memory = SharedRoom(MAX_PIXELS)
# An image is averaged down to this many times its stored size before the finer, slower filter.
_REDUCING_GAP: Final = 3

_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS: Final = [_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)]

# Pillow only warns between one and two times its own limit; ours is lower and always refuses.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# Odd metadata are common, and no user can act on what Pillow says of them.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True)
class Facts:
    """What an image file was. `width`, `height`: upright, before downscaling; `mode`: Pillow's.

    `scaling`: how deeper values became 8 bits: divided by 257 ("16-bit") or from lowest to highest
    ("range"). `reduced`: whether it was downscaled.
    """

    width: int
    height: int
    mode: str
    frames: int
    scaling: Scaling
    reduced: bool


def decode(content: bytes, most: int = MAX_PIXELS) -> tuple[Image.Image, Facts]:
    """Decode an image file completely, whatever its extension; of several frames the first.

    Returns 8-bit RGB with the shorter side at most `STORED_SHORT_SIDE`, transparency on white.
    Raises Unreadable with the reason to show, unread where its header announces over `most` pixels.
    """
    with _reasons(most), _memory.holding(_announced_cost(content, most)):
        # In a call of its own: the full-size image is gone before others may take its room.
        return _decoded(content)


def check_header(content: bytes) -> None:
    """Raise Unreadable, with the reason to show, for what by its header is no usable image.

    What passes may still be damaged: only `decode` knows.
    """
    with _reasons(MAX_PIXELS):
        _announced_cost(content, MAX_PIXELS)


@contextmanager
def _reasons(most: int) -> Iterator[None]:
    """Turn whatever a parser raises on foreign data into Unreadable."""
    try:
        yield
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        raise Unreadable("not a JPEG, PNG, WebP, BMP, GIF or TIFF image") from error
    except MemoryError as error:
        raise Unreadable("it takes more memory to decode than there is for it") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(_too_many_pixels(None, most)) from error
    except Exception as error:
        # Damaged data surface as whatever the format's parser stumbles over (struct.error,
        # SyntaxError, IndexError ...); no such file may end the whole upload.
        raise Unreadable("damaged or cut off: it cannot be decoded completely") from error


def _announced_cost(content: bytes, most: int) -> int:
    """Return the memory that decoding takes, in pixels of an ordinary image."""
    if not content:
        raise Unreadable("the file is empty")
    if len(content) > MAX_IMAGE_BYTES:
        raise Unreadable(f"larger than {MAX_IMAGE_BYTES // MB} MB")
    canvas = _webp_canvas(content)
    # Not even opened: its decoder takes the memory for two frames at once then.
    if canvas > MAX_WEBP_PIXELS:
        what = f"{_too_many_pixels(canvas, MAX_WEBP_PIXELS)} for WebP"
        raise Unreadable(f"{what}; save it as JPEG or PNG")
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        pixels = image.width * image.height
        if pixels > most:
            raise Unreadable(_too_many_pixels(pixels, most))
        return pixels * (2 if image.format == "WEBP" else 1)


def _webp_canvas(content: bytes) -> int:
    """Return the pixels that a WebP announces, 0 for anything else."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return 0
    match content[12:16]:
        case b"VP8X":
            width, height = content[24:27], content[27:30]
            return (1 + int.from_bytes(width, "little")) * (1 + int.from_bytes(height, "little"))
        case b"VP8L":
            sides = int.from_bytes(content[21:25], "little")
            return (1 + (sides & 0x3FFF)) * (1 + (sides >> 14 & 0x3FFF))
        case b"VP8 ":
            width, height = content[26:28], content[28:30]
            across, down = int.from_bytes(width, "little"), int.from_bytes(height, "little")
            return (across & 0x3FFF) * (down & 0x3FFF)
    return 0


def _too_many_pixels(pixels: int | None, most: int) -> str:
    announced = "far too many" if pixels is None else f"{pixels / 1e6:.3g}"
    return f"{announced} megapixels by its header; the limit is {most / 1e6:.2g}"


def _decoded(content: bytes) -> tuple[Image.Image, Facts]:
    image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
    mode, frames = image.mode, _frames(image)
    image.load()
    turn = _turn(image)
    scaling: Scaling = ""
    deep = image
    if is_deep(image):
        deep, scaling = to_eight_bits(image)
    flat = _flattened(deep, factor=max(1, min(deep.size) // (_REDUCING_GAP * STORED_SHORT_SIDE)))
    reduced = min(deep.size) > STORED_SHORT_SIDE
    if reduced:
        scale = STORED_SHORT_SIDE / min(deep.size)
        size = (round(deep.width * scale), round(deep.height * scale))
        flat = flat.resize(size, Image.Resampling.LANCZOS)
    upright = flat if turn is None else flat.transpose(turn)
    width, height = deep.size if turn not in _QUARTER_TURNS else deep.size[::-1]
    return upright, Facts(width, height, mode, frames, scaling, reduced)


def _frames(image: Image.Image) -> int:
    """Return the number of frames; the further pictures of a camera's MPO file do not count."""
    return 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:
        # Broken metadata are no reason to refuse sound pixels.
        return None
    return _UPRIGHT.get(orientation) if isinstance(orientation, int) else None


def _flattened(image: Image.Image, factor: int) -> Image.Image:
    """Return the image as RGB on white, averaged down by a whole factor."""
    width, height = image.size
    if factor == 1 and width * height <= STRIP_PIXELS:
        return _on_white(image)
    flat = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top, strip in strips(image, factor):
        flat.paste(_on_white(strip).reduce(factor), (0, top // factor))
    return flat


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    alpha = image if image.mode == "RGBA" else image.convert("RGBA")
    white = Image.new("RGB", alpha.size, "white")
    white.paste(alpha, mask=alpha.getchannel("A"))
    return white


def pixel_hash(image: Image.Image) -> str:
    """Return the SHA-256 (hex) of an RGB image's size and pixels."""
    return array_hash(np.asarray(image))


def array_hash(pixels: NDArray[np.uint8]) -> str:
    """Return the same of an array, H x W x 3."""
    height, width, _ = pixels.shape
    digest = hashlib.sha256(f"RGB {width}x{height}\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def write_image(image: Image.Image, path: Path) -> Path:
    """Write an RGB image without loss; `path` has no suffix yet. Return the file that was made.

    On photographs WebP took 0.6 of PNG's time to write, 0.9 to read and 0.85 of its room; PNG where
    an image is too long for it.
    """
    if max(image.size) <= WEBP_LONGEST:
        file = path.with_suffix(".webp")
        image.save(file, "WEBP", lossless=True, quality=0, method=0)
    else:
        file = path.with_suffix(".png")
        # Run-length matching is the fastest of zlib's strategies.
        image.save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return file


def write_thumbnail(image: Image.Image, path: Path) -> None:
    """Write a WebP whose longer side is at most `THUMBNAIL_SIDE`; changes `image` itself."""
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), reducing_gap=2.0)
    image.save(path, "WEBP", quality=THUMBNAIL_QUALITY, method=2)


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Return the pixels of a stored image, H x W x 3; raises OSError if missing or damaged."""
    with Image.open(path, formats=("WEBP", "PNG")) as image:
        return np.array(image.convert("RGB"))
