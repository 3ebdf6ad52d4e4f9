"""The sample sets: words, pictures, given splits, what is planted; nothing is stored but once."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from tl_core import class_map, datasets, ingest
from tl_core.ingest import SAMPLES, samples
from tl_core.ingest.samples import defects, leak, leaves, signs, threads
from tl_core.ingest.samples.canvas import SIDE, Canvas, View
from tl_core.procedural import CLASSES as SOURCE_CLASSES

DRAWN = [name for name in SAMPLES if name != "digits"]


def per_part(name: str) -> dict[str, Counter]:
    """How many pictures of each class a part has."""
    found: dict[str, Counter] = {}
    for picture in SAMPLES[name].pictures():
        found.setdefault(picture.part, Counter())[picture.label] += 1
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_has_its_words(name):
    sample = SAMPLES[name]
    assert sample.title
    assert sample.summary.endswith(".")
    assert sample.lesson.endswith(".")
    assert len(sample.summary) < 120


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_sets_are_small_to_learn_from_and_large_to_test_on(name):
    parts = per_part(name)
    assert set(parts) == {"train", "validation", "test"}
    assert 60 <= parts["train"].total() + parts["validation"].total() <= 300
    assert parts["test"].total() >= 400
    for counts in parts.values():
        assert set(counts) == set(parts["train"])
    assert f"{parts['test'].total()} " in SAMPLES[name].summary


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_the_same_whatever_was_drawn_before(name):
    first = list(SAMPLES[name].pictures())[::97]
    again = list(SAMPLES[name].pictures())[::97]
    assert len({picture.name for picture in SAMPLES[name].pictures()}) == len(
        list(SAMPLES[name].pictures())
    )
    pixels = [picture.draw() for picture in first]
    assert {one.shape for one in pixels} == {(SIDE, SIDE, 3)}
    assert {one.dtype for one in pixels} == {np.dtype(np.uint8)}
    for one, picture in zip(reversed(pixels), reversed(again), strict=True):
        assert np.array_equal(one, picture.draw())
    assert len({one.tobytes() for one in pixels}) == len(pixels)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_preview_shows_different_classes_and_stores_nothing(home, name):
    shown = ingest.preview(name, 5)
    assert len(shown) == 5
    classes = {picture.label for picture in SAMPLES[name].pictures()}
    assert len({label for label, _ in shown}) == min(5, len(classes))
    assert all(Image.open(io.BytesIO(content)).format == "PNG" for _, content in shown)
    assert not (home / "datasets").exists()


def test_a_drawn_set_is_stored_once_with_its_split(home):
    dataset = ingest.sample("leak")
    assert ingest.sample_name(dataset) == "leak"
    assert dataset.mirror
    assert (dataset.notes, dataset.refused) == ((), ())
    part = datasets.split(dataset, 0)
    assert part == datasets.split(dataset, 2)
    assert (len(part.train), len(part.validation), len(part.test)) == (120, 40, 450)
    # Second photographs are no exact copies: only a check that looks can find them.
    assert part.left_out == ()
    assert ingest.sample("leak") == dataset
    names = {image.name: dataset.classes[image.label] for image in dataset.images}
    planted = leak.planted()
    assert all(first in names and second in names for first, second in planted.twice)
    assert all(names[first] == names[second] for first, second in planted.twice)
    assert all(names[name] != tree for name, tree in planted.wrong.items())


def test_what_is_planted():
    planted = leak.planted()
    parts = [second.split("/")[0] for _, second in planted.twice]
    assert Counter(parts) == {"test": 14 * 5, "validation": 2 * 5}
    assert {first.split("/")[0] for first, _ in planted.twice} == {"train"}
    assert len({first for first, _ in planted.twice}) == len(planted.twice)
    assert Counter(name.split("/")[0] for name in planted.wrong) == {"train": 6, "validation": 2}
    assert set(planted.wrong.values()) <= set(leaves.CLASSES)
    twice = {name for pair in planted.twice for name in pair}
    assert not twice & set(planted.wrong)


def test_two_photographs_of_a_leaf_are_alike_and_not_the_same():
    drawn = {picture.name: picture.draw for picture in SAMPLES["leak"].pictures()}
    pairs = leak.planted().twice[::7]
    first = np.stack([drawn[one]() for one, _ in pairs]).astype(np.float64)
    second = np.stack([drawn[other]() for _, other in pairs]).astype(np.float64)

    def pattern(images: np.ndarray) -> np.ndarray:
        """Coarse brightness without the slant of the light, as unit vectors."""
        small = np.log1p(images.mean(axis=3)).reshape(len(images), 24, 4, 24, 4).mean(axis=(2, 4))
        flat = small.reshape(len(images), -1)
        down, across = (axis.ravel() for axis in np.mgrid[0:24, 0:24])
        plane = np.stack([np.ones(24 * 24), down, across], axis=1)
        flat = flat - (plane @ np.linalg.lstsq(plane, flat.T, rcond=None)[0]).T
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)

    alike = pattern(first) @ pattern(second).T
    assert (alike.argmax(axis=1) == np.arange(len(pairs))).all()
    assert np.diag(alike).min() > 0.6
    assert not (first == second).all(axis=(1, 2, 3)).any()


def test_the_boards_of_signs_are_classes_of_the_source_task():
    assert set(signs.CLASSES) <= set(SOURCE_CLASSES)
    assert set(per_part("signs")["train"]) == set(signs.CLASSES)


def area(outline: np.ndarray) -> float:
    """What a polygon covers (the shoelace formula)."""
    (x, y), (next_x, next_y) = outline.T, np.roll(outline, -1, axis=0).T
    return abs(float(np.sum(x * next_y - next_x * y))) / 2


def boards(label: str, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The outline of the board on every picture of a class: the largest shape before the scene."""
    shapes: list[np.ndarray] = []
    behind = signs.scene

    def scene(rng: np.random.Generator) -> Canvas:
        canvas = behind(rng)
        shapes.clear()
        return canvas

    monkeypatch.setattr(signs, "scene", scene)
    monkeypatch.setattr(Canvas, "fill", lambda self, outline, colour: shapes.append(outline))
    found = []
    for picture in SAMPLES["signs"].pictures():
        if picture.label == label:
            picture.draw()
            found.append(max(shapes, key=area))
    return found


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [("octagon", 0.88, 0.93), ("circle", 0.98, 1.0), ("square", 0.6, 0.75)],
)
def test_corners_of_boards_are_seen(label, low, high, monkeypatch):
    # Seen from the front, where the circle around a board is a circle.
    monkeypatch.setattr(signs, "View", lambda centre, size, **turns: View(centre, size))
    shares = []
    for board in boards(label, monkeypatch):
        away = board - (board.min(axis=0) + board.max(axis=0)) / 2
        shares.append(area(board) / (np.pi * np.hypot(*away.T).max() ** 2))
    # Eight sharp corners leave a tenth of the circle free, as few other shapes do.
    assert low < min(shares)
    assert max(shares) < high


@pytest.mark.parametrize("label", ["triangle", "diamond", "pentagon"])
def test_boards_stand_upright(label, monkeypatch):
    for board in boards(label, monkeypatch):
        across = board[:, 0]
        point = across[board[:, 1].argmin()]
        assert 0.25 < (point - across.min()) / np.ptp(across) < 0.75


def test_the_bundled_model_suggests_the_class_map_of_the_signs():
    from tl_core.catalog import catalog, source_classes

    known = source_classes(next(iter(catalog().values())).weights.source_classes)
    found = class_map.suggest(signs.CLASSES, known)
    assert all(len(suggestion.indices) == 1 for suggestion in found.values())


def test_the_mixture_of_faults_differs_between_training_and_test():
    parts = per_part("defects")
    train, test = parts["train"], parts["test"]
    assert train["no defect"] / train.total() > 0.65
    assert test["no defect"] / test.total() > 0.6
    faults = [name for name in defects.CLASSES if name != "no defect"]
    ordered = [sorted(faults, key=counts.__getitem__) for counts in (train, test)]
    assert ordered[0] == ordered[1][::-1]


def test_a_mirrored_screw_has_the_other_thread():
    assert not SAMPLES["threads"].mirror
    assert not SAMPLES["digits"].mirror
    assert set(per_part("threads")["test"].values()) == {200}
    assert threads.CLASSES == ("left-handed", "right-handed")


def test_other_data_are_no_sample(home, picture_folder):
    assert ingest.sample_name(ingest.ingest_path(picture_folder)) is None


def test_an_unknown_sample_is_refused_with_those_there_are(home):
    with pytest.raises(ingest.BadInput, match="signs, digits"):
        ingest.sample("nothing")
    with pytest.raises(ingest.BadInput):
        samples.preview("nothing", 1)
