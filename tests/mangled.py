"""Uploads made wrong by chance: the same seed makes the same ones."""

import io
import json
import struct
import zipfile
from collections.abc import Iterator
from random import Random

from tests.bombs import announced_png, announced_webp
from tests.pictures import encoded, picture, png

_PIECES = (
    *("cat", "dog", "..", ".", "", "C:", "train", "test", "__MACOSX", ".hidden", "con", "a" * 300),
    *(
        "\\",
        "\0",
        "\n",
        "\u202e",
        "\u2028",
        "\ud800",
        "é",
        "e\u0301",
        "日本",
        "%s{0}",
        "<b>",
        "=1+1",
    ),
    *("'; --", "$(id)", "`id`", "~", "-rf", "CAT"),
)
_ENDS = (".png", ".jpg", ".zip", ".csv", ".html", "", ".PNG", ".svg", "/", ".tif")
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")


def name(random: Random) -> str:
    """Return a name with folders, most of them none that a person would give."""
    parts = random.choices(_PIECES, k=random.randint(1, 4))
    return random.choice(("/", "/", "/", "\\", "//")).join(parts) + random.choice(_ENDS)


def damaged(content: bytes, random: Random) -> bytes:
    """Return bytes with some changed, taken out, put in or doubled."""
    found = bytearray(content)
    for _ in range(random.randint(0, 6)):
        at = random.randrange(len(found) + 1)
        match random.randrange(5):
            case 0:
                found[at : at + 1] = random.randbytes(1)
            case 1:
                del found[at : at + random.randint(1, 200)]
            case 2:
                found[at:at] = random.randbytes(random.randint(1, 20))
            case 3:
                found[at : at + 4] = random.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
            case 4:
                found[at:at] = found[max(0, at - 100) : at]
    return bytes(found)


def image(random: Random) -> bytes:
    """Return an image file, most of them damaged or announcing what they do not have."""
    size = random.randint(1, 40), random.randint(1, 40)
    match random.randrange(8):
        case 0:
            return announced_png(random.randint(0, 2**31), random.randint(0, 2**31))
        case 1:
            return announced_webp(random.randint(1, 2**14), random.randint(1, 2**14))
        case 2:
            return random.randbytes(random.randint(0, 500))
        case _:
            mode = random.choice(("RGB", "L", "1"))
            shown = picture(random.randrange(99), size).convert(mode)
            return damaged(encoded(shown, random.choice(_FORMATS)), random)


def sound(count: int = 8) -> dict[str, bytes]:
    """Return a data set of two classes that is in order."""
    return {f"{'cat' if n % 2 else 'dog'}/{n}.png": png(n) for n in range(count)}


def files(random: Random) -> dict[str, bytes]:
    """Return a sound data set and what does not belong in it."""
    return {**sound(), **{name(random): image(random) for _ in range(random.randint(1, 12))}}


def archive(random: Random) -> bytes:
    """Return a zip of such files, half of them damaged as a whole."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as writer:
        for given, content in files(random).items():
            info = zipfile.ZipInfo("x")
            info.filename = given.encode("utf-8", "replace").decode()[:1000]
            info.compress_type = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            link = given not in sound() and random.random() < 0.3
            info.external_attr = (0o120777 if link else 0o100644) << 16
            writer.writestr(info, content)
    content = stream.getvalue()
    return damaged(content, random) if random.random() < 0.5 else content


def table(random: Random) -> bytes:
    """Return a table of labels or attributes, with cells of all kinds."""
    separator = random.choice(",;\t|")
    head = random.choices(("file", "label", "split", "group", "camera", "", "=x"), k=4)
    rows = [
        [f"{random.choice(('cat', 'dog'))}/{n}.png", *(name(random) for _ in range(3))]
        for n in range(random.randint(0, 12))
    ]
    text = "\n".join(separator.join(row) for row in [head, *rows])
    return damaged(text.encode("utf-8", "replace"), random)


def weights(random: Random) -> bytes:
    """Return a safetensors file whose description does not hold what it says."""
    shape = [random.choice((0, 1, 2, 2**40, -1)) for _ in range(random.randint(0, 3))]
    ends = sorted(random.choices((0, 4, 8, 16, 2**50, -8), k=2))
    kind = random.choice(("F32", "F16", "I64", "BOOL", "X", ""))
    entry = {"dtype": kind, "shape": shape, "data_offsets": ends}
    head = json.dumps({random.choice(("a", "__metadata__", "b" * 999)): entry}).encode()
    length = random.choice((len(head), len(head), len(head) + 1, 2**63, 0, 2**26))
    return damaged(struct.pack("<Q", length) + head + bytes(16), random)


def uploads(seed: int, count: int) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield so many uploads: what kind of thing it is, and its files by name."""
    random = Random(seed)
    for _ in range(count):
        match random.choice(("zip", "zip", "images", "table", "labels", "weights")):
            case "zip":
                yield "zip", {name(random): archive(random)}
            case "images":
                yield "images", files(random)
            case "labels":
                yield "images", {**sound(), "labels.csv": table(random)}
            case "table":
                yield "table", {name(random): table(random)}
            case "weights":
                yield "weights", {name(random): weights(random)}
