"""What is kept of a frozen prefix: the same numbers as without, found again, never mistaken."""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest
import torch

from tl_core import activations, cache, config, plans, remembered
from tl_core.activations import open_inputs
from tl_core.config import Budget, ComparisonConfig
from tl_core.device import Compute
from tl_core.experiment import run_comparison
from tl_core.inputs import CachedInputs, PixelInputs, full_rows
from tl_core.materials import Materials, open_materials
from tl_core.record import Record, record
from tl_core.strategies import custom_strategy

MODEL = "mobilenet_v3_small"
BOUNDARY = 5
READING_PAYS = activations._reading_pays


def drain(generator):
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def prepared(
    small_comparison: ComparisonConfig, monkeypatch: pytest.MonkeyPatch
) -> ComparisonConfig:
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=4, trials=1, scratch_extension=2))
    # Tiny images are computed faster than any disk reads: the choice is not what is tested here.
    monkeypatch.setattr(activations, "_reading_pays", lambda prefix: True)
    own = custom_strategy([True] * 9 + [False] * 4)
    return msgspec.structs.replace(
        small_comparison, strategies=(*small_comparison.strategies, own), seeds=2
    )


@pytest.fixture
def materials(prepared: ComparisonConfig) -> Materials:
    return drain(open_materials(prepared))


def opened(materials: Materials, boundary: int = BOUNDARY, **other: object):
    given = {"trained": range(10), "evaluated": range(len(materials.pixels)), **other}
    return drain(
        open_inputs(
            materials.original,
            boundary,
            materials.weights_sha256,
            materials.pixels,
            True,
            materials.compute,
            **given,
        )
    )


def finished(wanted: ComparisonConfig) -> Record:
    return record(run_comparison(wanted, lambda _: None, lambda _: None, lambda *_: None))


def test_kept_and_recomputed_prefixes_give_the_same_batches(materials, monkeypatch):
    kept, again = opened(materials), opened(materials)
    assert isinstance(kept, CachedInputs)
    monkeypatch.setattr(cache, "has_room", lambda _: False)
    for path in (cache.folder("cache") / "activations").iterdir():
        path.rename(path.with_name("gone-" + path.name))
    plain = opened(materials)
    assert isinstance(plain, PixelInputs)
    assert kept.views == plain.views == plans.VIEWS
    indices = [3, 1, 7]
    with torch.no_grad():
        run = materials.original.forward_blocks
        direct = [run(batch, stop=BOUNDARY)[:n] for batch, n in plain.evaluation_batches(indices)]
        for (first, n), (second, _), third in zip(
            kept.evaluation_batches(indices), again.evaluation_batches(indices), direct, strict=True
        ):
            assert torch.equal(first, second)
            assert torch.allclose(first[:n], third, atol=1e-5)
        seeds = [torch.Generator().manual_seed(5) for _ in range(3)]
        first, second = (x.training_batch(indices, seeds.pop()) for x in (kept, again))
        third = run(plain.training_batch(indices, seeds.pop()), stop=BOUNDARY)
    assert torch.equal(first, second)
    assert torch.allclose(first, third, atol=1e-5)


def test_caches_change_no_result_of_any_strategy(prepared, monkeypatch):
    """Whole runs on the same views, kept and recomputed at every step."""
    with_cache = finished(prepared)
    assert list((cache.folder("cache") / "activations").iterdir())
    monkeypatch.setattr(cache, "has_room", lambda _: False)
    for path in (cache.folder("cache") / "activations").iterdir():
        path.rename(path.parent.with_name(path.name))
    without = finished(prepared)
    assert with_cache.ended.keys() == without.ended.keys()
    for run_id, ended in with_cache.ended.items():
        first, second = ended.result, without.ended[run_id].result
        assert first.test_predictions == second.test_predictions
        assert first.test_confidences == pytest.approx(second.test_confidences, abs=2e-3)
        assert first.agreement == second.agreement
        for one, other in zip(ended.curve, without.ended[run_id].curve, strict=True):
            assert one.validation_loss == pytest.approx(other.validation_loss, abs=2e-3)


def test_views_of_an_image_differ_and_do_not_depend_on_its_neighbours(materials):
    inputs = opened(materials)
    arrays = inputs.flat.view(inputs.views, inputs.images, *inputs.flat.shape[1:])
    assert not any(torch.equal(arrays[0, 3], arrays[k, 3]) for k in range(1, inputs.views))
    alone = PixelInputs(materials.pixels, True, materials.compute).view_batch([3], [2])
    with torch.no_grad():
        found = materials.original.forward_blocks(alone, stop=BOUNDARY)[0].permute(1, 2, 0)
    assert torch.allclose(arrays[2, 3], found, atol=1e-5)


def test_only_what_is_missing_is_computed(materials, monkeypatch):
    calls = []
    original = activations._Prefix.run

    def counted(self, batch, kept):
        calls.append(kept)
        return original(self, batch, kept)

    monkeypatch.setattr(activations._Prefix, "run", counted)
    opened(materials, trained=range(10), evaluated=range(10))
    assert sum(calls) == 1 + 10 * (1 + plans.VIEWS)
    calls.clear()
    opened(materials, trained=range(5, 12), evaluated=range(12))
    assert sum(calls) == 1 + 2 * (1 + plans.VIEWS)
    calls.clear()
    opened(materials, trained=range(12), evaluated=range(12))
    assert sum(calls) == 1


def test_an_interrupted_filling_is_taken_up_again(materials):
    steps = open_inputs(
        materials.original,
        BOUNDARY,
        materials.weights_sha256,
        materials.pixels,
        True,
        materials.compute,
        range(10),
        range(10),
    )
    next(steps)
    steps.close()
    whole = opened(materials, trained=range(10), evaluated=range(10))
    assert bool((whole.evaluation[:10].abs().sum(dim=(1, 2, 3)) > 0).all())


KEYS: dict[str, Callable[[Materials], Materials]] = {
    "weights": lambda m: replaced(m, weights_sha256="0" * 64),
    "data": lambda m: replaced(m, pixels=pixels_like(m, key="other")),
    "preprocessing": lambda m: replaced(
        m,
        pixels=pixels_like(
            m, preprocessing=msgspec.structs.replace(m.row.preprocessing, mean=(0.1, 0.1, 0.1))
        ),
    ),
    "precision": lambda m: replaced(m, compute=Compute("cpu", "bf16", 1)),
    "threads": lambda m: replaced(m, compute=Compute("cpu", "float32", 2)),
}


def replaced(materials: Materials, **fields: object) -> Materials:
    import dataclasses

    return dataclasses.replace(materials, **fields)


def pixels_like(materials: Materials, **fields: object):
    import copy

    other = copy.copy(materials.pixels)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def entries() -> Iterator[str]:
    return (path.name for path in (cache.folder("cache") / "activations").iterdir())


@pytest.mark.parametrize("what", KEYS)
def test_a_stale_hit_is_impossible(materials, what):
    opened(materials)
    before = set(entries())
    opened(KEYS[what](materials))
    assert len(set(entries()) - before) == 1


def test_what_was_read_in_other_batches_is_read_again(materials, monkeypatch):
    opened(materials)
    before = set(entries())
    monkeypatch.setattr(activations, "ROWS", 8)
    opened(materials)
    assert len(set(entries()) - before) == 1


def test_boundary_views_and_mirroring_are_part_of_the_key(materials, monkeypatch):
    opened(materials)
    count = len(set(entries()))
    opened(materials, boundary=BOUNDARY + 1)
    assert len(set(entries())) == count + 1
    monkeypatch.setattr(plans, "VIEWS", 3)
    opened(materials)
    assert len(set(entries())) == count + 2
    drain(
        open_inputs(
            materials.original,
            BOUNDARY,
            materials.weights_sha256,
            materials.pixels,
            False,
            materials.compute,
            range(10),
            range(10),
        )
    )
    assert len(set(entries())) == count + 3


def test_views_fit_a_quarter_of_the_cache():
    """ResNet-50's layer 3: 1024 x 14 x 14 values, 8,000 images: four views would be 16 GB."""
    layer_3 = 1024 * 14 * 14 * 2
    assert plans.kept_views(8000 * layer_3) is None
    assert plans.kept_views(1000 * layer_3) == plans.VIEWS
    between = cache.CAPACITY_BYTES // 4 // 4
    assert plans.kept_views(between) == 3
    assert plans.kept_views(between + between // 2) is None


def test_too_large_a_boundary_is_not_kept_and_augmented_afresh(materials, monkeypatch):
    monkeypatch.setattr(cache, "CAPACITY_BYTES", 4)
    inputs = opened(materials)
    assert isinstance(inputs, PixelInputs)
    assert inputs.views == 0


def test_reading_slower_than_computing_is_not_done_and_remembered(materials, monkeypatch):
    prefix = activations._Prefix(
        materials.original,
        BOUNDARY,
        PixelInputs(materials.pixels, True, materials.compute),
        materials.compute,
    )
    monkeypatch.setattr(activations, "_reading_seconds", lambda values: 1e9)
    assert not READING_PAYS(prefix)
    monkeypatch.setattr(activations, "_reading_seconds", lambda values: 0.0)
    assert not READING_PAYS(prefix), "an answer that changes would change nothing here"
    for path in remembered.folder("measured").iterdir():
        path.unlink()
    assert READING_PAYS(prefix)


def test_reading_seconds_reads_what_was_written(materials):
    values = torch.arange(4000, dtype=torch.float32).to(torch.bfloat16)
    assert 0 < activations._reading_seconds(values) < 60


@pytest.mark.parametrize("count", [1, 8, 31, 33, 70])
def test_batches_are_full_rows_and_every_index_counts_once(count):
    batches = list(full_rows(range(count)))
    assert [i for rows, kept in batches for i in rows[:kept]] == list(range(count))
    assert all(len(rows) % 16 == 0 for rows, _ in batches)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_an_image_reads_the_same_in_any_company(prepared, precision, threads):
    """Else an unchanged model could seem to have forgotten something."""
    wanted = msgspec.structs.replace(prepared, precision=precision, threads=threads)
    materials = drain(open_materials(wanted))
    inputs = PixelInputs(materials.pixels, False, materials.compute)
    for chosen in ([2], [9, 2, 4], list(range(len(materials.pixels)))[::-1]):
        features, logits = activations.read_out_pass(
            materials.original, inputs, chosen, materials.compute
        )
        assert np.array_equal(logits, materials.read_out.source_logits[chosen])
        assert np.array_equal(features, materials.read_out.features[chosen])
