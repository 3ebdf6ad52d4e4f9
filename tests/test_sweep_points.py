"""Points of sweeps: sensible ones by themselves, one's own by name, and everything else equal."""

import shutil
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from tests import scripted
from tests.factories import comparison_config
from tl_core import catalog, ingest, weights
from tl_core.config import ComparisonConfig, DataConfig, NotPossible, Setting
from tl_core.estimate import Counts
from tl_core.record import record
from tl_core.strategies import STRATEGIES, custom_strategy
from tl_core.sweep import SWEEP_NAMES
from tl_core.sweep_axes import _usual_sizes
from tl_core.sweep_estimate import sweep_seconds, whole_counts
from tl_core.sweep_points import SWEEPS, points
from tl_core.sweep_settings import own_settings, settings_of
from tl_core.weights import FIRST_MODEL, WeightsFile

ROW = catalog.catalog()["resnet18"]
NAMES = ("feature_extraction", "full_fine_tuning", "l2_sp", "from_scratch")


def changed(value: Any, /, **fields: object) -> Any:
    return msgspec.structs.replace(value, **fields)


@pytest.fixture
def base() -> ComparisonConfig:
    return comparison_config(
        backbone="resnet18",
        strategies=tuple(STRATEGIES[name] for name in NAMES),
        budget="thorough",
        seeds=3,
    )


@pytest.fixture
def with_data(base, home, picture_folder) -> ComparisonConfig:
    data = ingest.ingest_path(picture_folder)
    named = DataConfig(fingerprint=data.fingerprint, name=data.name)
    return changed(base, data=named, class_map={data.classes[0]: (3,)})


def differs(sweep, *fields: str) -> None:
    """Hold that the points differ in these fields alone, and each from every other."""
    configs = [point.config for point in sweep.points]
    for field in ComparisonConfig.__struct_fields__:
        values = {msgspec.json.encode(getattr(config, field)) for config in configs}
        assert len(values) == 1 or field in fields, field
    assert len({msgspec.json.encode(config) for config in configs}) == len(configs)


def test_every_sweep_is_told_in_words():
    assert tuple(SWEEPS) == SWEEP_NAMES
    for name, kind in SWEEPS.items():
        assert kind.name == name and kind.question.endswith("?")
        assert kind.title and kind.axis and kind.needs and kind.held and kind.says


def test_labels_go_up_to_half_of_the_smallest_class_and_all(with_data):
    sweep = points("labels", with_data)
    assert [(point.label, point.value) for point in sweep.points] == [
        ("2", 2.0),
        ("3", 3.0),
        ("4", 4.0),
        ("all", 8.0),
    ]
    assert [point.config.labels_per_class for point in sweep.points] == [2, 3, 4, None]
    differs(sweep, "labels_per_class")


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(1, []), (3, [2, 3]), (7, [2, 3, 5, 7]), (25, [2, 5, 10, 20]), (60, [2, 5, 10, 20, 50])],
)
def test_small_classes_have_sizes_enough_for_a_curve(most, sizes):
    assert _usual_sizes(most) == sizes


def test_labels_of_ones_own(with_data):
    sweep = points("labels", with_data, ["4", "all", 2, 30])
    assert [point.label for point in sweep.points] == ["2", "4", "all"]
    assert sweep.notes == ("30 labels per class are all there are: left out.",)
    for wrong, sentence in ((["1", "4"], "2 or more, not 1"), (["few", "4"], "'few' is no number")):
        with pytest.raises(NotPossible, match=sentence):
            points("labels", with_data, wrong)
    with pytest.raises(NotPossible, match=r"two points at least. 30 labels"):
        points("labels", with_data, [4, 30])


def test_nothing_is_tried_inside_a_sweep(base):
    found = points("steps", base).points[0].config.settings
    assert set(found) == {"full_fine_tuning", "l2_sp", "from_scratch"}
    assert found == own_settings(base.strategies, ROW)
    assert found["full_fine_tuning"].learning_rate == ROW.recipe.rate
    assert found["from_scratch"].learning_rate == ROW.recipe.scratch_rate
    assert found["l2_sp"].penalty_strength == STRATEGIES["l2_sp"].strengths[0]
    own = points("steps", changed(base, learning_rate=0.02)).points[0].config
    assert {one.learning_rate for one in own.settings.values()} == {0.02}
    assert own.learning_rate is None
    chosen = Setting(learning_rate=0.07, weight_decay=0.0)
    kept = points("steps", base, settings={"full_fine_tuning": chosen, "lora": chosen})
    assert kept.points[0].config.settings == {**found, "full_fine_tuning": chosen}


def test_settings_are_those_of_the_final_runs():
    found = record(scripted.events(scripted.Scenario(trials=True)))
    settings = settings_of(found)
    assert set(settings) == {s.name for s in found.strategies if s.solver == "steps"}
    final = found.final("full_fine_tuning")[0].run
    assert settings["full_fine_tuning"].learning_rate == final.learning_rate


def test_depth_trains_the_last_blocks_for_every_number(base):
    sweep, blocks = points("depth", base), [block.name for block in ROW.blocks]
    assert [point.label for point in sweep.points] == ["head only", *blocks[::-1]]
    assert [point.value for point in sweep.points] == list(range(len(blocks) + 1))
    differs(sweep, "strategies")
    for k, point in enumerate(sweep.points):
        (strategy,) = point.config.strategies
        assert strategy == custom_strategy(
            [place < len(blocks) - k for place in range(len(blocks))]
        )
        assert set(point.config.settings) == {"custom"}
    assert [point.value for point in points("depth", base, ["0", 2]).points] == [0.0, 2.0]
    with pytest.raises(NotPossible, match=f"from 0 to {len(blocks)}, not 99"):
        points("depth", base, [0, 99])


def test_rates_lie_in_half_decades_around_the_models_own(base):
    first, *others = points("rate", base).points
    assert first.label == "range test" and first.value is None
    low, high = first.config.rate_range
    assert low < others[0].value and high > others[-1].value
    assert {s.solver for s in first.config.strategies} == {"steps"}
    assert len(others) == 7 and others[3].value == ROW.recipe.rate
    ratios = [b.value / a.value for a, b in pairwise(others)]
    assert ratios == pytest.approx([10**0.5] * 6, rel=0.05)
    for point in others:
        assert point.config.learning_rate == point.value and not point.config.settings
        assert point.config.rate_range is None
    own = points("rate", changed(base, learning_rate=0.5)).points
    assert max(point.value or 0.0 for point in own) == 0.5, "no rate above 1"


def test_steps_are_the_budgets_times_a_quarter_to_eight(base):
    sweep = points("steps", base)
    assert [point.value for point in sweep.points] == [125, 250, 500, 1000, 2000, 4000]
    assert sweep.points[-1].label == "4,000"
    differs(sweep, "steps")
    assert points("steps", changed(base, steps=8)).points[0].value == 2


def test_input_sizes_are_multiples_that_the_model_takes(base):
    sweep = points("input_size", base)
    assert [point.value for point in sweep.points] == [128, 160, 224, 320]
    assert [point.config.input_size for point in sweep.points] == [128, 160, None, 320]
    differs(sweep, "input_size")
    small = points("input_size", changed(base, backbone=FIRST_MODEL))
    own = catalog.catalog()[FIRST_MODEL].preprocessing.crop
    assert own in [point.value for point in small.points]
    assert all(int(point.value) % 8 == 0 for point in small.points)
    some = points("input_size", base, [1, 64, 224])
    assert [point.label for point in some.points] == ["64", "224"]
    assert some.notes and some.notes[0].startswith("The input size is from")
    fixed = next(row for row in catalog.catalog().values() if row.family == "vit")
    with pytest.raises(NotPossible, match="takes no other size"):
        points("input_size", changed(base, backbone=fixed.name))


def test_a_range_test_is_a_point_and_no_base(base):
    with pytest.raises(NotPossible, match="leave the range out"):
        points("steps", changed(base, rate_range=(1e-5, 1.0)))


@pytest.mark.parametrize("name", ["augmentation", "regularisation"])
def test_named_points_are_whole_words(base, name):
    sweep = points(name, base)
    assert sweep.points[0].label == "none"
    assert all(point.value is None for point in sweep.points)
    differs(sweep, name)
    chosen = points(name, base, [getattr(point.config, name) for point in sweep.points[:2]])
    assert chosen.points == sweep.points[:2]
    with pytest.raises(NotPossible, match=f"There is no {name} 'more'"):
        points(name, base, ["none", "more"])


@pytest.mark.parametrize("name", ["rate", "steps", "augmentation", "regularisation"])
def test_without_anything_trained_nothing_would_change(base, name):
    with pytest.raises(NotPossible, match="None of the strategies is trained step by step"):
        points(name, changed(base, strategies=(STRATEGIES["feature_extraction"],)))


def test_too_many_points_are_refused(base):
    with pytest.raises(NotPossible, match="40 points at most, not 41"):
        points("steps", base, range(1, 42))


@pytest.fixture
def local(monkeypatch) -> None:
    """Weights of three models, as if they were here."""

    def file(model: str) -> WeightsFile:
        return WeightsFile(
            model=model, sha256=model, path="", origin="own file", name="", megabytes=1, added=""
        )

    files = [file(model) for model in (FIRST_MODEL, "resnet18", "squeezenet1_1")]
    monkeypatch.setattr(weights, "local_models", lambda: files)


def test_every_model_that_is_here_is_compared(with_data, local):
    sweep = points("model", changed(with_data, strategies=(*with_data.strategies, own())))
    assert [point.config.backbone for point in sweep.points] == [
        name for name in catalog.catalog() if name in (FIRST_MODEL, "resnet18", "squeezenet1_1")
    ]
    by_name = {point.config.backbone: point.config for point in sweep.points}
    assert by_name["resnet18"].weights_sha256 == with_data.weights_sha256, "the file in use"
    other = by_name["squeezenet1_1"]
    assert other.weights_sha256 == "squeezenet1_1"
    assert other.class_map == with_data.class_map, "the same source classes"
    assert by_name[FIRST_MODEL].class_map == {}
    row = catalog.catalog()["squeezenet1_1"]
    assert other.settings["full_fine_tuning"].learning_rate == row.recipe.rate
    assert "custom" not in other.settings and "custom" in by_name["resnet18"].settings
    left_out, layers = sweep.notes
    assert "ResNet-50" in left_out and "no weights on this machine" in left_out
    assert "belong to one model" in layers
    one = points("model", with_data, ["resnet18", "squeezenet1_1"])
    assert len(one.points) == 2 and one.notes == ()


def own():
    return custom_strategy([True] * len(ROW.blocks))


def test_source_images_go_with_the_model(with_data, local, picture_folder, tmp_path):
    drawn = changed(with_data, backbone=FIRST_MODEL)
    drawn = changed(drawn, data=changed(drawn.data, probe="drawn:x", probe_name="drawn"))
    probes = {p.config.backbone: p.config.data.probe for p in points("model", drawn).points}
    assert probes == {FIRST_MODEL: "drawn:x", "resnet18": None, "squeezenet1_1": None}
    for name in ("tench", "goldfish"):
        (tmp_path / "probe" / name).mkdir(parents=True)
        shutil.copy(next(picture_folder.glob(f"*/{len(name)}.png")), tmp_path / "probe" / name)
    brought = ingest.ingest_path(tmp_path / "probe", kind="probe")
    base = changed(with_data, data=changed(with_data.data, probe=brought.fingerprint))
    probes = {p.config.backbone: p.config.data.probe for p in points("model", base).points}
    assert probes["squeezenet1_1"] == probes["resnet18"] == brought.fingerprint
    assert probes[FIRST_MODEL] is None, "it was trained on no such classes"


def test_one_model_alone_is_no_sweep(with_data, home):
    with pytest.raises(NotPossible, match=r"two points at least.*no weights on this machine"):
        points("model", changed(with_data, backbone=FIRST_MODEL))


def test_seconds_are_those_of_all_points(with_data):
    counts = whole_counts(with_data)
    assert (counts.n_train, counts.n_test, counts.classes, counts.n_probe) == (16, 4, 2, 0)
    few = points("labels", with_data, [2, 4])
    more = points("labels", with_data, [2, 4, "all"])
    large = Counts(4000, 1000, 1000)
    assert sweep_seconds(few, large, None, {}) < sweep_seconds(more, large, None, {})
    steps = points("steps", with_data, [10, 20])
    longer = points("steps", with_data, [10, 2000])
    assert sweep_seconds(steps, counts, None, {}) < sweep_seconds(longer, counts, None, {})
    unknown = changed(steps.points[0].config, backbone="gone")
    gone = changed(steps, points=(changed(steps.points[0], config=unknown),))
    assert sweep_seconds(gone, counts, None, {}) is None
