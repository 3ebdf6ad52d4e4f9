"""What a weights file must hold: state-dict keys, shapes and types, read from its header alone."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from safetensors import SafetensorError, safe_open

from tl_core.catalog import Model, catalog, data_file
from tl_core.limits import MAX_WEIGHTS_HEADER_BYTES

FLOATS = {"F64", "F32", "F16", "BF16"}
# Counts batches for a running average that torchvision's models do not use; old files lack it.
OPTIONAL = "num_batches_tracked"
INTEGERS = (OPTIONAL, "relative_position_index")

Shape = tuple[int, ...]


class BadWeights(ValueError):
    """Weights that cannot be used: one sentence for the user, and every single fault."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        """`details` are lines to show below the message, such as one per wrong tensor."""
        super().__init__(message)
        self.details = details


@cache
def _layouts() -> dict[str, dict[str, Shape]]:
    data = data_file("layouts.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, dict[str, Shape]])


def layout(model: str) -> dict[str, Shape]:
    """Return the state-dict keys of a catalog model with their shapes."""
    return _layouts()[model]


def read_layout(path: Path) -> dict[str, tuple[Shape, str]]:
    """Return shape and type (`F32`, `I64` ...) of each tensor, from the header alone.

    Raises BadWeights if the file is not a complete, well-formed safetensors file.
    """
    try:
        with path.open("rb") as start:
            if int.from_bytes(start.read(8), "little") > MAX_WEIGHTS_HEADER_BYTES:
                raise SafetensorError("the description at its beginning is too long")
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in list(file.keys())}
            return {
                name: (tuple(part.get_shape()), part.get_dtype()) for name, part in slices.items()
            }
    except (OSError, SafetensorError) as error:
        raise BadWeights(
            "This is not a readable safetensors file. Bring a .safetensors file; a .pth or .pt "
            "file is converted with `python -m tl_core convert-weights IN.pth OUT.safetensors`.",
            (str(error).replace(str(path), "the file"),),
        ) from error


def check(model: Model, found: Mapping[str, tuple[Shape, str]]) -> None:
    """Raise BadWeights, naming each fault, unless keys, shapes and types are the model's."""
    faults = _faults(layout(model.name), found)
    if not faults:
        return
    match = next((row.title for row in catalog().values() if _fits(row, found)), None)
    count = "1 tensor does" if len(faults) == 1 else f"{len(faults)} tensors do"
    hint = (
        f"They are {match}'s: choose that model."
        if match
        else "Choose the model they were trained with; its last layer must be the original one."
    )
    raise BadWeights(
        f"These weights do not fit {model.title}: {count} not match ({faults[0]}). {hint}",
        tuple(faults),
    )


def _fits(model: Model, found: Mapping[str, tuple[Shape, str]]) -> bool:
    return model.name in _layouts() and not _faults(layout(model.name), found)


def _faults(expected: Mapping[str, Shape], found: Mapping[str, tuple[Shape, str]]) -> list[str]:
    faults = [
        f"missing: {name} {_shown(shape)}"
        for name, shape in expected.items()
        if name not in found and not name.endswith(OPTIONAL)
    ]
    for name, (shape, kind) in found.items():
        wanted = expected.get(name)
        if wanted is None:
            faults.append(f"unexpected: {name} {_shown(shape)}")
        elif shape != wanted:
            faults.append(f"wrong shape: {name} {_shown(shape)}, expected {_shown(wanted)}")
        elif kind not in FLOATS and not (kind == "I64" and name.endswith(INTEGERS)):
            faults.append(f"wrong type: {name} is {kind}, expected floating point")
    return faults


def _shown(shape: Shape) -> str:
    return " x ".join(map(str, shape)) or "(one number)"


def check_content(path: Path) -> None:
    """Raise BadWeights if a file is no longer what its name, or the catalog, says that it is.

    A flipped bit loads without any error otherwise. Files that neither knows pass.
    """
    place = path.resolve()
    bundled = next((row for row in catalog().values() if bundled_path(row) == place), None)
    wanted = bundled.weights.sha256 if bundled else path.stem
    if len(wanted) != 64 or not path.is_file():
        return
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual == wanted:
        return
    if bundled:
        raise BadWeights(
            f"The weights file {path.name}, which comes with the app, is not the one that this "
            "version was made with (a damaged disk, an incomplete copy, or an edit). Install the "
            "app again, or choose another model.",
            (f"SHA-256 {actual}", f"expected {wanted}"),
        )
    raise BadWeights(
        f"The weights file {path.stem[:12]}… has changed since it was added (a damaged disk, "
        "or an edit). Add the same weights again to replace it."
    )


def bundled_path(model: Model) -> Path | None:
    """Return where the weights lie that come with the app; None for a model that has none."""
    return data_file(model.weights.file).resolve() if model.weights.file else None
