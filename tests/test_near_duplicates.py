import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.planting import CHANGES, changed, facts_of, with_copies
from tests.pictures import encoded, scene, zipped
from tl_core import ingest
from tl_core.ingest.samples import leak
from tl_core.near_duplicates import Pair, find_pairs, groups
from tl_core.registration import Registration


def pair(first: int, second: int) -> Pair:
    return Pair(first, second, "near", 0, None, 1.0)


def dataset_of(files: dict[str, bytes]):
    return ingest.ingest_zip(zipped(files), name="pictures")


def scenes(count: int) -> dict[str, bytes]:
    return {f"{'ab'[n % 2]}/{n:03}.png": encoded(scene(n)) for n in range(count)}


def small_copies(pictures: list[Image.Image]) -> np.ndarray:
    size = (64, 64)
    return np.stack([np.asarray(p.convert("L").resize(size)) for p in pictures])


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory):
    """Forty scenes and twelve changed copies, three of each change, with their facts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_HOME", str(tmp_path_factory.mktemp("planted")))
        copies = with_copies(dataset_of(scenes(40)), 12, seed=1)
        return copies, facts_of(copies.dataset)


def test_every_changed_copy_is_found_and_nothing_else(planted):
    copies, facts = planted
    found = {(p.first, p.second): p for p in find_pairs(facts)}
    truth = {(min(a, b), max(a, b)): change for a, b, change in copies.truth}
    assert set(truth.values()) == set(CHANGES)
    assert set(found) == set(truth)
    for key, change in truth.items():
        assert found[key].kind == ("mirrored" if change == "mirrored" else "near")
        assert found[key].agreement >= 0.9
        assert found[key].similarity is None


def test_features_propose_what_hashes_do_not(planted):
    copies, facts = planted
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(facts), 32)).astype(np.float32)
    for first, second, _ in copies.truth:
        features[second] = features[first] + 0.1
    blind = np.random.default_rng(1).integers(0, 2**63, (2, len(facts)), dtype=np.uint64)
    hashless = replace(facts, hashes=blind[0], mirrored_hashes=blind[1])
    found = find_pairs(hashless, features)
    assert {(p.first, p.second) for p in found} == {
        (min(a, b), max(a, b)) for a, b, _ in copies.truth
    }
    assert all(p.similarity > 0.9 for p in found)
    assert len(find_pairs(hashless)) < len(found)


def test_many_copies_of_a_picture_are_one_group(home):
    """As in a burst of photographs: more copies than the neighbours that are looked at."""
    rng, files = np.random.default_rng(3), scenes(30)
    for first in (1000, 2000):
        for number in range(30):
            change = ("re-encoded", "resized", "cropped")[number % 3]
            files[f"{'ab'[number % 2]}/{first + number}.jpg"] = changed(scene(first), change, rng)
    dataset = dataset_of(files)
    found = groups(find_pairs(facts_of(dataset)), len(dataset.images))
    names = [{dataset.images[i].name[2] for i in group} for group in found]
    assert [len(group) for group in found] == [30, 30]
    assert sorted(map(sorted, names)) == [["1"], ["2"]]


def test_exact_copies_are_listed_with_the_first(home):
    files = scenes(8)
    files["a/copy.png"] = files["b/copy.png"] = files["a/002.png"]
    dataset = dataset_of(files)
    facts = facts_of(dataset)
    found = find_pairs(facts)
    names = [image.name for image in dataset.images]
    assert [(p.kind, p.distance, p.agreement) for p in found] == [("exact", 0, 1.0)] * 2
    assert [{names[i] for i in g} for g in groups(found, len(names))] == [
        {"a/002.png", "a/copy.png", "b/copy.png"}
    ]


def test_empty_pictures_are_no_copies_of_each_other(home):
    files = scenes(8)
    for shade in (0, 60, 120):
        files[f"a/plain{shade}.png"] = encoded(Image.new("RGB", (64, 64), (shade,) * 3))
    assert find_pairs(facts_of(dataset_of(files))) == []


def test_one_picture_has_no_copies(home):
    files = {name: encoded(scene(1)) for name in ("a/0.png", "a/1.png")}
    dataset = ingest.ingest_zip(zipped(files), name="one", kind="probe")
    assert [p.kind for p in find_pairs(facts_of(dataset))] == ["exact"]


def test_handwritten_digits_are_alike_but_no_copies(home):
    assert find_pairs(facts_of(ingest.sample("digits"))) == []


def test_second_photographs_of_a_leaf_are_found(home):
    """Another cut, a small turn, other light and noise; leaves of the same tree are not taken."""
    twice = leak.planted().twice[::6]
    wanted = {name for both in twice for name in both}
    others = [p.name for p in leak.pictures() if p.name not in wanted][::12]
    files = {
        p.name: encoded(Image.fromarray(p.draw()))
        for p in leak.pictures()
        if p.name in wanted or p.name in others
    }
    dataset = dataset_of(files)
    names = [image.name for image in dataset.images]
    found = {frozenset((names[p.first], names[p.second])) for p in find_pairs(facts_of(dataset))}
    assert found <= {frozenset(both) for both in twice}
    assert len(found) >= 0.85 * len(twice)


def test_groups_join_what_pairs_chain():
    chained = [pair(3, 5), pair(5, 9), pair(0, 1), pair(1, 0)]
    assert groups(chained, 10) == [(0, 1), (3, 5, 9)]
    assert groups([], 10) == []


# --- Registration -------------------------------------------------------------------------------


def test_agreement_survives_a_cut_and_a_turn():
    picture = scene(4, (160, 160))
    turned = picture.rotate(4, Image.Resampling.BICUBIC).crop((18, 12, 150, 148))
    copies = small_copies([picture.crop((10, 10, 150, 150)), turned, scene(5, (160, 160))])
    found = Registration(copies).agreement(np.array([[0, 1], [0, 2], [1, 2]]))
    assert found.correlation[0] > 0.9
    assert not found.mirrored[0]
    np.testing.assert_array_less(found.correlation[1:], 0.5)


def test_light_and_contrast_do_not_matter():
    picture = np.asarray(scene(6).convert("L").resize((64, 64)), dtype=np.float64)
    slope = np.linspace(0.6, 1, 64)
    copies = np.stack([picture, picture * slope * 0.7 + 30]).astype(np.uint8)
    assert Registration(copies).agreement(np.array([[0, 1]])).correlation[0] > 0.95


def test_a_mirror_image_is_known_as_one():
    picture = scene(8)
    copies = small_copies([picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
    found = Registration(copies).agreement(np.array([[0, 1], [1, 0], [0, 0]]))
    assert found.mirrored.tolist() == [True, True, False]
    np.testing.assert_allclose(found.correlation, 1, atol=1e-3)


def test_a_quarter_of_a_picture_is_no_copy():
    picture = scene(9, (160, 160))
    copies = small_copies([picture, picture.crop((0, 0, 80, 80))])
    assert Registration(copies).agreement(np.array([[0, 1]])).correlation[0] == 0
    thorough = Registration(copies).agreement(np.array([[0, 1]]), thorough=True)
    assert thorough.correlation[0] != 0


def test_no_pairs_have_no_agreement():
    found = Registration(np.zeros((0, 64, 64), np.uint8)).agreement(np.zeros((0, 2), np.int64))
    assert found.correlation.shape == found.mirrored.shape == (0,)


# --- Photographs --------------------------------------------------------------------------------


def test_copies_planted_among_photographs(home, reference):
    """The pictures of one part, with ten of every change."""
    dataset = ingest.ingest_path(reference / "data" / "hymenoptera" / "val")
    assert find_pairs(facts_of(dataset)) == []
    copies = with_copies(dataset, 40, seed=0)
    found = {(p.first, p.second) for p in find_pairs(facts_of(copies.dataset))}
    truth = {(min(a, b), max(a, b)) for a, b, _ in copies.truth}
    assert len(found & truth) >= 36
    assert len(found - truth) <= 2


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_what_it_says(change):
    picture = scene(1, (200, 100))
    copy = Image.open(io.BytesIO(changed(picture, change, np.random.default_rng(0))))
    sizes = {"resized": {(180, 90), (220, 110)}, "cropped": {(190, 95)}}
    assert copy.format == "JPEG"
    assert copy.size in sizes.get(change, {(200, 100)})
