"""Weights files of the catalog's models: what is there, adding one's own, torchvision's download.

Files lie in the data directory as `weights/<model>/<sha256>.safetensors`, each beside a JSON file
that says where it came from; in a room what a person adds lies with that person, downloads are for
all. The bundled model's comes with the app. Nothing here imports torch, except that a download is
converted.
"""

import hashlib
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import IO, BinaryIO, Literal
from urllib.parse import urlsplit

import msgspec

from tl_core import owners, room_on_disk, unfinished
from tl_core.catalog import Model, catalog
from tl_core.home import folder
from tl_core.layouts import BadWeights as BadWeights
from tl_core.layouts import bundled_path, check, read_layout
from tl_core.limits import MAX_WEIGHTS_BYTES, MB
from tl_core.pth import convert as convert

# Its weights come with the app.
FIRST_MODEL = "resnet10_procedural"

CHUNK_BYTES = MB
TIMEOUT_SECONDS = 30.0
LEFTOVER_SECONDS = 24 * 3600.0

Origin = Literal["torchvision", "own file", "bundled"]


class WeightsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A weights file of a model. `name` is shown to the user, `added` an ISO time in UTC.

    A bundled file was never added: its `added` is empty.
    """

    model: str
    sha256: str
    path: str
    origin: Origin
    name: str
    megabytes: float
    added: str


def available(model: str) -> list[WeightsFile]:
    """Return the weights files there are for a model: the bundled one, then newest first."""
    found: dict[str, WeightsFile] = {}
    for root in owners.folders("weights"):
        for file in map(_described, (root / model).glob("*.safetensors")):
            if file is not None and _may_see(file):
                found.setdefault(file.sha256, file)
    added = sorted(found.values(), key=lambda file: file.added, reverse=True)
    own = bundled(catalog()[model]) if model in catalog() else None
    return [own, *added] if own else added


def local_models() -> list[WeightsFile]:
    """Return the first weights file of every model that has one here, in the catalog's order."""
    here = (available(name) for name in catalog())
    return [files[0] for files in here if files]


def bundled(model: Model) -> WeightsFile | None:
    """Return the weights that come with the app, None for a model that has none.

    Its SHA-256 is the catalog's: what the file really holds is checked when it is loaded.
    """
    path = bundled_path(model)
    if path is None or not path.is_file():
        return None
    return WeightsFile(
        model=model.name,
        sha256=model.weights.sha256,
        path=str(path),
        origin="bundled",
        name=model.weights.name,
        megabytes=path.stat().st_size / 1024**2,
        added="",
    )


def missing(model: Model) -> str:
    """Return what to do where a model's weights should have come with the app and did not."""
    return (
        f"The weights of {model.title} come with the app, but tl_core/data/{model.weights.file} is "
        "missing from this copy. Install the app again, or choose another model."
    )


def default_model() -> str:
    """Return the model to begin with: the first of the catalog whose weights are here."""
    return next((name for name in catalog() if available(name)), FIRST_MODEL)


def find(sha256_prefix: str) -> WeightsFile | None:
    """Return the one weights file whose SHA-256 starts so; None if there is none, or several."""
    files = [file for model in catalog() for file in available(model)]
    found = [file for file in files if file.sha256.startswith(sha256_prefix.lower())]
    return found[0] if len(found) == 1 else None


def is_shared(file: WeightsFile) -> bool:
    """Return whether a weights file is for all: it comes with the app, or was downloaded."""
    return file.origin != "own file"


def _may_see(file: WeightsFile) -> bool:
    among_shared = Path(file.path).parents[1] == folder("weights")
    return owners.owns_all() or not among_shared or is_shared(file)


def _root(origin: Origin) -> Path:
    """Return the folder for files of an origin."""
    return owners.folder("weights") if origin == "own file" else folder("weights")


def _described(path: Path) -> WeightsFile | None:
    """Return what the JSON file beside `path` says; a file that was not added has none."""
    try:
        file = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=WeightsFile)
    except (OSError, msgspec.DecodeError):
        return None
    # The data directory may have been moved since.
    return msgspec.structs.replace(file, path=str(path))


def add(
    model: Model, file: Path | BinaryIO, *, name: str, origin: Origin = "own file"
) -> WeightsFile:
    """Check a safetensors file against the model, copy it in and return it.

    The same content twice is one file, the first name stays. Raises BadWeights if it is too large,
    unreadable, of another model, or there is no room for it; nothing is kept then.
    """
    with _temporary(_root(origin) / model.name) as part:
        sha256 = _copy(file, part)
        own = bundled(model)
        if own is not None and own.sha256 == sha256:
            return own
        check(model, read_layout(part))
        path = part.with_name(f"{sha256}.safetensors")
        full = room_on_disk.refusal(part.stat().st_size, written=True)
        if full and origin == "own file" and not path.exists():
            raise BadWeights(full)
        known = _described(path) if path.exists() else None
        added = known or WeightsFile(
            model=model.name,
            sha256=sha256,
            path=str(path),
            origin=origin,
            name=name,
            megabytes=part.stat().st_size / 1024**2,
            added=datetime.now(UTC).isoformat(),
        )
        path.with_suffix(".json").write_bytes(msgspec.json.encode(added))
        part.replace(path)  # also where it was known: it may be damaged
        return added


def remove(file: WeightsFile) -> None:
    """Delete a weights file; one that is already gone is no error, a bundled one stays."""
    if file.origin == "bundled":
        raise BadWeights(f"The weights {file.name} come with the app and stay.")
    path = Path(file.path)
    if path.parents[1] != owners.folder("weights"):
        raise BadWeights(f"The weights {file.name} belong to everyone here and stay.")
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


@contextmanager
def _temporary(root: Path) -> Iterator[Path]:
    """Give a new file in a model's folder that is gone at the end, unless it was renamed."""
    root.mkdir(exist_ok=True)
    for leftover in root.glob("*.part"):  # of processes that were killed
        if leftover.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
            leftover.unlink(missing_ok=True)
    part = root / f"{unfinished.name()}.part"
    part.touch(exist_ok=False)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _copy(file: Path | BinaryIO, target: Path) -> str:
    """Copy a file and return the SHA-256 of its content."""
    try:
        with target.open("wb") as out:
            if not isinstance(file, Path):
                return _copy_stream(file, out)
            with file.open("rb") as source:
                return _copy_stream(source, out)
    except OSError as error:
        raise BadWeights(
            f"The weights file cannot be copied ({error.strerror}). "
            "Check that it exists, can be read, and that the disk has room."
        ) from error


def _copy_stream(
    source: IO[bytes], out: IO[bytes], progress: Callable[[int], None] | None = None
) -> str:
    """Copy no more than the limit, whatever was announced; `progress` gets the bytes so far."""
    digest, copied = hashlib.sha256(), 0
    while chunk := source.read(CHUNK_BYTES):
        copied += len(chunk)
        if copied > MAX_WEIGHTS_BYTES:
            raise BadWeights(
                f"The weights file is larger than {MAX_WEIGHTS_BYTES // MB} MB. No model in the "
                "catalog needs more: check that it is the right file, or store it as float16."
            )
        digest.update(chunk)
        out.write(chunk)
        if progress is not None:
            progress(copied)
    return digest.hexdigest()


def download(model: Model, progress: Callable[[float], None] = lambda _: None) -> WeightsFile:
    """Return the published weights of a model, downloaded unless they are there; needs torch.

    `progress` gets fractions from 0 to 1. `TL_WEIGHTS_URL` (`https://mirror.example`, a path
    allowed) takes the place of the published host. The file's SHA-256 must start as its published
    name says, and is read with `weights_only=True`. Raises BadWeights if it cannot be had.
    """
    for file in available(model.name):
        if file.origin in ("torchvision", "bundled"):
            return file
    if not model.weights.url:
        raise BadWeights(missing(model))
    root = _root("torchvision") / model.name
    with _temporary(root) as pth, _temporary(root) as converted:
        sha256 = _fetch(model, pth, progress)
        published = re.search(r"-([0-9a-f]{8,})\.pth$", model.weights.url)
        if published is None or not sha256.startswith(published[1]):
            raise BadWeights(
                f"The download of {model.title} arrived incomplete or altered (its SHA-256 is not "
                "the published one). Try again, or bring a .safetensors file."
            )
        convert(pth, converted)
        name = f"{model.title} {model.weights.name}"
        return add(model, converted, name=name, origin="torchvision")


def _fetch(model: Model, target: Path, progress: Callable[[float], None]) -> str:
    """Stream the published file into `target` and return its SHA-256."""
    mirror = os.environ.get("TL_WEIGHTS_URL")
    url = model.weights.url
    if mirror:
        url = mirror.rstrip("/") + urlsplit(url).path
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadWeights("TL_WEIGHTS_URL is not a web address. Start it with https:// or http://.")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            announced = int(response.headers.get("Content-Length") or 0)
            total = announced or model.weights.megabytes * 1024**2
            with target.open("wb") as out:
                return _copy_stream(response, out, lambda n: progress(min(n / total, 1.0)))
    except (OSError, HTTPException) as error:
        raise BadWeights(
            f"The weights of {model.title} could not be downloaded from {urlsplit(url).hostname} "
            f"({_reason(error)}). Connect to the internet and try again, or bring a .safetensors "
            f"file: download {model.weights.url} elsewhere and convert it with "
            "`python -m tl_core convert-weights IN.pth OUT.safetensors`."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(getattr(error.reason, "strerror", None) or error.reason)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
