"""Models of finished runs: kept as they were, made again where they are gone, used by questions."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from tl_core import cache, finished_runs, ingest, kept_models, predictions
from tl_core import events as ev
from tl_core.answers import Inspection, Prediction
from tl_core.config import NotPossible
from tl_core.materials import open_materials
from tl_core.questions import ask
from tl_core.stages import frozen_prefix
from tl_core.trained import open_trained


def ended(found) -> list[ev.RunEnded]:
    return [runs[0] for s in found.strategies if (runs := found.final(s.name))]


def exhausted(generator):
    """What a generator returns in the end."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


def answer(question: str, wanted, request):
    """The answer, read back from the line that a job's log keeps."""
    *before, last = ask(question, wanted, request)
    assert all(isinstance(event, ev.Progress) for event in before)
    return ev.decode(ev.encode(last)).answer


def unlabelled_copy(found, folder: Path):
    """The test images of a comparison, brought again without labels."""
    from tl_core import datasets

    data = datasets.load(found.started.config.data.fingerprint)
    folder.mkdir()
    for place, image in enumerate(ended(found)[0].result.test_images):
        Image.fromarray(datasets.pixels(data, image)).save(folder / f"{place:03d}.png")
    return ingest.ingest_path(folder, kind="unlabelled")


def test_a_kept_model_predicts_what_the_run_predicted(compared, tmp_path):
    found, wanted = compared, compared.started.config
    brought = unlabelled_copy(found, tmp_path / "again")
    request = {**finished_runs.named(ended(found)), "unlabelled": brought.fingerprint}
    said = answer("predict", wanted, {**request, "heat_maps": True})
    assert isinstance(said, Prediction)
    places = [int(Path(name).stem) for name in said.images]
    assert [run.strategy for run in said.runs] == [run.run.strategy.name for run in ended(found)]
    for run, predicted in zip(ended(found), said.runs, strict=True):
        shares = predictions.unpacked(predicted.probabilities).reshape(len(said.images), -1)
        before = predictions.tested(run).probabilities[places]
        np.testing.assert_allclose(shares, before, atol=1e-5)
        assert len(predicted.heat_maps) == len(said.pictures) == len(said.images)
    assert sorted(said.worth_labelling) == list(range(len(said.images)))


def test_only_what_training_changed_is_kept(compared):
    found, wanted = compared, compared.started.config
    materials = exhausted(open_materials(wanted))
    original, blocks = materials.original.net.state_dict(), len(materials.row.blocks)
    for run in ended(found):
        strategy, kept = run.run.strategy, kept_models.kept(run.run_id)
        if strategy.solver == "none":
            assert kept is None
            continue
        assert kept.weight.shape == (2, materials.row.feature_size)
        if strategy.solver == "convex":
            assert not kept.changed
        elif strategy.pretrained:
            frozen = materials.original.blocks[: frozen_prefix(strategy, blocks)]
            names = {id(p): name for name, p in materials.original.net.named_parameters()}
            still = {names[id(p)] for block in frozen for p in block.parameters()}
            assert kept.changed
            assert not still & set(kept.changed)
        else:
            assert set(kept.changed) <= set(original)
            assert len(kept.changed) > len(original) / 2


@pytest.mark.parametrize("strategy", ["full_fine_tuning", "from_scratch", "feature_extraction"])
def test_a_model_that_is_gone_is_made_again_bit_for_bit(compared, strategy):
    found, wanted = compared, compared.started.config
    run = found.final(strategy)[0]
    before = kept_models.kept(run.run_id)
    shutil.rmtree(cache.entry("models", run.run_id))
    materials = exhausted(open_materials(wanted))
    model = exhausted(open_trained(materials, wanted, run.run_id, run.run))
    state = model.backbone.net.state_dict()
    assert torch.equal(model.head.weight, before.weight)
    assert all(torch.equal(state[name], value) for name, value in before.changed.items())


def test_a_damaged_file_counts_as_gone(compared):
    found = compared
    run = found.final("full_fine_tuning")[0]
    path = cache.entry("models", run.run_id) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    assert kept_models.kept(run.run_id) is None


def test_inspection_says_what_moved(compared):
    found, wanted = compared, compared.started.config
    runs = ended(found)
    said = answer("inspect", wanted, finished_runs.named(runs))
    assert isinstance(said, Inspection)
    images = len(said.images)
    assert len(predictions.unpacked(said.before.points)) == 2 * images
    by_name = {run.strategy: run for run in said.runs}
    assert set(by_name["feature_extraction"].moved) == {0.0}
    assert by_name["feature_extraction"].cloud.neighbours == said.before.neighbours
    np.testing.assert_allclose(
        predictions.unpacked(by_name["feature_extraction"].cloud.points),
        predictions.unpacked(said.before.points),
        atol=1e-4,
    )
    assert min(by_name["full_fine_tuning"].moved) > 0
    partial, blocks = by_name["partial_fine_tuning"].moved, len(by_name["full_fine_tuning"].moved)
    still = frozen_prefix(found.final("partial_fine_tuning")[0].run.strategy, blocks)
    assert set(partial[:still]) == {0.0}
    assert min(partial[still:]) > 0


def test_too_many_images_for_heat_maps_are_refused_in_words(compared, tmp_path, monkeypatch):
    from tl_core.questions import prediction

    found, wanted = compared, compared.started.config
    brought = unlabelled_copy(found, tmp_path / "again")
    monkeypatch.setattr(prediction, "MOST_HEAT_MAPS", 1)
    request = {**finished_runs.named(ended(found)), "unlabelled": brought.fingerprint}
    with pytest.raises(NotPossible, match="without heat maps"):
        list(ask("predict", wanted, {**request, "heat_maps": True}))


@pytest.mark.parametrize("question", ["predict", "inspect", "export"])
def test_no_run_is_refused_in_words(compared, question):
    wanted = compared.started.config
    request = {"unlabelled": wanted.data.fingerprint}
    with pytest.raises(NotPossible, match="at least one strategy"):
        list(ask(question, wanted, request))


def test_a_request_survives_the_store(compared):
    found = compared
    request = finished_runs.named(ended(found))
    back = msgspec.json.decode(msgspec.json.encode(request))
    assert list(finished_runs.runs_of(back).values()) == [run.run for run in ended(found)]
