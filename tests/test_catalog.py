"""The data files against torchvision, and against what the rest of the project relies on."""

import csv
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torchvision
from msgspec.structs import replace

from pretraining import source_names
from pretraining.catalog import (
    BUNDLED,
    MODELS,
    WEIGHTS_NAME,
    drawn_classes,
    imagenet_classes,
    row_and_layout,
)
from tl_core.catalog import catalog, data_file, source_classes
from tl_core.class_map import suggest
from tl_core.layouts import layout
from tl_core.procedural import CLASSES

ROWS = list(catalog().values())
PUBLISHED = [row for row in ROWS if row.name != BUNDLED]


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def row(request):
    return request.param


@pytest.fixture(params=PUBLISHED, ids=lambda row: row.name)
def published_row(request):
    return request.param


def test_data_files_are_what_the_generator_makes(row):
    made, shapes = row_and_layout(row.name)
    if row.name == BUNDLED:  # drawing and looking at the held-out images takes half a minute
        weights = replace(made.weights, top1=row.weights.top1, top5=row.weights.top5)
        made = replace(made, weights=weights)
    assert made == row
    assert {key: tuple(shape) for key, shape in shapes.items()} == layout(row.name)


def test_every_generated_model_has_a_row():
    assert list(catalog()) == list(MODELS)


def test_the_bundled_model_is_first_and_small_enough_to_come_with_the_app():
    row = ROWS[0]
    assert row.name == BUNDLED
    path = data_file(row.weights.file)
    assert path.stat().st_size <= 12e6
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row.weights.sha256
    assert all(not other.weights.file and not other.weights.drawn for other in ROWS[1:])


def test_sizes_agree_with_torchvisions_own_figures(published_row):
    row = published_row
    meta = torchvision.models.get_model_weights(row.name)[WEIGHTS_NAME].meta
    assert row.parameters == meta["num_params"]
    # torchvision gives billions of multiply-adds, rounded to three digits.
    assert row.flops / 2e9 == pytest.approx(meta["_ops"], abs=6e-4)


def test_blocks_and_head_sum_to_the_model(row):
    assert sum(block.parameters for block in row.blocks) + row.head_parameters == row.parameters
    classes = len(source_classes(row.weights.source_classes))
    assert row.head_parameters == (row.feature_size + 1) * classes
    assert sum(block.flops for block in row.blocks) < row.flops
    assert all(block.parameters > 0 and block.flops > 0 for block in row.blocks)
    assert all(block.values > 0 for block in row.blocks)


def test_block_names_are_unique_and_the_first_is_the_stem(row):
    names = [block.name for block in row.blocks]
    assert names[0] == "stem"
    assert len(set(names)) == len(names) >= 5


def test_normalisation_decides_the_rate(row):
    has_statistics = any(key.endswith("running_mean") for key in layout(row.name))
    assert has_statistics == (row.normalisation == "batch")
    if row.recipe.optimizer == "sgd" and row.name != BUNDLED:
        assert row.recipe.rate == (3e-3 if row.normalisation == "batch" else 2e-4)
    assert row.recipe.rate < row.recipe.scratch_rate


def test_licences_are_stated(published_row):
    row = published_row
    assert "BSD-3-Clause" in row.weights.code_licence
    assert "non-commercial" in row.weights.weights_licence
    assert "not cleared" in row.weights.commercial
    assert "SWAG" not in row.weights.name  # those are CC BY-NC


def test_the_bundled_weights_may_be_used_for_anything():
    about = catalog()[BUNDLED].weights
    assert about.weights_licence.startswith("Apache-2.0")
    assert about.commercial.startswith("Commercial use is allowed:")
    licence = Path(__file__).parent.parent / "LICENSE"
    assert "Apache License" in licence.read_text()


def test_preprocessing_is_that_of_the_weights(published_row):
    row = published_row
    published = torchvision.models.get_model_weights(row.name)[WEIGHTS_NAME]
    transforms = published.transforms()
    assert row.weights.url == published.url
    assert [row.preprocessing.resize] == transforms.resize_size
    assert [row.preprocessing.crop] == transforms.crop_size
    assert row.preprocessing.interpolation == transforms.interpolation.value
    assert list(row.preprocessing.mean) == transforms.mean
    assert list(row.preprocessing.std) == transforms.std


def test_drawn_classes_are_the_generators_in_its_order():
    classes = source_classes("procedural")
    assert list(classes) == drawn_classes()
    assert tuple(entry.names[0] for entry in classes) == CLASSES
    assert source_names.strangers(CLASSES) == []


def test_every_word_for_a_drawn_class_means_that_class_alone():
    classes = source_classes("procedural")
    words = [name for entry in classes for name in entry.names]
    found = suggest(words, classes)
    for entry in classes:
        for name in entry.names:
            assert found[name].indices == (entry.index,), (name, found[name].reason)


def test_digits_find_their_drawn_classes():
    classes = source_classes("procedural")
    found = suggest([str(digit) for digit in range(10)], classes)
    named = [classes[found[str(digit)].indices[0]].names[0] for digit in range(10)]
    assert named[:3] == ["digit zero", "digit one", "digit two"]
    assert len(set(named)) == 10


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
