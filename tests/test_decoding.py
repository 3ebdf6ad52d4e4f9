import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.pictures import encoded, picture
from tl_core import limits
from tl_core.datasets import decoding
from tl_core.datasets.shared_room import SharedRoom
from tl_core.limits import Unreadable

# Pillow comments on odd metadata; the tool switches that off, pytest switches it on again.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")


def decode(content: bytes) -> tuple[np.ndarray, decoding.Facts]:
    image, facts = decoding.decode(content)
    assert image.mode == "RGB"
    return np.asarray(image), facts


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_give_the_same_pixels(file_format):
    options = {"lossless": True} if file_format == "WEBP" else {}
    pixels, facts = decode(encoded(picture(0), file_format, **options))
    assert np.array_equal(pixels, np.asarray(picture(0)))
    assert (facts.width, facts.height, facts.frames, facts.scaling) == (24, 16, 1, "")


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation, file_format):
    upright = Image.new("RGB", (40, 24), "white")
    upright.paste("red", (0, 0, 20, 12))
    turned = decoding._UPRIGHT.get(orientation)
    # Rotations by a quarter turn are each other's inverse, the others their own.
    inverse = {
        Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
        Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
    }.get(turned, turned)
    stored = upright if inverse is None else upright.transpose(inverse)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if file_format == "JPEG" else {}
    pixels, facts = decode(encoded(stored, file_format, exif=exif, **options))
    assert (facts.width, facts.height) == (40, 24)
    assert np.abs(pixels.astype(int) - np.asarray(upright)).max(initial=0, where=_inside()) < 20


def _inside() -> np.ndarray:
    """Leave out the edge of the red corner, which JPEG and WebP blur."""
    mask = np.ones((24, 40, 3), dtype=bool)
    mask[8:16, :, :] = False
    mask[:, 16:24, :] = False
    return mask


def test_transparency_lies_on_white_and_hides_its_colour():
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    pixels, _ = decode(encoded(image))
    assert pixels.tolist() == [[[255, 255, 255], [127, 127, 127]]]


def test_transparent_palette_lies_on_white():
    image = Image.new("P", (2, 1), 0)
    image.putpalette([200, 10, 10, 0, 0, 255])
    image.putpixel((1, 0), 1)
    pixels, facts = decode(encoded(image, transparency=0))
    assert pixels.tolist() == [[[255, 255, 255], [0, 0, 255]]]
    assert facts.mode == "P"


def test_greyscale_and_cmyk_become_rgb():
    grey, _ = decode(encoded(Image.new("L", (3, 2), 90)))
    assert np.array_equal(np.unique(grey), [90])
    cmyk, _ = decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    assert np.abs(cmyk.astype(int) - [255, 0, 0]).max() <= 4


def test_sixteen_bits_are_divided_by_257():
    values = np.array([[0, 257, 25700, 65535]], dtype=np.uint16)
    for file_format in ("PNG", "TIFF"):
        pixels, facts = decode(encoded(Image.fromarray(values), file_format))
        assert pixels[0, :, 0].tolist() == [0, 1, 100, 255]
        assert facts.scaling == "16-bit"


@pytest.mark.parametrize(
    ("values", "expected", "scaling"),
    [
        (np.array([[0, 65535]], dtype=np.int32), [0, 255], "16-bit"),
        (np.array([[-55, 45, 200]], dtype=np.int32), [0, 100, 255], "range"),
        (np.array([[0, 100_000]], dtype=np.int32), [0, 255], "range"),
        (np.array([[0.0, 0.25, 1.0]], dtype=np.float32), [0, 64, 255], "range"),
        (np.array([[0.0, np.nan, np.inf, 2.0]], dtype=np.float32), [0, 0, 255, 255], "range"),
        (np.array([[3.0, 3.0]], dtype=np.float32), [0, 0], "range"),
    ],
)
def test_deeper_values_follow_their_declared_range(values, expected, scaling):
    pixels, facts = decode(encoded(Image.fromarray(values), "TIFF"))
    assert pixels[0, :, 0].tolist() == expected
    assert facts.scaling == scaling


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_of_several_frames(file_format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    content = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
    pixels, facts = decode(content)
    assert np.abs(pixels.astype(int) - [255, 0, 0]).max() <= 4
    assert facts.frames == 3


def test_a_camera_file_of_several_pictures_counts_as_one():
    content = encoded(picture(0), "MPO", save_all=True, append_images=[picture(1)])
    _, facts = decode(content)
    assert facts.frames == 1


def test_large_images_are_stored_smaller_with_their_original_size_noted():
    pixels, facts = decode(encoded(Image.new("RGB", (1600, 1024), "teal")))
    assert pixels.shape == (512, 800, 3)
    assert (facts.width, facts.height, facts.reduced) == (1600, 1024, True)
    wide, facts = decode(encoded(Image.new("RGB", (3000, 512), "teal")))
    assert wide.shape == (512, 3000, 3)
    assert not facts.reduced


@pytest.mark.parametrize("size", [(3300, 3100), (3100, 3300), (9000, 400)])
def test_strips_of_a_large_image_join_without_a_seam(size):
    ramp = Image.linear_gradient("L").resize(size)
    marked = Image.merge("RGBA", (ramp, ramp, ramp, Image.new("L", size, 128)))
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels, facts = decode(encoded(marked, compress_level=1, exif=exif))
    assert (facts.width, facts.height) == size[::-1]
    expected = Image.alpha_composite(Image.new("RGBA", size, "white"), marked).convert("L")
    expected = expected.transpose(Image.Transpose.ROTATE_270)
    small = expected.resize((pixels.shape[1], pixels.shape[0]), Image.Resampling.LANCZOS)
    assert np.abs(pixels[..., 0].astype(int) - np.asarray(small)).max() <= 2


def test_threads_share_room_in_memory():
    room, most = SharedRoom(1000), []

    def hold(share):
        with room.holding(share):
            most.append(room.held)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, [400, 5000, 400, 900, 100] * 40))
    assert room.held == 0
    assert len(most) == 200
    assert all(held <= 1000 or held == 5000 for held in most)


def _png_header(width: int, height: int) -> bytes:
    """Return a PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def _text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 80 * 1024**2, zip=True)
    return encoded(picture(0), pnginfo=info)


HOSTILE = {
    "empty": (b"", "empty"),
    "text": (b"<html><script>alert(1)</script></html>", "not a JPEG"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a JPEG"),
    "truncated JPEG": (encoded(picture(0, (200, 200)), "JPEG")[:-2000], "damaged"),
    "truncated PNG": (encoded(picture(0, (200, 200)))[:-2000], "damaged"),
    "50 megapixels": (_png_header(10_000, 5_000), "50 megapixels"),
    "100 megapixels": (_png_header(10_000, 10_000), "megapixels"),
    "1000 megapixels": (_png_header(40_000, 25_000), "megapixels"),
    "text chunk bomb": (_text_bomb(), "damaged"),
    "no finite value": (
        encoded(Image.fromarray(np.full((2, 2), np.nan, dtype=np.float32)), "TIFF"),
        "no finite",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(name):
    content, reason = HOSTILE[name]
    with pytest.raises(Unreadable, match=reason):
        decoding.decode(content)


def test_too_large_a_file_is_refused_before_it_is_opened(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_IMAGE_BYTES", 100)
    with pytest.raises(Unreadable, match="larger than"):
        decoding.decode(encoded(picture(0)))


def test_every_prefix_of_a_file_is_decoded_or_refused():
    for file_format in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        content = encoded(picture(1), file_format)
        for length in range(0, len(content), 37):
            try:
                decode(content[:length])
            except Unreadable:
                continue


def test_damaged_bytes_never_raise_anything_else():
    rng = np.random.default_rng(0)
    for file_format in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        original = np.frombuffer(encoded(picture(2), file_format), dtype=np.uint8)
        for _ in range(60):
            damaged = original.copy()
            damaged[rng.integers(0, len(damaged), 5)] = rng.integers(0, 256, 5)
            try:
                decode(damaged.tobytes())
            except Unreadable:
                continue


def test_what_hides_behind_an_image_is_not_kept(tmp_path):
    image, _ = decoding.decode(encoded(picture(0), "JPEG") + b"PK\x03\x04 a zip at the end")
    file = decoding.write_image(image, tmp_path / "stored")
    assert b"PK\x03\x04" not in file.read_bytes()


@pytest.mark.parametrize(
    ("size", "suffix"), [((64, 48), ".webp"), ((16383, 2), ".webp"), ((2, 16384), ".png")]
)
def test_images_are_stored_without_loss_however_long(size, suffix, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = decoding.write_image(Image.fromarray(pixels), tmp_path / "stored")
    assert file.suffix == suffix
    assert np.array_equal(decoding.read_pixels(file), pixels)


def test_pixel_hash_depends_on_shape_and_pixels_only():
    image = picture(0)
    same = Image.open(io.BytesIO(encoded(image, "BMP"))).convert("RGB")
    assert decoding.pixel_hash(image) == decoding.pixel_hash(same)
    black, other = Image.new("RGB", (2, 3)), Image.new("RGB", (3, 2))
    assert decoding.pixel_hash(black) != decoding.pixel_hash(other)


def test_limits_are_the_published_ones():
    assert limits.MAX_PIXELS == 40_000_000
    assert limits.MAX_IMAGE_BYTES == 25 * 1024**2
