"""A flipped bit in what lies on the disk is found before it is used, or changes nothing.

Checkpoints are tested in `test_checkpoints`, events in `test_store_damage`.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch

from tl_core import activations, cache, datasets, kept_models, weights
from tl_core.activations import open_inputs
from tl_core.backbones import load_weights
from tl_core.home import folder
from tl_core.layouts import BadWeights
from tl_core.materials import open_materials
from tl_core.record import Record


def exhausted(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def flip(path: Path, share: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)


@pytest.fixture(autouse=True)
def another_process(compared: Record) -> None:
    """Forget what this process has looked at."""
    cache._looked_at.clear()
    activations._trusted.clear()


def test_every_entry_of_the_cache_is_sealed_or_has_sums(compared):
    found = list(folder("cache").glob("*/*"))
    assert {path.parent.name for path in found} >= {"pixels", "activations", "models"}
    for path in found:
        assert (path / cache.SEAL).exists() != (path / "sums.npy").exists()


def test_decoded_pixels_and_what_was_read_out_of_them(compared):
    wanted = compared.started.config
    before = exhausted(open_materials(wanted))
    pixels, features = before.pixels[3].clone(), before.read_out.features.copy()
    cache._looked_at.clear()
    for path in (
        *folder("cache").glob("pixels/*/*.bin"),
        *folder("cache").glob("*/*/features.npy"),
    ):
        flip(path, 0.7)
    after = exhausted(open_materials(wanted))
    assert torch.equal(after.pixels[3], pixels)
    assert (after.read_out.features == features).all()


def test_kept_activations(compared, monkeypatch):
    monkeypatch.setattr(activations, "_reading_pays", lambda prefix: True)
    made = exhausted(open_materials(compared.started.config))

    def opened() -> Any:
        return exhausted(
            open_inputs(
                *(made.original, 5, made.weights_sha256, made.pixels, True, made.compute),
                *(range(10), range(10)),
            )
        )

    values = opened().evaluation[:10].clone()
    activations._marking.popitem()[1].join()
    activations._trusted.clear()
    files = list(folder("cache").glob("activations/*/values.bin"))
    path = max(files, key=lambda one: one.with_name("filled.npy").stat().st_mtime_ns)
    with path.open("rb+") as file:
        file.seek(10)  # of the first image's values
        was = file.read(1)
        file.seek(10)
        file.write(bytes([was[0] ^ 64]))
    assert not torch.equal(kept_as_it_lies(path, values), values)
    assert torch.equal(opened().evaluation[:10], values)
    assert torch.equal(kept_as_it_lies(path, values), values)
    for name in ("filled", "sums", "spent"):
        while activations._marking:
            activations._marking.popitem()[1].join()
        activations._trusted.clear()
        flip(path.with_name(f"{name}.npy"), 0.05)
        assert torch.equal(opened().evaluation[:10], values)


def kept_as_it_lies(path: Path, like: torch.Tensor) -> torch.Tensor:
    return torch.from_file(str(path), size=like.numel(), dtype=like.dtype).view(like.shape)


def test_a_kept_model(compared):
    run = compared.final("full_fine_tuning")[0].run_id
    assert kept_models.kept(run) is not None
    cache._looked_at.clear()
    flip(cache.entry("models", run) / "model.safetensors", 0.9)
    assert kept_models.kept(run) is None


def test_weights(compared):
    config = compared.started.config
    file = weights.find(config.weights_sha256)
    flip(Path(file.path), 0.9)
    with pytest.raises(BadWeights, match="has changed since"):
        load_weights(file.path)


def test_a_stored_image(compared):
    data = datasets.load(compared.started.config.data.fingerprint)
    path = data.folder / data.images[0].file
    before = datasets.pixels(data, 0)
    refused = 0
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        content = path.read_bytes()
        flip(path, share)
        try:
            assert (datasets.pixels(data, 0) == before).all()
        except datasets.BadInput:
            refused += 1
        path.write_bytes(content)
    assert refused


def test_the_description_of_a_data_set(compared):
    fingerprint = compared.started.config.data.fingerprint
    path = datasets.load(fingerprint).folder / "dataset.json"
    content = path.read_bytes()
    for old, new in ((b'"label":0', b'"label":1'), (b"bright disc", b"bright disk")):
        path.write_bytes(content.replace(old, new, 1))
        with pytest.raises(datasets.BadInput, match="Bring the images again"):
            datasets.load(fingerprint)
