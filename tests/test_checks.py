import msgspec
import numpy as np
import pytest
from PIL import Image

from benchmarks.planted_faults import FIRST, MODEL, WEIGHTS, WRONG
from benchmarks.planting import facts_of, features_of, wrong_labels
from tests.pictures import encoded, scene, zipped
from tl_core import catalog, checks, datasets, ingest, weights
from tl_core.checks import (
    CHECKS,
    blank_images,
    imbalance,
    input_statistics,
    label_errors,
    outliers,
    tiny_classes,
)
from tl_core.datasets import Dataset
from tl_core.findings import Finding


def clusters(sizes: list[int], apart: float = 3.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features N x 20 around one centre a class, and labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    centres = rng.normal(size=(len(sizes), 20)) * apart / 2
    features = centres[labels] + rng.normal(size=(len(labels), 20))
    return features.astype(np.float32), labels


# --- Labels -------------------------------------------------------------------------------------


def test_wrong_labels_come_first_with_the_right_class():
    features, true = clusters([60, 60, 60])
    given, wrong = wrong_labels(true, 9, seed=3)
    found = label_errors(features, given, 3)
    assert {suspect.image for suspect in found[:9]} == wrong
    assert all(suspect.suggested == true[suspect.image] for suspect in found[:9])
    assert all(suspect.given == given[suspect.image] for suspect in found)
    qualities = [suspect.quality for suspect in found]
    assert qualities == sorted(qualities)
    assert 0 <= qualities[0] < checks.CONFIDENT


def test_right_labels_are_left_alone():
    features, true = clusters([60, 40, 50], apart=6)
    assert label_errors(features, true, 3) == []


def test_the_same_is_found_again():
    features, true = clusters([40, 40], apart=1.5)
    given, _ = wrong_labels(true, 6, seed=1)
    assert label_errors(features, given, 2) == label_errors(features, given, 2)


def test_copies_do_not_vouch_for_each_other():
    """A wrong label that lies five times in the set is still found when folds keep groups whole."""
    rng = np.random.default_rng(1)
    features, true = clusters([40, 40], apart=2.5, seed=1)
    group = [3, 80, 81, 82, 83]
    features = np.concatenate([features, features[[3] * 4]])
    # Features that say nothing of the class, by which the copies can be learnt by heart.
    marks = rng.normal(size=(len(features), 30)).astype(np.float32)
    marks[group] = 3 * marks[3]
    features = np.concatenate([features, marks], axis=1)
    given = np.concatenate([true, [0] * 4])
    given[group] = 1
    assert {s.image for s in label_errors(features, given, 2, groups=[group])} == set(group)
    assert label_errors(features, given, 2) == []


def test_classes_too_small_to_judge_are_left_out():
    features, true = clusters([40, 40, 4])
    given = true.copy()
    given[:3], given[41:44] = 1, 0
    found = label_errors(features, given, 4)
    assert {0, 1, 2, 41, 42, 43} <= {suspect.image for suspect in found}
    assert {suspect.given for suspect in found} | {s.suggested for s in found} <= {0, 1}
    assert label_errors(*clusters([40, 4, 3]), 3) == []


# --- Outliers -----------------------------------------------------------------------------------


def test_what_belongs_nowhere_is_an_outlier():
    features, labels = clusters([60, 60, 25], apart=6)
    rng = np.random.default_rng(5)
    strangers = rng.normal(size=(2, 20)).astype(np.float32) * 8
    found = outliers(np.concatenate([features, strangers]), [*labels, 0, 1])
    assert {outlier.image for outlier in found} == {145, 146}
    assert found[0].score >= found[1].score > 6


def test_a_normal_set_has_few_outliers():
    counts = [len(outliers(*clusters([80, 80], apart=4, seed=seed))) for seed in range(5)]
    assert np.mean(counts) <= 2


def test_copies_are_no_crowd():
    """Twenty-five copies are one place in feature space; without that all others would be odd."""
    features, labels = clusters([60, 60], apart=4)
    features = np.concatenate([features, np.repeat(features[:1], 25, axis=0)])
    found = outliers(features, np.concatenate([labels, [0] * 25]))
    assert len(found) <= 2


def test_few_images_have_no_outliers():
    features, labels = clusters([14, 14])
    features[0] += 100
    assert outliers(features, labels) == []


# --- Pictures and classes -----------------------------------------------------------------------


def test_counts_of_classes():
    labels = [0] * 40 + [1] * 10 + [2] * 5
    assert imbalance(labels) == 8
    assert tiny_classes(labels, 4) == (2, 3)
    assert tiny_classes(labels, 3, least=20) == (1, 2)


@pytest.fixture
def odd(home) -> Dataset:
    """Twelve scenes of each class, one of each fault among them, in a given split."""
    files = {f"train/{'ab'[n % 2]}/{n:02}.png": encoded(scene(n)) for n in range(24)}
    files |= {f"test/{'ab'[n % 2]}/{n:02}.png": encoded(scene(n)) for n in range(24, 32)}
    files["train/a/empty.png"] = encoded(Image.new("RGB", (90, 90), "white"))
    files["train/a/long.png"] = encoded(scene(70, (300, 100)))
    files["train/b/small.png"] = encoded(scene(71, (30, 30)))
    files["train/a/again.png"] = files["train/a/04.png"]
    files["train/b/wrong.png"] = files["train/a/06.png"]
    files["test/a/seen.jpg"] = encoded(scene(8).resize((116, 87)), "JPEG", quality=80)
    files["train/a/near.jpg"] = encoded(scene(10), "JPEG", quality=70)
    for number in range(4):
        files[f"train/b/grey{number}.png"] = encoded(scene(80 + number).convert("L"))
    dim = np.asarray(scene(90), dtype=np.float64) * 0.11 + 100
    files["train/b/dim.png"] = encoded(Image.fromarray(dim.astype(np.uint8)))
    red = np.array(scene(91))
    red[..., 2] = 7
    files["train/b/no blue.png"] = encoded(Image.fromarray(red))
    return ingest.ingest_zip(zipped(files), name="odd")


def run(dataset: Dataset, features: np.ndarray | None = None, resize: int | None = None):
    found = checks.findings(
        dataset, facts_of(dataset), features, datasets.split(dataset, 0), resize
    )
    return {finding.kind: finding for finding in found}


def names(dataset: Dataset, finding: Finding) -> set[str]:
    return {dataset.images[index].name.split("/")[-1] for index in finding.images}


def test_every_planted_fault_is_reported(odd):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(odd.images), 8)).astype(np.float32)
    found = run(odd, features, resize=64)
    assert list(found) == list(CHECKS)
    shown = {kind: names(odd, finding) for kind, finding in found.items()}
    assert shown["copies_across_parts"] == {"08.png", "seen.jpg"}
    assert shown["conflicting_labels"] == {"06.png", "wrong.png"}
    assert shown["exact_copies"] == {"04.png", "again.png", "06.png", "wrong.png"}
    assert shown["near_copies"] == {"10.png", "near.jpg"}
    assert shown["blank_images"] == {"empty.png"}
    assert shown["extreme_aspect"] == {"long.png"}
    assert shown["upscaled"] == {"small.png"}
    assert shown["low_contrast"] == {"dim.png"}
    assert shown["constant_channel"] == {"no blue.png"}
    assert shown["mixed_colour"] == {*(f"grey{n}.png" for n in range(4)), "empty.png"}
    serious = {kind for kind, finding in found.items() if finding.severity == "serious"}
    assert serious == {"copies_across_parts", "conflicting_labels"}
    assert "1 picture in more than one part" in found["copies_across_parts"].text
    assert "'a', 'b'" in found["conflicting_labels"].text
    assert len(found["exact_copies"].groups) == 2


def test_what_is_learnt_from_and_tested_is_counted(odd):
    """Of the nine test images one shows a picture that the other parts have as well."""
    text = run(odd)["copies_across_parts"].text
    assert "1 image (11.1%) lies in another part" in text
    assert "accuracy will look better than it is" in text


def test_findings_are_sentences_and_plain_data(odd):
    for finding in run(odd, resize=64).values():
        assert finding.title == CHECKS[finding.kind].title
        assert finding.text.endswith(".")
        assert finding.severity == "fine" or finding.remedy.endswith(".")
        assert not finding.suggested
        assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding


def test_every_check_says_what_it_means():
    for kind, check in CHECKS.items():
        assert kind.isidentifier()
        assert check.title[0].isupper()
        assert check.meaning.endswith(".")
    assert len({check.title for check in CHECKS.values()}) == len(CHECKS)


def test_a_sound_data_set_is_fine(home):
    files = {f"{'ab'[n % 2]}/{n:02}.png": encoded(scene(n)) for n in range(40)}
    dataset = ingest.ingest_zip(zipped(files), name="sound")
    features, _ = clusters([20, 20], apart=6)
    found = run(dataset, features, resize=32)
    assert list(found) == list(CHECKS)
    assert {finding.severity for finding in found.values()} == {"fine"}
    assert not any(finding.images or finding.remedy for finding in found.values())


def test_without_a_model_only_what_needs_none_is_checked(odd):
    assert set(CHECKS) - set(run(odd)) == {"label_errors", "outliers", "upscaled"}


def test_a_mirror_image_is_no_copy_where_sides_matter(home):
    files = {f"{'ab'[n % 2]}/{n:02}.png": encoded(scene(n)) for n in range(12)}
    files["b/mirrored.png"] = encoded(scene(2).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    dataset = ingest.ingest_zip(zipped(files), name="sides")
    assert names(dataset, run(dataset)["conflicting_labels"]) == {"02.png", "mirrored.png"}
    sided = msgspec.structs.replace(dataset, mirror=False)
    assert run(sided)["conflicting_labels"].severity == "fine"


def test_uneven_classes_by_degree(home):
    def severity(small: int) -> str:
        files = {f"a/{n}.png": encoded(scene(n, (32, 32))) for n in range(44)}
        files |= {f"b/{n}.png": encoded(scene(50 + n, (32, 32))) for n in range(small)}
        found = run(ingest.ingest_zip(zipped(files), name="uneven"))
        assert (found["tiny_classes"].severity == "fine") == (small >= 10)
        return found["imbalance"].severity

    assert [severity(small) for small in (20, 11, 4)] == ["fine", "worth a look", "serious"]


def test_input_statistics(odd):
    found = input_statistics(facts_of(odd), 64)
    total = len(odd.images)
    assert found.upscaled == 1 / total
    assert found.greyscale == 5 / total
    assert found.extreme_aspect == 1 / total
    assert found.low_contrast == 2 / total
    assert input_statistics(facts_of(odd)).upscaled is None


# --- Photographs --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ants_and_bees(reference, tmp_path_factory):
    """The tutorial's photographs with their facts and SqueezeNet's features."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_HOME", str(tmp_path_factory.mktemp("photographs")))
        dataset = ingest.ingest_path(reference / "data" / "hymenoptera")
        file = weights.add(catalog.find(MODEL), reference / "weights" / WEIGHTS, name="own")
        yield dataset, facts_of(dataset), features_of(dataset, file)


def test_wrong_labels_among_photographs(ants_and_bees):
    dataset, _, features = ants_and_bees
    true = np.array([image.label for image in dataset.images])
    hits = []
    for seed in range(3):
        given, wrong = wrong_labels(true, WRONG, seed)
        found = label_errors(features, given, 2)
        hits.append(sum(suspect.image in wrong for suspect in found[:FIRST]))
    assert np.mean(hits) >= 10


def test_the_placeholder_among_the_ants_is_found(ants_and_bees):
    dataset, facts, features = ants_and_bees
    placeholder = [image.name for image in dataset.images].index("train/ants/imageNotFound.gif")
    found = checks.findings(dataset, facts, features, datasets.split(dataset, 0), 256)
    by_kind = {finding.kind: finding for finding in found}
    assert by_kind["outliers"].images[0] == placeholder
    assert len(by_kind["outliers"].images) <= 8
    assert blank_images(facts) == by_kind["blank_images"].images == (placeholder,)
    assert by_kind["copies_across_parts"].severity == "fine"
    assert len(by_kind["label_errors"].images) <= 20
