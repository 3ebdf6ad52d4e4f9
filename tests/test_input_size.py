"""Images seen at another size: which models can, what it costs, and that everything follows."""

import msgspec
import pytest
import torch

from tests.test_activations import drain
from tl_core import config, counting, estimate, experiment, speeds
from tl_core.backbones import Backbone, construct
from tl_core.catalog import LARGEST_INPUT, SMALLEST_INPUT, Model, at_size, catalog
from tl_core.config import Budget, NotPossible
from tl_core.execution import Execution
from tl_core.materials import open_materials
from tl_core.questions.exporting import export
from tl_core.questions.prediction import predict
from tl_core.record import record
from tl_core.strategies import STRATEGIES

ROWS = list(catalog().values())
FIXED = {"vit_b_16"}


def built(row: Model) -> Backbone:
    classes = row.head_parameters // (row.feature_size + 1)
    return Backbone(construct(row.architecture, classes).eval(), row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_model_takes_the_smallest_size_or_says_why_not(row):
    if row.name in FIXED:
        with pytest.raises(NotPossible, match="takes no other size"):
            at_size(row, 64)
        return
    for size in (SMALLEST_INPUT, 100):
        sized = at_size(row, size)
        backbone = built(sized)
        with torch.no_grad():
            features = backbone(torch.zeros(1, 3, size, size))
        assert features.shape == (1, row.feature_size)
        assert sized.preprocessing.crop == size <= sized.preprocessing.resize
        shape = row.preprocessing
        assert sized.preprocessing.resize == round(shape.resize * size / shape.crop)
        assert (sized.parameters, sized.recipe) == (row.parameters, row.recipe)


@pytest.mark.parametrize("size", [SMALLEST_INPUT - 1, 0, -64, LARGEST_INPUT + 1])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(NotPossible, match="from 32 to 512"):
        at_size(catalog()["resnet18"], size)


def test_a_models_own_size_is_its_row():
    for row in ROWS:
        assert at_size(row, None) is row
        assert at_size(row, row.preprocessing.crop) is row


def test_costs_by_area_are_those_counted_where_layers_divide_evenly():
    row = at_size(catalog()["resnet18"], 96)
    assert counting.counted(built(row)) == row
    assert row.flops < catalog()["resnet18"].flops / 5


def test_counting_knows_what_area_does_not():
    for name, size in (("swin_t", 64), ("squeezenet1_1", 100), ("mobilenet_v3_small", 64)):
        row = at_size(catalog()[name], size)
        found = counting.counted(built(row))
        assert found != row
        assert row.flops / 2.5 < found.flops < row.flops * 2.5
        assert found.preprocessing == row.preprocessing


@pytest.fixture
def prepared(small_comparison, monkeypatch):
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=2, trials=1, scratch_extension=1))
    names = ("zero_shot", "feature_extraction", "partial_fine_tuning")
    wanted = tuple(STRATEGIES[name] for name in names)
    return msgspec.structs.replace(small_comparison, strategies=wanted)


def finished(wanted):
    nothing = lambda *_: None  # noqa: E731
    return record(experiment.run_comparison(wanted, nothing, nothing, nothing))


def test_target_images_probe_and_read_outs_are_all_at_the_size(prepared):
    sized = msgspec.structs.replace(prepared, input_size=64)
    own, small = drain(open_materials(prepared)), drain(open_materials(sized))
    assert small.row.preprocessing.crop == 64
    assert next(iter(small.meter.target.evaluation_batches([0])))[0].shape[-1] == 64
    assert small.pixels.key != own.pixels.key
    assert not (small.read_out.features == own.read_out.features).all()
    again = drain(open_materials(prepared))
    assert (again.read_out.features == own.read_out.features).all()


def test_every_run_is_another_at_another_size(prepared):
    sized = msgspec.structs.replace(prepared, input_size=64)
    own, small = finished(prepared), finished(sized)
    assert not set(own.ended) & set(small.ended)
    assert small.started.input_size == 64 and own.started.input_size == 224
    assert "--input-size 64" in small.started.command
    for name in ("feature_extraction", "partial_fine_tuning"):
        before, after = own.final(name)[0].result, small.final(name)[0].result
        assert before.test_log_probabilities != after.test_log_probabilities
        assert after.flops < before.flops / 2


def test_steps_do_not_depend_on_the_size(prepared):
    """Else a comparison under 128 pixels would get four times the steps of one above."""
    sized = msgspec.structs.replace(prepared, input_size=96)
    materials = drain(open_materials(sized))
    nothing = lambda *_: None  # noqa: E731
    runs = Execution(sized, materials, nothing, nothing, nothing)
    assert runs.budget.steps == 2
    counts = estimate.Counts(20, 4, 4)
    planned = estimate.plan_of(sized, counts, None, {})
    usual = estimate.plan_of(prepared, counts, None, {})
    assert len(planned.runs) == len(usual.runs)
    assert planned.seconds < usual.seconds


def test_an_impossible_size_has_no_plan_and_its_speed_is_not_learnt(prepared):
    wrong = msgspec.structs.replace(prepared, backbone="vit_b_16", input_size=64)
    assert estimate.plan_of(wrong, estimate.Counts(20, 4, 4), None, {}) is None
    sized = msgspec.structs.replace(prepared, input_size=64)
    assert speeds.measured_speeds(finished(sized)) == {}
    assert speeds.measured_speeds(finished(prepared))


def test_finished_models_are_used_and_exported_at_their_size(prepared, picture_folder):
    from tl_core import finished_runs, ingest

    found = finished(msgspec.structs.replace(prepared, input_size=64))
    run = found.final("partial_fine_tuning")[0]
    request = finished_runs.named([run])
    asked = found.started.config
    unlabelled = ingest.ingest_path(picture_folder, kind="unlabelled").fingerprint
    (answer,) = [
        event.answer
        for event in predict(asked, {**request, "unlabelled": unlabelled})
        if hasattr(event, "answer")
    ]
    assert len(answer.images) == 24
    (taken,) = [event.answer for event in export(asked, request) if hasattr(event, "answer")]
    assert taken.parity and all(one.largest < 1e-4 for one in taken.parity)
