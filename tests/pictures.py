"""Generated images and uploads of them."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (24, 16)) -> Image.Image:
    """Return an RGB image of random pixels, another one for each seed."""
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    """Return an image as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def png(seed: int) -> bytes:
    """Return a small random image as PNG."""
    return encoded(picture(seed))


def class_files(counts: Mapping[str, int], start: int = 0) -> dict[str, bytes]:
    """Return `{"cat/0.png": ...}` with that many different images in each folder."""
    names = [f"{folder}/{number}.png" for folder, n in counts.items() for number in range(n)]
    return {name: png(start + seed) for seed, name in enumerate(names)}


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by relative names and return the folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """Return a zip of files by name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    stream.seek(0)
    return stream


def uploads(files: Mapping[str, bytes]) -> list[tuple[str, io.BytesIO]]:
    """Return files as an uploader hands them over."""
    return [(name, io.BytesIO(content)) for name, content in files.items()]


def scene(seed: int, size: tuple[int, int] = (128, 96)) -> Image.Image:
    """Return a picture with coarse and fine detail, as photographs have, another for each seed."""
    rng = np.random.default_rng(seed)
    values = np.zeros((size[1], size[0], 3))
    for cells, strength in ((3, 60), (8, 35), (24, 20), (64, 12)):
        coarse = rng.normal(128, strength, (cells, cells, 3)).clip(0, 255).astype(np.uint8)
        layer = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        values += np.asarray(layer, dtype=np.float64) - 128
    return Image.fromarray((values + 128).clip(0, 255).astype(np.uint8))
