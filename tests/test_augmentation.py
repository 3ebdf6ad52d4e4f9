"""How training images are varied: what each way does, and that caches keep them apart."""

import msgspec
import pytest
import torch

from tests.test_activations import BOUNDARY, drain, entries, finished
from tl_core import activations, cache, config, plans, preprocessing
from tl_core.activations import open_inputs
from tl_core.config import Budget
from tl_core.inputs import CachedInputs, PixelInputs, generator
from tl_core.materials import Materials, open_materials
from tl_core.strategies import STRATEGIES

WAYS = ("none", "crops", "colour")


@pytest.fixture
def prepared(small_comparison, monkeypatch):
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=3, trials=1, scratch_extension=1))
    monkeypatch.setattr(activations, "_reading_pays", lambda prefix: True)
    names = ("feature_extraction", "partial_fine_tuning")
    return msgspec.structs.replace(
        small_comparison, strategies=tuple(STRATEGIES[name] for name in names), input_size=64
    )


@pytest.fixture
def materials(prepared) -> Materials:
    return drain(open_materials(prepared))


def opened(materials: Materials, way: str):
    return drain(
        open_inputs(
            materials.original,
            BOUNDARY,
            materials.weights_sha256,
            materials.pixels,
            True,
            materials.compute,
            trained=range(10),
            evaluated=range(10, 14),
            augmentation=way,
        )
    )


def fresh(materials: Materials, way: str) -> PixelInputs:
    return PixelInputs(materials.pixels, True, materials.compute, augmentation=way)


def test_without_augmentation_training_sees_what_evaluation_sees(materials):
    inputs = fresh(materials, "none")
    (evaluated, kept), *_ = inputs.evaluation_batches([3, 1, 7])
    assert torch.equal(inputs.training_batch([3, 1, 7], generator(1)), evaluated[:kept])


def test_each_way_gives_other_images_and_the_generator_decides(materials):
    batches = {way: fresh(materials, way).training_batch([3, 1], generator(4)) for way in WAYS}
    again = {way: fresh(materials, way).training_batch([3, 1], generator(4)) for way in WAYS}
    other = {way: fresh(materials, way).training_batch([3, 1], generator(5)) for way in WAYS}
    for way in WAYS:
        assert torch.equal(batches[way], again[way])
        assert torch.equal(batches[way], other[way]) == (way == "none")
    assert not torch.equal(batches["crops"], batches["colour"])
    assert not torch.equal(batches["crops"], batches["none"])


def test_colour_is_the_same_crop_in_other_colours(materials):
    """A view is decided by its number: shape and place stay, colours do not."""
    crops, colour = (fresh(materials, way).view_batch([20], [2]) for way in ("crops", "colour"))
    grey = [batch.mean(dim=1).flatten() for batch in (crops, colour)]
    assert torch.corrcoef(torch.stack(grey))[0, 1] > 0.9
    assert not torch.allclose(crops, colour, atol=0.05)


def test_recolouring_stays_within_what_is_said():
    image = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    levels = {int(preprocessing.recoloured(image, generator(i))[0, 0, 0, 0]) for i in range(60)}
    # Of an even grey only brightness changes anything.
    assert 58 <= min(levels) < 75 and 125 < max(levels) <= 141
    assert preprocessing.recoloured(image, generator(0)).dtype == torch.uint8


@pytest.mark.parametrize("way", WAYS)
def test_kept_and_recomputed_give_the_same_batches(materials, monkeypatch, way):
    kept = opened(materials, way)
    assert isinstance(kept, CachedInputs)
    assert kept.views == (0 if way == "none" else plans.VIEWS)
    monkeypatch.setattr(cache, "has_room", lambda _: False)
    for path in (cache.folder("cache") / "activations").iterdir():
        path.rename(path.with_name("gone-" + path.name))
    plain = opened(materials, way)
    assert isinstance(plain, PixelInputs)
    run = materials.original.forward_blocks
    with torch.no_grad():
        first = kept.training_batch([3, 1, 7], generator(6))
        second = run(plain.training_batch([3, 1, 7], generator(6)), stop=BOUNDARY)
    assert torch.allclose(first, second, atol=1e-5)


def test_without_augmentation_the_frozen_part_runs_once_for_each_image(materials, monkeypatch):
    calls = []
    original = activations._Prefix.run

    def counted(self, batch, kept):
        calls.append(kept)
        return original(self, batch, kept)

    monkeypatch.setattr(activations._Prefix, "run", counted)
    opened(materials, "none")
    assert sum(calls) == 1 + 14


def test_ways_are_kept_apart(materials):
    for number, way in enumerate(WAYS):
        before = set(entries())
        opened(materials, way)
        assert len(set(entries()) - before) == 1, number
    before = set(entries())
    for way in WAYS:
        opened(materials, way)
    assert set(entries()) == before


def test_each_way_changes_what_is_trained_and_nothing_else(prepared):
    found = {way: finished(msgspec.structs.replace(prepared, augmentation=way)) for way in WAYS}
    trained = [f.final("partial_fine_tuning")[0].result for f in found.values()]
    assert len({result.test_log_probabilities for result in trained}) == 3
    solved = [f.final("feature_extraction")[0].result for f in found.values()]
    assert len({result.test_log_probabilities for result in solved}) == 1
    assert len({run_id for f in found.values() for run_id in f.ended}) == 3 + 1


def test_views_that_are_kept_are_planned_alike():
    assert plans.kept_views(1, "none") == 0
    assert plans.kept_views(cache.CAPACITY_BYTES, "none") is None
    assert plans.kept_views(1, "colour") == plans.VIEWS
