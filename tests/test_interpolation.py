"""Weights between the linear probe and a fine-tuned model: ends, measures, the honest choice."""

import json

import msgspec
import numpy as np
import pytest
import torch

from tests.test_finished_runs import answer, exhausted
from tests.test_source_skill import probe_folder
from tl_core import backbones, finished_runs, ingest, kept_models
from tl_core.answers import Interpolation
from tl_core.catalog import catalog
from tl_core.cli import main
from tl_core.config import NotPossible
from tl_core.forgetting import ready
from tl_core.inputs import PixelInputs
from tl_core.interpolation import between, reestimate_statistics
from tl_core.questions.interpolating import SHARES, _open, mixed


def state(**values):
    return {name: torch.tensor(value) for name, value in values.items()}


def test_the_ends_are_the_ends_bit_for_bit():
    start = state(weight=[0.1, -0.0, 1e-30], count=3)
    end = state(weight=[0.3, 7.0, float("inf")], count=9)
    for share, wanted in ((0.0, start), (1.0, end)):
        found = between(start, end, share)
        for name, value in wanted.items():
            assert found[name].dtype == value.dtype
            assert found[name].numpy().tobytes() == value.numpy().tobytes()
            assert found[name].data_ptr() != value.data_ptr()


def test_between_the_ends_weights_are_averaged_and_counters_kept_whole():
    start, end = state(weight=[0.0, 2.0], count=3), state(weight=[1.0, 4.0], count=9)
    found = between(start, end, 0.25)
    assert found["weight"].tolist() == [0.25, 2.5]
    assert (found["count"].item(), found["count"].dtype) == (3, torch.int64)
    assert between(start, end, 0.5)["count"].item() == 9


@pytest.fixture
def way(compared):
    """The way from the linear probe to full fine-tuning in a finished comparison."""
    found = compared
    run = found.final("full_fine_tuning")[0]
    return exhausted(_open(found.started.config, run.run_id, run.run, False))


def test_the_ends_of_a_way_are_the_two_models_bit_for_bit(compared, way):
    original = way.materials.original.net.state_dict()
    for share, name in ((0.0, "feature_extraction"), (1.0, "full_fine_tuning")):
        kept = kept_models.kept(compared.final(name)[0].run_id)
        model = mixed(way, share)
        found = model.backbone.net.state_dict()
        wanted = original | kept.changed
        assert all(torch.equal(found[key], value) for key, value in wanted.items())
        assert torch.equal(model.head.weight, kept.weight)
        assert torch.equal(model.head.bias, kept.bias)
    half = mixed(way, 0.5).backbone.net.state_dict()
    moved = [k for k, v in half.items() if not torch.equal(v, original[k])]
    assert moved


def test_the_ends_predict_what_the_runs_predicted(compared):
    run = compared.final("full_fine_tuning")[0]
    said = answer("interpolate", compared.started.config, finished_runs.named([run]))
    assert isinstance(said, Interpolation)
    assert tuple(point.share for point in said.points) == SHARES
    probe = compared.final("feature_extraction")[0]
    for point, ended in ((said.points[0], probe), (said.points[-1], run)):
        assert point.test_predictions == ended.result.test_predictions
        assert point.validation_accuracy == ended.result.validation_accuracy
        assert point.validation_loss == pytest.approx(ended.result.validation_loss, rel=1e-4)
        assert not point.reestimated
    assert said.test_labels == run.result.test_labels
    assert said.source_labels == ()
    assert all(point.source_predictions is None for point in said.points)
    assert "no labelled source images" in said.lacks_learning


def test_source_images_that_choose_are_not_those_that_measure(compared, tmp_path):
    brought = ingest.ingest_path(
        probe_folder(tmp_path / "p", {"tench": 22, "goldfish": 20}), kind="probe"
    )
    data = msgspec.structs.replace(
        compared.started.config.data, probe=brought.fingerprint, probe_name=brought.name
    )
    config = msgspec.structs.replace(compared.started.config, data=data)
    run = compared.final("full_fine_tuning")[0]
    said = answer("interpolate", config, finished_runs.named([run]))
    assert (len(said.source_labels), said.set_aside, said.learning_images) == (21, 21, 21)
    assert said.lacks_learning == ""
    for point in said.points:
        assert len(point.source_predictions) == 21
        assert 0 <= point.learning_accuracy <= 1
    materials = exhausted(_open(config, run.run_id, run.run, False)).materials
    before = materials.probe.read_out.source_logits.argmax(axis=1)
    assert said.points[0].source_predictions == tuple(before.tolist())


def test_statistics_are_estimated_again_between_the_ends_alone(compared):
    run = compared.final("full_fine_tuning")[0]
    request = {**finished_runs.named([run]), "norm_statistics": True}
    plain = answer("interpolate", compared.started.config, finished_runs.named([run]))
    said = answer("interpolate", compared.started.config, request)
    assert [point.reestimated for point in said.points] == [False, *[True] * 9, False]
    assert said.points[0] == plain.points[0]
    assert said.points[-1] == plain.points[-1]
    inner = [
        a.validation_loss != b.validation_loss
        for a, b in zip(said.points, plain.points, strict=True)
    ]
    assert inner[1:-1] == [True] * 9


def test_reestimated_statistics_are_the_mean_of_the_batches(way):
    materials = way.materials
    inputs = PixelInputs(materials.pixels, False, materials.compute)
    before = materials.original.net.state_dict()
    backbone = ready(backbones.build(materials.row, before), materials.compute)
    images = list(way.split.train)
    assert len(images) <= 32  # one batch
    first = next(m for m in backbone.net.modules() if isinstance(m, torch.nn.BatchNorm2d))
    seen = []
    hook = first.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    reestimate_statistics(backbone, inputs, images, materials.compute)
    hook.remove()
    (batch,) = seen
    assert len(batch) == len(images)
    assert torch.allclose(first.running_mean, batch.mean(dim=(0, 2, 3)), atol=1e-5)
    assert torch.allclose(first.running_var, batch.var(dim=(0, 2, 3)), rtol=1e-4, atol=1e-6)
    after = backbone.net.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed and all("running" in name or "num_batches" in name for name in changed)
    assert not any(module.training for module in backbone.modules())
    assert first.momentum is not None


def test_what_was_not_fine_tuned_has_no_way(compared):
    for name in ("zero_shot", "feature_extraction", "from_scratch"):
        run = compared.final(name)[0]
        with pytest.raises(NotPossible, match="was not trained from the source model"):
            exhausted(_open(compared.started.config, run.run_id, run.run, False))


def test_statistics_that_a_model_lacks_are_refused(compared, monkeypatch):
    row = catalog()["mobilenet_v3_small"]
    changed = {**catalog(), row.name: msgspec.structs.replace(row, normalisation="layer")}
    monkeypatch.setattr("tl_core.catalog.catalog", lambda: changed)
    run = compared.final("full_fine_tuning")[0]
    with pytest.raises(NotPossible, match="has no batch normalisation"):
        exhausted(_open(compared.started.config, run.run_id, run.run, True))


def test_the_command_prints_every_point_and_writes_them(compared_job, tmp_path, capsys):
    out = tmp_path / "way.json"
    wanted = ["interpolate", compared_job[:8], "--strategy", "partial_fine_tuning"]
    assert main([*wanted, "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    lines = [line.split()[0] for line in printed.splitlines() if line[:2] in ("0.", "1.")]
    assert lines == [f"{share:.1f}" for share in SHARES]
    assert "Partial fine-tuning, seed 1" in printed
    assert "No point is chosen. There are no labelled source images" in printed
    written = json.loads(out.read_text())
    assert [point["share"] for point in written["points"]] == list(SHARES)
    assert np.isfinite([point["validation_loss"] for point in written["points"]]).all()


def test_the_command_takes_what_changed_most_by_itself(compared_job, capsys):
    assert main(["interpolate", "latest", "--norm-statistics"]) == 0
    assert "full fine-tuning" in capsys.readouterr().out.lower()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--strategy", "zero_shot"], "was not trained from the source model"),
        (["--seed", "9"], "seeds: 1 to 1"),
        (["--json", "/no/such/folder/x.json"], "There is no folder"),
    ],
)
def test_what_cannot_be_interpolated_is_refused_in_one_sentence(
    compared_job, capsys, changes, said
):
    assert main(["interpolate", "latest", *changes]) == 2
    assert said in capsys.readouterr().err
