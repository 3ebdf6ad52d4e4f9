"""The data files against torchvision, and against what the rest of the project relies on."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torchvision

from pretraining.catalog import MODELS, WEIGHTS_NAME, imagenet_classes, row_and_layout
from tl_core.catalog import catalog, source_classes
from tl_core.layouts import layout

ROWS = list(catalog().values())


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def row(request):
    return request.param


def test_data_files_are_what_the_generator_makes(row):
    made, shapes = row_and_layout(row.name)
    assert made == row
    assert {key: tuple(shape) for key, shape in shapes.items()} == layout(row.name)


def test_every_generated_model_has_a_row():
    assert list(catalog()) == list(MODELS)


def test_sizes_agree_with_torchvisions_own_figures(row):
    meta = torchvision.models.get_model_weights(row.name)[WEIGHTS_NAME].meta
    assert row.parameters == meta["num_params"]
    # torchvision gives billions of multiply-adds, rounded to three digits.
    assert row.flops / 2e9 == pytest.approx(meta["_ops"], abs=6e-4)


def test_blocks_and_head_sum_to_the_model(row):
    assert sum(block.parameters for block in row.blocks) + row.head_parameters == row.parameters
    assert row.head_parameters == (row.feature_size + 1) * 1000
    assert sum(block.flops for block in row.blocks) < row.flops
    assert all(block.parameters > 0 and block.flops > 0 for block in row.blocks)


def test_block_names_are_unique_and_the_first_is_the_stem(row):
    names = [block.name for block in row.blocks]
    assert names[0] == "stem"
    assert len(set(names)) == len(names) >= 5


def test_normalisation_decides_the_rate(row):
    has_statistics = any(key.endswith("running_mean") for key in layout(row.name))
    assert has_statistics == (row.normalisation == "batch")
    if row.recipe.optimizer == "sgd":
        assert row.recipe.rate == (3e-3 if row.normalisation == "batch" else 2e-4)
    assert row.recipe.rate < row.recipe.scratch_rate


def test_licences_are_stated(row):
    assert "BSD-3-Clause" in row.weights.code_licence
    assert "non-commercial" in row.weights.weights_licence
    assert "not cleared" in row.weights.commercial
    assert "SWAG" not in row.weights.name  # those are CC BY-NC


def test_preprocessing_is_that_of_the_weights(row):
    published = torchvision.models.get_model_weights(row.name)[WEIGHTS_NAME]
    transforms = published.transforms()
    assert row.weights.url == published.url
    assert [row.preprocessing.resize] == transforms.resize_size
    assert [row.preprocessing.crop] == transforms.crop_size
    assert row.preprocessing.interpolation == transforms.interpolation.value
    assert list(row.preprocessing.mean) == transforms.mean
    assert list(row.preprocessing.std) == transforms.std


def test_imagenet_classes_are_in_torchvisions_order():
    classes = source_classes("imagenet1k")
    categories = torchvision.models.ResNet18_Weights[WEIGHTS_NAME].meta["categories"]
    assert [entry.index for entry in classes] == list(range(1000))
    assert [entry.names[0] for entry in classes] == categories
    synsets = [entry.synset for entry in classes]
    assert synsets == sorted(set(synsets))


def test_imagenet_names_hold_synonyms_without_repeats():
    classes = source_classes("imagenet1k")
    assert classes[310].names[:1] == ("ant",)
    assert "emmet" in classes[310].names
    for entry in classes:
        folded = [name.casefold() for name in entry.names]
        assert len(set(folded)) == len(folded)


def test_a_name_shared_by_two_classes_stays_with_both():
    named = [c.index for c in source_classes("imagenet1k") if "crane" in c.names]
    assert named == [134, 517]


def test_class_names_put_torchvisions_first(tmp_path):
    (tmp_path / "imagenet_synsets.txt").write_text("n01\nn02\n")
    (tmp_path / "imagenet_synset_to_lemma.txt").write_text(
        "n00\tnothing\nn02\tcrane\nn01\tTench, tinca\n"
    )
    classes = imagenet_classes(tmp_path, ["tench", "crane bird"])
    assert [entry.names for entry in classes] == [("tench", "tinca"), ("crane bird", "crane")]


def test_synsets_agree_with_a_labelled_imagenet_sample():
    reference = os.environ.get("TL_REFERENCE_DATA")
    if not reference:
        pytest.skip("TL_REFERENCE_DATA is not set")
    labels = Path(reference) / "data" / "imagenet_sample" / "labels.csv"
    classes = source_classes("imagenet1k")
    with labels.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1000
    for entry in rows:
        known = classes[int(entry["class_index"])]
        assert known.synset == entry["synset"]
        assert entry["class_name"] == known.names[0]


def test_reading_catalog_and_weights_needs_no_torch(tmp_path):
    code = (
        "import sys; from tl_core import catalog, layouts, weights; catalog.catalog(); "
        "layouts.layout('resnet18'); weights.available('resnet18'); "
        "sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parent.parent
    environment = {**os.environ, "TL_HOME": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=False)
    assert ended.returncode == 0
